"""Another page in the same browser, and a server that has just started."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.benchmarks.page import running_app
from tests.browser.acting import Handler, serving

STRANGE = """<!doctype html><title>A stranger</title><script>
const socket = new WebSocket("ws" + location.hash.slice(5) + "/_stcore/stream", "streamlit");
socket.onopen = () => { document.title = "opened" };
socket.onerror = () => { document.title = "refused" };
</script>"""


LINKS = """
window.links = new Set();
const look = () => {
  for (const link of document.querySelectorAll("[data-testid=stSidebarNavLink]")) links.add(link.href);
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""Collects where the navigation has ever led."""


class Stranger(Handler):
    """A local web server of somebody else."""

    def do_GET(self) -> None:
        self.answer(STRANGE, "text/html")


@pytest.fixture
def stranger() -> Iterator[str]:
    with serving(Stranger) as url:
        yield url


def test_another_local_page_cannot_act_and_ours_can(page: Page, stranger: str, app_url: str) -> None:
    page.goto(f"{stranger}/#{app_url}")
    expect(page).to_have_title("refused")
    page.goto(app_url)
    expect(page.get_by_role("heading", name="The model")).to_be_visible()


def test_a_new_server_opens_the_address_of_a_page_with_this_navigation_only(page: Page, tmp_path: Path) -> None:
    page.add_init_script(LINKS)
    with running_app(tmp_path) as url:
        page.goto(f"{url}/results?result=unknown")
        expect(page).to_have_title("Results · Expression Studio")
        expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(9)
        expect(page.get_by_test_id("stAlert")).to_be_visible()
        assert page.url.endswith("?result=unknown")
        assert len(page.evaluate("[...links]")) == 9
