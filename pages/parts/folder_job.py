"""The second half of the page for many photos: how far it is, and what was found."""

from pathlib import Path

import streamlit as st

from fer.charts.expressions import count_bars, probability_bars
from fer.collection import job as collection
from fer.collection.job import KIND, RESULTS_NAME, Request, is_upload
from fer.collection.selection import (
    NO_FACE,
    ORDERS,
    Entry,
    annotated_zip,
    counts_of,
    entries_of,
    pictures_of,
    select,
)
from fer.faces import describe
from fer.jobs import job
from fer.jobs.job import JobView
from fer.jobs.status import DAMAGED, FINISHED
from fer.model.checkpoint import ModelInfo, read_info
from fer.names import literal
from fer.results.journal import Finished, read_finished
from fer.results.pictures import concern_words, to_csv, to_json
from pages.parts.folder_new import done_of, title_of
from pages.parts.jobs import ICONS, leave, remove, watch
from pages.parts.permissions import for_visitor
from pages.parts.session import attempt, errors_shown
from pages.parts.widgets import STATIC, delete_button, download, download_figures, show_concerns, show_opinions

ROWS_AT_ONCE = 200
WHO_SAYS = "What raters would call the face, and what the label of its picture would, where these are not the same."


def show_job(seen: JobView[Request]) -> None:
    """Show where a job stands, and all that it has found so far."""
    title, buttons = st.columns([3, 2], vertical_alignment="center")
    with title:
        st.text(title_of(seen))
    with buttons, st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Other photos", icon=":material/add:"):
            leave(KIND)
            st.rerun()
        uploaded = seen.request and is_upload(seen.folder, seen.request)
        what = f"The results {'and the pictures that were uploaded ' if uploaded else ''}are"
        delete_button(what, lambda: remove(seen.folder, KIND))
    show_state(seen)
    path = seen.folder / RESULTS_NAME
    with errors_shown():  # the model or the results may be gone or damaged
        if seen.request and path.is_file():
            if finished := _finished(path, path.stat().st_size):
                show_results(seen.request, finished)
            elif seen.state == FINISHED:
                st.warning("None of the results can be read. Look at the photos again.", icon=ICONS[DAMAGED])


def show_state(seen: JobView[Request]) -> None:
    """Say how far a job is, and offer what can be done about it."""
    if seen.active:
        watch(seen, KIND)
        with st.container(horizontal=True):
            if st.button("Pause", icon=":material/pause:"):
                attempt(lambda: job.stop(seen.folder, KIND))
            if seen.status.done and st.button("Show what is done so far", icon=":material/refresh:"):
                st.rerun()
        st.caption("You may close this page: the work goes on, and this address shows it again.")
    elif seen.state != FINISHED:
        st.warning(f"{done_of(seen)} done. {for_visitor(seen.message)}", icon=ICONS[seen.state])
        if seen.can_resume and st.button("Continue", type="primary", icon=":material/play_arrow:"):
            attempt(lambda: collection.start(seen.folder))


def show_results(request: Request, finished: list[Finished]) -> None:
    """Show totals, the table, one picture, and the files to take along."""
    info = read_info(request.checkpoint).read_for(request.faces)
    entries = entries_of(finished)
    broken = [one for one in finished if one.result.error is not None]
    counts = counts_of(entries, info.labels)
    without = counts.get(NO_FACE, 0)
    totals = {
        "Pictures": len(finished),
        "Faces": len(entries) - without,
        "Without a face": without,
        "Not readable": len(broken),
    }
    with st.container(horizontal=True):  # two in a row on a phone
        for name, value in totals.items():
            st.metric(name, f"{value:,}", border=True, width=160)
    if broken:
        with st.expander(f"{len(broken):,} could not be read", icon=":material/broken_image:"):
            st.text("\n".join(f"{one.picture.name}: {one.result.error}" for one in broken))
    if not entries:
        return
    if shown := {label: count for label, count in counts.items() if label != NO_FACE}:
        st.plotly_chart(
            count_bars(shown), config=STATIC, key="totals", alt=", ".join(f"{n} {k}" for k, n in shown.items())
        )
    chosen, is_filtered = filtered(entries, counts)
    if not chosen:
        st.info("No face is like that.", icon=":material/filter_alt_off:")
        return
    show_table(chosen, info.unsure_below)
    downloads(pictures_of(chosen) if is_filtered else finished, is_filtered, info)


