"""Decoding pictures in processes that can be killed, so that a hostile one costs its sender a few seconds at most.

The processes start when they are first needed and are kept, as a start takes a quarter of a second. One is asked with a
line of JSON, and the bytes of the picture where it is no file; it answers with a line of JSON and the pixels. It ends
itself when a picture takes more time or memory than it may, and when whoever started it is gone.
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
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import psutil

from fer.decoding import MOST_BYTES, MOST_SECONDS, decode, too_costly
from fer.errors import ImageError

_TOO_MUCH = 3
_LONGER = "one that takes longer"
_ENDINGS = {1: _LONGER, -getattr(signal, "SIGPROF", 1): _LONGER, _TOO_MUCH: "one that takes more memory"}
"""How a process ends → what its picture is; 1 is what faulthandler chooses."""
_WAIT = 12
"""So many times as long as it may compute a picture may take by the clock: the machine may be busy otherwise."""
_SPARE_BYTES, _BYTES_A_PIXEL = 100_000_000, 32
"""More than any decoder takes for a picture that is as large as it says."""
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "1000000"}
"""No threads that would take memory, and pixels go back to the system when they are let go (glibc)."""
_READY = b"ready\n"
_ROWS_AT_ONCE = 256
_START = (
    "import json, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.path[:] = json.loads(sys.argv[1]);"
    "from fer.decoders import serve; serve()"
)
"""Finds what this process finds, and leaves Ctrl-C to it. `multiprocessing` would run its main module once more."""

_idle: list["subprocess.Popen[bytes]"] = []
_AT_ONCE = max(os.cpu_count() or 1, 4)
_room = threading.BoundedSemaphore(_AT_ONCE)
"""Who waits for it waits a few seconds at the longest."""


def decode_apart(source: str | bytes, name: str, max_pixels: int) -> npt.NDArray[np.uint8]:
    """Decode a picture in another process.

    Args:
        source: the whole path of a file, or the bytes of one.
        name: what messages call it.
        max_pixels: see `fer.decoding.decode`.

    Returns:
        RGB uint8 (H, W, 3).

    Raises:
        ImageError: see `fer.decoding.decode`; or it takes more than `MOST_SECONDS` or `MOST_BYTES`.
    """
    path, data = (source, b"") if isinstance(source, str) else (None, source)
    picture = {"path": path, "length": len(data), "name": name, "max_pixels": max_pixels}
    request = picture | {"most_seconds": MOST_SECONDS, "most_bytes": MOST_BYTES}
    with _room:
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
        except BaseException:  # its answer would be taken for that to the next question
            process.kill()
            process.communicate()
            raise
        _idle.append(process)
    if "error" in answer:
        raise ImageError(answer["error"])
    return image


def _waiting_process() -> "subprocess.Popen[bytes]":
    """Return a process that waits, or a new one."""
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
            f"expected {sys.executable} to start a process that decodes pictures, it ended with {process.returncode}. "
            "Install the package anew, or save the picture as JPEG or PNG."
        )
    return process


def serve() -> None:
    """Answer requests on the standard input until it ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
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
    for top in range(0, picture.height, _ROWS_AT_ONCE):  # a copy of all would take memory
        rows = picture.crop((0, top, picture.width, min(top + _ROWS_AT_ONCE, picture.height)))
        answers.write(rows.tobytes())


def _limit_time(seconds: float) -> None:
    """End this process, wherever it is, when it has computed for so long, or 0: never; by the clock on Windows."""
    measured = hasattr(signal, "setitimer")
    if measured:
        signal.setitimer(signal.ITIMER_PROF, seconds)
    if seconds:
        faulthandler.dump_traceback_later(seconds * (_WAIT if measured else 1), exit=True)
    else:
        faulthandler.cancel_dump_traceback_later()


def _allow(most_bytes: int, pixels: int | None = None) -> None:
    """Keep this process to so many bytes, and to less for a picture of so many pixels: its header may be wrong.

    Does nothing but on Linux, where allocations fail beyond.
    """
    if sys.platform == "linux":
        import resource

        used = psutil.Process().memory_info()
        most = most_bytes - used.shared
        if pixels is not None:
            most = min(most, used.data + _SPARE_BYTES + _BYTES_A_PIXEL * pixels)
        resource.setrlimit(resource.RLIMIT_DATA, (most, -1))


def _watch_memory() -> None:
    """End this process when it takes too much, where the system cannot be told to."""
    process = psutil.Process()
    while process.memory_info().rss < MOST_BYTES:
        time.sleep(0.02)
    os._exit(_TOO_MUCH)


def _forget() -> None:
    """Leave a parent's processes to it."""
    global _idle, _room
    _idle, _room = [], threading.BoundedSemaphore(_AT_ONCE)


def _end() -> None:
    while _idle:
        _idle.pop().communicate()


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
