"""Options generated from the fields of a configuration."""

import argparse
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from fer.cli import live, train
from fer.cli.arguments import add_field_options
from fer.model import DEFAULT_CHECKPOINT
from fer.model.prior import BETWEEN, EVERYDAY, POSED
from fer.training.config import TrainingConfig, option


@dataclass(frozen=True)
class Config:
    epochs: int = option(28, "N", "how many", group="one", flag="--rounds")
    learning_rate: float | None = option(None, "RATE", "(it depends)", group="one")
    share: float = option(0.0, None, "of it", group="one")
    fast: bool = option(False, None, "hurry", group="one")
    careful: bool = option(True, None, "take care", group="one")
    teacher: tuple[str, ...] = option((), "FILE", "who else", group="one")
    targets: str = option("votes", None, group="one", choices=("votes", "label"))
    other: int = option(1, None, group="another")
    hidden: int = 3


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("test")
    add_field_options(parser.add_argument_group("one"), Config, "one")
    return parser


def test_options_not_given_are_none(parser: argparse.ArgumentParser) -> None:
    names = {"epochs", "learning_rate", "share", "fast", "careful", "teacher", "targets"}
    assert vars(parser.parse_args([])) == dict.fromkeys(names)


def test_given_options_have_the_type_of_their_field(parser: argparse.ArgumentParser) -> None:
    given = "--rounds 3 --learning-rate 1e-3 --share 1 --fast --no-careful --teacher a --teacher b --targets label"
    found = vars(parser.parse_args(given.split()))
    expected: dict[str, Any] = {"epochs": 3, "learning_rate": 0.001, "share": 1.0, "fast": True, "careful": False}
    assert found == {**expected, "teacher": ["a", "b"], "targets": "label"}
    assert isinstance(found["share"], float)


@pytest.mark.parametrize("given", [["--rounds", "many"], ["--targets", "all"], ["--no-fast"], ["--other", "1"]])
def test_other_values_are_refused(parser: argparse.ArgumentParser, given: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parser.parse_args(given)
    assert left.value.code == 2


def test_the_help_ends_with_the_default(parser: argparse.ArgumentParser) -> None:
    said = parser.format_help()
    for text in ("--rounds N", "how many (28)", "--learning-rate RATE", "(it depends)\n", "of it (0)", "(votes)"):
        assert text in said


def test_every_choice_of_a_training_is_an_option() -> None:
    options = vars(train.parse_arguments(["--dataset", "x"]))
    assert {field.name for field in fields(TrainingConfig)} - options.keys() == {"warmup_epochs", "fold"}


def test_faces_in_front_of_a_camera_are_acted_by_default(tiny_checkpoint: Path) -> None:
    assert [live.parse_arguments([*given]).faces for given in ((), ("--faces", POSED))] == [None, POSED]
    assert [live.usual_faces(DEFAULT_CHECKPOINT, is_file) for is_file in (False, True)] == [BETWEEN, EVERYDAY]
    assert live.usual_faces(tiny_checkpoint, is_file=False) == EVERYDAY
