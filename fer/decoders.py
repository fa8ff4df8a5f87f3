"""Decode pictures in processes that can be killed, so that a hostile file costs at most a few seconds.

The processes are started on demand and kept, since starting one takes a quarter of a second. A request is a line of
JSON, followed by the picture's bytes unless it is a file; the answer is a line of JSON followed by the pixels. A
process exits when a picture exceeds its time or memory limit, and when its parent is gone.
"""

import atexit
import faulthandler
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt
import psutil

from fer.decoding import MOST_BYTES, MOST_SECONDS, decode, too_costly
from fer.errors import ImageError

_TOO_MUCH = 3
_LONGER = "one that takes longer"
_ENDINGS = {1: _LONGER, -getattr(signal, "SIGPROF", 1): _LONGER, _TOO_MUCH: "one that takes more memory"}
"""How a process ends → what its picture is; faulthandler exits with 1."""
_WAIT = 3
"""Limit on wall-clock time, as a multiple of the limit on CPU time: the machine may be busy."""
_SPARE_BYTES, _BYTES_A_PIXEL = 100_000_000, 32
"""More than any decoder needs for a picture of the declared size."""
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "1000000"}
"""No extra threads, which need memory; freed pixels go back to the system (glibc)."""
_READY = b"ready\n"
_ROWS_AT_ONCE = 256
_START = (
    "import json, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.path[:] = json.loads(sys.argv[1]);"
    "from fer.decoders import serve; serve()"
)
"""Finds the same modules as this process, and leaves Ctrl-C to it. `multiprocessing` would rerun its main module."""

whose: Callable[[], str] = str
"""Returns whose picture is decoded, "" for nobody's. The app sets it to its visitors. Each has one picture decoded at a
time, so one visitor's slow pictures keep no other waiting."""
_idle: list["subprocess.Popen[bytes]"] = []
_AT_ONCE = max(os.cpu_count() or 1, 4)
_room = threading.BoundedSemaphore(_AT_ONCE)
"""Limits how many pictures are decoded at once; waiting takes a few seconds at most."""
_turns: "WeakValueDictionary[str, threading.Semaphore]" = WeakValueDictionary()
"""Somebody → a lock while they have pictures to decode."""
_changing_turns = threading.Lock()


def decode_apart(source: str | bytes, name: str, max_pixels: int) -> npt.NDArray[np.uint8]:
    """Decode a picture in another process.

    Args:
        source: the absolute path of a file, or its bytes.
        name: the picture's name in messages.
        max_pixels: see `fer.decoding.decode`.

    Returns:
        RGB uint8 (H, W, 3).

    Raises:
        ImageError: see `fer.decoding.decode`; or the picture exceeds `MOST_SECONDS` or `MOST_BYTES`.
    """
    path, data = (source, b"") if isinstance(source, str) else (None, source)
    picture = {"path": path, "length": len(data), "name": name, "max_pixels": max_pixels}
    with _turn(whose()), _room:
        request = picture | {"most_seconds": MOST_SECONDS, "most_bytes": MOST_BYTES}
        process = _waiting_process()
        assert process.stdin and isinstance(process.stdout, io.BufferedReader)
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n" + data)
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            image = np.empty((*answer["size_hw"], 3), np.uint8)
            if process.stdout.readinto(image.reshape(-1).data) < image.nbytes:
                raise EOFError
        except (OSError, json.JSONDecodeError, EOFError) as error:
            process.communicate()
            found = _ENDINGS.get(process.returncode, "one that breaks its decoder")
            raise too_costly(name, found) from error
        except BaseException:  # its answer would be taken for the next one
            process.kill()
            process.communicate()
            raise
        _idle.append(process)
    if "error" in answer:
        raise ImageError(answer["error"])
    return image


def _turn(who: str) -> threading.Semaphore:
    """Return the lock of somebody's pictures; nobody's pictures have a new one each."""
    with _changing_turns:
        return _turns.setdefault(who, threading.Semaphore()) if who else threading.Semaphore()


def _waiting_process() -> "subprocess.Popen[bytes]":
    """Return an idle process, or start one."""
    while _idle:
        process = _idle.pop()
        if process.poll() is None:
            return process
        process.communicate()
    process = subprocess.Popen(
        [sys.executable, "-c", _START, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | _ENVIRONMENT,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    if process.stdout and process.stdout.read(len(_READY)) != _READY:
        process.communicate()
        raise ImageError(
            f"expected {sys.executable} to start a process that decodes pictures, but it ended with "
            f"{process.returncode}. Reinstall the package, or save the picture as JPEG or PNG."
        )
    return process


def serve() -> None:
    """Answer requests on standard input until it closes."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of libraries must not mix with answers
    if sys.platform != "linux":
        threading.Thread(target=_watch_memory, daemon=True).start()
    answers.write(_READY)
    answers.flush()
    for line in iter(requests.readline, b""):
        _answer(json.loads(line), requests, answers)
        answers.flush()


def _answer(request: dict[str, Any], requests: BinaryIO, answers: BinaryIO) -> None:
    data = requests.read(request["length"])
    _limit_time(request["most_seconds"])
    allow = partial(_allow, request["most_bytes"])
    allow()
    try:
        with Path(request["path"]).open("rb") if request["path"] else io.BytesIO(data) as file:
            picture = decode(file, request["name"], request["max_pixels"], allow)
    except (ImageError, OSError) as error:
        answers.write(json.dumps({"size_hw": (1, 0), "error": str(error)}).encode() + b"\n")
        return
    finally:
        _limit_time(0)
    answers.write(json.dumps({"size_hw": picture.size[::-1]}).encode() + b"\n")
    for top in range(0, picture.height, _ROWS_AT_ONCE):  # copying the whole picture would take memory
        rows = picture.crop((0, top, picture.width, min(top + _ROWS_AT_ONCE, picture.height)))
        answers.write(rows.tobytes())


def _limit_time(seconds: float) -> None:
    """End this process after this much CPU time (wall-clock time on Windows); 0 removes the limit."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)
        seconds *= _WAIT
    if seconds:
        faulthandler.dump_traceback_later(seconds, exit=True)
    else:
        faulthandler.cancel_dump_traceback_later()


def _allow(most_bytes: int, pixels: int | None = None) -> None:
    """Limit this process's memory to `most_bytes`, and to less for a picture of `pixels`, as its header may be wrong.

    Linux only: allocations beyond the limit fail.
    """
    if sys.platform == "linux":
        import resource

        used = psutil.Process().memory_info()
        most = most_bytes - used.shared
        if pixels is not None:
            most = min(most, used.data + _SPARE_BYTES + _BYTES_A_PIXEL * pixels)
        resource.setrlimit(resource.RLIMIT_DATA, (most, -1))


def _watch_memory() -> None:
    """End this process if it takes too much memory, on systems without such a limit."""
    process = psutil.Process()
    while process.memory_info().rss < MOST_BYTES:
        time.sleep(0.02)
    os._exit(_TOO_MUCH)


def _forget() -> None:
    """Leave the parent's processes to the parent, after a fork."""
    global _idle, _room, _turns, _changing_turns
    _idle, _room = [], threading.BoundedSemaphore(_AT_ONCE)
    _turns, _changing_turns = WeakValueDictionary(), threading.Lock()


def _end() -> None:
    while _idle:
        _idle.pop().communicate()


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
