"""Look at a data set: counts, classes, splits, copies, how much raters agree, and the pictures themselves."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from fer.charts.training import rater_agreement
from fer.datasets.dataset import SPLITS, FaceDataset
from fer.names import literal
from fer.reports.gallery import Card, gallery
from pages.parts.dataset import Data, chosen_data
from pages.parts.evaluation_charts import show_chart
from pages.parts.evaluation_pictures import opened, picture, votes_of
from pages.parts.permissions import refuse, training_allowed
from pages.parts.widgets import show_some

SHOWN, PAIRS = 24, 6
EVENLY, DISPUTED, CLEAR = "evenly spread", "most disputed first", "clearest first"


def look_at_dataset() -> None:
    """Choose a data set and show what is in it."""
    if not training_allowed():
        refuse("Looking at data sets is")
        return
    data = chosen_data("look")
    if data is None:
        return
    dataset = opened(data.path)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Splits**")
        counts = [{"rule": rule, **split, "all": sum(split.values())} for rule, split in data.report.rules.items()]
        st.dataframe(counts, hide_index=True, key="dataset rules")
    with right:
        if dataset.is_rated:
            rows = dataset.rows("all", "argmax")
            basis = f"rule argmax (all with a top label), n = {len(rows):,}"
            show_chart(rater_agreement(agreement_of(dataset, rows)), basis, "dataset")
    show_samples(dataset)
    show_copies(dataset, data)


def show_copies(dataset: FaceDataset, data: Data) -> None:
    """Show pictures that are copies of each other, side by side."""
    st.markdown("**Copies**")
    groups = copies_by_kind(dataset, data.report.copies.pairs)
    if not groups:
        st.caption("No picture is a copy of another one.")
        return
    kind = st.selectbox(
        "Pairs",
        list(groups),
        format_func=lambda kind: f"{kind}: {len(groups[kind]):,}",
        label_visibility="collapsed",
        key=f"copies {data.path}",
        width=480,
    )
    st.caption(
        "Pairs of pictures that are the same photo. Where one is trained on and the other one measured on, figures "
        "flatter the model; an orange frame means that the two are labelled differently."
    )
    pairs = groups[kind]
    show_some(
        pairs,
        lambda some: st.html(gallery(pairs=[(_card(dataset, one), _card(dataset, other)) for one, other in some])),
        PAIRS,
        f"{len(pairs):,} pairs",
        f"copies {data.path} {kind}",
    )


def copies_by_kind(dataset: FaceDataset, pairs: Sequence[tuple[int, int]]) -> dict[str, list[tuple[int, int]]]:
    """Return the pairs that are labelled differently, and all pairs by the sides that they stand on."""
    labels = dataset.truth(np.arange(len(dataset)))
    groups: dict[str, list[tuple[int, int]]] = {}
    for one, other in pairs:
        first, second = sorted((str(dataset.splits[one]), str(dataset.splits[other])), key=SPLITS.index)
        groups.setdefault(f"within {first}" if first == second else f"between {first} and {second}", []).append(
            (one, other)
        )
    different = [(one, other) for one, other in pairs if labels[one] != labels[other]]
    return groups | ({"labelled differently": different} if different else {})


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
    st.caption(f"{len(chosen)} of {len(rows):,} pictures whose most frequent label is {literal(label)}.")
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
    label = dataset.labels[int(dataset.truth(np.array([row]))[0])]
    return Card(
        f"{dataset.splits[row]}: {dataset.name_of(row)}", label, votes_of(dataset, row), image=picture(dataset, row)
    )
