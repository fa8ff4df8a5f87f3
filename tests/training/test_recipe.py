"""Suggested settings for people who have never trained a model."""

from pathlib import Path

from fer.labels import FERPLUS
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import read_info
from fer.training.config import TrainingConfig
from fer.training.initialization import check_init
from fer.training.recipe import face_recognition, fine_tuning, initial_model, kept_labels, random_initialization


def test_fine_tuning_fits_the_shipped_model_and_the_amount_of_pictures() -> None:
    few, some, many = (fine_tuning("faces", pictures) for pictures in (50, 600, 20_000))
    check_init(few)
    info = read_info(DEFAULT_CHECKPOINT)
    assert few.preprocessing == info.preprocessing
    assert few.epochs > some.epochs > many.epochs >= 5
    assert few.dataset == ("faces",)


def test_random_initialization_trains_like_the_built_in_model() -> None:
    assert random_initialization("faces") == TrainingConfig(("faces",), augmentation="plain")


def test_another_model_is_fine_tuned_with_its_own_network(tiny_checkpoint: Path) -> None:
    config = fine_tuning("faces", 50, tiny_checkpoint)
    info = read_info(tiny_checkpoint)
    check_init(config)
    assert (config.architecture, config.stem, config.preprocessing) == (
        info.architecture, info.stem, info.preprocessing
    )  # fmt: skip


def test_face_recognition_takes_its_network(tmp_path: Path) -> None:
    file = tmp_path / "weights.npz"
    file.touch()
    config = face_recognition("faces", str(file))
    check_init(config)
    assert (config.size_px, config.files) == (112, (str(file),))
    assert initial_model(config) is None


def test_a_data_set_with_fewer_labels_keeps_their_outputs() -> None:
    seven, config = FERPLUS[:-1], fine_tuning("x", 100)
    known = initial_model(config)
    assert kept_labels(known, seven) == (seven, ())
    assert kept_labels(known, ["anger", "bored"]) == (("anger",), ("bored",))
    assert initial_model(random_initialization("x")) is None
    assert kept_labels(None, seven) == ((), seven)
