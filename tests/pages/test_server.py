"""What the server answers before a page runs, as seen by a browser or another page."""

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from secrets import token_urlsafe
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import requests
from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from fer.errors import ResultsError
from fer.names import literal
from pages.parts import permissions, server
from pages.parts.server import LEFT_SECONDS, SWEEP_SECONDS, close_left
from pages.parts.visitor import COOKIE
from scripts.benchmarks.page import running_app


def sessions(**browsers: bool) -> list[Any]:
    """Return Streamlit's visitors: name → whether their browser is connected."""
    return [
        SimpleNamespace(session=SimpleNamespace(id=name), client=is_there or None)
        for name, is_there in browsers.items()
    ]


def test_visitors_who_left_are_forgotten_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    known: list[Any] = []
    manager = SimpleNamespace(list_sessions=lambda: known)
    monkeypatch.setattr(
        runtime, "get_instance", lambda: SimpleNamespace(_session_mgr=manager, close_session=closed.append)
    )
    known = sessions(here=True, left=False, back=False)
    since = close_left({}, 0.0)
    known = sessions(here=True, left=False, back=True)
    since = close_left(since, LEFT_SECONDS - 1.0)
    assert closed == [] and set(since) == {"left"}
    since = close_left(since, LEFT_SECONDS)
    assert closed == ["left"] and since == {}
    known = sessions(here=True, back=False)
    since = close_left(since, LEFT_SECONDS + 5.0)
    since = close_left(since, 2 * LEFT_SECONDS)
    assert closed == ["left"] and set(since) == {"back"}
    assert LEFT_SECONDS + 2 * SWEEP_SECONDS < 60


