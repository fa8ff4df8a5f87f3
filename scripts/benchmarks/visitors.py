"""The app with many visitors who upload photos for a long time: `python scripts/benchmark.py visitors --seconds 3600`.

A visitor is a websocket that behaves like the page's browser, and uploads over HTTP. There is no browser.
"""

import io
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import psutil
import requests
from PIL import Image
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from fer.errors import EvaluationError
from scripts.benchmarks.page import app_process, running_app

PATIENCE_SECONDS = 120
"""A page that takes longer hangs."""
LEFT_SECONDS = 90
"""Memory is measured this long after the last visitor has left."""
SIDES_PX = (300, 3000)
FORMATS = ("JPEG", "JPEG", "PNG", "WEBP")
TOO_LARGE_BYTES = 51 * 2**20
"""The photo page accepts 50 MB."""
SHARE_BROKEN, SHARE_TOO_LARGE, SHARE_LOST, SHARE_RELOADED = 0.08, 0.01, 0.1, 0.1


@dataclass
class Events:
    """What has happened so far, to all visitors."""

    counts: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    """Seconds from each photo's upload to its result."""
    health: list[float] = field(default_factory=list)
    """Response times of the health check in seconds."""
    late: list[float] = field(default_factory=list)
    """Delays of this process's own one-second timer in seconds: the machine's load, not the server's."""
    most_bytes: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def error(self, text: str) -> None:
        """Count an error and print it."""
        self.counts["errors"] += 1
        say(f"error: {text}")


def say(text: str) -> None:
    """Print a progress line."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def measure(visitors: int = 20, seconds: float = 180, pause: float = 30) -> dict[str, float]:
    """The cost of many visitors who come, upload photos of their own size, lose the connection, leave and come back.

    Some of their files are broken or too large. Errors are exceptions on a page, tracebacks in the server's log,
    missing answers, a good photo without a picture of its result, and a bad one without a message. Progress is printed
    every minute. `pause` is the mean time that a visitor looks at something, in seconds.

    Raises:
        EvaluationError: the app does not start, or does not answer the first visitor.
    """
    events = Events()
    with tempfile.TemporaryDirectory() as place, running_app(Path(place)) as url:
        server = app_process()
        first = Visitor(url, Random(0), Events(), 0.0)
        first.visit_once(["JPEG", "WEBP"])
        if first.events.counts["errors"]:
            raise EvaluationError("expected the first visitor's photos to be shown, see above")
        before = _held_bytes(server)
        coming = [Visitor(url, Random(number + 1), events, pause) for number in range(visitors)]
        times, began = server.cpu_times(), time.monotonic()
        threads = [threading.Thread(target=one.visit) for one in coming]
        threads.append(threading.Thread(target=_watch_health, args=(url, events)))
        for thread in threads:
            thread.start()
        _watch(server, events, began, seconds)
        events.ended.set()
        for thread in threads:
            thread.join()
        took, computed = time.monotonic() - began, server.cpu_times()
        time.sleep(LEFT_SECONDS)
        after = _held_bytes(server)
        log = Path(place, "log.txt").read_text(encoding="utf-8", errors="replace")
        if tracebacks := log.count("Traceback"):
            events.counts["errors"] += tracebacks
            say(f"the server's log:\n{log[-8000:]}")
    busy = computed.user + computed.system - times.user - times.system
    return {
        "errors": float(events.counts["errors"]),
        **{name: float(count) for name, count in sorted(events.counts.items()) if name != "errors"},
        "result of a photo, median (s)": float(np.median(events.waits)) if events.waits else 0.0,
        "result of a photo, 99th percentile (s)": _percentile(events.waits, 99),
        "health check, median (s)": _percentile(events.health, 50),
        "health check, 99th percentile (s)": _percentile(events.health, 99),
        "health check, longest (s)": max(events.health, default=0.0),
        "timer delay on this machine, 99th percentile (s)": _percentile(events.late, 99),
        "server (% of a core)": 100 * busy / took,
        "memory after the first photo (MB)": before / 1e6,
        "peak memory (MB)": events.most_bytes / 1e6,
        f"memory {LEFT_SECONDS} s after the last visitor has left (MB)": after / 1e6,
    }


def _percentile(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else 0.0


def _held_bytes(server: psutil.Process) -> int:
    """Return the resident memory of the server and all its child processes."""
    held = server.memory_info().rss
    for child in server.children(recursive=True):
        try:
            held += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return held


def _watch(server: psutil.Process, events: Events, began: float, seconds: float) -> None:
    """Sample the server's memory every few seconds, and print the progress every minute."""
    minute = 0
    while (now := time.monotonic() - began) < seconds and server.is_running():
        held = _held_bytes(server)
        events.most_bytes = max(events.most_bytes, held)
        if now >= 60 * minute:
            counts = ", ".join(f"{name} {count}" for name, count in sorted(events.counts.items()))
            slow = _percentile(events.health, 99)
            say(f"minute {minute}: {held / 1e6:.0f} MB, health check {slow:.2f} s; {counts}")
            minute += 1
        time.sleep(2)


