"""The choice of model and kind of faces shared by several pages, without a browser."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer.model.checkpoint import read_info
from fer.model.prior import BETWEEN, EVERYDAY, KINDS_OF_FACES, POSED

ENTRY = str(Path(__file__).parents[2] / "streamlit_app.py")


@pytest.fixture
def checkpoint(two_heads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_CHECKPOINT", str(two_heads))
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    return two_heads


def a_page() -> None:
    """A page whose default kind of faces is in the session; shows the one in use."""
    import streamlit as st

    from pages.parts.models import choose_model, chosen_faces

    choose_model(st.session_state["usual"])
    st.text(chosen_faces())


def seen(app: AppTest, usual: str) -> str:
    app.session_state["usual"] = usual
    app.run()
    assert not app.exception
    return str(app.text[0].value)


def choose(app: AppTest, kind: str) -> None:
    (control,) = [control for control in app.segmented_control if control.label == "Faces"]
    control.set_value(kind).run()
    assert not app.exception


def test_each_kind_of_page_has_its_default_faces_and_keeps_its_choice(checkpoint: Path) -> None:
    app = AppTest.from_function(a_page)
    assert [seen(app, usual) for usual in (EVERYDAY, BETWEEN, EVERYDAY)] == [EVERYDAY, BETWEEN, EVERYDAY]
    choose(app, POSED)
    assert [seen(app, usual) for usual in (EVERYDAY, BETWEEN)] == [POSED, BETWEEN]
    choose(app, EVERYDAY)
    assert [seen(app, usual) for usual in (BETWEEN, EVERYDAY)] == [EVERYDAY, POSED]


def test_without_support_by_the_model_all_faces_are_everyday(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    app = AppTest.from_function(a_page)
    assert seen(app, BETWEEN) == EVERYDAY
    assert "Faces" not in [control.label for control in app.segmented_control]


def test_the_settings_behind_each_kind_are_explained(checkpoint: Path) -> None:
    app = AppTest.from_function(a_page)
    seen(app, EVERYDAY)
    (table,) = [element.value for element in app.markdown if "τ" in element.value]
    info = read_info(checkpoint)
    for kind in KINDS_OF_FACES:
        read = info.reading(kind)
        assert f"| {read.prior_correction:g} | {read.second_share:g} | {100 * read.unsure_below:.0f} % |" in table


def test_the_choice_lasts_from_page_to_page(checkpoint: Path) -> None:
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/photo.py").run()
    choose(app, POSED)
    app.switch_page("pages/folder.py").run()
    (control,) = [control for control in app.segmented_control if control.label == "Faces"]
    assert control.value == POSED
    app.switch_page("pages/photo.py").run()
    assert app.slider[0].value == 73


def test_another_kind_moves_the_threshold_unless_it_was_set(checkpoint: Path) -> None:
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/photo.py").run()
    values = []
    for kind in KINDS_OF_FACES:
        choose(app, kind)
        values.append(app.slider[0].value)
    assert values == [31, 42, 73]
    app.slider[0].set_value(60).run()
    choose(app, EVERYDAY)
    assert app.slider[0].value == 60
