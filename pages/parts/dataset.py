"""Choose and inspect a data set, on the training and evaluation pages."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st

from fer import home
from fer.charts.training import class_bars
from fer.datasets import open_datasets
from fer.datasets.archive import delete_upload, keep_upload, kept_uploads
from fer.datasets.drawing import NOT_REAL
from fer.datasets.report import DatasetReport, contact_sheet, pairs_of_copies, report
from fer.evaluation.crops import warn_of_whole_photos
from fer.names import literal
from pages.parts.corrections import LOOKED_AT, corrections_path
from pages.parts.visitor import owner
from pages.parts.widgets import STATIC, counted, delete_button, one_of, path_here
from pages.parts.words import in_words

UPLOAD, MINE, DRAWN, HERE, OWN = "Upload", "My corrections", "Drawn faces", "On this machine", "Its training data"
SOURCES = {
    UPLOAD: ":material/upload: Upload",
    MINE: ":material/thumbs_up_down: My corrections",
    DRAWN: ":material/draw: Drawn faces",
    HERE: ":material/folder: On this machine",
}


@dataclass(frozen=True, eq=False)
class Data:
    """A data set that was inspected."""

    path: str
    report: DatasetReport
    sheet: np.ndarray


def name_of(path: str) -> str:
    """Return a plain name for a data set, derived from its path; empty if that has no letters."""
    stem = re.sub(r"-[0-9a-f]{12}$", "", Path(path).stem)  # the hash in the name of an upload's folder
    return re.sub(r"[^\w.-]+", "-", stem).strip("-. ")[:50]


def chosen_path(key: str, own: str | None = None) -> str | None:
    """Ask for a data set and return its path; None while none is chosen.

    Args:
        key: names the part of the page; each part remembers its choice.
        own: the data set that a model was trained on, offered as well.
    """
    sources = {name: shown for name, shown in SOURCES.items() if name != MINE or owner() == ""}
    sources |= {OWN: ":material/model_training: Its training data"} if own else {}
    if st.session_state.get(f"{key}_source") not in sources:
        st.session_state.pop(f"{key}_source", None)
    source = one_of("Source", sources, f"{key}_source")
    if source == OWN:
        return own
    if source == MINE:
        mine = corrections_path()
        return str(mine) if mine else None
    if source == DRAWN:
        count = st.select_slider("Drawn faces", [80, 400, 1000, 2000, 4000], 1000)
        st.caption(f":material/info: {NOT_REAL}")
        return f"synthetic:{count}"
    if source == HERE:
        path = path_here("/home/me/faces", "A folder, a CSV or a ZIP on the machine that runs the app.")
        return str(path) if path else None
    return uploaded_path()


def uploaded_path() -> str | None:
    """Accept an upload, or offer earlier ones."""
    upload = st.file_uploader(
        "A ZIP with one folder of pictures per expression, or a CSV of pictures",
        ["zip", "csv"],
        help="Folders such as angry/ and happy/, with any names; each picture shows one face, cropped square. The "
        "layouts of FER2013, FER+, RAF-DB, AffectNet and CK+ work, too. For larger data sets choose *On this machine*.",
    )
    folder = home.data_folder().absolute() / "uploads"
    if upload:
        if st.session_state.get("dataset_upload", (None, ""))[0] != upload.file_id:
            with st.spinner("Unpacking …"):
                st.session_state["dataset_upload"] = upload.file_id, keep_upload(upload.name, upload, folder)
        return str(st.session_state["dataset_upload"][1])
    earlier = kept_uploads(folder)
    if not earlier:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Or choose an earlier upload",
            earlier,
            None,
            format_func=lambda path: path.relative_to(folder).parts[0],
            placeholder="Choose …",
        )
        if chosen:
            what = "Models trained on these pictures stay; the pictures are"
            delete_button(what, lambda: delete_upload(chosen, folder))
    return str(chosen) if chosen else None


def chosen_data(key: str) -> Data | None:
    """Ask for a data set and say what it contains; return None while none is chosen."""
    path = chosen_path(key)
    if path is None:
        st.caption("Your pictures stay on this machine. No pictures yet? Try it with drawn faces.")
        return None
    data = looked_at(path)
    show_data(data)
    return data


def looked_at(path: str) -> Data:
    """Open a data set and inspect every picture, once for each visitor and data set."""
    data: Data | None = st.session_state.get(LOOKED_AT)
    if data is None or data.path != path:
        bar = st.progress(0.0, "Opening …")

        def show(done: int, total: int) -> None:
            if done == total or done % 50 == 0:
                bar.progress(done / max(total, 1), f"Checking picture {done:,} of {total:,}")

        try:
            dataset = open_datasets([path], show)
            found = report(dataset, show)
            found = replace(found, warnings=(*warn_of_whole_photos(dataset), *found.warnings))
            data = Data(path, found, contact_sheet(dataset))
        finally:
            bar.empty()
        st.session_state[LOOKED_AT] = data
    return data


def show_data(data: Data) -> None:
    """Say what a data set contains, and what is wrong with it."""
    found = data.report
    copies = found.copies.within + found.copies.across
    facts = [f"**{found.pictures:,} pictures**", f"{len(found.counts)} expressions"]
    if found.sizes:
        smallest, largest = ("{} × {}".format(*size) for size in (found.sizes.smallest, found.sizes.largest))
        facts.append(f"{smallest} pixels" if smallest == largest else f"{smallest} to {largest} pixels")
    if found.subjects:
        facts.append(counted(sum(found.subjects.values()), "person", "people"))
    facts.append(pairs_of_copies(copies) if copies else "no duplicates")
    if found.broken:
        facts.append(f"{len(found.broken)} unreadable")
    st.markdown(" · ".join(facts))
    st.text(in_words("\n".join(note for note in found.notes if note != NOT_REAL)))
    for warning in found.warnings:
        st.warning(literal(in_words(warning)), icon=":material/warning:")


def show_overview(data: Data) -> None:
    """Show how many pictures each expression has, some of them, and which are copies or broken."""
    found = data.report
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Pictures per expression**")
        st.caption("Rare expressions are learned poorly, and measured poorly, too.")
        st.plotly_chart(class_bars(found.counts), config=STATIC, key="classes")
    with right:
        st.markdown("**At a glance**")
        st.caption("One row per expression. Look for pictures in the wrong folder and bad crops.")
        st.image(data.sheet, width="stretch", alt=f"sample pictures of {', '.join(found.counts)}")
    details = [*(f"{one} and {other} are duplicates." for one, other in found.copies.examples), *found.broken]
    if details:
        with st.expander("Details", icon=":material/list:"):
            st.caption(
                "Duplicates look the same when shrunk to 32 × 32 pixels. Whole photos in front of one background may "
                "count as duplicates though they are not; crops of faces do not."
            )
            st.text("\n".join(details[:200]))
