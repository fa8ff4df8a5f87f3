"""Cameras and files behind local addresses, as unreliable as a test requires."""

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Sequence
from fractions import Fraction
from types import TracebackType

import av
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


class RtspCamera(Unreliable):
    """A camera over RTSP (RFC 2326) that sends MPEG-4 in RTP packets (RFC 6416) over the same TCP connection."""

    def __init__(self, images: Sequence[Image], *fates: str) -> None:
        super().__init__(*fates)
        encoder = av.CodecContext.create("mpeg4", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.height, encoder.width = images[0].shape[:2]
        encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 50), Fraction(50)
        frames = [av.VideoFrame.from_ndarray(image, format="rgb24") for image in images]
        self._packets = [bytes(packet) for frame in [*frames, None] for packet in encoder.encode(frame)]
        self.url = f"rtsp://127.0.0.1:{self.port}/live"

    def _answer(self, connection: socket.socket, request: str, fate: str) -> None:
        sdp = "v=0\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 MP4V-ES/90000\r\na=control:video\r\n"
        answers = {
            "OPTIONS": "Public: DESCRIBE, SETUP, PLAY\r\n\r\n",
            "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}",
            "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n",
            "PLAY": "Session: 1\r\n\r\n",
        }
        method = ""
        while method != "PLAY":
            method, number = request.split()[0], request.partition("CSeq: ")[2].split()[0]
            state = "503 Not now" if fate == "refuse" else "200 OK"
            connection.sendall(f"RTSP/1.0 {state}\r\nCSeq: {number}\r\n{answers[method]}".encode())
            if fate == "refuse":
                return
            request = "" if method == "PLAY" else connection.recv(4096).decode()
        for count, packet in enumerate(self._packets):
            seconds = count * FRAME_SECONDS
            header = struct.pack(">BBHII", 0x80, 0x80 | 96, count, round(90_000 * seconds), 1)
            connection.sendall(struct.pack(">cBH", b"$", 0, len(header + packet)) + header + packet)
            time.sleep(FRAME_SECONDS)
