"""A configuration refuses contradictions before any data are read, and survives a round trip through config.json."""

import json
from dataclasses import FrozenInstanceError, asdict, fields, replace
from typing import Any

import pytest

from fer.errors import TrainingError
from fer.model.preprocessing import Preprocessing
from fer.training.config import TrainingConfig

CONFIG = TrainingConfig("synthetic")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", -1),
        ("size_px", 23),
        ("channels", 2),
        ("channels", 4),
        ("batch_size", 1),
        ("learning_rate", 0.0),
        ("learning_rate", -0.1),
        ("learning_rate", float("nan")),
        ("warmup_epochs", -0.5),
        ("weight_decay", -1e-9),
        ("mixup", -0.1),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", float("nan")),
        ("ema_decay", 1.0),
        ("seed", -1),
        ("freeze_epochs", -1),
        ("layer_decay", 0.0),
        ("layer_decay", 1.1),
        ("optimizer", "adam"),
        ("accumulate", 0),
        ("clip_norm", -1.0),
        ("cutmix", -0.1),
        ("label_smoothing", 1.0),
        ("class_balance", 1.5),
        ("class_balance", float("nan")),
        ("patience", -1),
        ("folds", 2),
    ],
)
def test_invalid_values_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(TrainingError, match=rf"{name} .* got .*{value}"):
        replace(CONFIG, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 1),
        ("size_px", 24),
        ("channels", 3),
        ("batch_size", 2),
        ("warmup_epochs", 0),
        ("weight_decay", 0),
        ("mixup", 0),
        ("dropout", 0),
        ("ema_decay", 0),
    ],
)
def test_the_smallest_values_are_accepted(name: str, value: Any) -> None:
    assert getattr(replace(CONFIG, **{name: value}), name) == value


def test_faces_are_prepared_as_the_configuration_says() -> None:
    assert replace(CONFIG, size_px=32, channels=3).preprocessing == Preprocessing(size_px=32, channels=3)


def test_the_size_grows_in_thirds() -> None:
    assert [replace(CONFIG, epochs=6).size_at(epoch) for epoch in range(6)] == [32, 32, 40, 40, 48, 48]
    assert [replace(CONFIG, epochs=4).size_at(epoch) for epoch in range(4)] == [32, 32, 40, 48]
    assert [replace(CONFIG, epochs=36).size_at(epoch) for epoch in (0, 11, 12, 23, 24, 35)] == [32, 32, 40, 40, 48, 48]


def test_the_last_epochs_have_the_full_size_whatever_their_number() -> None:
    for epochs in range(1, 40):
        sizes = [replace(CONFIG, epochs=epochs).size_at(epoch) for epoch in range(epochs)]
        assert sizes == sorted(sizes)
        assert sizes[-1] == 48


def test_without_progressive_resizing_the_size_is_constant() -> None:
    assert {replace(CONFIG, progressive=False).size_at(epoch) for epoch in range(36)} == {48}
    assert replace(CONFIG, epochs=1).size_at(0) == 48


def test_two_epochs_see_a_small_and_the_full_size() -> None:
    assert [replace(CONFIG, epochs=2).size_at(epoch) for epoch in range(2)] == [32, 48]


def test_json_round_trip() -> None:
    config = replace(CONFIG, learning_rate=1 / 3, seed=7, progressive=False, rule="argmax")
    assert TrainingConfig(**json.loads(json.dumps(asdict(config)))) == config


def test_differences_name_the_fields_with_both_values() -> None:
    assert CONFIG.differences(CONFIG) == []
    assert CONFIG.differences(replace(CONFIG, epochs=5, rule="argmax")) == [
        "epochs 28 against 5",
        "rule majority against argmax",
    ]


