"""Prepared faces in, probabilities out: the same whatever the batch, calibrated, and one row for each face."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fer.errors import CheckpointError
from fer.labels import FERPLUS
from fer.model.checkpoint import load_checkpoint
from fer.model.classifier import Classifier


@pytest.fixture(scope="module")
def classifier(tiny_checkpoint: Path) -> Classifier:
    return Classifier.load(tiny_checkpoint)


@pytest.fixture(scope="module")
def pixels() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (7, 1, 48, 48), np.uint8)


def test_each_face_has_a_row_that_sums_to_one(classifier: Classifier, pixels: npt.NDArray[np.uint8]) -> None:
    probabilities = classifier.probabilities(pixels)
    assert probabilities.shape == (7, len(FERPLUS))
    assert probabilities.dtype == np.float64
    assert (probabilities > 0).all()
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(7), abs=1e-12)


def test_different_faces_get_different_rows(classifier: Classifier, pixels: npt.NDArray[np.uint8]) -> None:
    assert len(np.unique(classifier.logits(pixels), axis=0)) == len(pixels)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 256])
def test_the_batch_does_not_matter(classifier: Classifier, pixels: npt.NDArray[np.uint8], batch_size: int) -> None:
    alone = np.concatenate([classifier.probabilities(pixels[row : row + 1]) for row in range(len(pixels))])
    assert classifier.probabilities(pixels, batch_size) == pytest.approx(alone, abs=1e-5)


def test_the_order_of_faces_is_kept(classifier: Classifier, pixels: npt.NDArray[np.uint8]) -> None:
    backwards = classifier.probabilities(np.ascontiguousarray(pixels[::-1]), batch_size=4)
    assert backwards[::-1] == pytest.approx(classifier.probabilities(pixels, batch_size=4), abs=1e-5)


def test_no_faces_give_no_rows(classifier: Classifier) -> None:
    empty = np.empty((0, 1, 48, 48), np.uint8)
    assert classifier.logits(empty).shape == (0, len(FERPLUS))
    assert classifier.probabilities(empty).shape == (0, len(FERPLUS))


def test_the_temperature_divides_the_logits(tiny_checkpoint: Path, pixels: npt.NDArray[np.uint8]) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    plain = Classifier(info, network).logits(pixels)
    warm = Classifier(replace(info, temperature=2.5), network).logits(pixels)
    assert warm == pytest.approx(plain / 2.5, rel=1e-6)


def test_the_same_file_gives_the_same_model(tiny_checkpoint: Path, pixels: npt.NDArray[np.uint8]) -> None:
    first, second = (Classifier.load(tiny_checkpoint).logits(pixels) for _ in range(2))
    assert np.array_equal(first, second)


def test_what_shrink_returns_is_taken_without_a_warning(classifier: Classifier) -> None:
    face = classifier.info.preprocessing.shrink(np.full((60, 60, 3), 90, np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert classifier.probabilities(face[None]).shape == (1, len(FERPLUS))


def test_a_missing_model_is_an_error_with_a_text(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors"):
        Classifier.load(tmp_path / "nowhere.safetensors")


def test_a_multilabel_model_gives_each_expression_a_probability_of_its_own(
    tiny_checkpoint: Path, pixels: npt.NDArray[np.uint8]
) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    classifier = Classifier(replace(info, multilabel=True, temperature=2.0), network)
    probabilities = classifier.probabilities(pixels)
    assert probabilities == pytest.approx(1 / (1 + np.exp(-classifier.logits(pixels).astype(float))))
    assert abs(probabilities.sum(axis=1) - 1).min() > 0.1
    shares = classifier.distributions(pixels)
    assert shares.sum(axis=1) == pytest.approx(np.ones(7))
    assert shares.argmax(axis=1).tolist() == probabilities.argmax(axis=1).tolist()


PRIOR = (0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05)


def test_the_prior_is_taken_off_the_logits(tiny_checkpoint: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """By τ times its logarithm, and before the temperature divides."""
    info, network = load_checkpoint(tiny_checkpoint)
    plain = Classifier(info, network)
    known = Classifier(replace(info, prior=PRIOR, temperature=2.0), network)
    assert known.logits(pixels) == pytest.approx(plain.logits(pixels) / 2, abs=1e-6)
    corrected = known.corrected(0.5)
    assert corrected.logits(pixels) == pytest.approx((plain.logits(pixels) - 0.5 * np.log(PRIOR)) / 2, abs=1e-5)
    assert corrected.info.prior_correction == 0.5 and known.info.prior_correction == 0
    assert corrected.network is known.network
    assert known.corrected(0.0) is known


def test_a_corrected_model_is_corrected_in_reduced_precision_too(
    tiny_checkpoint: Path, pixels: npt.NDArray[np.uint8]
) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    full = Classifier(replace(info, prior=PRIOR, prior_correction=1.0), network)
    assert full.reduced().probabilities(pixels) == pytest.approx(full.probabilities(pixels), abs=0.03)


def test_what_has_no_prior_is_not_corrected(tiny_checkpoint: Path) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    for model in (info, replace(info, prior=PRIOR, multilabel=True)):
        classifier = Classifier(model, network)
        assert classifier.corrected(1.0) is classifier