def _watch_health(url: str, events: Events) -> None:
    """Check the server's health every second."""
    while not events.ended.is_set():
        began = time.monotonic()
        time.sleep(1)
        events.late.append(time.monotonic() - began - 1)
        began = time.monotonic()
        try:
            answer = requests.get(f"{url}/_stcore/health", timeout=PATIENCE_SECONDS)
            if answer.text != "ok":
                events.error(f"the health check says {answer.status_code}")
        except requests.RequestException as error:
            events.error(f"the health check: {error}")
        events.health.append(time.monotonic() - began)


class Visitor:
    """A visitor with photos of one size."""

    def __init__(self, url: str, random: Random, events: Events, pause: float) -> None:
        """Prepare the photos; nothing is opened yet."""
        self.events = events
        self._url, self._random, self._pause = url, random, pause
        # Encoded now, because doing it later would disturb the measurement.
        self._photos = {file_format: self._photo(file_format, random.randint(*SIDES_PX)) for file_format in FORMATS}
        self._widgets: dict[str, list[dict[str, Any]]] = {}
        self._page = self._uploader = self._session = ""

    def visit(self) -> None:
        """Come, upload, leave and come back, until time is up."""
        while not self.events.ended.wait(self._random.uniform(0, 2 * self._pause)):
            self.visit_once([self._random.choice(FORMATS) for _ in range(self._random.randint(1, 4))])

    def visit_once(self, formats: list[str]) -> None:
        """Visit once and upload photos of these formats one after the other."""
        self.events.counts["visits"] += 1
        self._session = ""
        try:
            waiting = list(formats)
            while waiting and not self.events.ended.is_set():
                with self.connected() as socket:
                    self.open(socket, "")
                    self.open(socket, "photo")
                    while waiting and not self.events.ended.is_set():
                        self._upload(socket, waiting.pop())
                        self.events.ended.wait(self._random.uniform(0, 2 * self._pause))
                        fate = self._random.random()
                        if fate < SHARE_LOST + SHARE_RELOADED:
                            lost = fate < SHARE_LOST
                            self._session = self._session if lost else ""
                            self.events.counts["connections lost" if lost else "reloads"] += 1
                            break
        except Exception as error:  # any error is what this benchmark looks for
            self.events.error(f"{type(error).__name__}: {error}")

    def connected(self) -> ClientConnection:
        """Open the websocket, for the same session if its connection was lost."""
        protocols: list[Any] = ["streamlit", "none", *([self._session] if self._session else [])]
        address = f"ws{self._url.removeprefix('http')}/_stcore/stream"
        self._page, self._widgets = "", {}
        return connect(address, origin=Origin(self._url), subprotocols=protocols, max_size=None)

    def open(self, socket: ClientConnection, page: str) -> list[Element]:
        """Open a page by its address; return what it shows."""
        self._page = ""
        return self._run(socket, page)

    def _run(self, socket: ClientConnection, page: str = "photo") -> list[Element]:
        """Run the page's script; return what it shows, and fetch its pictures as a browser does."""
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.page_script_hash = "" if self._page else page, self._page
        state.context_info.url = f"{self._url}/{page}"
        for name, files in self._widgets.items():
            state.widget_states.widgets.add(id=name).file_uploader_state_value.uploaded_file_info.extend(
                [_info(**one) for one in files]
            )
        socket.send(message.SerializeToString())
        shown: list[Element] = []
        while (found := self._next(socket)).WhichOneof("type") != "script_finished":
            if found.WhichOneof("type") == "delta" and found.delta.WhichOneof("type") == "new_element":
                shown.append(found.delta.new_element)
        if found.script_finished not in (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_EARLY_FOR_RERUN):
            self.events.error(f"the script ended with {found.script_finished}")
        for element in shown:
            if element.WhichOneof("type") == "exception":
                self.events.error(f"{page}: {element.exception.type}: {element.exception.message}")
            elif element.WhichOneof("type") == "file_uploader":
                self._uploader = element.file_uploader.id
            for image in element.imgs.imgs:
                requests.get(f"{self._url}{image.url}", timeout=PATIENCE_SECONDS).raise_for_status()
        return shown

    def _next(self, socket: ClientConnection) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(socket.recv(PATIENCE_SECONDS))
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "new_session":
            self._session = message.new_session.initialize.session_id
        return message

    def _upload(self, socket: ClientConnection, file_format: str) -> None:
        """Upload a photo, or a bad file, and wait for the page's response."""
        photo, fate = self._photos[file_format], self._random.random()
        what = "photos"
        if fate < SHARE_BROKEN:
            photo, what = photo[: len(photo) // 3], "broken files"
        elif fate < SHARE_BROKEN + SHARE_TOO_LARGE:
            photo, what = photo.ljust(TOO_LARGE_BYTES, b"\0"), "too large files"
        ask = BackMsg()
        ask.file_urls_request.request_id, ask.file_urls_request.session_id = "upload", self._session
        ask.file_urls_request.file_names.append("face.jpg")
        socket.send(ask.SerializeToString())
        while (found := self._next(socket)).WhichOneof("type") != "file_urls_response":
            continue
        urls = found.file_urls_response.file_urls[0]
        token = requests.get(f"{self._url}/_stcore/health", timeout=PATIENCE_SECONDS).cookies["_streamlit_xsrf"]
        headers = {"X-Xsrftoken": str(token), "Cookie": f"_streamlit_xsrf={token}", "Origin": self._url}
        files = {"file": ("face.jpg", photo)}
        began = time.monotonic()
        answer = requests.put(f"{self._url}{urls.upload_url}", files=files, headers=headers, timeout=PATIENCE_SECONDS)
        answer.raise_for_status()
        self._widgets = {self._uploader: [{"urls": urls, "size": len(photo)}]}
        shown = self._run(socket)
        self.events.waits.append(time.monotonic() - began)
        self.events.counts[what] += 1
        refused = any(element.alert.format == Alert.ERROR for element in shown)
        if refused == (what == "photos") or (not refused and not any(element.imgs.imgs for element in shown)):
            self.events.error(f"{what}: shown were {Counter(element.WhichOneof('type') for element in shown)}")

    def _photo(self, file_format: str, side_px: int) -> bytes:
        """Return a photo of a person."""
        from skimage.data import astronaut

        left, top = self._random.randint(0, 60), self._random.randint(0, 20)
        crop = Image.fromarray(astronaut()[top : top + 400, left : left + 400])
        buffer = io.BytesIO()
        crop.resize((side_px, side_px)).save(buffer, file_format)
        return buffer.getvalue()


def _info(urls: Any, size: int) -> Any:
    from streamlit.proto.Common_pb2 import UploadedFileInfo

    return UploadedFileInfo(file_id=urls.file_id, name="face.jpg", size=size, file_urls=urls)
