"""The webcam page with several viewers: `python scripts/benchmark.py viewers`.

A viewer is a websocket that behaves like the page's browser, and an aiortc connection that replays a pre-encoded clip:
the server runs on one core, all viewers on another. With `--browsers`, a viewer is a Chromium with a camera that plays
the same clip, and shares all cores with the server.
"""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import psutil
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from fer.errors import EvaluationError
from scripts.benchmarks.live import FRAMES_PER_SECOND, moving_photo
from scripts.benchmarks.page import FAKE_CAMERA, app_process, browser, running_app, start_webcam, write_camera

if TYPE_CHECKING:
    from playwright.sync_api import Page

CLOCK = Fraction(1, 90_000)
"""Clock rate of video over RTP."""
CLIP_FRAMES = 300
BITS = 9
"""Black or white cells in the top rows of each picture that encode its number in the clip."""
CELL_PX, CELL_ROWS = 640 // BITS, 16
START_SECONDS = 180
WARM_UP_SECONDS = 5


def measure(viewers: int = 3, seconds: float = 20, profile: str = "", browsers: bool = False) -> dict[str, float]:
    """The server's work for several viewers of the webcam page, 640 × 480 pixels at 30 frames per second.

    New pictures returned, expression updates as reported by the page, and the server's share of its core. The page's
    figures and chart are requested as by a browser. Needs Linux with at least two cores. With --browsers, the frames
    and readings that the page reports to each of several Chromium windows, which share all cores with the server.

    Raises:
        EvaluationError: the app or Chromium does not start, or a viewer gets no video.
    """
    if browsers:
        return _in_browsers(viewers, seconds)
    process: Any = psutil.Process()  # macOS has no CPU affinity
    cores = process.cpu_affinity()
    clip = [bytes(packet) for packet in _encoded(moving_photo(1))]
    try:
        process.cpu_affinity(cores[:1])
        with tempfile.TemporaryDirectory() as place, running_app(Path(place)) as url:
            process.cpu_affinity(cores[-1:])
            watching = [Viewer(url, clip) for _ in range(viewers)]
            return asyncio.run(_watch(watching, seconds, profile))
    finally:
        process.cpu_affinity(cores)


def _in_browsers(viewers: int, seconds: float) -> dict[str, float]:
    from playwright.sync_api import TimeoutError as NotSeen

    with tempfile.TemporaryDirectory() as name, running_app(Path(name)) as url:
        camera = write_camera(Path(name, "camera.mjpeg"), map(moving_photo(1), range(CLIP_FRAMES)))
        with browser(*FAKE_CAMERA, camera) as chromium:
            pages = [chromium.new_page() for _ in range(viewers)]  # each with its own cookies and cache
            try:
                for page in pages:
                    page.set_default_timeout(1000 * START_SECONDS)
                    page.goto(f"{url}/webcam")
                    start_webcam(page)
            except NotSeen as error:
                raise EvaluationError(
                    f"expected figures on the page within {START_SECONDS} seconds, found none"
                ) from error
            time.sleep(WARM_UP_SECONDS)
            seen = []
            for _ in range(round(seconds)):
                time.sleep(1)  # the page's figures are those of the last seconds
                seen.append([[_figure(page, name) for page in pages] for name in ("Frames", "Readings")])
    frames, readings = np.mean(seen, axis=0)
    return {
        "frames, the slowest viewer (1/s)": float(frames.min()),
        "frames, mean (1/s)": float(frames.mean()),
        "readings, the slowest viewer (1/s)": float(readings.min()),
        "readings, mean (1/s)": float(readings.mean()),
    }


def _figure(page: "Page", name: str) -> float:
    """Return a figure that the page shows, such as 12 for "12 / s"."""
    value = page.get_by_test_id("stMetric").filter(has_text=name).get_by_test_id("stMetricValue")
    return float(value.inner_text().partition(" ")[0])


async def _watch(viewers: list["Viewer"], seconds: float, profile: str) -> dict[str, float]:
    server = app_process()
    visits = []
    try:
        for viewer in viewers:  # one after the other: the first one loads the model
            visits.append(asyncio.create_task(viewer.visit()))
            await asyncio.wait_for(viewer.began.wait(), START_SECONDS)
    except TimeoutError as error:
        raise EvaluationError(f"expected video from the page within {START_SECONDS} seconds, found none") from error
    await asyncio.sleep(WARM_UP_SECONDS)
    if profile:
        record = ("py-spy", "record", "-f", "raw", "-o", profile, "-d", f"{seconds:.0f}", "-p", str(server.pid))
        sampler = subprocess.Popen(record, stdout=subprocess.DEVNULL)
    before, own = server.cpu_times(), psutil.Process().cpu_times()
    began = time.monotonic()
    for viewer in viewers:
        viewer.pictures, viewer.updates = 0, []
    await asyncio.sleep(seconds)
    took, after, own_after = time.monotonic() - began, server.cpu_times(), psutil.Process().cpu_times()
    pictures = [viewer.pictures / took for viewer in viewers]
    updates = [float(np.mean(viewer.updates)) for viewer in viewers]
    busy = (after.user + after.system - before.user - before.system) / took
    figures = {
        "new pictures, the slowest viewer (1/s)": min(pictures),
        "new pictures, mean (1/s)": float(np.mean(pictures)),
        "updates, the slowest viewer (1/s)": min(updates),
        "updates, mean (1/s)": float(np.mean(updates)),
        "server (% of its core)": 100 * busy,
        "server, per new picture (ms of its core)": 1000 * busy / sum(pictures),
        "viewers (% of theirs)": 100 * (own_after.user + own_after.system - own.user - own.system) / took,
        "server (MB)": server.memory_info().rss / 1e6,
    }
    if profile:
        sampler.wait()
    for visit in visits:
        visit.cancel()
    await asyncio.gather(*visits, return_exceptions=True)
    return figures


