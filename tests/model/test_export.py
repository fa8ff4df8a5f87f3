"""Exported models give the same outputs as torch, only for the weights that they were made from."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
import torch

from fer.collection import job as folders
from fer.datasets.drawing import draw_face
from fer.datasets.drawing.clip import write_clip
from fer.errors import CheckpointError, FerError
from fer.images import encode_png
from fer.jobs.job import view
from fer.jobs.status import FINISHED
from fer.labels import FERPLUS
from fer.model import DEFAULT_CHECKPOINT, SHIPPED, onnx_network
from fer.model.checkpoint import ModelInfo, load_checkpoint, read_info, save_checkpoint, save_second_alone
from fer.model.classifier import Classifier
from fer.model.network import build_network
from fer.model.onnx_network import OnnxNetwork, export_path, weights_sha256
from fer.model.preprocessing import Preprocessing
from fer.model.prior import READINGS, SecondHead
from fer.results.timeline import read_timeline
from fer.video import job as videos
from fer.video.settings import ClipOptions

pytest.importorskip("onnx", reason="writing ONNX files needs onnx")

import onnx

from fer.cli import export as command
from fer.model.export import OPSET, write_exports, write_whole

pytestmark = pytest.mark.slow
NOISE = np.random.default_rng(5).integers(0, 256, (7, 1, 48, 48), np.uint8)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> Path:
    """A folder with a copy of the tiny model, and both of its exports."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copy(tiny_checkpoint, folder / "model.safetensors")
    write_exports(folder / "model.safetensors", NOISE)
    return folder


