"""Targets: votes, top labels, and outputs of teachers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.datasets.second import SecondLabels
from fer.errors import CheckpointError, TrainingError
from fer.labels import FER2013, FERPLUS
from fer.model.checkpoint import ModelInfo, load_checkpoint, save_checkpoint
from fer.model.classifier import Classifier
from fer.model.network import build_network
from fer.model.preprocessing import Preprocessing
from fer.model.prior import SecondHead
from fer.training.config import TrainingConfig
from fer.training.loop import check_trainable
from fer.training.metrics import Hooks
from fer.training.teachers import SECOND_SMOOTHING, Teachers, check_teachers, learned_targets

CONFIG = TrainingConfig("synthetic:80")


@pytest.fixture(scope="module")
def dataset() -> FaceDataset:
    return open_dataset("synthetic:80")


def targets(config: TrainingConfig, dataset: FaceDataset, rows: np.ndarray) -> np.ndarray:
    return learned_targets(config, dataset, rows, Hooks(), "cpu")


def test_votes_are_the_targets_without_teachers(dataset: FaceDataset) -> None:
    rated = replace(dataset, votes=np.tile(np.float32([6, 4, 0, 0, 0, 0, 0, 0]), (len(dataset), 1)))
    rows = np.arange(3)
    assert targets(CONFIG, rated, rows)[0].tolist() == pytest.approx([0.6, 0.4, 0, 0, 0, 0, 0, 0])
    assert targets(replace(CONFIG, targets="label"), rated, rows)[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_a_teacher_has_its_share(dataset: FaceDataset, tiny_checkpoint: Path) -> None:
    """The teacher's output is averaged over the picture and its mirror image."""
    rows = np.arange(0, 40, 7)
    config = replace(CONFIG, teacher=(str(tiny_checkpoint),), teacher_share=0.25)
    teacher = Classifier.load(tiny_checkpoint)
    pixels = np.stack([teacher.info.preprocessing.shrink(dataset.picture(row)) for row in rows.tolist()])
    said = (teacher.distributions(pixels) + teacher.distributions(pixels[..., ::-1].copy())) / 2
    found = targets(config, dataset, rows)
    assert found == pytest.approx(0.75 * dataset.distributions(rows) + 0.25 * said, abs=5e-3)  # half precision
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert found.dtype == np.float32


@pytest.mark.slow
def test_several_teachers_are_averaged_in_the_order_of_the_data_sets_labels(
    tmp_path: Path, dataset: FaceDataset, tiny_checkpoint: Path
) -> None:
    """The second one has the same labels in another order, and its last layer reordered, so its output is the same."""
    info, network = load_checkpoint(tiny_checkpoint)
    state = network.state_dict()
    order = list(reversed(range(8)))
    turned = {name: value[order] if name.startswith("fc.") else value for name, value in state.items()}
    other = tmp_path / "turned.safetensors"
    save_checkpoint(other, replace(info, labels=tuple(info.labels[i] for i in order)), turned)
    rows = np.arange(5)
    one = targets(replace(CONFIG, teacher=(str(tiny_checkpoint),)), dataset, rows)
    both = targets(replace(CONFIG, teacher=(str(tiny_checkpoint), str(other))), dataset, rows)
    assert both == pytest.approx(one, abs=1e-3)


def test_a_teacher_of_other_expressions_is_refused(tmp_path: Path, dataset: FaceDataset, tiny_checkpoint: Path) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    other = tmp_path / "other.safetensors"
    renamed = ModelInfo(info.architecture, (*info.labels[:-1], "bored"), info.preprocessing)
    save_checkpoint(other, renamed, network.state_dict())
    with pytest.raises(TrainingError, match="--teacher"):
        check_trainable(replace(CONFIG, teacher=(str(other),)), dataset)
    with pytest.raises(CheckpointError, match="none"):
        check_teachers(replace(CONFIG, teacher=(str(tmp_path / "none"),)), dataset.labels)


