"""The benchmark runs and reports what it measured; whether that is fast is for people to judge."""

import json
from pathlib import Path

import pytest

from scripts.benchmark import main


@pytest.mark.slow
def test_it_measures_one_face_and_four_in_three_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repeat", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    for faces in ("1 face", "4 faces"):
        for what in ("detector + network, webcam setting", "detector alone, webcam setting", "crop + network"):
            times = figures[f"{faces}: {what} (ms)"]
            assert [*times] == ["ONNX Runtime", "torch", "facenet-pytorch and torch"] and min(times.values()) > 0
    assert figures["import torch (s)"] > 0


@pytest.mark.slow
def test_it_measures_the_network_in_both_runtimes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["network", "--repeat", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures.pop("processor") and figures.keys() == {"1 face (ms)", "4 faces (ms)"}
    for times in figures.values():
        assert {"torch, float32", "ONNX Runtime, float32", "ONNX Runtime, int8"} <= times.keys()
        assert min(times.values()) > 0


def test_a_measure_is_a_row_and_a_way_a_column(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {"processor": "avx2", "one (ms)": {"new": 1.0, "the old way": 2.0}, "import (s)": 3.0}
    monkeypatch.setattr("scripts.benchmarks.startup.measure", lambda: figures)
    assert main(["startup"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["new", "the", "old", "way"] in rows and ["one", "(ms)", "1.00", "2.00"] in rows
    assert rows[-1] == ["import", "(s)", "3.00"]


@pytest.mark.slow
def test_a_missing_model_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--checkpoint", str(tmp_path / "missing.safetensors"), "--repeat", "1"]) == 1
    assert str(tmp_path / "missing.safetensors") in capsys.readouterr().err


@pytest.mark.slow
def test_it_measures_a_folder_beside_single_calls(tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--checkpoint", str(tiny_checkpoint), "--photos", "6", "--repeat", "2", "--json"]
    assert main(["folder", *options]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert len(figures) == 9 and all(value > 0 for value in figures.values())
    assert figures["  speedup"] > 1


@pytest.mark.slow
def test_it_measures_the_training_loop_beside_its_bare_steps(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--dataset", "synthetic:80", "--architecture", "shufflenet_v2_x0_5", "--size", "32"]
    assert main(["training", *options, "--repeat", "2", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert all(value > 0 for value in figures.values())
    assert {name.rpartition(" (")[0] for name in figures} == {
        "training loop",
        "bare forward, backward, step",
        "loop / bare",
    }


@pytest.mark.slow
def test_it_measures_a_video(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["video", "--seconds", "2", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["640×480, 30 fps, one face, writing the video (× real time)"] > 0
    assert figures["people found (1 is correct)"] == 1
    assert figures["changes found of 4"] == 4 and figures["largest time error (ms)"] < 300


@pytest.mark.slow
def test_it_measures_the_detector_beside_facenet_pytorchs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detector", "--repeat", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures.pop("processor")
    assert {"1 face, 640×480, webcam setting", "4 faces, 4000×3000, photo setting"} <= figures.keys()
    assert all({"ours (ms)", "speedup"} <= row.keys() and min(row.values()) > 0 for row in figures.values())
