"""Preprocessed faces in, probabilities out: independent of the batch, calibrated, one row per face."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import softmax

from fer.errors import CheckpointError
from fer.labels import FERPLUS
from fer.model.checkpoint import ModelInfo, load_checkpoint, save_checkpoint
from fer.model.classifier import Classifier, probabilities_of
from fer.model.network import build_network
from fer.model.preprocessing import Preprocessing
from fer.model.prior import LABEL, POSED, RATERS, Reading, SecondHead
from fer.model.torch_network import torch_classifier


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
    warm = torch_classifier(replace(info, temperature=2.5), network)
    expected = softmax(torch_classifier(info, network).logits(pixels) / 2.5, axis=1)
    assert warm.probabilities(pixels) == pytest.approx(expected, rel=1e-6)


def test_the_same_file_gives_the_same_model(tiny_checkpoint: Path, pixels: npt.NDArray[np.uint8]) -> None:
    first, second = (Classifier.load(tiny_checkpoint).logits(pixels) for _ in range(2))
    assert np.array_equal(first, second)


def test_the_output_of_shrink_gives_no_warning(classifier: Classifier) -> None:
    face = classifier.info.preprocessing.shrink(np.full((60, 60, 3), 90, np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert classifier.probabilities(face[None]).shape == (1, len(FERPLUS))


def test_a_missing_model_is_an_error_with_a_text(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors"):
        Classifier.load(tmp_path / "nowhere.safetensors")


def test_a_multilabel_model_has_independent_probabilities(tiny_checkpoint: Path, pixels: npt.NDArray[np.uint8]) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    classifier = torch_classifier(replace(info, multilabel=True, temperature=2.0), network)
    probabilities = classifier.probabilities(pixels)
    assert probabilities == pytest.approx(1 / (1 + np.exp(-classifier.logits(pixels).astype(float) / 2)))
    assert abs(probabilities.sum(axis=1) - 1).min() > 0.1
    shares = classifier.distributions(pixels)
    assert shares.sum(axis=1) == pytest.approx(np.ones(7))
    assert shares.argmax(axis=1).tolist() == probabilities.argmax(axis=1).tolist()


PRIOR = (0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05)


def test_the_prior_is_subtracted_from_the_logits(tiny_checkpoint: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """The correction subtracts τ times the log prior, before dividing by the temperature."""
    info, network = load_checkpoint(tiny_checkpoint)
    plain = torch_classifier(info, network)
    known = torch_classifier(replace(info, prior=PRIOR, temperature=2.0), network)
    logits = plain.logits(pixels)
    assert np.array_equal(known.logits(pixels), logits), "what the network says is read afterwards"
    posed = known.for_faces(POSED)
    expected = softmax((logits - 0.5 * np.log(PRIOR)) / 2, axis=1)
    assert posed.probabilities(pixels) == pytest.approx(expected, abs=1e-6)
    assert posed.info.prior_correction == 0.5 and known.info.prior_correction == 0
    assert posed.network is known.network


def test_a_corrected_model_is_corrected_in_reduced_precision_too(
    tiny_checkpoint: Path, pixels: npt.NDArray[np.uint8]
) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    full = torch_classifier(replace(info, prior=PRIOR, prior_correction=1.0), network)
    assert full.reduced().probabilities(pixels) == pytest.approx(full.probabilities(pixels), abs=0.03)


TWO_HEADS = ModelInfo(
    "resnet18", ("neutral", "anger", "contempt"), Preprocessing(), prior=(0.6, 0.3, 0.1),
    second=SecondHead(("anger", "neutral"), (0.5, 0.5), "labels"),
)  # fmt: skip
OUTPUTS = np.log([[0.6, 0.3, 0.1, 0.8, 0.2], [0.1, 0.1, 0.8, 0.5, 0.5]])
"""Two faces: the first head's logits for three labels, then the second one's for two."""


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (Reading(), [[0.6, 0.3, 0.1], [0.1, 0.1, 0.8]]),
        (Reading(second_share=1.0), [[0.18, 0.72, 0.1], [0.1, 0.1, 0.8]]),
        (Reading(second_share=0.5), [[0.39, 0.51, 0.1], [0.1, 0.1, 0.8]]),
        (Reading(1.0, 0.0), [[1 / 3] * 3, [1 / 51, 2 / 51, 48 / 51]]),
        (Reading(1.0, 1.0), [[2 / 15, 8 / 15, 1 / 3], [3 / 102, 3 / 102, 48 / 51]]),
        (Reading(temperature=0.5), [[36 / 46, 9 / 46, 1 / 46], [1 / 66, 1 / 66, 64 / 66]]),
    ],
)
def test_two_heads_are_blended_with_corrected_priors(reading: Reading, expected: list[list[float]]) -> None:
    """A label that the second head lacks keeps the first head's share."""
    found = probabilities_of(replace(TWO_HEADS, **vars(reading)), OUTPUTS)
    assert found == pytest.approx(np.array(expected))


@pytest.mark.slow
def test_both_readings_come_from_one_forward_pass(tmp_path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    network = build_network("resnet18", classes=5, channels=1, size_px=48)
    path = tmp_path / "two.safetensors"
    save_checkpoint(path, replace(TWO_HEADS, second_share=0.4), network.state_dict())
    classifier = Classifier.load(path)
    found, opinions = classifier.with_opinions(pixels)
    assert found == pytest.approx(classifier.probabilities(pixels))
    assert opinions is not None and opinions.shape == (7, 2, 3)
    assert found == pytest.approx(0.6 * opinions[:, 0] + 0.4 * opinions[:, 1])
    for place, kind in enumerate((RATERS, LABEL)):
        assert opinions[:, place] == pytest.approx(classifier.for_faces(kind).probabilities(pixels))


def test_a_model_with_one_head_has_no_second_reading(classifier: Classifier, pixels: npt.NDArray[np.uint8]) -> None:
    assert classifier.with_opinions(pixels)[1] is None