def test_a_failing_step_is_logged_and_the_others_continue(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[dict[str, float]] = []

    def look(since: dict[str, float], now: float) -> dict[str, float]:
        looks.append(since)
        if len(looks) == 1:
            raise RuntimeError("a fault")
        raise asyncio.CancelledError  # as the server does when it ends

    steps = list[str]()

    def damaged(adopted: bool) -> None:
        steps.append("results")
        raise ResultsError("expected a database.")

    async def present() -> set[str]:
        return {"here"}

    monkeypatch.setattr(server, "close_left", look)
    monkeypatch.setattr(server, "_look_after_results", damaged)
    monkeypatch.setattr(server, "_present", present)
    monkeypatch.setattr(server, "_forget_uploads", lambda who: steps.extend(who()))
    monkeypatch.setattr(server, "LEFT_SECONDS", 0)
    monkeypatch.setattr(server, "SWEEP_SECONDS", 0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(server._sweep())
    assert len(looks) == 2 and steps == ["results", "here"], "each step goes on without the others"
    (told,) = (record for record in caplog.records if record.name == server.__name__)
    assert told.exc_info and str(told.exc_info[1]) == "a fault"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system takes memory back itself")
def test_freed_memory_is_returned_to_the_system() -> None:
    held = [bytes(64_000) for _ in range(2_000)]  # too small to be mapped, so the C library keeps them
    last = bytes(64_000)  # holds the end of the heap
    del held
    before = psutil.Process().memory_info().rss
    server._give_back()
    assert before - psutil.Process().memory_info().rss > 50_000_000
    assert last


@pytest.mark.parametrize(
    ("text", "secret", "name"),
    [
        ("expected a model at /srv/studio/runs/mine/best.safetensors, found none.", "studio", "best.safetensors"),
        ("cannot unpack '/home/me/data/a.zip': full", "me/", "a.zip"),
        (r"found nothing at C:\Users\me\runs\best.safetensors.", "Users", "best.safetensors"),
        (f"expected a picture in {Path.home() / 'My Pictures' / 'a.png'}.", str(Path.home()), "a.png"),
    ],
)
def test_paths_are_for_local_visitors(text: str, secret: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "training_allowed", lambda: True)
    assert permissions.for_visitor(text) == literal(text)
    monkeypatch.setattr(permissions, "training_allowed", lambda: False)
    told = permissions.for_visitor(text).replace("\\", "")
    assert secret not in told and name in told


# The rest starts the app.


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOSTS", "studio.example.org, 192.0.2.7:8080")
        patch.setenv("FER_UPLOADS_MB", "8")
        with running_app(tmp_path_factory.mktemp("app")) as address:
            yield address


def opens(url: str, host: str, origin: str | None) -> int:
    """Open the pages' websocket as a page would; return the status of the response."""
    port = int(url.rpartition(":")[2])
    host, origin = host.replace("PORT", str(port)), origin and origin.replace("PORT", str(port))
    plug = socket.create_connection(("127.0.0.1", port))
    try:
        with connect(f"ws://{host}/_stcore/stream", sock=plug, origin=origin) as opened:
            return opened.response.status_code if opened.response else 0
    except InvalidStatus as refused:
        return refused.response.status_code


OURS = [
    ("127.0.0.1:PORT", "http://127.0.0.1:PORT"),
    ("localhost:PORT", "http://localhost:PORT"),
    ("[::1]:PORT", "http://[::1]:PORT"),
    ("studio.example.org", "https://studio.example.org"),
    ("192.0.2.7:8080", "http://192.0.2.7:8080"),
    ("127.0.0.1:PORT", None),
]
OTHERS = [
    ("localhost:PORT", "http://localhost:3000"),  # another page on this machine
    ("127.0.0.1:PORT", "http://127.0.0.1"),
    ("127.0.0.1:PORT", "http://localhost:PORT"),  # the same machine by another name
    ("127.0.0.1:PORT", "https://evil.example"),
    ("evil.example:PORT", "http://evil.example:PORT"),  # its name was pointed here
    ("192.0.2.7:PORT", "http://192.0.2.7:PORT"),
    ("evil.example", None),
    ("127.0.0.1:PORT", "null"),  # a sandboxed frame, a file
    ("127.0.0.1:PORT", "http://127.0.0.1:PORT@evil.example"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("host", "origin"), OURS)
def test_the_socket_opens_for_pages_of_the_app(url: str, host: str, origin: str | None) -> None:
    assert opens(url, host, origin) == 101


@pytest.mark.slow
@pytest.mark.parametrize(("host", "origin"), OTHERS)
def test_no_other_page_opens_the_socket(url: str, host: str, origin: str | None) -> None:
    assert opens(url, host, origin) == 403


class Visitor:
    """A browser, as the server sees it: a websocket, and uploads."""

    def __init__(self, url: str, socket: ClientConnection) -> None:
        """Open the app."""
        self._url, self.socket, self.cookie = url, socket, token_urlsafe(32)
        self.socket.send(BackMsg(rerun_script={}).SerializeToString())
        message = ForwardMsg()
        while message.WhichOneof("type") != "new_session":
            message.ParseFromString(self.socket.recv(60))
        self.session = message.new_session.initialize.session_id

    def put(self, data: Any, headers: dict[str, str], file: str = "a", **more: Any) -> int:
        """Send an upload request; return the status of the response."""
        token = requests.get(f"{self._url}/_stcore/health").cookies["_streamlit_xsrf"]
        address = f"{self._url}/_stcore/upload_file/{self.session}/{file}"
        named = {"X-Xsrftoken": token, "Cookie": f"_streamlit_xsrf={token}; {COOKIE}={self.cookie}", **headers}
        return requests.put(address, data, headers=named, **more).status_code

    def upload(self, megabytes: float, file: str, **headers: str) -> int:
        """Upload a file of some size; return the status of the response."""
        return self.put(None, headers, file, files={"file": ("face.jpg", bytes(int(megabytes * 2**20)))})


@pytest.fixture
def visitors(url: str) -> Iterator[Callable[[], Visitor]]:
    """Opens the app as another visitor."""
    with ExitStack() as stack:

        def come() -> Visitor:
            place = f"ws{url.removeprefix('http')}/_stcore/stream"
            return Visitor(url, stack.enter_context(connect(place, origin=url, subprotocols=["streamlit"])))

        yield come


@pytest.mark.slow
def test_uploads_are_limited_per_visitor_and_in_total(visitors: Callable[[], Visitor]) -> None:
    one, again, other, third = (visitors() for _ in range(4))
    again.cookie = one.cookie  # another tab
    assert one.upload(3.5, "a") == 204
    assert one.upload(1, "b") == again.upload(1, "b") == 413
    assert again.upload(0.2, "c") == 204
    assert one.upload(0.4, "d") == 413
    assert other.upload(5, "a") == 413
    assert other.upload(3.5, "a") == 204
    assert third.upload(1.5, "a") == 413
    assert third.upload(0.5, "a") == 204


@pytest.mark.slow
def test_unannounced_sizes_are_counted_too(visitors: Callable[[], Visitor]) -> None:
    visitor = visitors()

    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        for _ in range(64):
            yield bytes(2**20)

    assert visitor.put(endless(), {"Content-Type": "multipart/form-data; boundary=x"}) == 413


@pytest.mark.slow
def test_no_other_page_uploads(visitors: Callable[[], Visitor]) -> None:
    assert visitors().upload(0.1, "a", Origin="http://localhost:3000") == 403
    assert visitors().upload(0.1, "a", Host="evil.example") == 403
