"""No command repeats a password in an address, wherever it was typed."""

from pathlib import Path

import pytest

from fer.cli.main import main

SECRET = "hunter2"
RTSP, HTTP = f"rtsp://admin:{SECRET}@127.0.0.1:9/live", f"http://127.0.0.1:9/a.mp4?user=admin&pwd={SECRET}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["live", "--no-window", "--json", "--source", RTSP],
        ["live", "--no-window", "--source", HTTP],
        ["live", "--no-window", "--source", RTSP.replace("rtsp", "nonsense")],
        ["live", RTSP],
        [RTSP],
        ["predict", "--video", RTSP],
        ["predict", "--video", HTTP, "--from", RTSP],
        ["predict", "--image", RTSP, HTTP],
        ["predict", "--image", "a.jpg", "--checkpoint", RTSP],
        ["jobs", "resume", RTSP],
        ["train", "--dataset", RTSP],
        ["evaluate", "--dataset", "synthetic", "--checkpoint", HTTP],
    ],
)
def test_passwords_of_addresses_are_not_printed(
    command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    try:
        code = main(["--home", str(tmp_path), *command])
    except SystemExit as usage:
        code = usage.code if isinstance(usage.code, int) else 1
    told = capsys.readouterr()
    assert code in (1, 2)
    assert "error" in told.err
    assert SECRET not in told.out + told.err
