"""A model's two readings on the photo page: beside the result, and in detail in an expander."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from fer.faces import difference
from fer.images import encode_png
from fer.recognition.recognizer import Recognizer
from scripts.benchmarks.page import running_app
from tests.browser.acting import too_wide


@pytest.fixture(scope="module")
def two_opinions_url(tmp_path_factory: pytest.TempPathFactory, two_heads: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_CHECKPOINT", str(two_heads))
        with running_app(tmp_path_factory.mktemp("opinions")) as url:
            yield url


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_a_photo_shows_both(
    context: BrowserContext,
    page: Page,
    two_opinions_url: str,
    two_heads: Path,
    astronaut: np.ndarray,
    width: int,
    scheme: str,
) -> None:
    (face,) = Recognizer.load(two_heads).recognize(astronaut)
    assert face.differing and face.opinions
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{two_opinions_url}/photo")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": encode_png(astronaut)}
    )
    fold = page.locator("summary").filter(has_text=difference(face)[1:])
    expect(fold).to_be_visible()
    table = page.get_by_role("table").filter(has=page.get_by_role("columnheader", name="Raters"))
    expect(table).to_be_hidden()
    fold.focus()
    fold.press("Enter")  # a keyboard is enough
    expect(table).to_be_visible()
    rows = table.get_by_role("row")
    expect(rows).to_have_count(1 + len(face.labels))
    for name, place in ((face.differing[0], 0), (face.differing[1], 1)):
        share = face.opinions[place][face.labels.index(name)]
        cell = table.get_by_role("row", name=name).get_by_role("cell").nth(place)
        expect(cell).to_have_text(f"{100 * share:.0f} %")
        bar, whole = (cell.locator("xpath=" + way).bounding_box() for way in ("./div/div[1]", "./div"))
        assert bar and whole and bar["width"] == pytest.approx(share * whole["width"], abs=1)
    assert too_wide(page) == []
