"""Every data set's word for an expression is mapped to ours, and every label has a color."""

import re
import subprocess
import sys

import pytest

from fer.labels import COLORS, FER2013, FERPLUS, canonical_label, color_of, expressions_in


def test_the_label_sets_are_in_the_order_of_their_files() -> None:
    assert FERPLUS == ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
    assert FER2013 == ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("Angry", "anger"),
        ("HAPPY", "happiness"),
        (" sad ", "sadness"),
        ("Surprised", "surprise"),
        ("fearful", "fear"),
        ("disgusted", "disgust"),
        ("contemptuous", "contempt"),
        ("calm", "neutral"),
    ],
)
def test_a_known_synonym_becomes_our_word(word: str, label: str) -> None:
    assert canonical_label(word) == label


@pytest.mark.parametrize("label", FERPLUS)
def test_our_labels_are_unchanged(label: str) -> None:
    assert canonical_label(label) == label
    assert canonical_label(label.capitalize()) == label


def test_an_unknown_word_is_only_stripped() -> None:
    assert canonical_label(" Wide Awake ") == "Wide Awake"


def test_each_of_our_labels_has_a_distinct_color() -> None:
    assert set(COLORS) == set(FERPLUS)
    assert len(set(COLORS.values())) == len(FERPLUS)
    assert color_of("happiness") == COLORS["happiness"]


def test_a_synonym_has_the_color_of_its_label() -> None:
    assert color_of("Happy") == COLORS["happiness"]


@pytest.mark.parametrize("label", ["tired", "Wide Awake", "müde", ""])
def test_any_word_has_a_color(label: str) -> None:
    assert re.fullmatch(r"#[0-9A-F]{6}", color_of(label))


def test_an_own_label_has_the_same_color_in_every_process() -> None:
    words = ["tired", "bored", "awake"]
    program = f"from fer.labels import color_of; print(*map(color_of, {words!r}))"
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert there == [color_of(word) for word in words]


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("0_angry", "anger"),
        ("happy_faces", "happiness"),
        ("03 - Sad (photos)", "sadness"),
        ("FearfulPeople", "fear"),
        ("smile-happy", "happiness"),
        ("class_6_NEUTRAL", "neutral"),
        ("suprise", "surprise"),
    ],
)
def test_a_folders_name_may_surround_an_expression(word: str, label: str) -> None:
    assert canonical_label(word) == label


@pytest.mark.parametrize("word", ["not happy", "happy_sad", "unhappy", "very-angry", "faces", "3", ""])
def test_ambiguous_words_are_unchanged(word: str) -> None:
    assert canonical_label(word) == word


@pytest.mark.parametrize(
    ("word", "found"),
    [("not happy", {"happiness"}), ("happy_sad", {"happiness", "sadness"}), ("bored", set()), ("unhappy", set())],
)
def test_expressions_that_a_word_mentions(word: str, found: set[str]) -> None:
    assert expressions_in(word) == found
