"""Error messages reveal no secrets."""

import pickle
from pathlib import Path

import pytest

from fer.errors import ImageError, PackageMissingError, VideoError, without_secrets

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"rtsp://admin:{SECRET}@192.168.1.20:554/live", "192.168.1.20:554/live"),
        (f"rtsps://admin:{SECRET}@[fe80::1]/live", "[fe80::1]/live"),
        (f"http://{SECRET}@camera.local/video", "camera.local/video"),
        (f"https://me:p@{SECRET}:x@host/a@b.mjpg", "b.mjpg"),
        (f"rtsp://me:/{SECRET}/?#@host/live", "host/live"),
        (f"rtsp://me:my {SECRET}@host/live", "host/live"),
        (f"rtsp://me:1234{SECRET}@host:554/live", "host:554/live"),
        (f"http://host:8080/video.cgi?user=admin&pwd={SECRET}", "http://host:8080/video.cgi?"),
        (f"https://host/list.m3u8#token={SECRET}", "https://host/list.m3u8#"),
        (f"http://me:{SECRET}@host/a.mp4?key={SECRET}", "host/a.mp4?"),
        (f"rtsp://host:554/user=admin_password={SECRET}_channel=1_stream=0.sdp", "rtsp://host:554/user="),
        (f"rtsp://host/PWD={SECRET}/live", "/live"),
        (str(Path(f"rtsp://admin:{SECRET}@host/live")), "host/live"),
        (f"srt://host:9000?passphrase={SECRET}", "srt://host:9000?"),
    ],
)
@pytest.mark.parametrize("text", ["{}", "expected a video at {}, found none.", "'{}': refused\nand so on"])
def test_addresses_are_shown_without_passwords(address: str, shown: str, text: str) -> None:
    told = without_secrets(text.format(address))
    assert SECRET not in told and shown in told
    assert told.startswith(text.split("{}")[0]) and told.endswith(text.split("{}")[1][1:])
    assert without_secrets(told) == told
    for error in (VideoError(text.format(address)), ImageError(text.format(address))):
        assert str(error) == told == str(pickle.loads(pickle.dumps(error)))


@pytest.mark.parametrize(
    "text",
    [
        "http://host:8080/a@b.mp4",
        "rtsp://host:554/live",
        "C:\\Users\\me@home\\a.jpg?",
        "/home/me@home/what?.jpg",
        "mail me@home: 12/30 fps, a=b?",
        "",
    ],
)
def test_texts_without_secrets_are_unchanged(text: str) -> None:
    assert without_secrets(text) == text
    assert str(VideoError(text)) == text


def test_errors_keep_their_type() -> None:
    assert str(VideoError()) == ""
    assert VideoError("a", 1).args == ("a", 1)
    missing = PackageMissingError.from_import(ModuleNotFoundError(name="torch"))
    assert isinstance(missing, ImportError) and "fer-studio[torch]" in str(missing)
