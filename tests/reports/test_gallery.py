"""Faces side by side: the readings, and no executable content."""

import re

import numpy as np

from fer.reports.gallery import Card, gallery, votes_text


def test_votes_in_words() -> None:
    assert votes_text({"fear": 2, "anger": 7, "neutral": 0}) == "7 anger, 2 fear"
    assert votes_text({"fear": 1, "anger": 0}) == ""  # a single label is not a vote


def test_a_card_has_the_truth_the_votes_and_the_readings() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    text = gallery([Card("a.png", "fear", {"fear": 6, "anger": 4}, (("model", {"anger": 0.75, "fear": 0.25}),), image)])
    assert re.search(r'alt="[^"]*fear"', text) and "6 fear, 4 anger" in text
    assert text.index("anger</span><span>75 %") < text.index("fear</span><span>25 %")
    assert len(text) < 5000  # the picture was subsampled


def test_names_are_shown_and_never_executed() -> None:
    text = gallery([Card("<b>", '"><script>', {}, image=np.zeros((8, 8, 3), np.uint8))])
    assert "<script>" not in text and "<b>&lt;" not in text.replace("<b>&quot;", "")


def test_a_pair_is_side_by_side_and_framed_if_its_labels_differ() -> None:
    fear, anger = Card("train: a.png", "fear", {}), Card("test: b.png", "anger", {})
    alike, different = gallery(pairs=[(fear, fear)]), gallery(pairs=[(fear, anger)])
    assert alike.count("<figure") == different.count("<figure") == 2
    assert "#D55E00" in different and "#D55E00" not in alike
    assert different.index("train: a.png") < different.index("test: b.png")
