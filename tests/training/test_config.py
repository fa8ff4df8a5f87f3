"""A configuration refuses contradictions before anything is read, and survives its way through config.json."""

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
    ],
)
def test_values_without_a_meaning_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(TrainingError, match=rf"{name} must be .* got {value}"):
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
def test_the_least_values_are_taken(name: str, value: Any) -> None:
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


def test_the_size_stays_where_it_is_not_to_grow() -> None:
    assert {replace(CONFIG, progressive=False).size_at(epoch) for epoch in range(36)} == {48}
    assert {replace(CONFIG, epochs=2).size_at(epoch) for epoch in range(2)} == {48}


def test_json_gives_the_same_configuration_back() -> None:
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
        "other", 3, "resnet34", 32, 3, 64, 0.2, 1.0, 1e-4, 0.1, 0.1, 0.99, False, rule="argmax", seed=1
    )
    assert [text.split()[0] for text in CONFIG.differences(other)] == [field.name for field in fields(CONFIG)]


def test_it_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        CONFIG.epochs = 5  # type: ignore[misc]


@pytest.mark.parametrize(("pictures", "expected"), [(5, 5), (100, 8), (320, 20), (2048, 128), (28_385, 128)])
def test_small_data_sets_get_small_batches(pictures: int, expected: int) -> None:
    assert TrainingConfig("x").batch_size_for(pictures) == expected
