"""Textured patches that move as the test says, on a background without texture."""

import numpy as np
import pytest

from fer.faces import Detection
from fer.video.flow import FLOW_SIDE_PX, follow, placed, small_gray
from tests.video.scene import Image, Patch, draw_scene

SIZE_WH = (320, 240)


def followed(before: list[Patch], after: list[Patch], size_wh: tuple[int, int] = SIZE_WH) -> list[Detection | None]:
    grays = [small_gray(draw_scene(patches, size_wh)) for patches in (before, after)]
    return follow(grays[0], grays[1], [patch.detection for patch in before], size_wh)


def assert_at(moved: Detection | None, patch: Patch, tolerance_px: float = 1.0) -> None:
    assert moved is not None
    assert moved.box.xyxy == pytest.approx(patch.box.xyxy, abs=tolerance_px)
    for place, expected in zip(moved.landmarks, patch.detection.landmarks, strict=True):
        assert place == pytest.approx(expected, abs=tolerance_px)


def test_a_face_that_stays_is_found_where_it_was() -> None:
    patch = Patch(0, 160, 120)
    assert_at(followed([patch], [patch])[0], patch, 0.01)


@pytest.mark.parametrize("step_xy", [(3.0, 0.0), (-6.0, 4.5), (10.0, -8.0), (0.4, 0.3)])
def test_a_face_is_followed_and_its_landmarks_with_it(step_xy: tuple[float, float]) -> None:
    after = Patch(0, 160 + step_xy[0], 120 + step_xy[1])
    assert_at(followed([Patch(0, 160, 120)], [after])[0], after)


@pytest.mark.parametrize("size", [56.0, 66.0])
def test_a_face_that_comes_nearer_or_goes_away_changes_its_size(size: float) -> None:
    after = Patch(0, 162, 119, size)
    assert_at(followed([Patch(0, 160, 120)], [after])[0], after, 1.5)


def test_places_are_pixels_of_the_whole_picture_whatever_size_the_flow_works_at() -> None:
    after = Patch(0, 660, 352, 182)
    assert_at(followed([Patch(0, 640, 360, 180)], [after], (1280, 720))[0], after, 3.0)


def test_the_score_is_the_detectors() -> None:
    (moved,) = followed([Patch(0, 160, 120)], [Patch(0, 163, 121)])
    assert moved is not None
    assert moved.score == 0.99


def test_several_faces_are_followed_independently() -> None:
    before = [Patch(0, 60, 60), Patch(1, 160, 180), Patch(2, 260, 70)]
    after = [Patch(0, 66, 60), Patch(1, 157, 172), Patch(2, 260, 75, 62)]
    for moved, patch in zip(followed(before, after), after, strict=True):
        assert_at(moved, patch, 1.5)


def test_a_lost_face_does_not_affect_the_others() -> None:
    stays = Patch(1, 224, 120)
    gone, moved = followed([Patch(0, 60, 60), Patch(1, 220, 120)], [stays])
    assert gone is None
    assert_at(moved, stays)


def test_a_face_is_not_carried_off_by_one_that_passes_in_front() -> None:
    before, after = ([Patch(0, 120, 120), Patch(1, x, 120)] for x in (158, 152))
    hidden, _ = followed(before, after)
    assert_at(hidden, after[0], 1.5)


def test_a_leaving_face_is_clipped_at_the_border() -> None:
    (moved,) = followed([Patch(0, 285, 120)], [Patch(0, 293, 120)])
    assert moved is not None
    assert moved.box.x2 == SIZE_WH[0]
    assert moved.box.x1 == pytest.approx(263, abs=1)


def test_a_face_that_left_is_lost() -> None:
    assert followed([Patch(0, 280, 120)], [Patch(0, 360, 120)]) == [None]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_gives_nothing_to_follow(value: int) -> None:
    flat = np.full((240, 320), value, np.uint8)
    textured = small_gray(draw_scene([Patch(0, 160, 120)]))
    faces = [Patch(0, 160, 120).detection]
    assert follow(textured, flat, faces, SIZE_WH) == [None]
    assert follow(flat, flat, faces, SIZE_WH) == [None]


def test_without_faces_there_is_nothing_to_do() -> None:
    assert followed([], [Patch(0, 160, 120)]) == []


def test_a_face_in_a_tiny_picture_is_no_error() -> None:
    (moved,) = followed([Patch(0, 4, 4, 6)], [Patch(0, 4, 4, 6)], (8, 8))
    assert moved is None or moved.box.x2 <= 8


def test_a_moving_photo_is_followed(astronaut: Image) -> None:
    moved_photo = np.roll(astronaut, (5, -9), axis=(0, 1))
    face = Patch(0, 225, 120, 110).detection
    (moved,) = follow(small_gray(astronaut), small_gray(moved_photo), [face], (512, 512))
    assert moved is not None
    assert moved.box.center == pytest.approx((216, 125), abs=1.5)


@pytest.mark.parametrize(
    ("size_wh", "expected_wh"),
    [
        ((1280, 720), (320, 180)),
        ((480, 640), (240, 320)),
        ((100, 60), (100, 60)),
        ((2000, 1), (320, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_the_gray_picture_is_small_and_never_enlarged(size_wh: tuple[int, int], expected_wh: tuple[int, int]) -> None:
    gray = small_gray(np.full((size_wh[1], size_wh[0], 3), (255, 0, 0), np.uint8))
    assert gray.shape[::-1] == expected_wh
    assert max(gray.shape) <= FLOW_SIDE_PX
    assert gray.dtype == np.uint8
    assert np.all(gray == 76), "red, not blue, by the weights of ITU-R BT.601"


def test_a_face_moved_outside_the_picture_is_lost() -> None:
    face = Patch(0, 160, 120).detection
    assert placed(face, (-40, 120), 1.0, SIZE_WH) is None
    assert placed(face, (160, 300), 1.0, SIZE_WH) is None


def test_a_face_put_elsewhere_grows_around_its_middle() -> None:
    assert_at(placed(Patch(0, 160, 120, 60).detection, (100, 90), 1.5, SIZE_WH), Patch(0, 100, 90, 90), 1e-9)
