"""Pictures that cost too much are given up; decoding processes are reused, replaced, and limited."""

import io
import struct
import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from fer import decoders
from fer.errors import ImageError
from fer.images import MAX_PIXELS, read_image
from tests.scripts.processes import PATIENCE_SECONDS, wait_until

CASES = Path(__file__).parents[1] / "../shared/cases/hostile"


def saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def many_scans(side_px: int, scans: int) -> bytes:
    """Return a progressive JPEG with its last scan repeated: small, but slow to decode."""
    data = saved(Image.new("L", (side_px, side_px), 100), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + data[-2:]


def tall_png(height: int) -> bytes:
    """Return a PNG one pixel wide: each of its rows takes more memory than its pixel."""
    rows = zlib.compress(bytes(2 * height))
    chunks = (b"IHDR", struct.pack(">IIBBBBB", 1, height, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")
    parts = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def small() -> bytes:
    return saved(Image.new("RGB", (20, 10), (200, 100, 50)), "WEBP", lossless=True)


def is_read(data: bytes) -> bool:
    return bool((read_image(data) == (200, 100, 50)).all())


def waiting() -> set[int]:
    return {process.pid for process in decoders._idle}


@pytest.mark.slow
@pytest.mark.parametrize("scans", [2_000, 20_000])
def test_slow_pictures_are_given_up(monkeypatch: pytest.MonkeyPatch, scans: int) -> None:
    monkeypatch.setattr("fer.decoders.MOST_SECONDS", 0.3)
    data = many_scans(4000, scans)
    assert len(data) < 100_000_000
    with pytest.raises(ImageError, match="longer"):
        read_image(data)
    monkeypatch.undo()
    assert is_read(small())


@pytest.mark.parametrize(
    "data",
    [
        tall_png(8_000_000),
        saved(Image.fromarray(np.zeros((3000, 4000), np.float32)), "TIFF", compression="tiff_lzw"),
        saved(Image.new("RGBA", (6000, 5000)), "PNG"),
    ],
    ids=["tall", "float", "transparent"],
)
def test_pictures_that_take_too_much_memory_are_refused(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    with monkeypatch.context() as less:
        less.setattr("fer.decoders.MOST_BYTES", 100_000_000)
        with pytest.raises(ImageError, match="more memory"):
            read_image(data)
    assert is_read(small())


@pytest.mark.slow
def test_a_large_jpeg_2000_takes_too_much_memory_and_is_not_called_damaged() -> None:
    with pytest.raises(ImageError, match="more memory"):
        read_image(saved(Image.new("RGB", (8000, 6000)), "JPEG2000"))


@pytest.mark.slow
def test_pictures_larger_than_declared_are_refused() -> None:
    sizes = [b"ispe" + bytes(4) + struct.pack(">II", side, side) for side in (9000, 99)]
    data = saved(Image.new("RGB", (9000, 9000)), "AVIF", speed=10)
    assert sizes[0] in data
    with pytest.raises(ImageError):
        read_image(data)
    with pytest.raises(ImageError):
        read_image(data.replace(*sizes))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hand-jpeg-progressive-1000scans.jpg", "hand2-avif-14000-ispe100.avif"])
def test_hostile_pictures_from_elsewhere(name: str) -> None:
    if not CASES.is_dir():
        pytest.skip("no cases: ../shared/cases is not beside the repository")
    try:
        assert read_image(CASES / name).size <= 3 * MAX_PIXELS  # a fast machine does a thousand scans in time
    except ImageError as error:
        assert name in str(error)
    else:
        assert not name.endswith(".avif")


@pytest.mark.slow
def test_a_crash_affects_only_its_own_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fer.decoders.MOST_SECONDS", 600.0)
    assert is_read(small())
    first = psutil.Process(*waiting())
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(read_image, many_scans(4000, 30_000))
        while waiting():
            pass
        assert all(is_read(small()) for _ in range(3))
        assert not long.done()
        assert first.pid not in waiting()
        first.kill()
        with pytest.raises(ImageError, match="decoder"):
            long.result()


@pytest.mark.slow
def test_slow_pictures_of_one_visitor_keep_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = threading.local()

    def read_for(who: str, data: bytes) -> np.ndarray:
        visitor.name = who
        return read_image(data)

    def busy() -> set[int]:
        return {child.pid for child in psutil.Process().children()} - waiting()

    monkeypatch.setattr(decoders, "whose", lambda: visitor.name)
    monkeypatch.setattr(decoders, "_room", threading.BoundedSemaphore(2))
    monkeypatch.setattr(decoders, "MOST_SECONDS", 600.0)
    others, slow = busy(), many_scans(4000, 30_000)
    with ThreadPoolExecutor(4) as pool:
        long = [pool.submit(read_for, "one", slow) for _ in range(3)]
        wait_until(lambda: busy() - others)
        assert pool.submit(read_for, "another", small()).result(PATIENCE_SECONDS).shape == (10, 20, 3)
        (running,) = busy() - others
        assert not any(one.done() for one in long)
        monkeypatch.setattr(decoders, "MOST_SECONDS", 0.1)
        psutil.Process(running).kill()
        for one in long:
            with pytest.raises(ImageError):
                one.result()
    assert not decoders._turns


def test_a_process_is_reused() -> None:
    assert is_read(small())
    before = waiting()
    with pytest.raises(ImageError):
        read_image(b"no picture")
    assert is_read(small())
    assert waiting() == before


def test_a_process_that_ended_while_idle_is_replaced() -> None:
    assert is_read(small())
    for process in list(decoders._idle):
        process.kill()
        process.wait()
    assert is_read(small())


def test_files_are_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_read(small())
    (tmp_path / "a picture \N{SNOWMAN}.webp").write_bytes(small())
    monkeypatch.chdir(tmp_path)
    assert read_image("a picture \N{SNOWMAN}.webp").shape == (10, 20, 3)


@pytest.mark.slow
@pytest.mark.parametrize(("file_format", "count"), [("JPEG", 0), ("PNG", 0), ("WEBP", 1)])
def test_a_process_starts_on_demand_and_ends_with_its_parent(file_format: str, count: int) -> None:
    program = (
        "import sys, psutil; from fer.images import read_image; read_image(sys.stdin.buffer);"
        "print(*(child.pid for child in psutil.Process().children()))"
    )
    picture = saved(Image.new("RGB", (8, 8)), file_format)
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], input=picture, capture_output=True, check=True
    )
    started = found.stdout.split()
    assert len(started) == count and not found.stderr
    assert not any(psutil.pid_exists(int(pid)) for pid in started)


@pytest.mark.slow
def test_without_system_limits_a_process_watches_itself() -> None:
    program = (
        "import threading; from fer import decoders;"
        "threading.Thread(target=decoders._watch_memory, daemon=True).start();"
        "import numpy; kept = [numpy.ones(20_000_000) for _ in iter(int, 1)]"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == decoders._TOO_MUCH


def test_decoding_processes_are_light() -> None:
    program = "import sys, fer.decoders; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "streamlit", "cv2", "onnxruntime", "scipy"} & set(loaded)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there a picture's time is counted by the clock")
def test_only_cpu_time_counts() -> None:
    begins = "import time; from fer.decoders import _limit_time; _limit_time(0.2);"
    waits = subprocess.run([sys.executable, "-c", f"{begins} time.sleep(0.5); _limit_time(0)"])
    computes = subprocess.run([sys.executable, "-c", f"{begins} [None for _ in iter(int, 1)]"])
    assert waits.returncode == 0
    assert decoders._ENDINGS[computes.returncode] == decoders._LONGER
