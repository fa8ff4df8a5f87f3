"""Shared fixtures: a tiny model, a photo of a person, the real faces beside the repository."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

TESTS = Path(__file__).parent
SHARED = TESTS.parent / "../shared/data"
MARKS = {"shared_faces": "real_faces", "chain": "slow", "finished_run": "slow", "ray_is_installed": "slow"}
"""Fixture → marker for the tests that use it."""


def pytest_configure() -> None:
    """Enable Ctrl-C, which is disabled in child processes of a background process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the markers that follow from folders and fixtures."""
    for item in items:
        if TESTS / "browser" in item.path.parents:
            item.add_marker("browser")
        for fixture in MARKS.keys() & getattr(item, "fixturenames", ()):
            item.add_marker(MARKS[fixture])


@pytest.fixture(autouse=True, scope="session")
def no_results_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the results of tests out of the user's folder."""
    os.environ["FER_RESULTS"] = str(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an untrained resnet18 for gray pictures of 48 px: eight labels, seed 0, temperature 1."""
    import torch

    from fer.labels import FERPLUS
    from fer.model.checkpoint import ModelInfo, save_checkpoint
    from fer.model.network import build_network
    from fer.model.preprocessing import Preprocessing

    info = ModelInfo("resnet18", FERPLUS, Preprocessing(size_px=48))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_network(info.architecture, classes=len(info.labels), channels=1, size_px=48)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_checkpoint(path, info, network.state_dict())
    return path


@pytest.fixture(scope="session")
def two_heads(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> Path:
    """The file of a model with two heads that reads every face as neutral (raters) and anger (label).

    Its unsure thresholds are 31, 42 and 73 % for everyday, between and posed faces.
    """
    import torch

    from fer.model.checkpoint import load_checkpoint, save_checkpoint
    from fer.model.network import build_network, last_layer
    from fer.model.prior import BETWEEN, POSED, Reading, SecondHead

    second = SecondHead(("anger", "happiness", "neutral"), (0.3, 0.3, 0.4), "fer2013")
    kinds = {BETWEEN: Reading(0.2, 0.4, unsure_below=0.42), POSED: Reading(0.25, 1.0, unsure_below=0.73)}
    info, _ = load_checkpoint(tiny_checkpoint)
    info = replace(info, prior=(0.6, *(0.4 / 7,) * 7), second=second, second_share=0.2, unsure_below=0.31, kinds=kinds)
    network = build_network(info.architecture, classes=info.outputs, channels=1, size_px=48)
    name = last_layer(network).name
    state = network.state_dict()
    state[f"{name}.weight"].zero_()
    state[f"{name}.bias"].zero_()
    state[f"{name}.bias"][[0, 4, 8]] = torch.tensor([2.0, 1.0, 2.0])  # neutral, anger; the label's anger
    path = tmp_path_factory.mktemp("heads") / "two.safetensors"
    save_checkpoint(path, info, state)
    return path


@pytest.fixture(scope="session")
def astronaut() -> npt.NDArray[np.uint8]:
    """NASA's photo of Eileen Collins, in the public domain, RGB uint8 (512, 512, 3): one face in the upper half."""
    data = pytest.importorskip("skimage.data", reason="the photo comes with scikit-image")
    return np.asarray(data.astronaut(), np.uint8)


@pytest.fixture(scope="session")
def many_photos(tmp_path_factory: pytest.TempPathFactory, astronaut: npt.NDArray[np.uint8]) -> Path:
    """A folder of 24 photos, half of them in a subfolder under the same names, a photo of nobody, and a broken file."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    (folder / "below").mkdir()
    for number in range(24):
        photo = Image.fromarray(astronaut[:360, 60:420]).resize((240 + 4 * number,) * 2)
        photo.save(folder / ("below" if number % 2 else ".") / f"{number // 2:02}.jpg", quality=90)
    Image.new("RGB", (160, 120), "gray").save(folder / "nobody.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff this is no picture")
    (folder / "notes.txt").write_text("not meant")
    return folder


@pytest.fixture(scope="session")
def shared_faces() -> Path:
    """The folder with the real faces and their votes, beside the repository. Tests are skipped without it."""
    if not (SHARED / "faces.csv").is_file():
        pytest.skip("no real faces: ../shared/data is not beside the repository")
    return SHARED
