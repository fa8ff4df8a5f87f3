"""Another page in the same browser, and a server that has just started."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.benchmarks.page import running_app

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


class Stranger(BaseHTTPRequestHandler):
    """A local web server of somebody else."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(STRANGE.encode())

    def log_message(self, *_: object) -> None:
        """Do not log."""


@pytest.fixture
def stranger() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


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
