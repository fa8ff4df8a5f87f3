"""Whole tiny training runs on drawn faces: three epochs of 128 pictures with 24 pixels."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.errors import TrainingError
from fer.evaluation.calibration import fit_temperature
from fer.labels import FERPLUS
from fer.model.checkpoint import load_checkpoint, read_info
from fer.model.classifier import Classifier
from fer.model.torch_network import torch_classifier
from fer.training.config import TrainingConfig
from fer.training.loop import check_trainable, train
from fer.training.metrics import EpochMetrics, Hooks
from fer.training.runs import Run, open_run

CONFIG = TrainingConfig(
    "synthetic:160",
    epochs=3,
    size_px=24,
    batch_size=32,
    progressive=False,
    learning_rate=0.02,
    ema_decay=0.9,
    augmentation="plain",
)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def dataset() -> FaceDataset:
    return open_dataset("synthetic:160")


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory, dataset: FaceDataset) -> Run:
    """A finished run without interruptions."""
    run = open_run(tmp_path_factory.mktemp("runs"), CONFIG)
    assert train(CONFIG, dataset, run, Hooks()) is not None
    return run


def without_seconds(run: Run) -> list[EpochMetrics]:
    return [replace(line, seconds=0.0) for line in run.metrics()]


def saved(run: Run) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(run.last_path, weights_only=True)
    return state


def assert_same_state(a: Any, b: Any) -> None:
    """Compare nested dicts and lists of tensors, bit by bit."""
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same_state(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same_state(one, other)
    else:
        assert a == b


def assert_same_run(run: Run, other: Run) -> None:
    assert without_seconds(run) == without_seconds(other)
    assert_same_state(saved(run), saved(other))
    (info, network), (other_info, other_network) = load_checkpoint(run.best_path), load_checkpoint(other.best_path)
    assert info == other_info
    assert_same_state(dict(network.state_dict()), dict(other_network.state_dict()))


# The schedule


def test_the_learning_rate_rises_linearly_and_falls_along_a_cosine() -> None:
    config = TrainingConfig("x", epochs=36, learning_rate=0.1, warmup_epochs=2.0)
    assert config.rate_at(0, config.batch_size) == pytest.approx(0.001)
    assert config.rate_at(1, config.batch_size) == pytest.approx(0.05)
    assert config.rate_at(2, config.batch_size) == pytest.approx(0.1)
    assert config.rate_at(19, config.batch_size) == pytest.approx(0.05)
    assert config.rate_at(36, config.batch_size) == pytest.approx(0, abs=1e-12)
    rates = [config.rate_at(epoch, config.batch_size) for epoch in np.linspace(0, 36, 500)]
    top = int(np.argmax(rates))
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert max(rates) <= 0.1


def test_the_warm_up_is_never_more_than_a_tenth() -> None:
    config = TrainingConfig("x", epochs=5, learning_rate=0.1, warmup_epochs=2.0)
    assert config.rate_at(0.25, config.batch_size) == pytest.approx(0.05)
    assert config.rate_at(0.5, config.batch_size) == pytest.approx(0.1)


def test_without_a_warm_up_the_first_rate_is_the_highest() -> None:
    assert TrainingConfig("x", warmup_epochs=0, learning_rate=0.3).rate_at(0, 128) == pytest.approx(0.3)


# A run and its files


def test_the_loss_on_drawn_faces_falls(finished_run: Run) -> None:
    losses = [line.train_loss for line in finished_run.metrics()]
    assert losses[0] < 1.5 * np.log(8)
    assert losses[-1] < 0.95 * losses[0]


@pytest.mark.slow
def test_a_run_learns_what_is_easy_to_see(tmp_path: Path) -> None:
    """Horizontal and vertical stripes, which no augmentation turns into each other."""
    random, n = np.random.default_rng(0), 128
    waves = 127 + 90 * np.sin(np.arange(24) * 2 * np.pi / 6 + random.uniform(0, 6, (n, 1)))
    lying = np.repeat(waves[:, :, None], 24, axis=2) + random.normal(0, 20, (n, 24, 24))
    classes = np.arange(n) % 2
    pictures = np.where(classes[:, None, None] == 0, lying, lying.transpose(0, 2, 1)).clip(0, 255).astype(np.uint8)
    stripes = FaceDataset(
        name="stripes",
        labels=("lying", "standing"),
        votes=np.eye(2, dtype=np.float32)[classes],
        splits=np.where(np.arange(n) < 96, "train", "validation"),
        pictures=pictures,
    )
    info = train(replace(CONFIG, batch_size=16), stripes, Run(tmp_path), Hooks())
    assert info is not None
    assert info.labels == ("lying", "standing")
    assert info.training["validation_accuracy"] > 0.9
    fresh = np.stack([info.preprocessing.shrink(np.stack([one] * 3, axis=-1)) for one in pictures[:8]])
    assert Classifier.load(tmp_path / "best.safetensors").probabilities(fresh).argmax(axis=1).tolist() == [0, 1] * 4


def test_a_run_writes_all_files_of_its_folder(finished_run: Run) -> None:
    assert {path.name for path in finished_run.folder.iterdir()} == {
        "config.json",
        "metrics.jsonl",
        "last.pt",
        "best.safetensors",
        "pictures.npz",
    }
    assert finished_run.config() == CONFIG
    lines = finished_run.metrics()
    assert [line.epoch for line in lines] == [1, 2, 3]
    assert {line.size_px for line in lines} == {24}
    assert all(0 <= line.validation_accuracy <= 1 and 0 <= line.validation_macro_f1 <= 1 for line in lines)
    assert all(line.validation_loss > 0 and line.seconds > 0 for line in lines)
    assert lines[-1].learning_rate == pytest.approx(CONFIG.rate_at(2 + 15 / 16, 8))
    assert CONFIG.rate_at(1, 8) == pytest.approx(CONFIG.rate_at(1, 32) / 4)


def test_the_model_is_that_of_the_best_epoch_and_says_how_it_was_made(finished_run: Run, dataset: FaceDataset) -> None:
    info, lines = read_info(finished_run.best_path), finished_run.metrics()
    best = max(lines, key=lambda line: line.validation_accuracy)  # the first of equals
    assert info.labels == FERPLUS
    assert info.preprocessing == CONFIG.preprocessing
    assert info.architecture == "resnet18"
    assert info.training["best_epoch"] == best.epoch
    for name in ("validation_accuracy", "validation_loss", "validation_macro_f1"):
        assert info.training[name] == getattr(best, name)
    assert (info.training["dataset"], info.training["rule"], info.training["seed"]) == (dataset.name, "majority", 0)
    assert info.training["dataset_sha256"] == dataset.fingerprint()
    assert info.training["versions"]["torch"] == torch.__version__.split("+")[0]


def test_the_temperature_is_fitted_on_the_validation_split(finished_run: Run, dataset: FaceDataset) -> None:
    info, network = load_checkpoint(finished_run.best_path)
    rows = dataset.rows("validation", "majority")
    pixels = np.stack([info.preprocessing.shrink(dataset.picture(row)) for row in rows])
    logits = torch_classifier(replace(info, temperature=1.0), network).logits(pixels)
    assert info.temperature != 1
    assert info.temperature == pytest.approx(fit_temperature(logits, dataset.truth(rows)), rel=1e-3)


@pytest.mark.slow
def test_hooks_are_called_in_order(tmp_path: Path, dataset: FaceDataset) -> None:
    heard: list[tuple[Any, ...]] = []
    hooks = Hooks(
        on_read=lambda *numbers: heard.append(("read", *numbers)),
        on_batch=lambda *numbers: heard.append(("batch", *numbers)),
        on_epoch=lambda metrics: heard.append(("epoch", metrics.epoch)),
        on_note=lambda text: heard.append(("note", text)),
    )
    train(replace(CONFIG, epochs=1), dataset, Run(tmp_path), hooks)
    reads = [event[1:] for event in heard if event[0] == "read"]
    assert reads == [(done, 144) for done in range(1, 145)]
    rest = [event for event in heard[len(reads) :] if event[0] != "note"]
    assert rest == [*(("batch", 0, done, 16, 8) for done in range(1, 17)), ("epoch", 1)]


@pytest.mark.slow
def test_a_run_that_learned_nothing_says_so(tmp_path: Path, dataset: FaceDataset) -> None:
    notes: list[str] = []
    train(replace(CONFIG, epochs=1, learning_rate=1e-8), dataset, Run(tmp_path), Hooks(on_note=notes.append))
    assert "0.1250" in notes[-1]  # eight expressions, equally frequent


def test_a_data_set_that_cannot_be_trained_on_is_refused_before_anything_is_read(dataset: FaceDataset) -> None:
    with pytest.raises(TrainingError, match="vgg11, "):
        check_trainable(replace(CONFIG, architecture="vgg"), dataset)
    alone = replace(dataset, splits=np.full(len(dataset), "train"))
    with pytest.raises(TrainingError, match=r"\b160\b.*\b0\b"):
        check_trainable(CONFIG, alone)


# The moving average


@pytest.mark.slow
def test_without_decay_the_average_is_the_network_itself(tmp_path: Path, dataset: FaceDataset) -> None:
    train(replace(CONFIG, epochs=1, ema_decay=0.0), dataset, Run(tmp_path), Hooks())
    state = saved(Run(tmp_path))
    assert_same_state(dict(state["network"]), dict(state["average"]))


def test_the_average_follows_the_network_slowly(finished_run: Run) -> None:
    state = saved(finished_run)
    network, average = state["network"]["fc.1.weight"], state["average"]["fc.1.weight"]
    assert not torch.equal(network, average)
    assert (network - average).norm() < 0.5 * average.norm()
    assert torch.equal(state["network"]["bn1.num_batches_tracked"], state["average"]["bn1.num_batches_tracked"])


# Interruptions


class Killed(Exception):
    """Simulates the end of the process: nothing after it runs."""


@pytest.mark.slow
def test_stopping_keeps_complete_epochs_and_resuming_equals_an_uninterrupted_run(
    tmp_path: Path, dataset: FaceDataset, finished_run: Run
) -> None:
    run = open_run(tmp_path, CONFIG)
    batches: list[tuple[int, int]] = []
    hooks = Hooks(
        on_batch=lambda epoch, done, total, faces: batches.append((epoch, done)),
        should_stop=lambda: batches[-1] == (1, 2),
    )
    assert train(CONFIG, dataset, run, hooks) is None
    assert batches[-1] == (1, 2)
    assert without_seconds(run) == without_seconds(finished_run)[:1]

    notes: list[str] = []
    again = open_run(tmp_path, CONFIG)
    assert again.folder == run.folder
    assert train(CONFIG, dataset, again, Hooks(on_note=notes.append)) is not None
    assert "epoch 1 of 3" in notes[0]
    assert_same_run(again, finished_run)


@pytest.mark.slow
def test_a_kill_between_metrics_and_state_repeats_the_epoch(
    tmp_path: Path, dataset: FaceDataset, finished_run: Run
) -> None:
    """At the worst moment metrics.jsonl and best.safetensors already have epoch 2, but last.pt does not."""
    run = open_run(tmp_path, CONFIG)
    states: list[bytes] = []

    def kill_after_the_second_epoch(metrics: EpochMetrics) -> None:
        states.append(run.last_path.read_bytes())
        if metrics.epoch == 2:
            raise Killed

    with pytest.raises(Killed):
        train(CONFIG, dataset, run, Hooks(on_epoch=kill_after_the_second_epoch))
    run.last_path.write_bytes(states[0])
    assert [line.epoch for line in run.metrics()] == [1, 2]
    notes: list[str] = []
    train(CONFIG, dataset, run, Hooks(on_note=notes.append))
    assert "epoch 1 of 3" in notes[0]
    assert_same_run(run, finished_run)


@pytest.mark.slow
def test_metrics_are_on_disk_before_the_state_that_counts_them(tmp_path: Path, dataset: FaceDataset) -> None:
    """Otherwise a kill between the two would leave a permanent gap in metrics.jsonl."""
    run = open_run(tmp_path, replace(CONFIG, epochs=1))
    (run.folder / ".last.pt.partial").mkdir()  # writing the state fails
    with pytest.raises((OSError, RuntimeError)):
        train(run.config(), dataset, run, Hooks())
    assert [line.epoch for line in run.metrics()] == [1]
    assert not run.last_path.exists()


# Runs that cannot continue


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_best_model(tmp_path: Path, dataset: FaceDataset) -> None:
    run = open_run(tmp_path, CONFIG)
    count = [0]

    def after_the_first_epoch() -> bool:
        count[0] += 1
        return count[0] == 17  # of 16 in an epoch

    assert train(CONFIG, dataset, run, Hooks(should_stop=after_the_first_epoch)) is None
    state = saved(run)
    state["network"]["conv1.weight"].fill_(torch.nan)
    torch.save(state, run.last_path)
    kept, line = run.best_path.read_bytes(), run.metrics()
    with pytest.raises(TrainingError, match=r"epoch 2.* 0\.02"):
        train(CONFIG, dataset, run, Hooks())
    assert run.best_path.read_bytes() == kept
    assert run.metrics() == line
    assert read_info(run.best_path).training["best_epoch"] == 1


@pytest.mark.slow
def test_a_learning_rate_that_is_far_too_high_is_an_error(tmp_path: Path, dataset: FaceDataset) -> None:
    config = replace(CONFIG, epochs=1, learning_rate=1e30, mixup=0)
    with pytest.raises(TrainingError, match="epoch 1"):
        train(config, dataset, Run(tmp_path), Hooks())


@pytest.mark.parametrize(("split", "counts"), [("train", (160, 0)), ("validation", (0, 160)), ("test", (0, 0))])
def test_a_data_set_without_both_splits_is_refused(
    tmp_path: Path, dataset: FaceDataset, split: str, counts: tuple[int, int]
) -> None:
    only = replace(dataset, splits=np.full(len(dataset), split))
    with pytest.raises(TrainingError, match=r"\b{} \D*\b{}\b".format(*counts)):
        train(CONFIG, only, Run(tmp_path), Hooks())


def test_one_expression_is_not_enough_to_train(tmp_path: Path, dataset: FaceDataset) -> None:
    one = replace(dataset, labels=("happiness",), votes=np.ones((len(dataset), 1), np.float32))
    with pytest.raises(TrainingError, match="happiness"):
        train(CONFIG, one, open_run(tmp_path, CONFIG), Hooks())


@pytest.mark.slow
def test_a_run_does_not_resume_with_other_data(tmp_path: Path, dataset: FaceDataset) -> None:
    run = open_run(tmp_path, CONFIG)
    stopped: list[int] = []
    hooks = Hooks(on_epoch=lambda line: stopped.append(1), should_stop=lambda: bool(stopped))
    assert train(CONFIG, dataset, run, hooks) is None
    renamed = replace(dataset, labels=("bored", *dataset.labels[1:]))
    with pytest.raises(TrainingError, match=run.folder.name):
        train(CONFIG, renamed, run, Hooks())
    run.last_path.write_bytes(run.last_path.read_bytes()[:1000])
    with pytest.raises(TrainingError, match=r"last\.pt"):
        train(CONFIG, dataset, run, Hooks())


def test_an_unknown_architecture_is_refused_with_the_known_ones(tmp_path: Path, dataset: FaceDataset) -> None:
    with pytest.raises(TrainingError, match=r"vgg16.*'vgg'"):
        train(replace(CONFIG, architecture="vgg"), dataset, Run(tmp_path), Hooks())


@pytest.mark.slow
def test_broken_pictures_are_left_out_and_named(tmp_path: Path, dataset: FaceDataset) -> None:
    pictures: list[np.ndarray | Path] = list(dataset.pictures)
    broken = [int(dataset.rows("train")[3]), int(dataset.rows("validation")[0])]
    for row in broken:
        pictures[row] = tmp_path / f"gone-{row}.png"
    notes: list[str] = []
    config = replace(CONFIG, epochs=1)
    info = train(config, replace(dataset, pictures=pictures), Run(tmp_path), Hooks(on_note=notes.append))
    assert info is not None
    left_out = [note for note in notes if note.startswith("left out: ")]
    assert [f"gone-{row}.png" in note for row, note in zip(broken, left_out, strict=True)] == [True, True]


def test_metrics_lines_are_plain_json(finished_run: Run) -> None:
    for line in finished_run.metrics_path.read_text().splitlines():
        figures = json.loads(line)
        confusion = figures.pop("validation_confusion")
        assert np.array(confusion).shape == (8, 8) and np.array(confusion).sum() == 16
        assert {type(value) for value in figures.values()} <= {int, float}
