"""From plain words to what is taken off for the prior."""

from dataclasses import replace
from pathlib import Path

import pytest

from fer.errors import CheckpointError
from fer.labels import FERPLUS
from fer.model import DEFAULT_CHECKPOINT, SHIPPED, model_file
from fer.model.checkpoint import ModelInfo, load_checkpoint, save_checkpoint
from fer.model.preprocessing import Preprocessing
from fer.model.prior import BETWEEN, EVERYDAY, KINDS_OF_FACES, POSED, correction_for
from fer.recognition.recognizer import Recognizer

INFO = ModelInfo("resnet18", FERPLUS, Preprocessing(), prior=(0.3, *(0.1,) * 7), prior_correction=0.2)


def test_everyday_faces_get_what_validation_chose_and_posed_ones_all_of_it() -> None:
    assert [correction_for(kind, INFO) for kind in (EVERYDAY, BETWEEN, POSED)] == pytest.approx([0.2, 0.6, 1.0])
    assert set(KINDS_OF_FACES) == {EVERYDAY, BETWEEN, POSED}


def test_a_recognizer_is_loaded_for_a_kind_of_faces(tmp_path: Path, tiny_checkpoint: Path) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, replace(info, prior=INFO.prior, prior_correction=0.2), network.state_dict())
    assert Recognizer.load(path).info.prior_correction == 0.2
    recognizer = Recognizer.load(path, faces=POSED)
    assert recognizer.info.prior_correction == 1.0
    again = recognizer.corrected(0.2)
    assert again.info.prior_correction == 0.2
    assert again.lock is recognizer.lock and again.detector is recognizer.detector


def test_shipped_models_have_words() -> None:
    assert model_file("shipped") == DEFAULT_CHECKPOINT
    assert model_file("runs/mine/best.safetensors") == Path("runs/mine/best.safetensors")
    assert set(map(model_file, SHIPPED)) == set(SHIPPED.values())


def test_a_model_without_a_prior_says_that_it_cannot_read_posed_faces(tiny_checkpoint: Path) -> None:
    assert correction_for(EVERYDAY, replace(INFO, prior=(), prior_correction=0.0)) == 0
    with pytest.raises(CheckpointError, match="--faces"):
        Recognizer.load(tiny_checkpoint, faces=POSED)
