"""Explanations, with networks that look at one place only, so that the right answer is known."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.special import expit, softmax
from torch import nn

from fer.datasets.drawing import draw_face
from fer.faces import Box, Face
from fer.model.checkpoint import ModelInfo
from fer.model.classifier import Classifier
from fer.model.network import build_network
from fer.model.preprocessing import Preprocessing
from fer.model.torch_network import torch_classifier
from fer.recognition.explain import (
    TYPICAL_LANDMARKS,
    Explanation,
    cover_parts,
    explain,
    facial_parts,
    heat_map,
)
from fer.recognition.recognizer import Recognizer

SIZE = 48
PARTS = facial_parts(TYPICAL_LANDMARKS, SIZE)


class OnePlace(nn.Module):
    """Sees only one part of the picture: the brighter it is, the more it supports the first of two labels.

    Its last features are two maps of 4 × 4 pixel cells: what is brighter and what is darker than middle gray.
    """

    def __init__(self, seen: npt.NDArray[np.bool_], channels: int = 1) -> None:
        super().__init__()
        self.register_buffer("seen", torch.from_numpy(seen).float())
        self.features = nn.Sequential(nn.Conv2d(channels, 2, 1, bias=False), nn.ReLU(inplace=True), nn.AvgPool2d(4))
        self.last = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.features[0].weight.copy_(torch.tensor([1.0, -1.0])[:, None, None, None].expand(2, channels, 1, 1))
            self.last.weight.copy_(torch.tensor([[20.0, -20.0], [0.0, 0.0]]))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.features(pictures * self.seen)
        logits: torch.Tensor = self.last(maps.mean(dim=(2, 3)))
        return logits


def classifier_of(
    network: nn.Module, channels: int = 1, labels: tuple[str, ...] = ("shown", "not"), **more: Any
) -> Any:
    return torch_classifier(ModelInfo("tiny", labels, Preprocessing(SIZE, channels), **more), network.eval())


def recognizer_of(classifier: Any) -> Recognizer:
    detector: Any = None
    return Recognizer(detector, classifier)


def face_of(classifier: Classifier, pixels: npt.NDArray[np.uint8]) -> Face:
    """A face with landmarks in their usual places."""
    side = 100 / classifier.info.preprocessing.crop_ratio
    landmarks = tuple((float(100 * x), float(100 * y)) for x, y in TYPICAL_LANDMARKS)
    return Face(
        Box(50 - side / 2, 50 - side / 2, 50 + side / 2, 50 + side / 2),
        landmarks,
        0.99,
        labels=classifier.info.labels,
        probabilities=tuple(classifier.probabilities(pixels[None])[0].tolist()),
    )


def explained(classifier: Classifier, pixels: npt.NDArray[np.uint8]) -> Explanation:
    return explain(recognizer_of(classifier), face_of(classifier, pixels), pixels)


def bright(part: str, channels: int = 1) -> npt.NDArray[np.uint8]:
    """A dark picture, uint8 (channels, 48, 48), in which one part is bright."""
    return np.where(PARTS[part], 230, 60).astype(np.uint8)[None].repeat(channels, axis=0)


def whole_cells(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The cells of 4 × 4 pixels that overlap a part, bool (12, 12)."""
    return mask.reshape(12, 4, 12, 4).any(axis=(1, 3))


# The heat map


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("part", ["the mouth", "the eyes", "the brows", "the left cheek"])
def test_the_map_covers_the_only_part_that_the_network_uses(part: str, channels: int) -> None:
    heat = heat_map(classifier_of(OnePlace(PARTS[part], channels), channels), bright(part, channels), 0)
    assert heat is not None and heat.shape == (12, 12) and heat.dtype == np.float32
    assert heat.max() == pytest.approx(1)
    assert (heat[~whole_cells(PARTS[part])] == 0).all()
    assert (heat[whole_cells(PARTS[part])] > 0).all()


