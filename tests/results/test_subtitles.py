"""Subtitles show the expressions, one cue after the other."""

from itertools import pairwise

import pytest

from fer.results.subtitles import cues, to_srt, to_vtt
from tests.video.results import timeline_of


def test_one_person_needs_no_name() -> None:
    result = timeline_of({1: ["neutral"] * 10 + [None] * 10 + ["happiness"] * 7})
    assert to_srt(result) == (
        "1\n00:00:00,000 --> 00:00:01,000\nneutral\n\n2\n00:00:02,000 --> 00:00:02,700\nhappiness\n\n"
    )
    assert to_vtt(result).startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nneutral\n\n")


def test_cues_of_several_people_follow_each_other() -> None:
    found = list(cues(timeline_of({1: ["neutral"] * 20, 2: [None] * 5 + ["anger"] * 10})))
    assert [lines for _, _, lines in found] == [
        ["person 1: neutral"],
        ["person 1: neutral", "person 2: anger"],
        ["person 1: neutral"],
    ]
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    assert (found[0][0], found[-1][1]) == pytest.approx((0, 2))


def test_cues_too_short_to_read_are_merged() -> None:
    found = list(cues(timeline_of({1: ["neutral"] * 10 + ["anger"] + ["neutral"] * 10})))
    assert [(round(start, 3), round(end, 3), lines) for start, end, lines in found] == [(0, 2.1, ["neutral"])]


def test_times_are_those_of_the_annotated_video() -> None:
    result = timeline_of({1: ["neutral"] * 10})
    later = timeline_of({1: ["neutral"] * 10}, times=[3600.5 + number / 10 for number in range(10)], ends=3601.5)
    assert to_srt(later) == to_srt(result)
    assert "01:00:00,500 -->" not in to_srt(later)


def test_a_label_with_special_characters_is_escaped() -> None:
    result = timeline_of({1: ["<b>&"] * 10}, labels=("<b>&", *"abcdefg"))
    assert "&lt;b&gt;&amp;" in to_vtt(result)
    assert "<b>&" in to_srt(result)


def test_without_people_there_are_no_subtitles() -> None:
    assert to_srt(timeline_of({})) == ""
    assert to_vtt(timeline_of({})) == "WEBVTT\n\n"
