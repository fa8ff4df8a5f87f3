"""Model files survive a round trip; anything else is refused with a reason."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file

from fer.errors import CheckpointError
from fer.files import file_sha256
from fer.labels import FERPLUS
from fer.model.checkpoint import (
    FORMAT,
    ModelInfo,
    load_checkpoint,
    model_sha256,
    read_info,
    save_checkpoint,
    save_second_alone,
    weights_file,
)
from fer.model.network import build_network
from fer.model.preprocessing import Preprocessing
from fer.model.prior import Reading, SecondHead
from fer.records import to_plain

OWN_LABELS = ("zest", "awake", "müde")
INFO = ModelInfo(
    "resnet18",
    OWN_LABELS,
    Preprocessing(size_px=32, channels=3, mean=0.4, std=0.2, crop_ratio=0.9, upright=False),
    temperature=1.37,
    training={"dataset": "own", "seed": 3, "versions": {"torch": "2"}, "validation_accuracy": 0.5},
)


def _header(**changes: Any) -> dict[str, Any]:
    """Return the header of a model file, with some parts changed, or left out if None."""
    header = {**to_plain(INFO), **changes}
    return {name: value for name, value in header.items() if value is not None}


def _write(path: Path, header: Any, format_name: str = FORMAT) -> Path:
    text = header if isinstance(header, str) else json.dumps(header)
    save_arrays({"weight": np.zeros(3, np.float32)}, path, metadata={"format": format_name, "model": text})
    return path


def _state(classes: int = 3, channels: int = 3) -> dict[str, torch.Tensor]:
    return build_network("resnet18", classes=classes, channels=channels, size_px=32).state_dict()


# ---------------------------------------------------------------------------------------------- a round trip


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    state = _state()
    path = tmp_path_factory.mktemp("saved") / "own.safetensors"
    save_checkpoint(path, INFO, state)
    return path, state


def test_the_header_survives_a_round_trip(saved: tuple[Path, dict[str, torch.Tensor]]) -> None:
    assert read_info(saved[0]) == INFO
    assert read_info(str(saved[0])).labels == OWN_LABELS


def test_the_weights_survive_in_half_precision(saved: tuple[Path, dict[str, torch.Tensor]]) -> None:
    path, state = saved
    info, network = load_checkpoint(path)
    loaded = network.state_dict()
    assert info == INFO
    assert not network.training
    assert loaded.keys() == state.keys()
    for name, tensor in state.items():
        assert loaded[name].dtype == tensor.dtype
        if tensor.ndim < 2:
            assert torch.equal(loaded[name], tensor)
        else:
            torch.testing.assert_close(loaded[name], tensor, rtol=1e-3, atol=1e-6)


def test_only_matrices_are_halved(saved: tuple[Path, dict[str, torch.Tensor]]) -> None:
    stored = load_file(saved[0])
    assert stored["conv1.weight"].dtype == torch.float16
    assert stored["bn1.running_var"].dtype == torch.float32
    assert stored["bn1.num_batches_tracked"].dtype == torch.int64


def test_writing_a_loaded_model_again_changes_nothing(
    saved: tuple[Path, dict[str, torch.Tensor]], tmp_path: Path
) -> None:
    info, network = load_checkpoint(saved[0])
    save_checkpoint(tmp_path / "again.safetensors", info, network.state_dict())
    again, before = load_file(tmp_path / "again.safetensors"), load_file(saved[0])
    assert read_info(tmp_path / "again.safetensors") == info
    assert again.keys() == before.keys()
    assert all(torch.equal(again[name], before[name]) for name in before)


def test_files_without_multilabel_have_single_labels(tmp_path: Path) -> None:
    assert read_info(_write(tmp_path / "old.safetensors", _header(multilabel=None))).multilabel is False
    assert read_info(_write(tmp_path / "new.safetensors", _header(multilabel=True))).multilabel is True


@pytest.mark.parametrize(
    ("field", "default"), [("second", None), ("second_share", 0.0), ("kinds", {}), ("neutral", ()), ("prior", ())]
)
def test_files_of_earlier_versions_lack_the_second_head_and_the_readings(
    field: str, default: Any, tmp_path: Path
) -> None:
    header = to_plain(INFO)
    del header[field]
    found = read_info(_write(tmp_path / "old.safetensors", header))
    assert getattr(found, field) == default and found == INFO


def test_a_prior_and_its_correction_survive_a_round_trip(tmp_path: Path, tiny_checkpoint: Path) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    made = replace(info, prior=(0.3, *(0.1,) * 7), prior_correction=0.25, unsure_below=0.4, stem="original")
    save_checkpoint(tmp_path / "model", made, network.state_dict())
    assert read_info(tmp_path / "model") == made


SECOND = SecondHead(("awake", "zest"), (0.4, 0.6), "labels")


def test_a_second_head_and_its_readings_survive_a_round_trip(tmp_path: Path) -> None:
    made = replace(
        INFO, prior=(0.2, 0.3, 0.5), second=SECOND, second_share=0.2, kinds={"posed": Reading(0.25, 1.0, 0.8, 0.3)}
    )
    save_checkpoint(tmp_path / "two", made, _state(classes=5))
    info, network = load_checkpoint(tmp_path / "two")
    assert info == made and info.outputs == 5
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 5)


@pytest.mark.slow
def test_a_small_file_stands_for_the_second_head_alone(tmp_path: Path) -> None:
    whole, alone = tmp_path / "two.safetensors", tmp_path / "second.safetensors"
    label = Reading(0.0, 1.0, 0.8, 0.3)
    made = replace(
        INFO, training=INFO.training | {"dataset_sha256": "5", "validation_n": 7, "validation_macro_f1": 0.4}
    )
    save_checkpoint(whole, replace(made, second=SECOND, kinds={"label": label}), _state(classes=5))
    save_second_alone(alone, whole)
    info, network = load_checkpoint(alone)
    assert (info.labels, info.prior, info.temperature, info.unsure_below) == (SECOND.labels, SECOND.prior, 0.8, 0.3)
    assert info.second is None
    assert info.training == {"dataset": "labels", "seed": 3, "versions": {"torch": "2"}}, "nothing of the first head"
    faces = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        # The last layer's sums: a processor adds two rows of weights in another order than five.
        torch.testing.assert_close(network(faces), load_checkpoint(whole)[1](faces)[:, 3:])
    assert (weights_file(alone), weights_file(whole)) == (whole, whole)
    assert alone.stat().st_size < 1000
    before = model_sha256(alone)
    assert model_sha256(whole) == file_sha256(whole) == before.split()[1]
    save_checkpoint(whole, replace(INFO, second=SECOND, temperature=2.0), _state(classes=5))
    assert model_sha256(alone) != before and before.split()[0] == file_sha256(alone)
    whole.unlink()
    with pytest.raises(CheckpointError, match=r"two\.safetensors"):
        read_info(alone)


def test_a_file_that_stands_for_itself_is_refused(tmp_path: Path) -> None:
    save_second_alone(tmp_path / "itself", tmp_path / "itself")
    with pytest.raises(CheckpointError, match="itself"):
        read_info(tmp_path / "itself")


@pytest.mark.parametrize(
    "wrong",
    [
        {"second_share": 0.5},
        {"second": SecondHead(("else",), (1.0,), "labels")},
        {"second": SECOND, "multilabel": True},
        {"second": replace(SECOND, prior=(1.0,))},
    ],
)
def test_an_invalid_second_head_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"second head|prior"):
        replace(INFO, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"prior": (0.5, 0.5)}, {"prior": (0.0, 1.0, *(0.1,) * 6)}, {"prior_correction": 0.5}, {"unsure_below": 1.1},
        {"prior": (0.125,) * 8, "prior_correction": 1.1},
        {"prior": (0.125,) * 8, "prior_correction": 0.5, "multilabel": True},
    ],
)  # fmt: skip
def test_a_prior_that_cannot_be_corrected_for_is_refused(wrong: dict[str, Any], tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match=r"prior|unsure_below"):
        replace(read_info(tiny_checkpoint), **wrong)


@pytest.mark.parametrize("architecture", ["mobilenet_v3_small", "squeezenet1_1"])
def test_the_header_is_enough_to_build_the_network(architecture: str, tmp_path: Path) -> None:
    info = ModelInfo(architecture, OWN_LABELS, Preprocessing(size_px=32))
    network = build_network(architecture, classes=3, channels=1, size_px=32, dropout=0.4).eval()
    save_checkpoint(tmp_path / "model.safetensors", info, network.state_dict())
    again = load_checkpoint(tmp_path / "model.safetensors")[1]
    faces = torch.ones(1, 1, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(again(faces), network(faces), rtol=0.05, atol=0.01)


def test_only_the_model_file_is_written(saved: tuple[Path, dict[str, torch.Tensor]]) -> None:
    assert [entry.name for entry in saved[0].parent.iterdir()] == ["own.safetensors"]


def test_the_labels_keep_their_order(tiny_checkpoint: Path) -> None:
    assert read_info(tiny_checkpoint).labels == FERPLUS


def test_reading_the_header_does_not_import_torch(tiny_checkpoint: Path) -> None:
    program = (
        "import sys; from fer.model.checkpoint import read_info; "
        "print(read_info(sys.argv[1]).architecture, 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(tiny_checkpoint)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["resnet18", "False"]


# ---------------------------------------------------------------------------------------------- atomic writes


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = _write(tmp_path / "model.safetensors", _header())
    before = path.read_bytes()
    shared = torch.zeros(4)
    with pytest.raises(RuntimeError, match="share memory"):
        save_checkpoint(path, INFO, {"first": shared, "second": shared})
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_save_that_cannot_replace_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(OSError):
        save_checkpoint(tmp_path / "model.safetensors", INFO, {"weight": torch.zeros(4)})
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("labels", [(), ("fear", "fear")])
def test_a_model_needs_labels_each_of_them_once(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="labels"):
        ModelInfo("resnet18", labels, Preprocessing())


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_cannot_divide_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        ModelInfo("resnet18", FERPLUS, Preprocessing(), temperature)


# ---------------------------------------------------------------------------------------------- other files


@pytest.mark.parametrize("read", [read_info, load_checkpoint])
def test_a_missing_file_is_named(read: Any, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors"):
        read(tmp_path / "nowhere.safetensors")
    with pytest.raises(CheckpointError, match="model file"):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\0", b"this is a text, not a model", b"\xff" * 64])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\."):
        read_info(path)


def test_a_pickle_is_refused_and_not_opened(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match=r"model\."):
        load_checkpoint(tmp_path / "model.pt")


@pytest.mark.parametrize("missing_bytes", [1, 1000, 20_000_000])
def test_a_truncated_file_is_refused(missing_bytes: int, tiny_checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    path.write_bytes(tiny_checkpoint.read_bytes()[:-missing_bytes])
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(path)


def test_a_model_of_another_program_is_refused(tmp_path: Path) -> None:
    save_arrays({"weight": np.zeros(3, np.float32)}, tmp_path / "bare.safetensors")
    with pytest.raises(CheckpointError, match=f"{FORMAT}.*unknown"):
        read_info(tmp_path / "bare.safetensors")
    with pytest.raises(CheckpointError, match="fer-studio-9"):
        read_info(_write(tmp_path / "later.safetensors", _header(), "fer-studio-9"))


@pytest.mark.parametrize(
    "header",
    [
        "{",
        "[]",
        "7",
        _header(labels=None),
        _header(preprocessing=None),
        _header(preprocessing={"size_px": 48, "sharpen": True}),
        _header(preprocessing={"size_px": 3}),
        _header(preprocessing={"size_px": "48"}),
        _header(temperature=0),
        _header(temperature="warm"),
        _header(labels=[]),
        _header(training=5),
        _header(temperature=None),
        _header(training=None),
    ],
)
def test_a_damaged_header_is_refused(header: Any, tmp_path: Path) -> None:
    path = _write(tmp_path / "model.safetensors", header)
    with pytest.raises(CheckpointError, match=r"header of .*model\.safetensors"):
        read_info(path)


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "model.safetensors", _header(architecture="vgg"))
    assert read_info(path).architecture == "vgg"
    with pytest.raises(CheckpointError, match=r"vgg: .*vgg16"):
        load_checkpoint(path)


def test_weights_of_another_network_are_refused_in_few_words(tmp_path: Path) -> None:
    path = _write(tmp_path / "model.safetensors", _header())
    with pytest.raises(CheckpointError, match="resnet18") as caught:
        load_checkpoint(path)
    assert len(str(caught.value)) < 600 + len(str(path))


@pytest.mark.slow
def test_weights_for_other_labels_or_colors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for state in (_state(classes=4), _state(channels=1)):
        save_checkpoint(path, INFO, state)
        with pytest.raises(CheckpointError, match=r"resnet18: (fc|conv1)\."):
            load_checkpoint(path)


# ---------------------------------------------------------------------------------------------- hostile files


def _text(**changes: str) -> str:
    """Return the header as JSON with some values replaced, whatever they are."""
    text = json.dumps(_header(**{name: f"<{name}>" for name in changes}))
    for name, value in changes.items():
        text = text.replace(f'"<{name}>"', value)
    return text


PREPROCESSING = '{"size_px": %s, "mean": %s, "std": %s, "crop_ratio": %s}'


@pytest.mark.parametrize(
    "header",
    [
        *(_text(temperature=value) for value in ("NaN", "Infinity", "1e400", "9" * 400, "[1]")),
        *(_text(preprocessing=PREPROCESSING % (48, *rest)) for rest in [("NaN", 1, 1), (0, "1e999", 1), (0, 1, 1e9)]),
        *(_text(preprocessing=PREPROCESSING % (size, 0, 1, 1)) for size in (10**6, "9" * 400, "48.5", "null")),
        _text(training='{"a":' * 100_000 + "1" + "}" * 100_000),
        _text(training="{}", labels='["a", "a"]'),
        _text(training='{"a": "' + "x" * 2**23 + '"}'),
        _header(neutral=[0.0]),
        _header(kinds={"posed": to_plain(Reading(second_share=0.5))}),
        _header(kinds={"posed": {"neutral": [0.0, 0.0, 0.0, 0.0]}}),
        _header(second={"labels": ["zest", "zest"], "prior": [], "source": "x"}),
        _header(prior=[1.0, 1.0, "Infinity"]),
    ],
    ids=lambda header: str(header)[-40:],
)
def test_a_header_with_invalid_values_is_refused(header: Any, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model\."):
        read_info(_write(tmp_path / "model.safetensors", header))


def _safetensors(header: str) -> bytes:
    return len(header).to_bytes(8, "little") + header.encode()


@pytest.mark.parametrize(
    "content",
    [
        _safetensors('{"a": {"dtype": "F32", "shape": [4500000000], "data_offsets": [0, 18000000000]}}'),
        _safetensors('{"a": {"dtype": "F32", "shape": [4500000000], "data_offsets": [0, 0]}}'),
        _safetensors('{"a":' * 50_000),
        _safetensors('{"__metadata__": {"format": 5}}'),
        _safetensors('{"__metadata__": {"format": "fer-studio-1"}}'),
        (2**62).to_bytes(8, "little") + b"{}",
        b"\xff" * 8 + b"{}",
    ],
)
def test_a_file_that_declares_huge_or_deep_content_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    for read in (read_info, load_checkpoint):
        with pytest.raises(CheckpointError, match=r"model\."):
            read(tmp_path / "model.safetensors")


def test_other_things_than_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for name in ("pipe", "circle", "x" * 300):
        with pytest.raises(CheckpointError, match=name):
            read_info(tmp_path / name)


def test_files_that_stand_for_each_other_are_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    save_second_alone(one, other)
    save_second_alone(other, one)
    with pytest.raises(CheckpointError, match=r"one\.|other\."):
        read_info(one)
    other.unlink()
    with pytest.raises(CheckpointError, match=r"other\."):
        read_info(one)
    for name in ("..", "a\0b"):
        save_arrays({}, one, metadata={"format": FORMAT, "second_of": name})
        with pytest.raises(CheckpointError):
            read_info(one)


@pytest.mark.slow
def test_weights_that_do_not_fit_are_refused_before_loading(tmp_path: Path) -> None:
    """A vit_h_14 has 2.5 GB, a last layer of a million labels 2 GB."""
    resource = pytest.importorskip("resource", reason="memory cannot be measured")
    path, before = tmp_path / "model.safetensors", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    large = to_plain(Preprocessing(size_px=1022))
    for changes in (
        {"architecture": "vit_h_14", "preprocessing": large},
        {"architecture": "regnet_y_128gf"},
        {"labels": list(map(str, range(100_000)))},
    ):
        with pytest.raises(CheckpointError, match=str(changes.get("architecture", "resnet18"))):
            load_checkpoint(_write(path, _header(**changes)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


@pytest.mark.slow
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_weights_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    state = _state()
    state["layer1.0.conv1.weight"][0, 0, 0, 0] = value  # 1e30 overflows half precision
    save_checkpoint(tmp_path / "model.safetensors", INFO, state)
    with pytest.raises(CheckpointError, match=r"layer1\.0\.conv1"):
        load_checkpoint(tmp_path / "model.safetensors")
