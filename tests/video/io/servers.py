"""Cameras and files behind local addresses, as unreliable as a test requires."""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType

import cv2

from tests.video.io.cases import Image

FRAME_SECONDS = 0.02


class Unreliable:
    """A server that treats each connection according to the next fate; the last fate repeats. A context manager."""

    def __init__(self, *fates: str) -> None:
        """Set the fates of the connections.

        Args:
            fates: "stall" goes silent in the middle, "close" disconnects there, "refuse" has nothing, "whole" sends
                everything, "later" continues until it has sent `enough`, and is silent then.
        """
        self.connections = 0
        """The number of connections."""
        self.sent = threading.Event()
        """Whether a connection has received everything it gets."""
        self.enough = threading.Event()
        self._fates = fates
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Unreliable":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:  # the test is over
                return
            self._open.append(connection)
            fate = self._fates[min(self.connections, len(self._fates) - 1)]
            self.connections += 1
            with contextlib.suppress(OSError):  # the other side may hang up
                self._answer(connection, connection.recv(4096).decode(), fate)
            self.sent.set()
            if fate not in ("stall", "later"):
                connection.close()

    def _answer(self, connection: socket.socket, request: str, fate: str) -> None:
        raise NotImplementedError


class Camera(Unreliable):
    """JPEG after JPEG over HTTP, as cheap cameras send them, `FRAME_SECONDS` apart."""

    def __init__(self, images: Sequence[Image], *fates: str) -> None:
        super().__init__(*fates)
        self._jpegs = [cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes() for image in images]
        self.url = f"http://127.0.0.1:{self.port}/video.mjpg"

    def _answer(self, connection: socket.socket, request: str, fate: str) -> None:
        if fate == "refuse":
            connection.sendall(b"HTTP/1.0 503 Not now\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=frame\r\n\r\n")
        for jpeg in itertools.cycle(self._jpegs) if fate == "later" else self._jpegs:
            if self.enough.is_set():
                return
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            connection.sendall(head.encode() + jpeg + b"\r\n")
            time.sleep(FRAME_SECONDS)


class FileServer(Unreliable):
    """A file over HTTP with range requests; a partial response ends in the middle."""

    def __init__(self, data: bytes, *fates: str) -> None:
        super().__init__(*fates)
        self._data = data
        self.url = f"http://127.0.0.1:{self.port}/a.mp4"

    def _answer(self, connection: socket.socket, request: str, fate: str) -> None:
        if fate == "refuse":
            connection.sendall(b"HTTP/1.0 503 Not now\r\n\r\n")
            return
        asked = [line for line in request.splitlines() if line.lower().startswith("range: bytes=")]
        first = int(asked[0].partition("=")[2].partition("-")[0]) if asked else 0
        size = len(self._data)
        head = (
            f"HTTP/1.1 206 Partial Content\r\nAccept-Ranges: bytes\r\nContent-Length: {size - first}\r\n"
            f"Content-Range: bytes {first}-{size - 1}/{size}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(head.encode())
        connection.sendall(self._data[first : size if fate == "whole" else size // 2])
