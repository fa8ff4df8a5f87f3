"""The pictures of README and docs/ are those that `scripts/screenshots.py` takes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from scripts.screenshots import AFTER, FOLDER, MOST_BYTES, MOST_MOVING_BYTES, PICTURES, WIDTH

ROOT = Path(__file__).parents[2]
MOST_BYTES_OF_ALL = 2_500_000


def used() -> set[str]:
    """Return the names of all pictures that a document shows, as the folder has them."""
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    shown = [re.findall(r"\]\((?:docs/)?pictures/([^)]+)\)", page.read_text(encoding="utf-8")) for page in documents]
    return {name for names in shown for name in names}


def test_the_script_takes_what_is_shown_and_nothing_else_is_there() -> None:
    taken = {f"{name}.webp" for name in PICTURES}
    assert taken == used() == {path.name for path in FOLDER.iterdir()}
    order = list(PICTURES)
    for name, before in AFTER.items():
        assert all(order.index(one) < order.index(name) for one in before)


def test_pictures_are_small_and_one_moves() -> None:
    sizes = {path.stem: path.stat().st_size for path in FOLDER.iterdir()}
    assert sizes.pop("webcam") <= MOST_MOVING_BYTES
    assert max(sizes.values()) <= MOST_BYTES
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MOST_BYTES_OF_ALL
    for path in FOLDER.iterdir():
        with Image.open(path) as picture:
            assert (getattr(picture, "n_frames", 1) > 1) == (path.stem == "webcam")


@pytest.mark.slow
def test_it_takes_pictures(browser: Browser, tmp_path: Path) -> None:
    names = ["home", "model-card"]
    command = [sys.executable, ROOT / "scripts" / "screenshots.py", *names, "--folder", tmp_path]
    subprocess.run(command, check=True)
    assert {path.stem for path in tmp_path.iterdir()} == set(names)
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            assert picture.width == WIDTH
