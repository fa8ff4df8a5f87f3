"""The table survives a round trip, and a damaged one is refused."""

from pathlib import Path

import pytest

from fer.errors import EvaluationError
from fer.evaluation.report import Ablation, Ingredient, read_table
from fer.records import write_record

TABLE = Ablation(
    "drawn faces, validation split, rule majority, n = 80",
    "--dataset x",
    50,
    (Ingredient("the recipe", "python scripts/train.py --dataset x", (0, 1), 0.8123, 0.61, 0.7),),
    "One thing changed at a time.",
)


def test_a_table_survives_a_round_trip(tmp_path: Path) -> None:
    write_record(tmp_path / "table.json", TABLE)
    assert read_table(tmp_path / "table.json", Ablation) == TABLE


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"basis": "x", "recipe": "x", "sample": 1, "rows": [{"name": "x"}]}']
)
def test_a_damaged_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "table.json").write_text(text)
    with pytest.raises(EvaluationError, match=r"table\.json"):
        read_table(tmp_path / "table.json", Ablation)
    with pytest.raises(EvaluationError, match=r"none\.json"):
        read_table(tmp_path / "none.json", Ablation)