def test_every_field_counts_as_a_difference() -> None:
    other = TrainingConfig(
        ("other",), 3, "resnet34", "original", 32, 3, "imagenet", 1, 0.8, False, "fer2013", "table", 0.7, "adamw",
        64, 2, 0.2, 1.0, 1e-4, 1.0, "label", ("teacher",), 0.3, "augmented", "", "plain", 0.1, 1.0, 0.1, 0.5, 0.1,
        0.99, False, 3, "argmax", 1, 5, 2,
    )  # fmt: skip
    alone = {"multilabel": True, "soft_labels": "soft.npz"}  # these exclude the others
    differing = {text.split()[0] for text in CONFIG.differences(other)} | alone.keys()
    assert differing == {field.name for field in fields(CONFIG)}
    assert all(CONFIG.differences(replace(CONFIG, **{name: value})) for name, value in alone.items())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"second_dataset": "x"}, "second_head"),
        ({"second_head": "fer2013", "multilabel": True}, "second_head"),
        ({"soft_labels": "x.npz", "teacher": ("y",)}, "soft_labels"),
        ({"teacher_view": "twice"}, "teacher_view.*once, augmented"),
        ({"teacher_view": "augmented"}, "teacher_view.*teacher"),
        ({"second_weight": -1.0}, "second_weight.*0"),
    ],
)
def test_contradictions_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        replace(CONFIG, **given)


def test_the_files_that_a_run_depends_on_are_known() -> None:
    assert CONFIG.files == ()
    assert replace(CONFIG, init="imagenet", soft_labels="s.npz").files == ("s.npz",)
    config = replace(CONFIG, init="face-recognition:w.npz", teacher=("t", "u", "t"))
    assert config.files == ("w.npz", "t", "u")
    assert replace(config, init="t").files == ("t", "u")


def test_one_path_as_text_is_a_data_set_too() -> None:
    assert TrainingConfig("a/b").dataset == TrainingConfig(["a/b"]).dataset == ("a/b",)  # type: ignore[arg-type]
    assert TrainingConfig(("a", "b")).dataset == ("a", "b")


@pytest.mark.parametrize("dataset", [(), "", ("a", ""), (1,)])
def test_a_data_set_is_required(dataset: Any) -> None:
    with pytest.raises(TrainingError, match="dataset"):
        TrainingConfig(dataset)


@pytest.mark.parametrize(("folds", "fold"), [(5, 0), (5, 6), (0, 1)])
def test_a_fold_is_one_of_the_folds(folds: int, fold: int) -> None:
    with pytest.raises(TrainingError, match=f"got {fold} of {folds}"):
        TrainingConfig("x", folds=folds, fold=fold)


def test_learning_rate_and_decay_suit_the_optimizer_unless_given() -> None:
    sgd, adamw = TrainingConfig("x"), TrainingConfig("x", optimizer="adamw")
    assert (sgd.peak_learning_rate, sgd.used_weight_decay) == (0.1, 5e-4)
    assert (adamw.peak_learning_rate, adamw.used_weight_decay) == (0.002, 0.05)
    assert replace(sgd, init="imagenet").peak_learning_rate < sgd.peak_learning_rate
    assert replace(adamw, learning_rate=0.5, weight_decay=0).peak_learning_rate == 0.5
    assert replace(adamw, learning_rate=0.5, weight_decay=0).used_weight_decay == 0


def test_a_vision_transformer_knows_one_size_only() -> None:
    config = TrainingConfig("x", epochs=6, architecture="vit_b_16")
    assert {config.size_at(epoch) for epoch in range(6)} == {48}


def test_it_is_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        CONFIG.epochs = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("pictures", "expected"), [(5, 5), (100, 8), (160, 10), (320, 16), (1000, 16), (3200, 50), (28_385, 128)]
)
def test_small_data_sets_get_small_batches(pictures: int, expected: int) -> None:
    assert TrainingConfig("x").batch_size_for(pictures) == expected


def test_changed_settings_are_listed_without_folders() -> None:
    assert TrainingConfig("a").own_choices() == {}
    config = TrainingConfig("a", epochs=3, init="w/x/y.safetensors", teacher=("s/t/u.safetensors",), mixup=0.0)
    expected = {"epochs": 3, "init": "x/y.safetensors", "teacher": ["t/u.safetensors"], "mixup": 0.0}
    assert config.own_choices() == expected
