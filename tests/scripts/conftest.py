"""Fixtures: a training that was killed and resumed, and photos for any script."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fer.images import encode_png
from tests.scripts.processes import Ended, run_script, start, wait_for

TRAIN = ["scripts/train.py", "--dataset", "synthetic:160", "--epochs", "2", "--size", "32", "--batch-size", "16"]
TRAIN += ["--device", "cpu", "--threads", "1", "--runs", "runs"]


@dataclass(frozen=True)
class Chain:
    """A training that was killed after its first epoch and finished by the same command."""

    folder: Path
    killed_status: dict[str, Any]
    killed_metrics: str
    going_on: Ended

    @property
    def run(self) -> Path:
        return self.folder / "runs" / "synthetic-160-resnet18"

    @property
    def checkpoint(self) -> Path:
        return self.run / "best.safetensors"


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder = tmp_path_factory.mktemp("chain")
    run = folder / "runs" / "synthetic-160-resnet18"
    process = start(folder, *TRAIN)
    wait_for(process, run / "metrics.jsonl", run / "last.pt")
    process.kill()
    process.communicate()
    status, metrics = json.loads((run / "status.json").read_text()), (run / "metrics.jsonl").read_text()
    return Chain(folder, status, metrics, run_script(folder, *TRAIN))


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, astronaut: npt.NDArray[np.uint8]) -> Path:
    """A folder with a photo, two people side by side, a photo of nobody, and a file that is not a picture."""
    folder = tmp_path_factory.mktemp("photos")
    face = astronaut[:256, 96:352]
    (folder / "astronaut.png").write_bytes(encode_png(astronaut))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff this is no picture")
    (folder / "nobody.png").write_bytes(encode_png(np.full((90, 120, 3), 200, np.uint8)))
    (folder / "below").mkdir()
    (folder / "below" / "two.png").write_bytes(encode_png(np.concatenate([face, face[:, ::-1]], axis=1)))
    (folder / "notes.txt").write_text("not meant")
    return folder
