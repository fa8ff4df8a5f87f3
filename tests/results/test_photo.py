"""A stored photo is restored unchanged."""

from pathlib import Path

import numpy as np
import pytest

from fer.images import encode_png, read_image
from fer.recognition.photo import recognize_photo
from fer.recognition.recognizer import Recognizer
from fer.results.photo import EMPTY_RGB, PhotoRecord, photo_content, restored_photo
from fer.results.result import PHOTO, Settings
from fer.results.store import ResultStore


@pytest.mark.slow
@pytest.mark.parametrize("keep", ["pictures", "results"])
def test_a_photo_is_restored_with_or_without_its_picture(
    tmp_path: Path, tiny_checkpoint: Path, astronaut: np.ndarray, keep: str
) -> None:
    recognizer, data = Recognizer.load(tiny_checkpoint), encode_png(astronaut)
    result = recognize_photo(recognizer, data)
    store = ResultStore(tmp_path)
    store.settings = Settings(keep=keep)
    figures, content = photo_content(result, recognizer.info.labels, 0.0, (".png", data))
    kept = store.add("", PHOTO, "a.png", content=content, figures=figures)
    assert kept and figures.faces == 1 and dict(figures.expressions) == {result.faces[0].face.label: 1}

    record = store.record(kept, PhotoRecord)
    assert record and record.labels == recognizer.info.labels
    again = restored_photo(record, store.folder(kept))
    assert again.size_wh == result.size_wh
    (before,), (after,) = result.faces, again.faces
    assert after.face == before.face and after.shown == before.shown
    np.testing.assert_array_equal(after.network_input, before.network_input)
    assert after.crop.shape == before.crop.shape
    assert record.picture_result("a.png").faces == (before.face,)
    picture = read_image(again.picture).astype(int)
    if keep == "pictures":
        assert again.picture == result.picture
    else:
        assert np.abs(picture[0, 0] - EMPTY_RGB).max() < 4
        x, y = map(round, before.face.box.center)
        assert np.abs(picture[y, x] - EMPTY_RGB).max() > 10, "the face is in its place"


def test_unsure_faces_are_no_expression(tiny_checkpoint: Path, astronaut: np.ndarray) -> None:
    recognizer = Recognizer.load(tiny_checkpoint)
    result = recognize_photo(recognizer, encode_png(astronaut))
    figures, content = photo_content(result, recognizer.info.labels, 1.0)
    assert figures.faces == 1 and not figures.expressions
    assert "unsure" in content.record.faces[0]["concerns"]
