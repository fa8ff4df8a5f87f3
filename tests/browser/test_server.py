"""Another page in the same browser."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import Page, expect

STRANGE = """<!doctype html><title>A stranger</title><script>
const socket = new WebSocket("ws" + location.hash.slice(5) + "/_stcore/stream", "streamlit");
socket.onopen = () => { document.title = "opened" };
socket.onerror = () => { document.title = "refused" };
</script>"""


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
