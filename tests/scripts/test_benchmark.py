"""The benchmark runs and reports what it measured; whether that is fast is for people to judge."""

import json
from pathlib import Path

import pytest

from scripts.benchmark import main


@pytest.mark.slow
def test_it_measures_one_face_and_four(tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--checkpoint", str(tiny_checkpoint), "--repeat", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    for faces in ("1 face", "4 faces"):
        for what in ("detector + network, webcam setting", "detector alone, webcam setting", "crop + network"):
            assert figures[f"torch, {faces}: {what} (ms)"] > 0
    assert figures["import torch (s)"] > 0


@pytest.mark.slow
def test_it_measures_the_network_in_both_runtimes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["network", "--repeat", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures.pop("processor")
    expected = {"torch, float32", "ONNX Runtime, float32", "ONNX Runtime, int8"}
    for faces in ("1 face", "4 faces"):
        assert expected <= {name.removeprefix(f"{faces}: ").removesuffix(" (ms)") for name in figures}
    assert all(value > 0 for value in figures.values())


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
    assert {"1 face, 640×480, webcam setting: ours (ms)", "4 faces, 4000×3000, photo setting: speedup"} <= {*figures}
    assert all(value > 0 for name, value in figures.items() if name != "processor")
