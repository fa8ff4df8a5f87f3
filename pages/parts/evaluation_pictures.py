"""Pictures with predictions and votes, or a table of these if the pictures are not available."""

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
from fer.names import literal, not_a_formula
from fer.reports.gallery import Card, gallery, votes_text
from pages.parts.permissions import training_allowed
from pages.parts.session import errors_shown
from pages.parts.widgets import cells, show_some

AT_FIRST = 48
PATHS = "evaluation_data_paths"
"""In the session: fingerprint of a data set → the path that the visitor gave."""


def pictures_of(report: Report, report_path: Path) -> FaceDataset | None:
    """Return the data set behind a report, if the visitor may read paths and has given its path.

    For a report made on this page, the path is known.
    """
    if not training_allowed():
        return None
    paths: dict[str, str] = st.session_state.setdefault(PATHS, {})
    fingerprint = report.data.fingerprint
    request = job.view(report_path.parent, KIND).request
    before = paths.get(fingerprint, request.dataset if request else "")
    with st.expander("Show the pictures", expanded=not before, icon=":material/image:"):
        path = st.text_input(
            f"Where is {literal(report.data.name)}?",
            before,
            placeholder="/home/me/ferplus",
            help="The path of the evaluated data set on the machine that runs the app. The pictures stay there.",
            key=f"data {fingerprint}",
            live=True,
        ).strip()
        if path:
            with errors_shown():
                dataset = opened(path)
                if _fingerprint(path) != fingerprint:
                    raise DatasetError(
                        f"expected the pictures of this report, found others at {path} ({dataset.name}). "
                        "Give the path of the data set that was evaluated."
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
    """Show some pictures: as tiles, as cards if models are compared, or as a table if they are not available.

    Args:
        opinions: the name of each model with its predictions, of the same pictures in the same order.
        places: indices into the predictions, int (n,).
        dataset: the pictures; None if they are not available.
        key: identifies the list on its page.
    """
    if not len(places):
        st.info("No such pictures.", icon=":material/search_off:")
        return
    if dataset is None:
        rows = cells(table(opinions, places))
        st.dataframe(rows, hide_index=True, key=f"table {key}", column_config=_columns(opinions))
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
    """Return a row per picture: its name, label and votes, and each model's prediction and probabilities."""
    first = opinions[0][1]
    rows = []
    for place in places:
        row: dict[str, object] = {"label": first.labels[first.truth[place]]}
        for who, said in opinions:
            row[f"{who} predicts"] = said.labels[said.predicted[place]]
            row[f"{who}, confidence"] = 100 * float(said.confidence[place])
        row |= {"raters": votes_text(votes_of(first, place)), "picture": first.names[place]}
        if len(opinions) == 1:
            row |= {label: float(first.probabilities[place, number]) for number, label in enumerate(first.labels)}
        rows.append(row)
    return rows


def _columns(opinions: Sequence[tuple[str, Predictions]]) -> dict[str, Any]:
    shares = [f"{who}, confidence" for who, _ in opinions]
    percents = {name: st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100) for name in shares}
    labels = opinions[0][1].labels if len(opinions) == 1 else ()
    columns = percents | {label: st.column_config.NumberColumn(format="%.2f") for label in labels}
    return {not_a_formula(name): column for name, column in columns.items()}


def _card(opinions: Sequence[tuple[str, Predictions]], place: int, dataset: FaceDataset) -> Card:
    first = opinions[0][1]
    said = tuple((who, dict(zip(one.labels, one.probabilities[place].tolist(), strict=True))) for who, one in opinions)
    image = picture(dataset, int(first.rows[place]))
    return Card(first.names[place], first.labels[first.truth[place]], votes_of(first, place), said, image)


def picture(dataset: FaceDataset, row: int) -> np.ndarray | None:
    """Return a picture, or None if it can no longer be read."""
    try:
        return dataset.picture(row)
    except (ImageError, DatasetError):
        return None


def votes_of(people: Predictions | FaceDataset, place: int) -> dict[str, float]:
    """Return the votes for a picture, label → count, with "something else" for votes outside the labels."""
    votes = dict(zip(people.labels, people.votes[place].tolist(), strict=True))
    other = float(people.other_votes[place].sum())
    return votes | ({"something else": other} if other else {})
