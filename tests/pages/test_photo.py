"""The photo page, without a browser."""

import gc
import html
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from fer.faces import Face, difference, percent
from fer.images import encode_png, read_image
from fer.model import DEFAULT_CHECKPOINT, SHIPPED
from fer.model.checkpoint import load_checkpoint, save_checkpoint
from fer.model.prior import EVERYDAY, POSED
from fer.recognition.explain import Explanation
from fer.recognition.recognizer import Recognizer
from pages.parts.photo_result import RESULTS
from pages.parts.samples import SAMPLES

ENTRY = str(Path(__file__).parents[2] / "streamlit_app.py")


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path) -> AppTest:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/photo.py").run()
    assert not app.exception
    return app


def upload(app: AppTest, *files: tuple[str, bytes, str]) -> AppTest:
    app.file_uploader[0].set_value(list(files)).run()
    assert not app.exception
    return app


def captions(app: AppTest) -> str:
    """Return all captions as people see them, without the escapes for Markdown."""
    return "\n".join(element.value for element in app.caption).replace("\\", "")


def test_without_a_picture_it_says_what_to_do(app: AppTest) -> None:
    assert app.markdown and app.file_uploader
    assert not app.get("plotly_chart")


def test_upload_shows_the_faces_that_the_package_finds(
    app: AppTest, astronaut: np.ndarray, tiny_checkpoint: Path
) -> None:
    data = encode_png(astronaut)
    upload(app, ("astronaut.png", data, "image/png"))
    results = app.session_state["photo_results"]
    (result,) = results.values()
    expected = Recognizer.load(tiny_checkpoint).recognize(read_image(data))
    assert len(result.faces) == len(expected) == 1
    np.testing.assert_allclose(result.faces[0].face.probabilities, expected[0].probabilities, atol=1e-5)
    assert result.faces[0].face.box == expected[0].box
    assert "astronaut.png · 512 × 512 pixels · 1 face" in captions(app)
    assert len(app.get("plotly_chart")) == 1


def test_threshold_makes_a_face_unsure(app: AppTest, astronaut: np.ndarray) -> None:
    upload(app, ("a.png", encode_png(astronaut), "image/png"))
    app.slider[0].set_value(0).run()
    assert not any("unsure" in element.value for element in app.markdown)
    app.slider[0].set_value(100).run()
    assert any("unsure" in element.value for element in app.markdown)
    assert ":material/warning: unsure" in captions(app)


def test_a_bad_picture_is_named_and_the_others_are_shown(app: AppTest, astronaut: np.ndarray) -> None:
    upload(
        app,
        ("good.png", encode_png(astronaut), "image/png"),
        ("bad.jpg", b"no picture at all", "image/jpeg"),
        ("blank.png", encode_png(np.full((200, 300, 3), 128, np.uint8)), "image/png"),
    )
    assert len(app.error) == 1
    assert "bad" in app.error[0].value and "JPEG" in app.error[0].value
    assert "good.png · 512 × 512 pixels · 1 face" in captions(app)
    assert "blank.png · 300 × 200 pixels · no face" in captions(app)
    assert len(app.info) == 1


def test_results_of_removed_pictures_are_forgotten(app: AppTest, astronaut: np.ndarray) -> None:
    upload(app, ("a.png", encode_png(astronaut), "image/png"))
    assert len(app.session_state["photo_results"]) == 1
    upload(app)
    assert "photo_results" not in app.session_state


def test_a_phones_picture_is_turned_upright(app: AppTest, astronaut: np.ndarray) -> None:
    turned = Image.fromarray(np.rot90(astronaut[:, :400]))  # 90° against the clock; the tag says to turn it back
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    turned.save(file, "JPEG", quality=95, exif=exif)
    upload(app, ("phone.jpg", file.getvalue(), "image/jpeg"))
    assert "phone.jpg · 400 × 512 pixels · 1 face" in captions(app)


