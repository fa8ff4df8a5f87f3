"""People who come back are recognized by hair and clothes; others are not."""

import numpy as np
import numpy.typing as npt
import pytest

from fer.datasets.drawing import draw_portrait
from fer.faces import Box
from fer.video.reunion import Reunion
from fer.video.tracking import TrackedFace
from tests.video.scene import CALM, LABELS, Patch

Image = npt.NDArray[np.uint8]


def seen(person: int, expression: str = "neutral", light: float = 1.0, track: int = 1) -> tuple[Image, TrackedFace]:
    """A drawn person in a noisy picture, and the face with its number from a tracker."""
    random = np.random.default_rng(person)
    image, corners = draw_portrait(expression, random, width_px=260, height_px=420, face_height_px=130)
    noise = 8 * np.random.default_rng(track).standard_normal(image.shape)
    box = Box(*map(float, corners))
    place = Patch(0, *box.center).detection
    face = TrackedFace(box, place.landmarks, 0.9, labels=LABELS, probabilities=CALM, track_id=track)
    return np.clip(light * image + noise, 0, 255).astype(np.uint8), face


def number(reunion: Reunion, seconds: float, image: Image, *faces: TrackedFace) -> list[int | None]:
    return [face.track_id for face in reunion.named(image, faces, seconds)]


@pytest.mark.slow
@pytest.mark.parametrize("person", range(8))
def test_a_returning_person_keeps_the_number(person: int) -> None:
    reunion = Reunion()
    for frame in range(60):
        assert number(reunion, frame / 30, *seen(person)) == [1]
    assert number(reunion, 2.0, *seen(person + 20, track=2)) == [2]
    assert number(reunion, 9.0, *seen(person, "surprise", 1.1, track=3)) == [1]
    assert reunion.people == 2


def test_two_people_in_view_together_are_never_the_same() -> None:
    image, face = seen(3)
    _, other = seen(3, track=2)
    reunion = Reunion()
    assert number(reunion, 0.0, image, face, other) == [1, 2]
    assert number(reunion, 5.0, *seen(3, track=3)) == [3], "nobody can tell which of the two it is"


@pytest.mark.slow
def test_many_people_stay_many() -> None:
    reunion = Reunion()
    for person in range(12):
        number(reunion, float(person), *seen(person, track=person + 1))
    assert reunion.people == 12
    for person in range(12):
        assert number(reunion, 20.0 + person, *seen(person, "happiness", 0.9, track=person + 50)) == [person + 1]


def test_a_face_at_the_border_has_no_chest_to_compare_and_that_is_no_error() -> None:
    image, face = seen(1)
    cut = np.ascontiguousarray(image[: round(face.box.y2)])
    reunion = Reunion()
    assert number(reunion, 0.0, cut, face) == [1]
    _, again = seen(1, track=2)
    assert number(reunion, 5.0, image, again) == [1]