def filtered(entries: list[Entry], counts: dict[str, int]) -> tuple[list[Entry], bool]:
    """Ask what to show; return it, and whether that is less than all."""
    left, middle, right = st.columns([3, 2, 1], gap="medium")
    with left:
        wanted = st.pills(
            "Expression",
            list(counts),
            selection_mode="multi",
            format_func=lambda label: f"{literal(label)} {counts[label]:,}",
            key="folder_labels",
        )
        count = sum(bool(entry.face and entry.face.differing) for entry in entries)
        differing = bool(count) and st.toggle(
            f"Only where the two opinions differ: {count:,}", key="folder_differing", help=WHO_SAYS
        )
    with middle:
        lowest, highest = st.slider("Confidence", 0, 100, (0, 100), format="%d %%", key="folder_confidence")
    with right:
        order = st.selectbox("Order", ORDERS, key="folder_order")
    chosen = select(entries, wanted, lowest / 100, highest / 100, order, differing)
    return chosen, bool(wanted) or differing or (lowest, highest) != (0, 100)


def show_table(chosen: list[Entry], unsure_below: float) -> None:
    """Show the faces, a page of them at once; one that is selected larger, in its picture."""
    pages = -(-len(chosen) // ROWS_AT_ONCE)
    page = (
        int(st.number_input(f"Page, of {pages:,}", 1, pages, key=f"folder_page {pages}", width=160)) if pages > 1 else 1
    )
    rows = chosen[(page - 1) * ROWS_AT_ONCE : page * ROWS_AT_ONCE]
    st.caption(f"{len(chosen):,} shown. Select a row to see its picture.")
    table = [
        {
            "face": entry.thumbnail,
            "expression": entry.label,
            "confidence": None if entry.confidence is None else 100 * entry.confidence,
            "raters / label": " / ".join(entry.face.differing or ()) if entry.face else "",
            "concerns": concern_words(entry.face, unsure_below) if entry.face else "",
            "picture": entry.name,
        }
        for entry in rows
    ]
    differ = any(entry["raters / label"] for entry in table)
    event = st.dataframe(
        table,
        hide_index=True,
        row_height=72,
        height=min(72 * len(rows) + 42, 560),
        column_config={
            "face": st.column_config.ImageColumn(width=80),
            "expression": st.column_config.TextColumn(width=100),
            "confidence": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100, width=110),
            "raters / label": st.column_config.TextColumn(width=130, help=WHO_SAYS) if differ else None,
            "concerns": st.column_config.TextColumn(width=110),
            "picture": st.column_config.TextColumn(width="medium"),
        },
        on_select="rerun",
        selection_mode="single-row",
        key=f"faces {hash(tuple(entry.name for entry in rows))}",  # other rows, nothing selected
        alt="faces with their expression, confidence, and what speaks against trusting it",
    )
    for row in event["selection"]["rows"]:
        show_entry(rows[row], unsure_below)


def show_entry(entry: Entry, unsure_below: float) -> None:
    """Show a face in its picture."""
    picture = entry.finished.picture
    with st.container(border=True):
        left, right = st.columns([3, 2], gap="medium")
        with left:
            if picture.output and picture.output.is_file():
                st.image(picture.output, width="stretch", alt=f"{picture.name} with its faces marked")
            st.caption(literal(picture.name))
        with right:
            if entry.face:
                st.markdown(f"**{entry.number} · {literal(describe(entry.face))}**")
                show_concerns(entry.face, unsure_below)
                show_opinions(entry.face)
                st.plotly_chart(
                    probability_bars(entry.face), config=STATIC, key="selected face", alt=describe(entry.face)
                )
            else:
                st.info("No face was found.", icon=":material/search_off:")


def downloads(finished: list[Finished], is_filtered: bool, info: ModelInfo) -> None:
    """Offer tables and annotated copies of the pictures that are shown."""
    results = [one.result for one in finished]
    with st.container(horizontal=True):
        download_figures(
            "faces",
            lambda: to_csv(results, info.labels, info.unsure_below).encode(errors="backslashreplace"),
            lambda: to_json(results, info.unsure_below),
        )
        download("Annotated copies (ZIP)", lambda: annotated_zip(finished), "annotated.zip", "folder_zip")
    which = f"the {len(finished):,} pictures that are shown" if is_filtered else "all pictures"
    st.caption(f"Of {which}, with all faces in them; the copies are at most 1,280 pixels long.")


@st.cache_resource(max_entries=2, show_spinner="Reading the results …", scope="session")
def _finished(path: Path, size: int) -> list[Finished]:
    return read_finished(path)