@pytest.mark.slow
@pytest.mark.parametrize(("sample", "faces"), [(0, "1 face"), (1, "1 face"), (2, "1 face"), (3, "6 faces")])
def test_samples(app: AppTest, sample: int, faces: str) -> None:
    app.segmented_control[0].set_value("Sample").run()
    app.pills[0].set_value(SAMPLES[sample]).run()
    assert not app.exception
    assert f"· {faces}" in captions(app)


@pytest.mark.slow
def test_a_sideways_face_is_shown_upright_with_its_place_in_the_file(app: AppTest, astronaut: np.ndarray) -> None:
    lying = np.ascontiguousarray(np.rot90(astronaut[:400, 60:380]))
    upload(app, ("lying.png", encode_png(lying), "image/png"))
    ((key, result),) = app.session_state["photo_results"].items()
    assert (result.turns, result.size_wh) == (3, (400, 320))
    assert "lying.png · 400 × 320 pixels · 1 face · rotated automatically" in captions(app)

    app.button(key=f"turn left {key}").click().run()
    assert not app.exception
    (result,) = app.session_state["photo_results"].values()
    assert result.turns == 0
    assert "rotated automatically" not in captions(app)
    app.button(key=f"turn right {key}").click().run()
    (result,) = app.session_state["photo_results"].values()
    assert result.turns == 3
    assert "rotated automatically" not in captions(app), "somebody did it"
    (item,) = result.faces
    (there,) = app.session_state["photo_results_by"].recognize(lying)
    assert item.face.box.center == pytest.approx(there.box.center, abs=6)


@pytest.mark.slow
def test_two_models_read_the_same_face(app: AppTest, astronaut: np.ndarray) -> None:
    upload(app, ("a.png", encode_png(astronaut), "image/png"))
    (compared,) = [box for box in app.selectbox if box.label == "Compare with"]
    assert compared.value is None
    compared.set_value(SHIPPED["shipped-fer2013"]).run()
    assert not app.exception
    (first,), (second,) = (result.faces for name in RESULTS for result in app.session_state[name].values())
    assert first.face.box == second.face.box
    (table,) = [body for body in (element.proto.body for element in app.get("html")) if "<table" in body]
    rows = re.findall(r'<th scope="row"[^>]*>(\w+)</th>(.*?)</tr>', table, re.DOTALL)
    assert {label for label, _ in rows} == {*first.face.labels, *second.face.labels}
    (cells,) = [cells for label, cells in rows if label == second.face.label]
    assert percent(second.face.confidence).replace(" ", "\u00a0") in html.unescape(cells)
    (cells,) = [cells for label, cells in rows if label == "contempt"]
    assert "–" in cells, "the second model does not know it"

    compared.set_value(None).run()
    assert len(app.get("plotly_chart")) == 1


