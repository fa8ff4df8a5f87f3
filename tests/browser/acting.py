"""What several tests do on a page."""

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, TimeoutError, expect

from fer.jobs.job import PROCESS_NAME
from fer.jobs.process import ProcessMark
from fer.records import read_record
from tests.scripts.processes import wait_until

NOT_OURS = ("_stcore/health", "_stcore/host-config", "Unrecognized feature")
"""What Streamlit's own code logs at an address below the first."""
LATE = """
const add = WebSocket.prototype.addEventListener;
WebSocket.prototype.addEventListener = function (kind, listener, ...rest) {
  const late = (event) => setTimeout(() => listener(event), window.late ?? 0);
  add.call(this, kind, kind === "message" ? late : listener, ...rest);
};
"""
"""Makes what the server sends arrive `late` milliseconds later, as from a busy one."""
TOO_WIDE = """() => {
  const over = (one) => one.scrollWidth > one.clientWidth;
  const deep = (one) => [one, ...[...(one.shadowRoot ?? one).children].flatMap(deep)];
  const scrolling = document.querySelectorAll("html, [data-testid=stMain], [role=dialog]");
  const players = deep(document.body).filter((one) => one.matches(".player"));
  return [...scrolling, ...players].filter(over).flatMap((whole) => {
    const right = whole.getBoundingClientRect().left + whole.clientWidth + 1;
    const wide = deep(whole).filter((one) => one.getBoundingClientRect().right > right).slice(-3);
    return [whole, ...wide].map((one) => `${one.tagName} ${one.dataset?.testid ?? one.getAttribute("class")}`);
  });
}"""
"""The document never overflows: stMain and dialogs scroll by themselves."""


def settled(page: Page) -> None:
    """Wait until the page rests: a click on something that is just being replaced would be lost."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_timeout(300)


def begin(page: Page, address: str, button: str | re.Pattern[str], *files: Path) -> None:
    """Upload files on the page at an address, and press a button."""
    page.goto(address)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(list(files))
    page.get_by_role("button", name=button).click()


def act(page: Page, name: str, action: str) -> None:
    """Choose an action in the menu of a result in the list."""
    settled(page)
    page.get_by_role("button", name=f"Actions for {name}", exact=True).press("Enter")
    page.get_by_role("menuitem", name=action).click()


def result_id(page: Page) -> str:
    """Return the ID of the only result in the page's address, once it is there."""
    page.wait_for_url(re.compile(r"\?result="))
    (found,) = parse_qs(urlsplit(page.url).query)["result"]
    return found


@contextmanager
def paused(folder: Path) -> Iterator[None]:
    """Suspend the process of a job that was just started, so that the job cannot end before a test has looked at it."""
    wait_until((folder / PROCESS_NAME).exists)
    mark = read_record(folder / PROCESS_NAME, ProcessMark)
    process = mark and mark.running()
    assert process, f"{folder.name} has ended"
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def downloaded(page: Page, name: str | re.Pattern[str]) -> bytes:
    """Click a download button of that name on a page that rests, and return the file."""
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    return Path(download.value.path()).read_bytes()


def too_wide(page: Page) -> list[str]:
    """Return what must be scrolled sideways, each followed by the elements that stick out.

    Charts follow the page's width late, so what overflows gets some seconds not to.
    """
    with suppress(TimeoutError):
        page.wait_for_function(f"({TOO_WIDE})().length === 0", timeout=5_000)
    found: list[str] = page.evaluate(TOO_WIDE)
    return found


@contextmanager
def errors_of(page: Page) -> Iterator[list[str]]:
    """Collect what a page logs as an error and what it throws, without what is `NOT_OURS`."""
    errors: list[str] = []

    def log(message: ConsoleMessage) -> None:
        said = f"{message.text} {message.location['url']}"
        if message.type == "error" and not any(known in said for known in NOT_OURS):
            errors.append(said)

    def thrown(error: Error) -> None:
        errors.append(f"{error}\n{error.stack}")

    page.on("console", log)
    page.on("pageerror", thrown)
    yield errors
    page.remove_listener("console", log)
    page.remove_listener("pageerror", thrown)


def compare(page: Page, names: Iterable[str]) -> None:
    """On the evaluation page, compare the reports of two runs, and wait for their charts."""
    page.get_by_text("Compare", exact=True).click()
    for name in names:
        page.get_by_role("combobox", name="Reports (all are compared").click()
        page.get_by_role("option", name=name).click()
    page.keyboard.press("Escape")
    expect(page.locator(".js-plotly-plot")).to_have_count(3)


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of a local web server that is not the app."""

    def answer(self, content: str, kind: str) -> None:
        """Send content of a media type."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_: object) -> None:
        """Do not log."""


@contextmanager
def serving(handler: type[Handler]) -> Iterator[str]:
    """Run a local web server; yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
