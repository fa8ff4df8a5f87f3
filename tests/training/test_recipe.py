"""Suggested settings for people who have never trained a model."""

from fer.labels import FERPLUS
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import read_info
from fer.training.config import TrainingConfig
from fer.training.initialization import check_init
from fer.training.recipe import fine_tuning, from_scratch, kept_labels, model_to_begin_with


def test_fine_tuning_fits_the_shipped_model_and_the_amount_of_pictures() -> None:
    few, some, many = (fine_tuning("faces", pictures) for pictures in (50, 600, 20_000))
    check_init(few)
    info = read_info(DEFAULT_CHECKPOINT)
    assert few.preprocessing == info.preprocessing
    assert few.epochs > some.epochs > many.epochs >= 5
    assert few.dataset == ("faces",)


def test_random_initialization_trains_like_the_built_in_model() -> None:
    assert from_scratch("faces") == TrainingConfig(("faces",), augmentation="plain")


def test_a_data_set_with_fewer_labels_keeps_their_outputs() -> None:
    seven, config = FERPLUS[:-1], fine_tuning("x", 100)
    known = model_to_begin_with(config)
    assert kept_labels(known, seven) == (seven, ())
    assert kept_labels(known, ["anger", "bored"]) == (("anger",), ("bored",))
    assert model_to_begin_with(from_scratch("x")) is None
    assert kept_labels(None, seven) == ((), seven)