def test_the_map_matches_the_paper() -> None:
    """Weights are the mean gradients, 20 / 144 and -20 / 144; the map is the positive part of their sum."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE), np.uint8)
    values = ((pixels[0] / 255 - 0.5) / 0.25).reshape(12, 4, 12, 4)
    expected = (np.maximum(values, 0).mean(axis=(1, 3)) - np.maximum(-values, 0).mean(axis=(1, 3))).clip(0)
    heat = heat_map(classifier_of(OnePlace(np.ones((SIZE, SIZE), bool))), pixels, 0)
    assert heat == pytest.approx(expected / expected.max(), abs=1e-5)


def test_a_network_in_half_precision_has_a_map_too() -> None:
    heat = heat_map(classifier_of(OnePlace(PARTS["the mouth"]).bfloat16()), bright("the mouth"), 0)
    assert heat is not None and heat.dtype == np.float32
    assert np.array_equal(heat > 0, whole_cells(PARTS["the mouth"]))


def test_the_map_is_empty_if_nothing_supports_the_label() -> None:
    heat = heat_map(classifier_of(OnePlace(PARTS["the mouth"])), bright("the mouth"), 1)
    assert heat is not None and not heat.any()


LAST_FEATURES = {
    "resnet18": "layer4",
    "alexnet": "features.11",
    "vgg11_bn": "features.27",
    "mobilenet_v2": "features",
    "mobilenet_v3_small": "features",
    "efficientnet_b0": "features",
    "convnext_tiny": "features",
    "densenet121": "features",
    "googlenet": "inception5b",
    "mnasnet0_5": "layers",
    "regnet_y_400mf": "trunk_output",
    "shufflenet_v2_x0_5": "conv5",
    "squeezenet1_1": "classifier.2",
    "swin_t": "permute",
}
"""Family → the layer with the last spatial output for pictures of 48 pixels."""


@pytest.mark.slow
@pytest.mark.parametrize("architecture", LAST_FEATURES)
def test_every_family_has_its_map_from_its_last_features(architecture: str) -> None:
    torch.manual_seed(0)
    network = build_network(architecture, classes=3, channels=1, size_px=SIZE)
    classifier = classifier_of(network, labels=("a", "b", "c"))
    pixels = draw_face("surprise", np.random.default_rng(0), size_px=SIZE)[None, ..., 0]
    kept: list[torch.Tensor] = []
    hook = network.get_submodule(LAST_FEATURES[architecture]).register_forward_hook(lambda *call: kept.append(call[-1]))
    logits = network(classifier.info.preprocessing.normalize(torch.from_numpy(pixels[None])))
    hook.remove()
    peaks = []
    for label in range(3):
        (gradient,) = torch.autograd.grad(logits[0, label], kept[0], retain_graph=True)
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        expected = (weights * kept[0]).sum(dim=1)[0].relu().detach().numpy()
        heat = heat_map(classifier, pixels, label)
        assert heat is not None and heat.shape == expected.shape and min(heat.shape) > 1
        assert heat == pytest.approx(expected / (expected.max() or 1.0), abs=1e-3)
        peaks.append(heat.max())
    assert max(peaks) == pytest.approx(1), "a map of nothing would pass any comparison"


@pytest.mark.slow
def test_a_vision_transformer_has_no_map_but_its_parts_can_be_covered() -> None:
    torch.manual_seed(0)
    network = build_network("vit_b_16", classes=2, channels=1, size_px=SIZE)
    nn.init.normal_(network.get_submodule("heads.head.1").weight)  # torchvision initializes it with 0
    found = explained(classifier_of(network), bright("the mouth"))
    assert found.heat is None
    assert {one.part for one in found.covered} == set(PARTS)
    assert len({one.face.probabilities for one in found.covered}) > 1


def test_a_network_without_spatial_features_has_no_map() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 2))
    assert heat_map(classifier_of(network), bright("the mouth"), 0) is None


# Covered parts


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("part", ["the mouth", "the eyes", "the brows", "the left cheek"])
def test_covering_the_only_used_part_changes_the_most(part: str, channels: int) -> None:
    found = explained(classifier_of(OnePlace(PARTS[part], channels), channels), bright(part, channels))
    assert found.face.label == "shown"
    first = found.covered[0]
    assert (first.part, first.face.label) == (part, "not")
    for one in found.covered[1:]:
        if not (PARTS[one.part] & PARTS[part]).any():
            assert one.face.probabilities == pytest.approx(found.face.probabilities, abs=1e-6)
    drops = [one.face.probabilities[0] for one in found.covered]
    assert drops == sorted(drops)


def test_a_part_is_covered_with_the_mean_color_and_nothing_else_changes() -> None:
    classifier = classifier_of(OnePlace(PARTS["the mouth"], 3), 3)
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE), np.uint8)
    untouched = pixels.copy()
    for one in cover_parts(classifier, face_of(classifier, pixels), pixels):
        mask = PARTS[one.part]
        assert np.array_equal(one.pixels[:, ~mask], pixels[:, ~mask])
        assert np.array_equal(np.unique(one.pixels[:, mask], axis=1)[:, 0], pixels.mean(axis=(1, 2)).round())
    assert np.array_equal(pixels, untouched)


@pytest.mark.parametrize(("multilabel", "probabilities"), [(False, softmax), (True, expit)])
def test_probabilities_are_the_classifiers_with_its_temperature(
    multilabel: bool, probabilities: Callable[[np.ndarray], np.ndarray]
) -> None:
    pixels = bright("the mouth")
    network = OnePlace(PARTS["the mouth"])
    warm = classifier_of(network, temperature=2.5, multilabel=multilabel)
    found = explained(warm, pixels)
    for one in found.covered:
        with torch.no_grad():
            logits = network(warm.info.preprocessing.normalize(torch.from_numpy(one.pixels[None]))).numpy()
        assert one.face.probabilities == pytest.approx(probabilities(logits / 2.5)[0], abs=1e-6)
    assert found.info.temperature == 2.5
    plain = explained(classifier_of(network), pixels)
    assert plain.heat is not None and found.heat == pytest.approx(plain.heat)


def test_probabilities_are_corrected_for_the_prior_as_the_classifier_does() -> None:
    pixels, network = bright("the mouth"), OnePlace(PARTS["the mouth"])
    corrected = explained(classifier_of(network, prior=(0.2, 0.8), prior_correction=1.0), pixels)
    plain = explained(classifier_of(network, prior=(0.2, 0.8)), pixels)
    for one, other in zip(corrected.covered, plain.covered, strict=True):
        odds, plain_odds = (found.face.probabilities[0] / found.face.probabilities[1] for found in (one, other))
        assert odds == pytest.approx(4 * plain_odds, rel=1e-4)
    assert plain.heat is not None and corrected.heat == pytest.approx(plain.heat)


# The shared model


def state_of(network: nn.Module) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}


def hooks_of(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._backward_hooks) for module in network.modules())


@pytest.mark.parametrize("frozen", [False, True])
def test_the_model_is_unchanged(tiny_checkpoint: Path, frozen: bool) -> None:
    classifier = Classifier.load(tiny_checkpoint)
    network = classifier.network.in_torch().module.requires_grad_(not frozen)
    before, pixels = state_of(network), bright("the mouth")
    probabilities = classifier.probabilities(pixels[None])
    with torch.no_grad():  # whatever the caller's mode is
        found = explained(classifier, pixels)
    assert found.heat is not None and found.heat.shape == (3, 3)
    assert state_of(network) == before
    assert hooks_of(network) == 0
    assert not any(module.training for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert {parameter.requires_grad for parameter in network.parameters()} == {not frozen}
    assert np.array_equal(classifier.probabilities(pixels[None]), probabilities)


def test_no_hook_is_left_when_the_network_fails() -> None:
    network = OnePlace(PARTS["the mouth"])
    with pytest.raises(RuntimeError):
        heat_map(classifier_of(network), np.zeros((3, SIZE, SIZE), np.uint8), 0)
    assert hooks_of(network) == 0


def test_everything_happens_under_the_recognizers_lock() -> None:
    class Watched(OnePlace):
        lock = threading.Lock()
        seen_locked: tuple[bool, ...] = ()

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            Watched.seen_locked += (self.lock.locked(),)
            return super().forward(pictures)

    classifier = classifier_of(Watched(PARTS["the mouth"]))
    face = face_of(classifier, bright("the mouth"))
    Watched.seen_locked = ()
    detector: Any = None
    explain(Recognizer(detector, classifier, Watched.lock), face, bright("the mouth"))
    assert Watched.seen_locked == (True, True)
    assert not Watched.lock.locked()


@pytest.mark.slow
def test_explaining_and_classifying_at_once_give_the_same_results(tiny_checkpoint: Path) -> None:
    classifier = Classifier.load(tiny_checkpoint)
    recognizer = recognizer_of(classifier)
    image = np.ascontiguousarray(draw_face("happiness", np.random.default_rng(1), size_px=100))
    face = recognizer.classify(image, [replace(face_of(classifier, bright("the mouth")), box=Box(0, 0, 100, 100))])[0]
    pixels = recognizer.network_input(image, face)
    alone = explain(recognizer, face, pixels)
    with ThreadPoolExecutor(4) as threads:
        explanations = [threads.submit(explain, recognizer, face, pixels) for _ in range(6)]
        classified = [threads.submit(recognizer.classify, image, [face]) for _ in range(6)]
    for job in explanations:
        assert job.result().heat == pytest.approx(alone.heat, abs=1e-6)
        for one, other in zip(job.result().covered, alone.covered, strict=True):
            assert one.face.probabilities == pytest.approx(other.face.probabilities, abs=1e-5)
    for job in classified:
        assert job.result()[0].probabilities == pytest.approx(face.probabilities, abs=1e-5)
