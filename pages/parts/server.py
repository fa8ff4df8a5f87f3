"""The server around the pages: which requests it answers, how much a visitor may upload, cleaning up after visitors."""

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
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server import server_util

from fer import decoders
from fer.errors import FerError
from fer.jobs.visitors import forget_left
from pages.parts.permissions import HOSTS_VARIABLE, allowed_bytes, is_own_page, setting_of
from pages.parts.visitor import cookie_of, owner, with_cookie

LEFT_SECONDS, SWEEP_SECONDS = 30, 10
"""After how long a disconnected visitor counts as gone, and how often that is checked. Together less than a minute."""
_M_MMAP_THRESHOLD, _MAPPED_BYTES = -3, 4_000_000
"""See malloc.h. A smaller threshold slows down photos of 512 pixels by a fifth, this one those of 3,000 pixels."""
_log = logging.getLogger(__name__)
_UPLOAD = re.compile(r".*/_stcore/upload_file/([^/]+)/[^/]+")


class Guard:
    """ASGI middleware that answers only this app's own pages and limits uploads."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an ASGI app."""
        self._app = app
        self._arriving: Counter[str] = Counter()
        """Session → bytes of uploads in progress."""
        self._visitors: dict[str, str] = {}
        """Session that uploads → its visitor: the cookie, which all tabs of a browser share, or else the session."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse a request, or open a WebSocket."""
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
        """Accept an upload while there is room. The declared length is not trusted; received bytes are counted."""
        arrived, visitor = 0, cookie_of(Headers(scope=scope)) or session

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            before, arrived = arrived, arrived + len(message.get("body", b""))
            self._arriving[session] += arrived - before
            self._visitors[session] = visitor
            counts = before >> 20 != arrived >> 20 or not message.get("more_body")  # not always: it takes time
            if counts and self._is_full(visitor):
                raise HTTPException(413, "Upload limit reached. Upload less, or remove earlier uploads.")
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._arriving[session] -= arrived
            self._arriving += Counter()  # drops sessions without uploads in progress

    def _is_full(self, visitor: str) -> bool:
        held = self._arriving + held_bytes()
        self._visitors = {session: whose for session, whose in self._visitors.items() if session in held}
        mine = sum(held[session] for session, whose in self._visitors.items() if whose == visitor)
        return mine > allowed_bytes() / 2 or held.total() > allowed_bytes()


def held_bytes() -> Counter[str]:
    """Return the bytes of uploads that each session holds in memory."""
    manager = runtime.get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    files = list(manager.file_storage.items())  # a copy, because other threads change it
    return Counter({session: sum(len(file.data) for file in list(held.values())) for session, held in files})


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # policy violation, RFC 6455
        return
    text = (
        "The app does not answer under this address, or the request came from another site. Open http://localhost "
        f"with the app's port. Whoever runs the app can allow other host names with {HOSTS_VARIABLE}."
    )
    await PlainTextResponse(text, 403)(scope, receive, send)


@contextlib.asynccontextmanager
async def _serving(app: App) -> AsyncIterator[None]:
    """Open the browser unless the app is headless, and clean up after visitors as long as the server runs."""
    allowed_bytes()  # a wrong setting ends the start, not the first upload
    if not config.get_option("server.headless"):
        address = server_util.get_display_address(config.get_option("server.address") or "localhost")
        asyncio.get_running_loop().call_later(1, lambda: cli_util.open_browser(server_util.get_url(address)))
    PagesManager.uses_pages_directory = False  # or the first visitor gets the files in pages/ without `navigation`
    _map_pictures()
    decoders.whose = owner
    sweeping = asyncio.create_task(_sweep())
    yield
    sweeping.cancel()


async def _sweep() -> None:
    since: dict[str, float] = {}
    adopted = False
    loop = asyncio.get_running_loop()

    def present() -> set[str]:
        return asyncio.run_coroutine_threadsafe(_present(), loop).result()

    await asyncio.sleep(LEFT_SECONDS)  # visitors of the time before a restart reconnect
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
    """Log the failure of a step, so that it stops neither the other steps nor the next sweep."""
    try:
        yield
    except FerError:  # shown to whoever opens the Results page
        pass
    except Exception:
        _log.exception("could not clean up after visitors; the next sweep tries again")


async def _present() -> set[str]:
    """Return the IDs of all open sessions; runs in the server's thread, which changes them."""
    return {seen.session.id for seen in runtime.get_instance()._session_mgr.list_sessions()}


def _look_after_results(adopted: bool) -> None:
    """Store the results of jobs, adopt those of earlier versions once, and remove expired results."""
    from pages.parts.kept_jobs import adopt_jobs, look_after  # Streamlit would complain before the server runs
    from pages.parts.results import result_store

    store = result_store()
    if not adopted:
        adopt_jobs(store)
    look_after(store)
    store.sweep()


def _forget_uploads(present: Callable[[], set[str]]) -> None:
    """Remove the uploads of visitors who have left."""
    from pages.parts.jobs import jobs_folder  # likewise
    from pages.parts.kept_jobs import measure
    from pages.parts.kept_pictures import JOB_PICTURES
    from pages.parts.results import JOBS

    for sort, names in JOB_PICTURES.items():
        for folder in forget_left(jobs_folder(JOBS[sort]), JOBS[sort], *names, present):
            measure(folder)


def _map_pictures() -> None:
    """Make glibc return the memory of large pictures to the system when they are freed.

    By default it keeps such memory for each thread: 700 MB after large photos of 20 visitors.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)


def _give_back() -> None:
    """Free the memory of visitors who have left: their sessions are reference cycles, and glibc keeps memory."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def close_left(since: dict[str, float], now: float) -> dict[str, float]:
    """Close the sessions of visitors who have left; Streamlit would wait until the next visitor leaves.

    Args:
        since: session → the time when it was first seen disconnected, in seconds.
        now: the current time, in seconds.

    Returns:
        the sessions that may still reconnect, with the same times.
    """
    server = runtime.get_instance()
    away = [seen.session.id for seen in server._session_mgr.list_sessions() if seen.client is None]
    left = {session: since.get(session, now) for session in away}
    for session in [session for session, first in left.items() if now - first >= LEFT_SECONDS]:
        server.close_session(session)
        del left[session]
    return left


SERVING: dict[str, Any] = {"middleware": [Middleware(Guard)], "lifespan": _serving}
"""Arguments for `st.App`; Streamlit looks for the call itself in the entry file."""
