"""Pictures with what models and people say of them; where the pictures are not there, a table of the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.errors import DatasetError, ImageError
from fer.evaluation.job import KIND
from fer.evaluation.predictions import Predictions
from fer.evaluation.report import Report
from fer.jobs import job
from fer.names import literal
from fer.reports.gallery import Card, gallery, votes_text
from pages.parts.permissions import training_allowed
from pages.parts.session import errors_shown
from pages.parts.widgets import show_some

AT_FIRST = 48
PATHS = "evaluation_data_paths"
"""Fingerprint of a data set → where this visitor says it is."""


def pictures_of(report: Report, report_path: Path) -> FaceDataset | None:
    """Return the data set that a report is about, if this visitor may read paths and has said where it is.

    If the report was made on this page, that is known.
    """
    if not training_allowed():
        return None
    paths: dict[str, str] = st.session_state.setdefault(PATHS, {})
    fingerprint = report.data.fingerprint
    request = job.view(report_path.parent, KIND).request
    before = paths.get(fingerprint, request.dataset if request else "")
    with st.expander("Show the pictures themselves", expanded=not before, icon=":material/image:"):
        path = st.text_input(
            f"Where is {literal(report.data.name)}?",
            before,
            placeholder="/home/me/ferplus",
            help="The data set that was measured on, on the machine that runs the app. The pictures stay there.",
            key=f"data {fingerprint}",
        ).strip()
        if path:
            with errors_shown():
                dataset = opened(path)
                if _fingerprint(path) != fingerprint:
                    raise DatasetError(
                        f"expected the pictures that the report is about, found others at {path} ({dataset.name}). "
                        "Give the path that the model was measured on."
                    )
                paths[fingerprint] = path
                return dataset
    return None


@st.cache_resource(max_entries=2, show_spinner="Opening the data set …")
def opened(path: str) -> FaceDataset:
    """Return a data set, opened once for all visitors.

    Raises:
        DatasetError: there is none.
    """
    return open_dataset(path)


@st.cache_resource(max_entries=2, show_spinner=False)
def _fingerprint(path: str) -> str:
    return opened(path).fingerprint()


def show_pictures(
    opinions: Sequence[tuple[str, Predictions]], places: np.ndarray, dataset: FaceDataset | None, key: str
) -> None:
    """Show some pictures, int (n,): tiles, cards where models differ, or a table where the pictures are not there.

    An opinion is who says so and all that it said, of the same pictures in the same order.
    """
    if not len(places):
        st.info("There is no such picture.", icon=":material/search_off:")
        return
    if dataset is None:
        st.dataframe(table(opinions, places), hide_index=True, key=f"table {key}", column_config=_columns(opinions))
        return

    def show(some: Sequence[int]) -> None:
        shown = [_card(opinions, place, dataset) for place in some]
        st.html(gallery(tiles=shown) if len(opinions) == 1 else gallery(shown))

    show_some(
        places.tolist(),
        show,
        AT_FIRST,
        f"{len(places):,}",
        key,
    )


def table(opinions: Sequence[tuple[str, Predictions]], places: np.ndarray) -> list[dict[str, object]]:
    """Return a row for each picture: name, label, votes, and each model's answer with all probabilities."""
    first = opinions[0][1]
    rows = []
    for place in places:
        row: dict[str, object] = {"label": first.labels[first.truth[place]]}
        for who, said in opinions:
            row[f"{who} says"] = said.labels[said.predicted[place]]
            row[f"{who}, sure"] = float(said.confidence[place])
        row |= {"raters": votes_text(votes_of(first, place)), "picture": first.names[place]}
        if len(opinions) == 1:
            row |= {label: float(first.probabilities[place, number]) for number, label in enumerate(first.labels)}
        rows.append(row)
    return rows


def _columns(opinions: Sequence[tuple[str, Predictions]]) -> dict[str, Any]:
    shares = [f"{who}, sure" for who, _ in opinions]
    percents = {name: st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1) for name in shares}
    labels = opinions[0][1].labels if len(opinions) == 1 else ()
    return percents | {label: st.column_config.NumberColumn(format="%.2f") for label in labels}


def _card(opinions: Sequence[tuple[str, Predictions]], place: int, dataset: FaceDataset) -> Card:
    first = opinions[0][1]
    said = tuple((who, dict(zip(one.labels, one.probabilities[place].tolist(), strict=True))) for who, one in opinions)
    image = picture(dataset, int(first.rows[place]))
    return Card(first.names[place], first.labels[first.truth[place]], votes_of(first, place), said, image)


def picture(dataset: FaceDataset, row: int) -> np.ndarray | None:
    """Return a picture, or None where it cannot be read any more."""
    try:
        return dataset.picture(row)
    except (ImageError, DatasetError):
        return None


def votes_of(people: Predictions | FaceDataset, place: int) -> dict[str, float]:
    """Return what raters say of a picture: label → how many; "something else" where some chose none of the labels."""
    votes = dict(zip(people.labels, people.votes[place].tolist(), strict=True))
    other = float(people.other_votes[place].sum())
    return votes | ({"something else": other} if other else {})