def test_the_faces_of_a_picture_are_numbered_in_reading_order(app: AppTest, astronaut: np.ndarray) -> None:
    four = np.tile(astronaut[:300, 75:375], (2, 2, 1))
    upload(app, ("four.png", encode_png(np.ascontiguousarray(four)), "image/png"))
    (result,) = app.session_state["photo_results"].values()
    places = [tuple(int(value // 300) for value in item.face.box.center) for item in result.faces]
    assert places == [(0, 0), (1, 0), (0, 1), (1, 1)]


def shown_html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


@pytest.mark.slow
def test_explanations_are_computed_once_on_request(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    import fer.recognition.explain

    asked: list[Face] = []
    explain = fer.recognition.explain.explain

    def watched(recognizer: Recognizer, face: Face, pixels: np.ndarray) -> Explanation:
        asked.append(face)
        return explain(recognizer, face, pixels)

    monkeypatch.setattr(fer.recognition.explain, "explain", watched)
    app.segmented_control[0].set_value("Sample").run()
    app.pills[0].set_value(SAMPLES[3]).run()
    faces = [item.face for result in app.session_state["photo_results"].values() for item in result.faces]
    assert [element.label for element in app.expander] == [f"Why {faces[0].label}?"]
    app.session_state[f"face {SAMPLES[3]} 0"] = 1  # what a click on the second one leaves
    app.run()
    assert [element.label for element in app.expander] == [f"Why {faces[1].label}?"]
    assert asked == [] and "heat map" not in shown_html(app)

    key = f"why {SAMPLES[3]} 2"
    app.session_state[key] = True
    app.run()
    assert not app.exception
    assert asked == [faces[1]]
    assert shown_html(app).count("heat map") == 1

    app.slider[0].set_value(100).run()
    assert asked == [faces[1]], "computed anew"
    assert "heat map" in shown_html(app)
    app.session_state[key] = False
    app.run()
    assert "heat map" not in shown_html(app)


@pytest.mark.slow
def test_explanations_belong_to_their_picture(app: AppTest, astronaut: np.ndarray) -> None:
    upload(app, ("a.png", encode_png(astronaut), "image/png"))
    (key,) = app.session_state["photo_results"]
    app.session_state[f"why {key} 1"] = True
    app.run()
    assert len(app.session_state["photo_reasons"]) == 1
    upload(app)
    gc.collect()
    assert len(app.session_state["photo_reasons"]) == 0


def test_a_missing_model_is_an_error_with_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(tmp_path / "missing.safetensors"))
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/photo.py").run()
    assert not app.exception
    assert not app.get("file_uploader")
    assert "missing.safetensors" in app.error[0].value
    assert "FER_CHECKPOINT" in captions(app)


@pytest.mark.slow
def test_posed_faces_are_read_without_the_prior(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_checkpoint: Path, astronaut: np.ndarray
) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    path = tmp_path / "model.safetensors"
    prior = (0.6, 0.2, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01)
    save_checkpoint(path, replace(info, prior=prior, prior_correction=0.1, unsure_below=0.31), network.state_dict())
    monkeypatch.setenv("FER_CHECKPOINT", str(path))
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/photo.py").run()
    assert app.slider[0].value == 31, "the model's own threshold"
    for faces, kind in ((None, EVERYDAY), ("posed or acted", POSED)):
        if faces:
            app.segmented_control(key="chosen_faces_everyday_widget").set_value(POSED).run()
        upload(app, ("a.png", encode_png(astronaut), "image/png"))
        (result,) = app.session_state["photo_results"].values()
        (expected,) = Recognizer.load(path, faces=kind).recognize(astronaut)
        np.testing.assert_allclose(result.faces[0].face.probabilities, expected.probabilities, atol=1e-5)


def test_a_model_without_a_prior_has_no_choice_of_faces(app: AppTest) -> None:
    assert "Faces" not in [control.label for control in app.segmented_control]


@pytest.mark.slow
def test_the_model_in_use_is_named_and_another_one_can_be_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FER_CHECKPOINT", raising=False)
    monkeypatch.setenv("FER_RUNS", str(tmp_path))
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/photo.py").run()
    (model,) = [box for box in app.selectbox if box.label == "Model"]
    assert model.value == DEFAULT_CHECKPOINT
    assert model.options == ["FER+ · 8 expressions", "FER2013 · 7 expressions", "FER+ · 8 expressions, careful"]
    model.select_index(1).run()
    assert app.session_state["chosen_model"] == SHIPPED["shipped-fer2013"]
    assert not app.exception


@pytest.mark.slow
def test_both_readings_are_shown_if_they_differ(
    monkeypatch: pytest.MonkeyPatch, two_heads: Path, astronaut: np.ndarray
) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(two_heads))
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/photo.py").run()
    upload(app, ("a.png", encode_png(astronaut), "image/png"))
    (face,) = (item.face for result in app.session_state["photo_results"].values() for item in result.faces)
    assert face.differing == ("neutral", "anger")
    told = next(element for element in app.expander if element.label.lower() == difference(face))
    (table,) = (element.proto.body for element in told.get("html"))
    assert all(label in table for label in face.labels)
