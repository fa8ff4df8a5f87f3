"""Who is who: with numbers only if the flow does not matter, otherwise with pictures of patches."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from fer.faces import Box, Face
from fer.video.flow import small_gray
from fer.video.tracking import MEMORY_SECONDS, FaceTracker, TrackedFace, overlap
from tests.video.scene import ANGRY, CALM, HAPPY, LABELS, Patch, draw_scene, find

SIZE_WH = (320, 240)
SMOOTHING_SECONDS = 0.6
START = 1000.0


def seen(patch: Patch, probabilities: Sequence[float] = CALM) -> Face:
    one = patch.detection
    return Face(one.box, one.landmarks, one.score, labels=LABELS, probabilities=tuple(probabilities))


def find_at(tracker: FaceTracker, seconds: float, *patches: Patch) -> None:
    tracker.found([seen(patch) for patch in patches], START + seconds, SMOOTHING_SECONDS)


def numbers(tracker: FaceTracker) -> list[int]:
    return [face.track_id or 0 for face in tracker.faces()]


def number_at(tracker: FaceTracker, patch: Patch) -> int | None:
    """Return the number of the face whose box is at the patch."""
    fits = [face.track_id for face in tracker.faces() if overlap(face.box, patch.box) > 0.6]
    return fits[0] if len(fits) == 1 else None


def watch(
    tracker: FaceTracker,
    scene: Callable[[float], list[Patch]],
    end_seconds: float,
    *,
    start_seconds: float = 0.0,
    searches_every: int = 10,
) -> list[list[int]]:
    """Watch a scene at 30 frames per second and return the numbers in view, frame by frame."""
    before, shown = None, []
    for step in range(round((end_seconds - start_seconds) * 30)):
        seconds = start_seconds + step / 30
        image = draw_scene(scene(seconds), SIZE_WH)
        gray = small_gray(image)
        if before is not None:
            tracker.move(before, gray, START + seconds, SIZE_WH)
        before = gray
        if step % searches_every == 0:
            faces = [Face(d.box, d.landmarks, d.score, labels=LABELS, probabilities=CALM) for d in find(image)]
            tracker.found(faces, START + seconds, SMOOTHING_SECONDS)
        shown.append(numbers(tracker))
    return shown


# Identity


def test_at_first_there_is_nobody() -> None:
    tracker = FaceTracker()
    assert tracker.faces() == []
    assert tracker.places() == {}
    assert tracker.people == 0
    find_at(tracker, 0)
    assert tracker.people == 0


def test_people_are_numbered_from_one_in_the_order_they_were_found() -> None:
    tracker = FaceTracker()
    find_at(tracker, 0, Patch(0, 60, 60), Patch(1, 200, 100))
    faces = tracker.faces()
    assert [face.track_id for face in faces] == [1, 2]
    assert [face.box for face in faces] == [Patch(0, 60, 60).box, Patch(1, 200, 100).box]
    assert tracker.places().keys() == {1, 2}
    assert tracker.people == 2


def test_a_person_who_walks_through_the_picture_keeps_the_number_and_the_box() -> None:
    tracker = FaceTracker()

    def walker(seconds: float) -> list[Patch]:
        return [Patch(0, 50 + 70 * seconds, 120 + 20 * np.sin(3 * seconds))]

    shown = watch(tracker, walker, 3.0)
    assert shown == [[1]] * 90
    assert number_at(tracker, walker(89 / 30)[0]) == 1


def test_the_order_in_which_the_detector_lists_faces_does_not_matter() -> None:
    tracker = FaceTracker()
    left, right = Patch(0, 80, 120), Patch(1, 240, 120)
    find_at(tracker, 0, left, right)
    find_at(tracker, 0.3, right, left)
    assert number_at(tracker, left) == 1
    assert number_at(tracker, right) == 2


def test_two_people_who_pass_each_other_at_a_distance_keep_their_numbers() -> None:
    tracker = FaceTracker()

    def passing(seconds: float) -> list[Patch]:
        return [Patch(0, 50 + 75 * seconds, 75), Patch(1, 270 - 75 * seconds, 165)]

    shown = watch(tracker, passing, 3.0)
    assert shown == [[1, 2]] * 90
    one, other = passing(89 / 30)
    assert (number_at(tracker, one), number_at(tracker, other)) == (1, 2)


@pytest.mark.parametrize("speed", [75, 100])
def test_two_people_who_cross_with_one_hidden_for_half_a_second_keep_their_numbers(speed: int) -> None:
    tracker = FaceTracker()
    frames = 240 * 30 // speed

    def crossing(seconds: float) -> list[Patch]:
        return [Patch(0, 40 + speed * seconds, 120), Patch(1, 280 - speed * seconds, 120)]

    hidden = [len(find(draw_scene(crossing(step / 30)))) == 1 for step in range(frames)]
    assert 0.4 < sum(hidden) / 30 < 0.8
    watch(tracker, crossing, frames / 30)
    one, other = crossing((frames - 1) / 30)
    assert (number_at(tracker, one), number_at(tracker, other)) == (1, 2)
    assert tracker.people == 2


@pytest.mark.parametrize("apart", [28, 33, 38, 44])
def test_two_people_who_meet_and_stay_close_keep_their_numbers(apart: float) -> None:
    tracker = FaceTracker()

    def meeting(seconds: float) -> list[Patch]:
        walked = min(60 * seconds, 72)
        return [Patch(0, 60 + walked, 120), Patch(1, 204 + apart - walked, 120)]

    before = None
    for step in range(80):
        seconds = step / 30
        gray = small_gray(draw_scene(meeting(seconds)))
        if before is not None:
            tracker.move(before, gray, START + seconds, SIZE_WH)
        before = gray
        if step % 10 == 0:
            find_at(tracker, seconds, *meeting(seconds))
    centers = [face.box.center[0] for face in tracker.faces()]
    assert numbers(tracker) == [1, 2]
    assert centers == pytest.approx([132, 132 + apart], abs=8)


def test_a_jump_across_the_picture_is_a_new_person() -> None:
    tracker = FaceTracker()
    shown = watch(tracker, lambda seconds: [Patch(0, 50, 60) if seconds < 1 else Patch(0, 260, 180)], 2.5)
    assert shown[0] == [1]
    assert shown[-1] == [2]
    assert tracker.people == 2


def test_a_person_who_comes_nearer_stays_the_same() -> None:
    tracker = FaceTracker()
    shown = watch(tracker, lambda seconds: [Patch(0, 160, 120, 40 + 40 * seconds)], 3.0)
    assert shown == [[1]] * 90
    assert tracker.faces()[0].box.width == pytest.approx(40 + 40 * 89 / 30, rel=0.08)


def test_a_face_of_another_size_in_the_same_place_is_a_new_person() -> None:
    tracker = FaceTracker()
    find_at(tracker, 0, Patch(0, 160, 120, 40))
    find_at(tracker, 0.3, Patch(0, 160, 120, 100))
    assert tracker.people == 2


# Hidden and gone


@pytest.mark.parametrize("begin", [0.9, 1.0, 1.1, 1.2])
def test_a_face_hidden_for_half_a_second_comes_back_under_its_number(begin: float) -> None:
    """Whenever that happens between two searches."""
    tracker = FaceTracker()
    patch = Patch(0, 160, 120)
    shown = watch(tracker, lambda seconds: [] if begin <= seconds < begin + 0.5 else [patch], 2.5)
    assert [] in shown, "while it was hidden it was not shown"
    assert shown[-1] == [1]
    assert tracker.people == 1


def test_a_face_hidden_for_longer_than_the_memory_comes_back_as_a_new_person() -> None:
    tracker = FaceTracker()
    patch = Patch(0, 160, 120)
    back = 1 + MEMORY_SECONDS + 0.5
    shown = watch(tracker, lambda seconds: [] if 1 <= seconds < back else [patch], back + 1)
    assert shown[-1] == [2]


def test_a_walker_who_is_hidden_is_expected_farther_on() -> None:
    """Behind a post for 0.6 s, while walking further than the size of the face."""
    tracker = FaceTracker()

    def walker(seconds: float) -> list[Patch]:
        return [] if 1 <= seconds < 1.6 else [Patch(0, 50 + 80 * seconds, 120, 44)]

    assert watch(tracker, walker, 2.5)[-1] == [1]


def test_a_face_that_the_flow_still_sees_is_shown_for_one_search_without_it() -> None:
    tracker = FaceTracker()
    find_at(tracker, 0, Patch(0, 160, 120))
    find_at(tracker, 0.3)
    assert numbers(tracker) == [1]
    find_at(tracker, 0.6)
    assert numbers(tracker) == []
    assert tracker.places() == {}


def test_a_face_that_the_flow_lost_too_is_gone_with_the_first_search_without_it() -> None:
    tracker = FaceTracker()
    find_at(tracker, 0, Patch(0, 160, 120))
    flat = np.full((240, 320), 128, np.uint8)
    tracker.move(flat, flat, START + 0.1, SIZE_WH)
    assert numbers(tracker) == [1]
    find_at(tracker, 0.3)
    assert numbers(tracker) == []


@pytest.mark.slow
def test_a_crowd_that_came_and_went_leaves_nobody_behind() -> None:
    tracker = FaceTracker()
    random = np.random.default_rng(0)
    most = 0
    for step in range(150):
        places = random.uniform((20, 20), (300, 220), (20, 2))
        find_at(tracker, step / 3, *(Patch(index % 8, x, y, 30) for index, (x, y) in enumerate(places)))
        most = max(most, len(tracker._people))
    assert tracker.people > 200
    assert most < 200
    for step in range(5):
        find_at(tracker, 50 + step / 3)
    assert tracker.faces() == []
    assert tracker._people == []


def test_a_face_on_its_way_out_does_not_become_a_sliver() -> None:
    tracker = FaceTracker()
    shown = watch(tracker, lambda seconds: [Patch(0, 200 + 90 * seconds, 120)], 3.0)
    assert shown[-1] == []
    for face in tracker.faces():
        assert face.box.width > 5


# What a face shows


def test_probabilities_are_averaged_and_the_label_is_held() -> None:
    tracker = FaceTracker()
    patch = Patch(0, 160, 120)
    tracker.found([seen(patch, CALM)], START, SMOOTHING_SECONDS)
    tracker.named({1: seen(patch, HAPPY)}, START + 0.1, SMOOTHING_SECONDS)
    (face,) = tracker.faces()
    assert face.label == "neutral"
    assert face.confidence == face.probabilities[0] < 0.8
    assert 0.1 < face.probabilities[1] < 0.4
    for step in range(2, 20):
        tracker.named({1: seen(patch, HAPPY)}, START + step / 10, SMOOTHING_SECONDS)
    (face,) = tracker.faces()
    assert face.label == "happiness"
    assert face.confidence == pytest.approx(0.8, abs=0.05)


def test_each_person_keeps_their_expression() -> None:
    tracker = FaceTracker()
    one, other = Patch(0, 80, 120), Patch(1, 240, 120)
    tracker.found([seen(one, HAPPY), seen(other, ANGRY)], START, SMOOTHING_SECONDS)
    tracker.found([seen(other, ANGRY), seen(one, HAPPY)], START + 0.3, SMOOTHING_SECONDS)
    assert [face.label for face in tracker.faces()] == ["happiness", "anger"]
    assert [face.probabilities for face in tracker.faces()] == [pytest.approx(HAPPY), pytest.approx(ANGRY)]


def test_new_probabilities_of_a_lost_person_are_ignored() -> None:
    tracker, patch = FaceTracker(), Patch(0, 80, 120)
    find_at(tracker, 0, patch)
    tracker.named({1: seen(patch, HAPPY), 7: seen(patch, ANGRY)}, START + 0.1, 0.0)
    assert [(face.track_id, face.probabilities) for face in tracker.faces()] == [(1, HAPPY)]


def test_a_held_label_is_the_first_even_where_another_is_a_little_ahead() -> None:
    face = TrackedFace(Box(0, 0, 9, 9), (), 1.0, labels=LABELS, probabilities=(0.4, 0.5, 0.1), track_id=3, held=0)
    assert (face.label, face.confidence) == ("neutral", 0.4)
    assert face.ranked() == [("neutral", 0.4), ("happiness", 0.5), ("anger", 0.1)]
    record = face.to_dict()
    assert (record["label"], record["confidence"], record["track_id"]) == ("neutral", 0.4, 3)


# Resolution


def test_a_change_of_the_resolution_moves_everybody_along() -> None:
    tracker = FaceTracker()
    find_at(tracker, 0, Patch(0, 100, 80))
    tracker.rescale(2.0, 1.5)
    (face,) = tracker.faces()
    assert face.box.xyxy == (140, 75, 260, 165)
    assert face.landmarks[0] == pytest.approx((2 * 88, 1.5 * 74))
    tracker.found([seen(Patch(0, 200, 120, 100))], START + 0.3, SMOOTHING_SECONDS)
    assert numbers(tracker) == [1]


# Overlap


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Box(0, 0, 10, 10), 1.0),
        (Box(10, 0, 20, 10), 0.0),
        (Box(30, 30, 40, 40), 0.0),
        (Box(5, 0, 15, 10), 1 / 3),
        (Box(2, 2, 7, 7), 0.25),
    ],
)
def test_overlap_is_the_intersection_over_the_union(other: Box, expected: float) -> None:
    assert overlap(Box(0, 0, 10, 10), other) == overlap(other, Box(0, 0, 10, 10)) == pytest.approx(expected)
