"""What stands before the pages: whom the server answers, how much a visitor may upload, what goes when one has left."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import App, cli_util, config, runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.web.server import server_util

from fer.errors import FerError
from fer.jobs.job import Kind
from fer.jobs.visitors import forget_left
from pages.parts.permissions import HOSTS_VARIABLE, allowed_bytes, is_own_page, setting_of
from pages.parts.visitor import with_cookie

LEFT_SECONDS, SWEEP_SECONDS = 30, 10
"""Who was away for so long will not come back; how often that is looked at. Together less than a minute."""
_M_MMAP_THRESHOLD, _MAPPED_BYTES = -3, 4_000_000
"""Of malloc.h; with a smaller one photos of 512 pixels take longer, with this one those of 3,000, by a fifth."""
_log = logging.getLogger(__name__)
_UPLOAD = re.compile(r".*/_stcore/upload_file/([^/]+)/[^/]+")


class Guard:
    """Answers pages of this app only, and takes no more uploads than there is room for. An ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self._app = app
        self._arriving: Counter[str] = Counter()
        """Session → bytes of uploads that are on their way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, refuse it, or open a socket."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif not is_own_page(Headers(scope=scope), setting_of(HOSTS_VARIABLE)):
            await _refuse(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "GET":
            await self._app(scope, receive, with_cookie(scope, send))
        elif scope["type"] == "http" and scope["method"] == "PUT" and (upload := _UPLOAD.fullmatch(scope["path"])):
            await self._take(upload[1], scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _take(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an upload as far as there is room for it; of what it says of its length not a byte is believed."""
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            before, arrived = arrived, arrived + len(message.get("body", b""))
            self._arriving[session] += arrived - before
            ends = not message.get("more_body")
            if (ends or before >> 20 != arrived >> 20) and self._is_full(session):  # every MB: to count takes time
                raise HTTPException(413, "This is more than the server takes at a time. Upload less, or remove some.")
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._arriving[session] -= arrived
            self._arriving += Counter()  # forgets those of whom nothing is on its way

    def _is_full(self, session: str) -> bool:
        held = self._arriving + held_bytes()
        return held[session] > allowed_bytes() / 2 or held.total() > allowed_bytes()


def held_bytes() -> Counter[str]:
    """Return how much each session has uploaded that is still in memory."""
    manager = runtime.get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    files = list(manager.file_storage.items())  # other threads change it
    return Counter({session: sum(len(file.data) for file in list(held.values())) for session, held in files})


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # a breach of policy, RFC 6455
        return
    text = (
        "This address is not one that the app is known by, or another page asked. Open http://localhost with the "
        f"app's port. Whoever runs the app allows other names with {HOSTS_VARIABLE} in its environment."
    )
    await PlainTextResponse(text, 403)(scope, receive, send)


@contextlib.asynccontextmanager
async def _serving(app: App) -> AsyncIterator[None]:
    """Open the browser where that is wanted, and look after those who leave, for as long as the server runs."""
    if not config.get_option("server.headless"):
        address = server_util.get_display_address(config.get_option("server.address") or "localhost")
        asyncio.get_running_loop().call_later(1, lambda: cli_util.open_browser(server_util.get_url(address)))
    _map_pictures()
    sweeping = asyncio.create_task(_sweep())
    yield
    sweeping.cancel()


async def _sweep() -> None:
    since: dict[str, float] = {}
    adopted = False
    loop = asyncio.get_running_loop()

    def present() -> set[str]:
        return asyncio.run_coroutine_threadsafe(_present(), loop).result()

    await asyncio.sleep(LEFT_SECONDS)  # who was there before a restart comes back
    while True:
        with _told():
            away, since = since, close_left(since, time.monotonic())
            if away:
                await asyncio.to_thread(_give_back)
        with _told():
            await asyncio.to_thread(_look_after_results, adopted)
            adopted = True
        with _told():
            await asyncio.to_thread(_forget_uploads, present)
        await asyncio.sleep(SWEEP_SECONDS)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Let a step that fails stop no other one, and not the next look."""
    try:
        yield
    except FerError:  # whoever opens the results is told
        pass
    except Exception:
        _log.exception("what visitors left could not be removed; the next look tries again")


async def _present() -> set[str]:
    """Return the sessions of all who are there; in the server's own thread, which changes them."""
    return {seen.session.id for seen in runtime.get_instance()._session_mgr.list_sessions()}


def _look_after_results(adopted: bool) -> None:
    """Keep what jobs have found, also those of earlier versions unless that is done, and remove what is not to stay."""
    from pages.parts.kept_jobs import adopt_jobs, look_after  # not before the server runs: Streamlit would complain
    from pages.parts.results import result_store

    store = result_store()
    if not adopted:
        adopt_jobs(store)
    look_after(store)
    store.sweep()


def _forget_uploads(present: Callable[[], set[str]]) -> None:
    """Remove what those who have left had uploaded."""
    from fer.collection import job as collections  # likewise
    from fer.video import job as videos
    from pages.parts.jobs import jobs_folder
    from pages.parts.kept_jobs import measure

    pictures: dict[Kind[Any], tuple[str, str]] = {
        collections.KIND: (collections.UPLOADS_NAME, collections.DRAWN_NAME),
        videos.KIND: (videos.UPLOAD_FOLDER, videos.DRAWN_NAME),
    }
    for kind, names in pictures.items():
        for folder in forget_left(jobs_folder(kind), kind, *names, present):
            measure(folder)


def _map_pictures() -> None:
    """Have each large picture's memory go back to the system with it, where the C library is glibc.

    It would keep such parts for each thread: 700 MB after large photos of 20 visitors.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)


def _give_back() -> None:
    """Give back what visitors who have left did hold: their sessions point to themselves, and glibc keeps memory."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def close_left(since: dict[str, float], now: float) -> dict[str, float]:
    """Forget all that is held for visitors who have left; Streamlit itself would wait for the next one who does.

    Args:
        since: session → when it was first seen without a browser, seconds.
        now: seconds.

    Returns:
        the same for those who may come back.
    """
    server = runtime.get_instance()
    away = [seen.session.id for seen in server._session_mgr.list_sessions() if seen.client is None]
    left = {session: since.get(session, now) for session in away}
    for session in [session for session, first in left.items() if now - first >= LEFT_SECONDS]:
        server.close_session(session)
        del left[session]
    return left


SERVING: dict[str, Any] = {"middleware": [Middleware(Guard)], "lifespan": _serving}
"""What the app is served with; Streamlit looks for `App(…)` itself in the entry."""
