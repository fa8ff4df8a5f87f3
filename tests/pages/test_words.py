"""Pages use the names of their fields where errors name options of the commands."""

import pytest

from pages.parts.permissions import for_visitor
from pages.parts.words import caption_of, in_words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Check --soft-labels.", "Check “Soft labels”."),
        ("Begin with --init NAME or --name.", "Begin with “Start from” NAME or “Name”."),
        ("from a--b, -- and 2024--2025", "from a--b, -- and 2024--2025"),
        ("no option", "no option"),
    ],
)
def test_options_in_words(text: str, shown: str) -> None:
    assert in_words(text) == shown


def test_a_field_is_called_the_same_by_its_name_and_by_its_option() -> None:
    assert caption_of("second_dataset") == caption_of("--second-dataset") == "Second dataset"


def test_errors_on_pages_name_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_ALLOW_TRAINING", "1")
    assert "--" not in for_visitor("Start anew with another --name.")