@pytest.fixture
def exported(first: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, with both of its exports, for one test."""
    shutil.copytree(first, tmp_path / "exported")
    return tmp_path / "exported" / "model.safetensors"


@pytest.mark.parametrize("word", SHIPPED)
def test_the_built_in_models_give_the_same_outputs_in_onnx_runtime_and_torch(word: str) -> None:
    preprocessing, random = read_info(SHIPPED[word]).preprocessing, np.random.default_rng(0)
    faces = [draw_face(label, np.random.default_rng(seed), size_px=96) for seed in range(3) for label in FERPLUS]
    faces += [random.integers(0, 256, (96, 96, 3), np.uint8) for _ in range(4)]
    pixels = np.stack([preprocessing.shrink(face) for face in faces])
    found, expected = (Classifier.load(SHIPPED[word], runtime=runtime) for runtime in ("onnx", "torch"))
    assert (found.network.runtime, expected.network.runtime) == ("ONNX Runtime, float32", "torch, float32")
    kinds = READINGS if found.info.second else ("everyday", "posed")
    for kind in kinds:
        probabilities = found.for_faces(kind).probabilities(pixels)
        assert probabilities == pytest.approx(expected.for_faces(kind).probabilities(pixels), abs=1e-5)
    for one, other in zip(found.with_opinions(pixels), expected.with_opinions(pixels), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert one == pytest.approx(other, abs=1e-5)


@pytest.mark.parametrize("word", SHIPPED)
def test_the_built_in_models_are_exported_in_8_bits_too(word: str) -> None:
    whole = Classifier.load(SHIPPED[word], threads=2)
    reduced = whole.reduced()
    assert reduced.network.runtime == "ONNX Runtime, int8"
    assert reduced.info == whole.info
    face = whole.info.preprocessing.shrink(draw_face("happiness", np.random.default_rng(0), size_px=96))
    assert reduced.probabilities(face[None]) == pytest.approx(whole.probabilities(face[None]), abs=0.1)


def test_an_exported_model_runs_in_onnx_runtime_by_default(exported: Path) -> None:
    runtimes = {runtime: Classifier.load(exported, runtime=runtime).network.runtime for runtime in ("auto", "torch")}
    assert runtimes == {"auto": "ONNX Runtime, float32", "torch": "torch, float32"}
    with pytest.raises(FerError, match="cuda"):
        Classifier.load(exported, device="cuda", runtime="onnx")


@pytest.mark.parametrize("count", [0, 1, 40])
def test_batches_of_any_size_are_taken(exported: Path, count: int) -> None:
    pixels = np.random.default_rng(6).integers(0, 256, (count, 1, 48, 48), np.uint8)
    found, expected = (Classifier.load(exported, runtime=runtime).logits(pixels) for runtime in ("onnx", "torch"))
    assert found.dtype == np.float32 and found.shape == (count, 8)
    assert found == pytest.approx(expected, abs=1e-4)


def test_exports_of_other_weights_are_ignored(exported: Path) -> None:
    info, network = load_checkpoint(exported)
    with torch.no_grad():
        next(network.parameters())[0, 0, 0, 0] += 1
    save_checkpoint(exported, info, network.state_dict())
    assert export_path(exported).is_file() and export_path(exported, int8=True).is_file()
    assert not OnnxNetwork.load(exported) and not OnnxNetwork.load(exported, int8=True)
    assert Classifier.load(exported).network.runtime == "torch, float32"
    with pytest.raises(CheckpointError, match="fer-studio export"):
        Classifier.load(exported, runtime="onnx")


@pytest.mark.parametrize(
    "damage", [lambda export: export[: len(export) // 2], lambda export: b"no graph" + export[-3000:]]
)
def test_a_damaged_export_of_the_same_weights_is_refused(exported: Path, damage: Callable[[bytes], bytes]) -> None:
    export = export_path(exported)
    content, digest = export.read_bytes(), weights_sha256(exported).encode()
    export.write_bytes(damage(content) + digest)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        Classifier.load(exported)


def test_a_model_file_that_contradicts_its_export_is_refused(exported: Path) -> None:
    info, network = load_checkpoint(exported)
    for other in (
        replace(info, labels=(*info.labels, "more")), replace(info, preprocessing=Preprocessing(size_px=64)),
        replace(info, preprocessing=Preprocessing(channels=3)),
    ):  # fmt: skip
        save_checkpoint(exported, other, network.state_dict())
        with pytest.raises(CheckpointError, match=r"model\.safetensors"):
            Classifier.load(exported)


def test_weights_that_are_not_finite_are_refused_with_their_export(exported: Path) -> None:
    info, network = load_checkpoint(exported)
    before = weights_sha256(exported).encode()
    next(network.parameters()).data[0, 0, 0, 0] = float("nan")
    save_checkpoint(exported, info, network.state_dict())
    export_path(exported).write_bytes(
        export_path(exported).read_bytes().replace(before, weights_sha256(exported).encode())
    )
    with pytest.raises(CheckpointError, match="conv1"):
        Classifier.load(exported)


def test_weights_are_hashed_once_for_all_exports(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []
    monkeypatch.setattr(onnx_network, "weights_sha256", lambda file: hashed.append(file) or weights_sha256(file))
    with Classifier.load(exported).reduced().network.on_one_thread() as network:
        assert network.runtime == "ONNX Runtime, int8"
    assert hashed == [exported]


def test_another_reading_of_the_same_weights_needs_no_new_exports(exported: Path) -> None:
    info, network = load_checkpoint(exported)
    before = Classifier.load(exported).probabilities(NOISE)
    save_checkpoint(exported, replace(info, temperature=3.0), network.state_dict())
    after = Classifier.load(exported)
    assert after.network.runtime == "ONNX Runtime, float32"
    assert after.probabilities(NOISE).max() < before.max()


def test_exporting_again_without_pictures_leaves_no_8_bit_export_of_earlier_weights(exported: Path) -> None:
    info, network = load_checkpoint(exported)
    with torch.no_grad():
        next(network.parameters())[0, 0, 0, 0] += 1
    save_checkpoint(exported, info, network.state_dict())
    write_exports(exported)
    assert Classifier.load(exported).reduced().network.runtime == "ONNX Runtime, float32"


@pytest.fixture
def two_heads(tmp_path: Path) -> tuple[Path, Path]:
    """A model with two heads and the small file that stands for its second one; the first is exported."""
    info = ModelInfo(
        "squeezenet1_1", ("a", "b", "c"), Preprocessing(size_px=32), second=SecondHead(("c", "a"), (0.5, 0.5), "x")
    )
    network = build_network(info.architecture, classes=info.outputs, channels=1, size_px=32)
    whole, alone = tmp_path / "two.safetensors", tmp_path / "second.safetensors"
    save_checkpoint(whole, info, network.state_dict())
    save_second_alone(alone, whole)
    write_exports(whole)
    return whole, alone


def test_a_file_that_stands_for_the_second_head_has_its_outputs(two_heads: tuple[Path, Path]) -> None:
    whole, alone = two_heads
    pixels = NOISE[..., :32, :32]
    assert Classifier.load(whole, runtime="onnx").logits(pixels).shape == (7, 5)
    found, expected = (Classifier.load(alone, runtime=runtime) for runtime in ("onnx", "torch"))
    assert found.info.labels == ("c", "a")
    assert found.logits(pixels) == pytest.approx(expected.logits(pixels), abs=1e-5)


@pytest.mark.parametrize("second", [False, True])
def test_a_file_for_other_programs_has_all_they_need(
    two_heads: tuple[Path, Path], tmp_path: Path, second: bool
) -> None:
    path, output = two_heads[second], tmp_path / "for-others" / "model.onnx"
    output.parent.mkdir()
    write_whole(path, output)
    code = """
import json, sys
import numpy as np
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
pixels = np.random.default_rng(5).integers(0, 256, (7, 1, 32, 32), np.uint8)
(logits,) = session.run(None, {"faces": pixels})
assert not {"fer", "torch"} & sys.modules.keys()
print(json.dumps({"logits": logits.tolist(), "about": session.get_modelmeta().custom_metadata_map}))
"""
    said = subprocess.run([sys.executable, "-c", code, str(output)], capture_output=True, text=True, check=True).stdout
    found, info = json.loads(said), read_info(path)
    pixels = np.random.default_rng(5).integers(0, 256, (7, 1, 32, 32), np.uint8)
    assert np.array(found["logits"]) == pytest.approx(Classifier.load(path).logits(pixels), abs=1e-4)
    about = found["about"]
    assert json.loads(about["labels"]) == list(info.labels)
    assert json.loads(about["second_labels"]) == ([] if second else ["c", "a"])
    assert json.loads(about["model"])["preprocessing"]["size_px"] == 32
    assert about.keys() >= {"source", "license", "input", "normalization", "output", "weights_sha256"}


def test_an_unsupported_operation_is_named(tmp_path: Path) -> None:
    network = build_network("shufflenet_v2_x0_5", classes=2, channels=1, size_px=32)
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, ModelInfo("shufflenet_v2_x0_5", ("a", "b"), Preprocessing(size_px=32)), network.state_dict())
    with pytest.raises(CheckpointError, match=r"shufflenet_v2_x0_5 .* \w+"):
        write_exports(path)
    assert not OnnxNetwork.load(path)


@pytest.mark.parametrize(
    ("architecture", "size_px", "channels"),
    [
        ("resnet34", 48, 3), ("resnet50", 64, 1), ("resnext50_32x4d", 48, 1), ("face_recognition_resnet", 32, 1),
        ("face_recognition_resnet", 112, 3), ("mobilenet_v3_small", 48, 1), ("efficientnet_b0", 48, 1),
        ("mobilenet_v2", 48, 3), ("googlenet", 64, 1), ("convnext_tiny", 64, 1), ("regnet_y_400mf", 48, 1),
    ],
)  # fmt: skip
def test_many_kinds_of_networks_are_exported(tmp_path: Path, architecture: str, size_px: int, channels: int) -> None:
    info = ModelInfo(architecture, ("a", "b", "c"), Preprocessing(size_px, channels))
    network = build_network(architecture, classes=3, channels=channels, size_px=size_px)
    pixels = np.random.default_rng(8).integers(0, 256, (4, channels, size_px, size_px), np.uint8)
    network(info.preprocessing.normalize(torch.from_numpy(pixels)))  # so that batch norms have statistics
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, info, network.state_dict())
    write_exports(path)
    found, expected = (Classifier.load(path, runtime=runtime) for runtime in ("onnx", "torch"))
    assert found.probabilities(pixels) == pytest.approx(expected.probabilities(pixels), abs=1e-5)


def test_the_command_writes_exports_or_a_single_file(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for export in (export_path(exported), export_path(exported, int8=True)):
        export.unlink()
    assert command.main([str(exported)]) == 0
    assert OnnxNetwork.load(exported) and not OnnxNetwork.load(exported, int8=True)
    assert str(export_path(exported)) in capsys.readouterr().out
    assert command.main([str(exported), "--int8", "--calibrate", "synthetic:80"]) == 0
    assert OnnxNetwork.load(exported, int8=True)
    with pytest.raises(SystemExit):
        command.main([str(exported), "--int8"])


def test_the_command_writes_a_single_file_in_float32_or_8_bits(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command.main([str(exported), "--onnx"]) == 0
    assert command.main([str(exported), "--onnx", "small.onnx", "--int8", "--calibrate", "synthetic:80"]) == 0
    whole, small = (onnx.load(name) for name in ("model.onnx", "small.onnx"))
    assert [operators.version for operators in whole.opset_import] == [OPSET]
    assert "QuantizeLinear" in {node.op_type for node in small.graph.node} - {node.op_type for node in whole.graph.node}
    assert Path("small.onnx").stat().st_size < exported.stat().st_size < Path("model.onnx").stat().st_size
    assert small.metadata_props == whole.metadata_props
    expected = Classifier.load(exported).logits(NOISE)
    for name, most in (("model.onnx", 1e-4), ("small.onnx", 0.5)):
        (logits,) = onnxruntime.InferenceSession(name).run(["logits"], {"faces": NOISE})
        assert logits == pytest.approx(expected, abs=most)


BLOCKED = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name}}", name=name)

sys.meta_path.insert(0, Missing())
"""


@pytest.fixture
def without() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a program with some packages missing."""

    def run(missing: set[str], program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        code = BLOCKED.format(missing=missing) + program
        return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)

    return run


Without = Callable[..., "subprocess.CompletedProcess[str]"]
TORCH = {"torch", "torchvision", "facenet_pytorch"}


def test_a_photo_is_recognized_without_torch(
    without: Without, tmp_path: Path, astronaut: npt.NDArray[np.uint8]
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(encode_png(astronaut))
    program = """
from fer.cli.main import main
code = main(["predict", "--image", sys.argv[1], "--json"])
from fer import Recognizer, read_image
assert [face.label for face in Recognizer.load().for_video().recognize(read_image(sys.argv[1]))] == ["happiness"]
assert "torch" not in sys.modules
sys.exit(code)
"""
    ended = without(TORCH, program, str(photo))
    assert (ended.returncode, ended.stderr) == (0, "")
    (picture,) = json.loads(ended.stdout)
    assert picture["faces"][0]["label"] == "happiness"


def test_videos_and_jobs_are_analyzed_without_torch(
    without: Without, tmp_path: Path, astronaut: npt.NDArray[np.uint8]
) -> None:
    clip, table, photos = (tmp_path / name for name in ("clip.mp4", "faces.csv", "photos"))
    write_clip(clip, iter([astronaut] * 5))
    photos.mkdir()
    (photos / "photo.png").write_bytes(encode_png(astronaut))
    video = videos.new_job(tmp_path / "videos", videos.VideoRequest(clip, DEFAULT_CHECKPOINT, ClipOptions()))
    folder = folders.create(tmp_path / "folders", DEFAULT_CHECKPOINT, "photos", photos).folder
    program = """
from fer.cli.main import main
codes = [main(["jobs", "run", folder]) for folder in sys.argv[3:]]
codes.append(main(["predict", "--video", sys.argv[1], "--csv", sys.argv[2]]))
assert "torch" not in sys.modules
sys.exit(any(codes))
"""
    ended = without(TORCH, program, *map(str, (clip, table, video, folder)))
    assert ended.returncode == 0, ended.stderr
    assert view(video, videos.KIND).state == view(folder, folders.KIND).state == FINISHED
    seen = read_timeline(video / videos.TIMELINE_NAME)
    assert seen is not None and {seen.labels[held] for held in seen.shown["held"]} == {"happiness"}
    for file in (table, folder / folders.RESULTS_NAME):
        assert "happiness" in file.read_text(encoding="utf-8")


def test_a_model_without_an_export_says_what_it_needs(without: Without, tiny_checkpoint: Path) -> None:
    program = """
from fer.errors import FerError
from fer.model.classifier import Classifier
try:
    Classifier.load(sys.argv[1])
except FerError as error:
    print(error)
"""
    ended = without(TORCH, program, str(tiny_checkpoint))
    assert "fer-studio[torch]" in ended.stdout, ended.stderr
