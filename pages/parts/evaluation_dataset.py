"""Inspect a data set: its splits, classes, duplicates, rater agreement and pictures."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from fer.charts.training import rater_agreement
from fer.datasets.dataset import SPLITS, FaceDataset
from fer.names import literal
from fer.reports.gallery import Card, gallery
from pages.parts.dataset import Data, chosen_data, show_overview
from pages.parts.evaluation_charts import show_chart
from pages.parts.evaluation_pictures import opened, picture, votes_of
from pages.parts.permissions import refuse, training_allowed
from pages.parts.widgets import show_some

SHOWN, PAIRS = 24, 6
EVENLY, DISPUTED, CLEAR = "evenly spread", "least agreement first", "most agreement first"


def look_at_dataset() -> None:
    """Ask for a data set and show what it contains."""
    if not training_allowed():
        refuse("Inspecting data sets is")
        return
    data = chosen_data("look")
    if data is None:
        return
    show_overview(data)
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
    """Show duplicate pictures side by side."""
    st.markdown("**Duplicates**")
    groups = copies_by_kind(dataset, data.report.copies.pairs)
    if not groups:
        st.caption("No duplicates found.")
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
        "Pairs that show the same photo. If one is in the training split and the other in the test split, the figures "
        "come out too high. An orange frame marks pairs with different labels."
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
    """Return the pairs grouped by their splits, and those with different labels."""
    labels = dataset.truth(np.arange(len(dataset)))
    groups: dict[str, list[tuple[int, int]]] = {}
    for one, other in pairs:
        first, second = sorted((str(dataset.splits[one]), str(dataset.splits[other])), key=SPLITS.index)
        groups.setdefault(f"within {first}" if first == second else f"between {first} and {second}", []).append(
            (one, other)
        )
    different = [(one, other) for one, other in pairs if labels[one] != labels[other]]
    return groups | ({"labeled differently": different} if different else {})


def show_samples(dataset: FaceDataset) -> None:
    """Show sample pictures of an expression with their votes."""
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
        st.info("No such pictures.", icon=":material/search_off:")
        return
    chosen = ordered(dataset, rows, order)[:SHOWN]
    st.caption(f"{len(chosen)} of {len(rows):,} pictures most often labeled {literal(label)}.")
    st.html(gallery([_card(dataset, int(row)) for row in chosen]))


def ordered(dataset: FaceDataset, rows: np.ndarray, order: str) -> np.ndarray:
    """Return the rows in an order, those to show first."""
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
