"""Kinds of faces and how a model is read for them."""

from dataclasses import replace
from pathlib import Path

import pytest

from fer.errors import CheckpointError
from fer.labels import FERPLUS
from fer.model import DEFAULT_CHECKPOINT, SHIPPED, model_file
from fer.model.checkpoint import ModelInfo, load_checkpoint, read_info, save_checkpoint
from fer.model.preprocessing import Preprocessing
from fer.model.prior import BETWEEN, EVERYDAY, KINDS_OF_FACES, LABEL, POSED, RATERS, READINGS, Reading, SecondHead
from fer.recognition.recognizer import Recognizer

INFO = ModelInfo("resnet18", FERPLUS, Preprocessing(), prior=(0.3, *(0.1,) * 7), prior_correction=0.2, temperature=0.8)
SECOND = SecondHead(("anger", "neutral"), (0.4, 0.6), "labels")


@pytest.mark.parametrize(
    ("stored", "expected"), [(0.2, [0.2, 0.45, 0.5]), (0.3, [0.3, 0.5, 0.5]), (0.9, [0.9, 0.9, 0.9])]
)
def test_a_model_with_one_head_corrects_more_for_acted_faces_but_never_fully(
    stored: float, expected: list[float]
) -> None:
    info = replace(INFO, prior_correction=stored)
    readings = [info.reading(kind) for kind in KINDS_OF_FACES]
    assert [reading.prior_correction for reading in readings] == pytest.approx(expected)
    assert {(reading.second_share, reading.temperature) for reading in readings} == {(0.0, 0.8)}


def test_fitted_readings_are_used_and_everyday_can_be_restored() -> None:
    posed = Reading(0.25, 1.0, 0.9, 0.3)
    info = replace(INFO, second=SECOND, kinds={POSED: posed})
    read = info.read_for(POSED)
    assert read.reading(POSED) == posed
    assert (read.prior_correction, read.second_share, read.temperature, read.unsure_below) == (0.25, 1.0, 0.9, 0.3)
    assert read.read_for(EVERYDAY).reading(EVERYDAY) == info.reading(EVERYDAY)


def test_each_head_can_be_read_alone() -> None:
    info = replace(INFO, second=SECOND, second_share=0.3)
    assert [vars(info.reading(kind))["second_share"] for kind in (EVERYDAY, RATERS, LABEL)] == [0.3, 0.0, 1.0]
    assert [info.reading(kind).prior_correction for kind in (RATERS, LABEL)] == [0.0, 0.0]
    with pytest.raises(CheckpointError, match="two heads"):
        INFO.reading(LABEL)


@pytest.mark.slow
def test_a_recognizer_is_loaded_for_a_kind_of_faces(tmp_path: Path, tiny_checkpoint: Path) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, replace(info, prior=INFO.prior, prior_correction=0.2), network.state_dict())
    assert Recognizer.load(path).info.prior_correction == 0.2
    recognizer = Recognizer.load(path, faces=POSED)
    assert recognizer.info.prior_correction == 0.5
    again = recognizer.for_faces(EVERYDAY)
    assert again.info.prior_correction == 0.2
    assert again.lock is recognizer.lock and again.detector is recognizer.detector


def test_built_in_models_have_names() -> None:
    assert model_file("shipped") == DEFAULT_CHECKPOINT
    assert model_file("runs/mine/best.safetensors") == Path("runs/mine/best.safetensors")
    assert set(map(model_file, SHIPPED)) == set(SHIPPED.values())


def test_the_built_in_model_has_all_readings() -> None:
    info = read_info(DEFAULT_CHECKPOINT)
    assert set(info.kinds) == set(READINGS)
    assert all(len(reading.neutral) == len(FERPLUS) for reading in info.kinds.values())
    settings = {kind: (info.reading(kind).prior_correction, info.reading(kind).second_share) for kind in info.kinds}
    assert settings[EVERYDAY] < settings[BETWEEN] < settings[POSED] == (0.25, 1.0)


def test_a_model_without_a_prior_says_that_it_cannot_read_posed_faces(tiny_checkpoint: Path) -> None:
    assert replace(INFO, prior=(), prior_correction=0.0).reading(EVERYDAY).prior_correction == 0
    with pytest.raises(CheckpointError, match="--faces"):
        Recognizer.load(tiny_checkpoint, faces=POSED)