def test_the_student_learns_the_teachers_outputs(tiny_checkpoint: Path, dataset: FaceDataset) -> None:
    """With a share of 1, votes do not count at all."""
    config = replace(CONFIG, teacher=(str(tiny_checkpoint),), teacher_share=1.0)
    rows = np.arange(4)
    shuffled = replace(dataset, votes=np.roll(dataset.votes, 1, axis=1))
    assert torch.equal(
        torch.from_numpy(targets(config, dataset, rows)), torch.from_numpy(targets(config, shuffled, rows))
    )


# Two heads


@pytest.fixture(scope="module")
def two_heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher with two heads, larger and in color, with its own order of labels."""
    info = ModelInfo(
        "resnet18", FERPLUS[::-1], Preprocessing(size_px=64, channels=3), second=SecondHead(FER2013[::-1], (), "x")
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = build_network(info.architecture, classes=info.outputs, channels=3, size_px=64)
    path = tmp_path_factory.mktemp("two") / "heads.safetensors"
    save_checkpoint(path, info, network.state_dict())
    return path


def second_of(dataset: FaceDataset) -> SecondLabels:
    """Every second picture has a label, its number modulo seven."""
    shares = np.eye(7, dtype=np.float32)[np.arange(len(dataset)) % 7]
    shares[1::2] = 0
    return SecondLabels(FER2013, shares, "x")


def test_the_second_label_follows_the_votes_and_is_smoothed(dataset: FaceDataset) -> None:
    found = learned_targets(CONFIG, dataset, np.arange(4), Hooks(), "cpu", second_of(dataset))
    assert found[:, :8] == pytest.approx(dataset.distributions(np.arange(4)))
    assert found[:, 8:].sum(axis=1) == pytest.approx([1, 0, 1, 0])
    assert found[2, 10] == pytest.approx(1 - SECOND_SMOOTHING * 6 / 7)


def test_a_teacher_teaches_both_heads_of_a_picture(dataset: FaceDataset, two_heads: Path) -> None:
    config = replace(CONFIG, teacher=(str(two_heads),), teacher_share=0.75)
    found = learned_targets(config, dataset, np.arange(4), Hooks(), "cpu", second_of(dataset))
    assert found[:, :8].sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert found[:, 8:].sum(axis=1) == pytest.approx([1, 0.75, 1, 0.75], abs=1e-4)
    said = Classifier.load(two_heads).for_faces("label")
    pixels = np.stack([said.info.preprocessing.shrink(dataset.picture(row)) for row in range(4)])
    both = (said.distributions(pixels) + said.distributions(pixels[..., ::-1].copy())) / 2
    expected = [said.info.labels.index(label) for label in FER2013]
    known = both[1, expected] / both[1, expected].sum()
    assert found[1, 8:] / 0.75 == pytest.approx(known, abs=5e-3)


@pytest.mark.slow
def test_a_teacher_with_one_head_does_not_affect_the_second(
    dataset: FaceDataset, two_heads: Path, tiny_checkpoint: Path
) -> None:
    """The second head's average is over the teachers that have it; the first one's is over all."""

    def taught(*files: Path) -> np.ndarray:
        config = replace(CONFIG, teacher=tuple(map(str, files)), teacher_share=1.0)
        return learned_targets(config, dataset, np.arange(4), Hooks(), "cpu", second_of(dataset))

    one, two, both = taught(tiny_checkpoint), taught(two_heads), taught(tiny_checkpoint, two_heads)
    assert both[:, 8:] == pytest.approx(two[:, 8:])
    assert both[:, :8] == pytest.approx((one[:, :8] + two[:, :8]) / 2, abs=1e-6)
    plain = learned_targets(CONFIG, dataset, np.arange(4), Hooks(), "cpu", second_of(dataset))
    assert one[:, 8:] == pytest.approx(plain[:, 8:])


def test_a_changed_picture_is_shown_at_the_teachers_size_and_colors(two_heads: Path, tiny_checkpoint: Path) -> None:
    """Pictures of a gray and a color student, for teachers of both kinds."""
    config = replace(CONFIG, teacher=(str(two_heads), str(tiny_checkpoint)), teacher_share=1.0)
    teachers = Teachers(config, FERPLUS, FER2013, "cpu")
    gray = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 255
    targets = torch.full((3, 15), 1 / 8)
    found, colored = teachers.taught(targets, gray), teachers.taught(targets, gray.repeat(1, 3, 1, 1))
    assert torch.allclose(found, colored, atol=5e-3)
    assert torch.allclose(found[:, :8].sum(dim=1), torch.ones(3), atol=1e-4)
    assert torch.allclose(found[:, 8:].sum(dim=1), torch.ones(3), atol=1e-4)
    assert not torch.allclose(found, teachers.taught(targets, 255 - gray), atol=1e-3)


# Soft labels


def write_soft_labels(path: Path, dataset: FaceDataset, rows: list[int], width: int = 15) -> str:
    """Write nearly certain outputs for some rows: the truth, and the row's number modulo seven for the second head."""
    answers = np.full((len(rows), 15), 4, np.uint8)
    answers[np.arange(len(rows)), dataset.truth(np.array(rows))] = 200
    answers[np.arange(len(rows)), 8 + np.array(rows) % 7] = 200
    np.savez(path, row=np.array(rows, np.int32), answers=answers[:, :width])
    return str(path)


