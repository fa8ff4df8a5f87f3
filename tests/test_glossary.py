"""Pages, commands, errors, docstrings and documentation keep to the glossary in CONTRIBUTING.md.

The words checked are those that never mean anything else here.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = re.compile(
    r"\b(moods?|cutouts?|persons|opinions?|annotators?|from (scratch|chance)|twins|worse pictures|disturbances?"
    r"|careful reading|carry on|take up again|most uncertain|visitors? from (elsewhere|other machines)|FER-2013"
    r"|analys(e|ed|ing)|behaviours?|cancell(ed|ing)|centres?|colours?|favour\w*|grey\w*|labell\w+|licences?|neighbours?"
    r"|(recogni|normali|optimi|initiali)s(e|ed|ing|ation))\b",
    re.IGNORECASE,
)
NOT_PROSE = re.compile(
    r"^```.*?^```|``.*?``|`[^`]*`|{%.*?%}|{{.*?}}|{#.*?#}|\]\([^)]*\)|<[^<>]*>|--[\w-]+|^ +\w+: ",
    re.DOTALL | re.MULTILINE,
)
"""Code, templates' expressions, addresses, tags, and the names of options and arguments."""
FILES = [
    *(path for path in ROOT.glob("*.md") if path.name not in ("CHANGELOG.md", "CONTRIBUTING.md")),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "pages" / "parts").glob("*.md"),
    *(ROOT / "fer" / "reports" / "templates").iterdir(),
    *(path for folder in ("fer", "pages", "scripts") for path in (ROOT / folder).rglob("*.py")),
]


def prose(path: Path) -> str:
    """Return what people read in a file; of a program the texts with a space in them, docstrings too."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        constants = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
        text = "\n".join(value for value in constants if isinstance(value, str) and " " in value)
    return NOT_PROSE.sub(" ", text)


@pytest.mark.parametrize("path", sorted(FILES), ids=lambda path: str(path.relative_to(ROOT)))
def test_words_are_the_glossarys(path: Path) -> None:
    text = prose(path)
    assert [text[max(match.start() - 40, 0) : match.end() + 40] for match in FORBIDDEN.finditer(text)] == []


@pytest.mark.parametrize("text", ['x = "an Opinion of a model"', '"""A colour."""', 'f"{1} grey pictures"'])
def test_a_forbidden_word_is_found(tmp_path: Path, text: str) -> None:
    file = tmp_path / "page.py"
    file.write_text(text, encoding="utf-8")
    assert FORBIDDEN.search(prose(file))
