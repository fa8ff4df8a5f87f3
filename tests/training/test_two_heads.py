"""Whole tiny runs with two heads: taught in each step, interrupted, resumed, fine-tuned and read again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.errors import DatasetError, TrainingError
from fer.files import file_sha256
from fer.labels import FER2013, FERPLUS
from fer.model.checkpoint import load_checkpoint, model_sha256, read_info, save_checkpoint, save_second_alone
from fer.model.classifier import Classifier
from fer.training.config import TrainingConfig
from fer.training.loop import check_trainable, train
from fer.training.metrics import Hooks
from fer.training.runs import Run
from fer.training.state import State, read_state, start

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces as Kaggle's table with FER+ votes beside it; Kaggle's class for contempt is neutral."""
    drawn, folder = open_dataset("synthetic:80"), tmp_path_factory.mktemp("faces")
    usages = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    table, votes = ["emotion,pixels,Usage"], [f"Usage,Image name,{','.join(FERPLUS)},unknown,NF"]
    for row, (picture, rated) in enumerate(zip(drawn.pictures, drawn.votes, strict=True)):
        gray = np.asarray(picture)[:48, :48].reshape(48, 48, -1)[..., 0]
        label = FERPLUS[rated.argmax()]
        usage = usages[drawn.splits[row]]
        table.append(
            f"{FER2013.index('neutral' if label == 'contempt' else label)},{' '.join(map(str, gray.ravel()))},{usage}"
        )
        votes.append(f"{usage},x.png,{','.join(str(int(10 * vote)) for vote in rated)},0,0")
    (folder / "fer2013.csv").write_text("\n".join(table))
    (folder / "fer2013new.csv").write_text("\n".join(votes))
    return folder


@pytest.fixture(scope="module")
def dataset(faces: Path) -> FaceDataset:
    return open_dataset(faces)


@pytest.fixture(scope="module")
def config(faces: Path) -> TrainingConfig:
    return TrainingConfig(
        (str(faces),), epochs=2, architecture="shufflenet_v2_x0_5", size_px=32, batch_size=16, second_head="fer2013",
        learning_rate=0.02,
    )  # fmt: skip


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory, config: TrainingConfig, dataset: FaceDataset) -> Path:
    run, notes = Run(tmp_path_factory.mktemp("teacher")), list[str]()
    assert train(replace(config, size_px=40), dataset, run, Hooks(on_note=notes.append)) is not None
    assert notes[0].startswith("fer2013") and "80 of 80" in notes[0]
    return run.best_path


@pytest.mark.slow
def test_the_model_has_two_heads_and_all_readings(teacher: Path) -> None:
    info = read_info(teacher)
    assert info.labels == FERPLUS and info.second is not None
    assert info.second.labels == FER2013 and info.second.source == "FER2013 (fer2013.csv)"
    assert {"everyday", "between", "posed", "raters", "label"} <= info.kinds.keys() | {"everyday"}
    assert sum(info.second.prior) == pytest.approx(1)
    neutral = info.second.prior[FER2013.index("neutral")]
    assert neutral == pytest.approx(0.9 / 4 + 0.1 / 7), "a quarter is neutral or contempt, and labels are smoothed"
    pixels = np.zeros((2, 1, 40, 40), np.uint8)
    assert Classifier.load(teacher).probabilities(pixels).sum(axis=1) == pytest.approx([1, 1])


@pytest.mark.slow
def test_an_interrupted_run_with_teachers_ends_bit_identical(
    tmp_path: Path, teacher: Path, config: TrainingConfig, dataset: FaceDataset
) -> None:
    taught = replace(config, teacher=(str(teacher),), teacher_view="augmented", teacher_share=0.8, epochs=3)
    whole, parts = (Run(tmp_path / name) for name in ("whole", "parts"))
    for run in (whole, parts):
        run.folder.mkdir()
    assert train(taught, dataset, whole, Hooks()) is not None
    ended: list[int] = []
    hooks = Hooks(on_epoch=lambda line: ended.append(1), should_stop=lambda: bool(ended))
    assert train(taught, dataset, parts, hooks) is None
    assert train(taught, dataset, parts, Hooks()) is not None
    (info, one), (other_info, other) = load_checkpoint(whole.best_path), load_checkpoint(parts.best_path)
    assert info == other_info
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())
    once = Run(tmp_path / "once")
    once.folder.mkdir()
    train(replace(taught, teacher_view="once"), dataset, once, Hooks())
    assert not torch.equal(load_checkpoint(once.best_path)[1].state_dict()["fc.1.bias"], one.state_dict()["fc.1.bias"])