@pytest.mark.parametrize("width", [8, 15])
def test_soft_labels_replace_teachers(tmp_path: Path, dataset: FaceDataset, width: int) -> None:
    """Row 3 has no soft label and keeps its own targets; without outputs for the second head its labels stay."""
    config = replace(CONFIG, soft_labels=write_soft_labels(tmp_path / "soft.npz", dataset, [2, 0, 4], width))
    config = replace(config, teacher_share=0.5)
    plain = learned_targets(CONFIG, dataset, np.array([0, 3, 4]), Hooks(), "cpu", second_of(dataset))
    found = learned_targets(config, dataset, np.array([0, 3, 4]), Hooks(), "cpu", second_of(dataset))
    assert found[1] == pytest.approx(plain[1])
    assert found[0, 0] == pytest.approx(0.5 + 0.5 * 200 / 255)
    if width == 8:
        assert found[:, 8:] == pytest.approx(plain[:, 8:])
    else:
        assert found[2, 8 + 4] == pytest.approx(0.5 * plain[2, 12] + 0.5 * 200 / 255)


def test_soft_labels_of_other_pictures_are_refused(tmp_path: Path, dataset: FaceDataset) -> None:
    shifted = replace(dataset, votes=np.roll(dataset.votes, 1, axis=1))
    file = write_soft_labels(tmp_path / "soft.npz", shifted, list(range(20)))
    with pytest.raises(TrainingError, match=r"\b20\b.*\b20\b.*\b0\b"):
        targets(replace(CONFIG, soft_labels=file), dataset, np.arange(20))
    (tmp_path / "bad.npz").write_bytes(b"no labels")
    with pytest.raises(TrainingError, match=r"row.*answers.*bad\.npz"):
        targets(replace(CONFIG, soft_labels=str(tmp_path / "bad.npz")), dataset, np.arange(20))
    with pytest.raises(TrainingError, match=r"gone\.npz"):
        check_teachers(replace(CONFIG, soft_labels="gone.npz"), FERPLUS)


@pytest.mark.parametrize(
    "arrays",
    [
        {"row": np.arange(20)}, {"row": np.arange(20), "answers": np.zeros((20, 15))},
        {"row": np.arange(20), "answers": np.zeros((19, 15), np.uint8)},
        {"row": np.arange(20), "answers": np.zeros((20, 9), np.uint8)},
        {"row": np.arange(20.0), "answers": np.uint8(7)}, {"row": np.array(["x"]), "answers": np.uint8(7)},
        {"row": np.zeros((20, 2), int), "answers": np.zeros((20, 8), np.uint8)},
        {"row": np.array([{}]), "answers": np.zeros((1, 8), np.uint8)},
    ],
    ids=lambda arrays: str({name: array.shape for name, array in arrays.items()}),
)  # fmt: skip
def test_soft_labels_of_another_shape_are_refused(
    arrays: dict[str, np.ndarray], tmp_path: Path, dataset: FaceDataset
) -> None:
    np.savez(tmp_path / "soft.npz", **arrays)
    with pytest.raises(TrainingError, match=r"soft\.npz"):
        targets(replace(CONFIG, soft_labels=str(tmp_path / "soft.npz")), dataset, np.arange(20))