def _encoded(frame: Any) -> "Iterator[av.Packet[Any]]":
    """Encode a clip as a browser does; each second can be decoded alone."""
    codec: Any = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt, codec.bit_rate, codec.gop_size = 640, 480, "yuv420p", 1_000_000, 30
    codec.time_base, codec.thread_count = Fraction(1, FRAMES_PER_SECOND), 1
    codec.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    for number in range(CLIP_FRAMES):
        picture = frame(number).copy()
        for bit in range(BITS):
            picture[:CELL_ROWS, bit * CELL_PX : (bit + 1) * CELL_PX] = 255 * (number >> bit & 1)
        yield from codec.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
    yield from codec.encode(None)


class Replay(MediaStreamTrack):
    """A camera that repeats the encoded clip at its frame rate."""

    kind = "video"

    def __init__(self, clip: list[bytes]) -> None:
        super().__init__()
        self._clip, self._number, self._began = clip, 0, time.monotonic()

    async def recv(self) -> "av.Packet[Any]":
        """Return the next picture at its time."""
        await asyncio.sleep(max(self._began + self._number / FRAMES_PER_SECOND - time.monotonic(), 0))
        packet = av.Packet(self._clip[self._number % len(self._clip)])
        packet.pts, packet.time_base = self._number * 90_000 // FRAMES_PER_SECOND, CLOCK
        self._number += 1
        return packet


class Viewer:
    """Somebody who opened the webcam page and pressed START."""

    def __init__(self, url: str, clip: list[bytes]) -> None:
        self.began = asyncio.Event()
        self.pictures = 0
        """Number of new pictures returned."""
        self.updates: list[float] = []
        """Expression updates per second, as reported by the page."""
        self._url, self._clip = url.replace("http", "ws"), clip
        self._widgets: dict[str, dict[str, Any]] = {}
        self._page = ""
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def visit(self) -> None:
        """Watch until canceled."""
        # Without a configured server, aiortc uses a public STUN server.
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.addTrack(Replay(self._clip))
        connection.on("track", lambda track: asyncio.ensure_future(self._see(track)))
        async with connect(f"{self._url}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as page:  # type: ignore[list-item]
            try:
                await self._ask(page)
                async for data in page:
                    message = ForwardMsg()
                    message.ParseFromString(data)
                    await self._take(message, page, connection)
            finally:
                for asking in self._asking.values():
                    asking.cancel()
                await connection.close()

    async def _ask(self, page: ClientConnection, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.page_script_hash = "" if self._page else "webcam", self._page
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        state.context_info.url = self._url.replace("ws", "http") + "/webcam"
        for name, value in self._widgets.items():
            state.widget_states.widgets.add(id=name, **value)
        await page.send(message.SerializeToString())

    async def _ask_again(self, page: ClientConnection, fragment: str, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._ask(page, fragment)

    async def _take(self, message: ForwardMsg, page: ClientConnection, connection: RTCPeerConnection) -> None:
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            again, fragment = message.auto_rerun.interval, message.auto_rerun.fragment_id
            if fragment not in self._asking:
                self._asking[fragment] = asyncio.create_task(self._ask_again(page, fragment, again))
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                if fragment in self._asking:
                    self._asking.pop(fragment).cancel()
        if kind != "delta" or message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        if element.metric.label == "Readings":
            self.updates.append(float(element.metric.body.partition(" ")[0]))
        elif "webrtc" in element.component_instance.component_name:
            await self._connect(page, connection, element.component_instance.id, element.component_instance.json_args)

    async def _connect(self, page: ClientConnection, connection: RTCPeerConnection, name: str, arguments: str) -> None:
        answer = json.loads(arguments)["sdp_answer_json"]
        if name not in self._widgets:
            await connection.setLocalDescription(await connection.createOffer())
            here = connection.localDescription
            value: dict[str, Any] = {"playing": False, "sdpOffer": {"type": here.type, "sdp": here.sdp}}
        elif answer and connection.signalingState == "have-local-offer":
            await connection.setRemoteDescription(RTCSessionDescription(**json.loads(answer)))
            value = {"playing": True}
        else:
            return
        self._widgets[name] = {"json_value": json.dumps(value)}
        await self._ask(page)

    async def _see(self, track: MediaStreamTrack) -> None:
        last = -1
        try:
            while True:
                picture: Any = await track.recv()
                luma = picture.to_ndarray(format="gray")
                middle = CELL_PX // 2 + CELL_PX * np.arange(BITS)
                bits = luma[CELL_ROWS // 2, 639 - middle] > 128  # the page mirrors the picture
                number = int(bits @ (1 << np.arange(BITS)))
                self.pictures += number != last
                last = number
                self.began.set()
        except MediaStreamError:
            return