@pytest.mark.slow
def test_another_teacher_on_resuming_is_noticed(
    tmp_path: Path, teacher: Path, config: TrainingConfig, dataset: FaceDataset
) -> None:
    copy = tmp_path / "teacher.safetensors"
    copy.write_bytes(teacher.read_bytes())
    run, taught = Run(tmp_path), replace(config, teacher=(str(copy),))
    ended: list[int] = []
    hooks = Hooks(on_epoch=lambda line: ended.append(1), should_stop=lambda: bool(ended))
    assert train(taught, dataset, run, hooks) is None
    same: list[str] = []
    assert train(taught, dataset, run, Hooks(on_note=same.append, should_stop=lambda: True)) is None
    copy.write_bytes(run.best_path.read_bytes())
    other: list[str] = []
    info = train(taught, dataset, run, Hooks(on_note=other.append))
    said = [sum(str(copy) in note for note in notes) for notes in (same, other)]
    assert said[1] == said[0] + 1
    assert info is not None and list(info.training["files"]) == ["teacher.safetensors"]
    assert read_state(run, "cpu")["files"] == {str(copy): model_sha256(copy)}


@pytest.mark.slow
def test_resuming_tells_a_changed_teacher_from_a_changed_start_and_from_an_unknown_one(
    tmp_path: Path, teacher: Path, config: TrainingConfig
) -> None:
    init, other = tmp_path / "init.safetensors", tmp_path / "other.safetensors"
    init.write_bytes(teacher.read_bytes())
    info, network = load_checkpoint(teacher)
    save_checkpoint(other, replace(info, temperature=2.0), network.state_dict())
    asked, run = replace(config, size_px=40, init=str(init), teacher=(str(teacher),)), Run(tmp_path)

    def begun() -> State:
        return start(asked, FERPLUS, "", "cpu", FER2013)[0]

    def restored(saved: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
        state = begun()
        notes = state.restore(saved, run, asked.taught_by)
        return notes, state.files

    begun().save(run)
    saved = read_state(run, "cpu")
    before = dict(saved["files"])
    assert restored(saved) == ([], before) and list(before) == [str(init), str(teacher)]
    init.write_bytes(other.read_bytes())
    (about_init,), files = restored(saved)
    assert str(init) in about_init and files == before, "the digest of what the run did start from"
    (about_teacher,), files = restored({**saved, "files": {str(init): model_sha256(init), str(teacher): "another"}})
    assert str(teacher) in about_teacher and files[str(teacher)] == before[str(teacher)]
    assert about_teacher.replace(str(teacher), str(init)) != about_init
    del saved["files"]  # as in runs of earlier versions
    unknown, files = restored(saved)
    assert [file in note for note, file in zip(unknown, asked.files, strict=True)] == [True, True]
    assert files == {str(teacher): before[str(teacher)]}, "nobody knows what it started from"


@pytest.mark.slow
def test_a_teacher_that_stands_for_another_files_head_is_hashed_by_both(
    tmp_path: Path, teacher: Path, config: TrainingConfig, dataset: FaceDataset
) -> None:
    whole, alone = tmp_path / "whole.safetensors", tmp_path / "alone.safetensors"
    whole.write_bytes(teacher.read_bytes())
    save_second_alone(alone, whole)
    asked = replace(config, teacher=(str(alone),))
    before = start(asked, dataset.labels, "", "cpu")[0].files
    assert before == {str(alone): model_sha256(alone)} and before[str(alone)] != file_sha256(alone)


@pytest.mark.slow
def test_a_model_with_two_heads_is_fine_tuned_with_one_or_two(
    tmp_path: Path, teacher: Path, config: TrainingConfig, dataset: FaceDataset
) -> None:
    notes: list[str] = []
    onward = replace(config, size_px=40, init=str(teacher), epochs=1)
    for name, one in (("two", onward), ("one", replace(onward, second_head="none"))):
        run = Run(tmp_path / name)
        run.folder.mkdir()
        info = train(one, dataset, run, Hooks(on_note=notes.append))
        assert info is not None and (info.second is not None) == (name == "two")


def test_a_second_head_without_labels_is_refused_at_once(config: TrainingConfig) -> None:
    with pytest.raises(DatasetError, match=r"fer2013\.csv"):
        check_trainable(replace(config, dataset=("synthetic:80",)), open_dataset("synthetic:80"))


def test_a_second_head_with_more_expressions_is_refused(
    tmp_path: Path, faces: Path, config: TrainingConfig, dataset: FaceDataset
) -> None:
    without = replace(dataset, labels=("neutral", "joyless", *FERPLUS[2:]))
    with pytest.raises(TrainingError, match="joyless"):
        train(config, without, Run(tmp_path), Hooks())
