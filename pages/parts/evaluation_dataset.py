"""Look at a data set: counts, classes, splits, copies, how much raters agree, and the pictures themselves."""

import numpy as np
import streamlit as st

from fer.datasets.dataset import SPLITS, FaceDataset
from fer.display.dataset_plots import rater_agreement
from fer.display.gallery import Card, gallery
from fer.display.widgets import training_allowed
from fer.errors import FerError
from pages.parts.dataset import Data, chosen_path, looked_at, show_data
from pages.parts.evaluation_charts import show_chart
from pages.parts.evaluation_pictures import opened, picture

SHOWN = 24
EVENLY, DISPUTED, CLEAR = "evenly spread", "most disputed first", "clearest first"


def look_at_dataset() -> None:
    """Choose a data set and show what is in it."""
    if not training_allowed():
        st.info(
            "Looking at data sets is switched off for visitors from other machines. Whoever runs the app allows it "
            "with FER_ALLOW_TRAINING=1 in its environment.",
            icon=":material/lock:",
        )
        return
    path = chosen_path("look")
    if path is None:
        st.caption("The pictures stay on this machine. Without pictures of your own, try it with drawn faces.")
        return
    try:
        data = looked_at(path)
    except FerError as error:
        st.error(str(error), icon=":material/error:")
        return
    show_data(data)
    dataset = opened(path)
    left, right = st.columns(2, gap="large")
    with left:
        show_splits(data)
    with right:
        if dataset.is_rated:
            rows = dataset.rows("all", "argmax")
            basis = f"rule argmax (all with a top label), n = {len(rows):,}"
            show_chart(rater_agreement(agreement_of(dataset, rows)), basis, "dataset")
    show_samples(dataset)


def show_splits(data: Data) -> None:
    """Show how many pictures of each split count, and where copies stand."""
    found = data.report
    st.markdown("**Splits**")
    st.dataframe(
        [{"rule": rule, **counts, "all": sum(counts.values())} for rule, counts in found.rules.items()],
        hide_index=True,
        key="dataset rules",
    )
    st.markdown("**Copies**")
    copies = found.copies
    st.dataframe(
        [
            {"pairs": "on one side of the split", "number": copies.within},
            *({"pairs": f"between {sides}", "number": number} for sides, number in copies.across_splits.items()),
            {"pairs": "with two different labels", "number": copies.labelled_differently},
        ],
        hide_index=True,
        key="dataset copies",
    )


def show_samples(dataset: FaceDataset) -> None:
    """Show some pictures of an expression, with their votes."""
    st.markdown("**Pictures**")
    left, middle, right = st.columns(3, gap="medium")
    label = left.selectbox("Expression", dataset.labels, key="samples_label")
    splits = ["all", *(split for split in SPLITS if (dataset.splits == split).any())]
    split = middle.selectbox("Split", splits, key="samples_split")
    orders = [EVENLY, DISPUTED, CLEAR] if dataset.is_rated else [EVENLY]
    order = right.selectbox("Order", orders, key="samples_order")
    rows = dataset.rows(split, "argmax")
    rows = rows[dataset.truth(rows) == dataset.labels.index(label)]
    if not len(rows):
        st.info("There is no such picture.", icon=":material/search_off:")
        return
    chosen = ordered(dataset, rows, order)[:SHOWN]
    st.caption(f"{len(chosen)} of {len(rows):,} pictures whose most frequent label is {label}.")
    st.html(gallery([_card(dataset, int(row)) for row in chosen]))


def ordered(dataset: FaceDataset, rows: np.ndarray, order: str) -> np.ndarray:
    """Return the rows in an order: those to be shown come first."""
    if order == EVENLY:
        return rows[np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).astype(int)]
    shares = agreement_of(dataset, rows)
    return rows[np.argsort(shares if order == DISPUTED else -shares, kind="stable")]


def agreement_of(dataset: FaceDataset, rows: np.ndarray) -> np.ndarray:
    """Return the share of raters who chose the most frequent label, float (n,), 0..1."""
    votes = dataset.votes[rows]
    share: np.ndarray = votes.max(axis=1) / (votes.sum(axis=1) + dataset.other_votes[rows].sum(axis=1))
    return share


def _card(dataset: FaceDataset, row: int) -> Card:
    votes = dict(zip(dataset.labels, dataset.votes[row].tolist(), strict=True))
    if other := float(dataset.other_votes[row].sum()):
        votes["something else"] = other
    label = dataset.labels[int(dataset.truth(np.array([row]))[0])]
    return Card(dataset.name_of(row), label, votes, image=picture(dataset, row))
