"""Distillation: the outputs of other models as targets beside the raters' votes (Hinton et al. 2015, arXiv:1503.02531).

Ten raters give a distribution in steps of a tenth. A teacher's output is smoother, and several teachers make fewer
mistakes than one. There are three ways to use them:

once         run once on each picture and its mirror image; the student must predict the same for rotated, blurred or
             noisy copies (Xie et al. 2020, arXiv:1911.04252)
augmented    run in each step on exactly the augmented and mixed pictures that the student sees, so the targets match
             whatever the augmentation does to a face (Beyer et al. 2022, arXiv:2106.05237)
soft labels  computed before, on a machine with a GPU: an .npz with `row`, int (n,), rows of Kaggle's fer2013.csv, and
             `answers`, uint8 (n, 8 or 15), 0..255 for 0..1, for the labels of FER+ and then those of FER2013

Teachers give the raw outputs of their heads, without the corrections stored in a model file: a corrected prior would be
learned as if it were that of the data.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from fer.datasets.dataset import FaceDataset, prepare_faces
from fer.datasets.second import NO_SECOND, SecondLabels, kaggle_numbers
from fer.errors import TrainingError, problem_of
from fer.files import read_arrays
from fer.labels import FER2013, FERPLUS
from fer.model.checkpoint import load_checkpoint, read_info
from fer.model.device import autocast
from fer.training.config import TrainingConfig
from fer.training.metrics import Hooks

SECOND_SMOOTHING = 0.1
"""Share of the second label that is spread evenly, since FER2013's labels are often wrong."""
_AT_ONCE = 256
_AGREEING = 0.5
"""Soft labels and raters must agree on at least this share of pictures; otherwise they belong to other pictures."""
_GRAY = (0.299, 0.587, 0.114)


def check_teachers(config: TrainingConfig, labels: tuple[str, ...]) -> None:
    """Check that the teachers have the data set's expressions, before any data are read.

    Raises:
        CheckpointError: a file cannot be read.
        TrainingError: a teacher's labels are not those of the data set, or the soft labels are missing.
    """
    for file in config.teacher:
        known = read_info(file).labels
        if set(known) != set(labels):
            raise TrainingError(
                f"expected a teacher with the data set's expressions, {', '.join(labels)}; {file} has "
                f"{', '.join(known)}. Choose another --teacher, or another data set."
            )
    if config.soft_labels and not (Path(config.soft_labels).is_file() and set(labels) <= set(FERPLUS)):
        raise TrainingError(
            f"expected soft labels for a data set with expressions of FER+ in the file {config.soft_labels}, found "
            f"{', '.join(labels) if Path(config.soft_labels).is_file() else 'no file'}. Check --soft-labels."
        )


class Teacher:
    """A network whose outputs are targets for its student."""

    def __init__(self, file: str, labels: tuple[str, ...], second: tuple[str, ...], device: str) -> None:
        """Load a model file, and match its outputs to the labels of the student's first and second heads.

        Raises:
            CheckpointError: it cannot be read any more.
        """
        self.info, network = load_checkpoint(file)
        self._network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        own = self.info.second.labels if self.info.second else ()
        self._first = [self.info.labels.index(label) for label in labels]
        self._second = [len(self.info.labels) + own.index(label) for label in second] if set(own) == set(second) else []
        self.knows = torch.tensor([1.0] * len(labels) + [float(bool(self._second))] * len(second), device=device)
        """float32 (K of both heads,): 1 for outputs that the teacher has, else 0."""
        self._device = device

    @torch.no_grad()
    def answers(self, faces: torch.Tensor) -> torch.Tensor:
        """Return probabilities, float32 (n, K of both heads), each head's part summing to 1, or 0 if it is missing.

        Args:
            faces: uint8 or float (n, C, S, S), 0..255, gray or RGB, of any size, on the device.
        """
        wanted, faces = self.info.preprocessing, faces.float()
        if faces.shape[1] > wanted.channels:
            faces = torch.einsum("c,nchw->nhw", torch.tensor(_GRAY, device=faces.device), faces).unsqueeze(1)
        faces = resized(faces.expand(-1, wanted.channels, -1, -1), wanted.size_px)
        with autocast(self._device):
            logits = self._network(wanted.normalize(faces).contiguous(memory_format=torch.channels_last)).float()
        first = logits[:, self._first]
        first = F.normalize(first.sigmoid(), p=1) if self.info.multilabel else first.softmax(dim=1)
        unknown = first.new_zeros(len(first), len(self.knows) - first.shape[1])
        return torch.cat([first, logits[:, self._second].softmax(dim=1) if self._second else unknown], dim=1)


class Teachers:
    """All teachers of a run; for each head, the outputs of those that have it are averaged."""

    def __init__(self, config: TrainingConfig, labels: tuple[str, ...], second: tuple[str, ...], device: str) -> None:
        """Load the model files; see `Teacher`."""
        self.each = [Teacher(file, labels, second, device) for file in config.teacher]
        self._count = torch.stack([teacher.knows for teacher in self.each]).sum(dim=0)
        self._share = config.teacher_share * (self._count > 0)

    def blend(self, targets: torch.Tensor, answers: Iterable[torch.Tensor]) -> torch.Tensor:
        """Return targets, float32 (n, K of both heads), mixed with the teachers' outputs."""
        taught = sum(answers) / self._count.clamp_min(1)
        return (1 - self._share) * targets + self._share * taught

    def taught(self, targets: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
        """Mix targets with the teachers' outputs for faces, float (n, C, S, S), 0..255, as the student gets them."""
        return self.blend(targets, (teacher.answers(faces) for teacher in self.each))


def resized(faces: torch.Tensor, size_px: int) -> torch.Tensor:
    """Resize float (n, C, S, S) to (n, C, size, size), with antialiasing."""
    if faces.shape[-1] == size_px:
        return faces
    return F.interpolate(faces, (size_px, size_px), mode="bilinear", antialias=True, align_corners=False)


def learned_targets(
    config: TrainingConfig,
    dataset: FaceDataset,
    rows: np.ndarray,
    hooks: Hooks,
    device: str,
    second: SecondLabels = NO_SECOND,
) -> np.ndarray:
    """Return the training targets: votes or label, then the second labels, mixed with teachers.

    Returns:
        float32 (n, K of both heads). The first head's part sums to 1; the second one's to 1, to less if only teachers
        provide it, or to 0.

    Raises:
        CheckpointError: a teacher cannot be read any more.
        TrainingError: the soft labels belong to other pictures.
    """
    first, other = dataset.distributions(rows), second.of(rows)
    if config.targets == "label":
        first = np.eye(len(dataset.labels), dtype=np.float32)[dataset.truth(rows)]
    spread = other.sum(axis=1, keepdims=True) / max(len(second.labels), 1)
    targets = np.concatenate([first, (1 - SECOND_SMOOTHING) * other + SECOND_SMOOTHING * spread], axis=1)
    if config.soft_labels:
        answers, known = _read_soft_labels(config.soft_labels, dataset, rows, second.labels)
        share = config.teacher_share * known
        targets = (1 - share) * targets + share * answers
    elif config.teacher and config.teacher_share and not config.asks_in_each_step:
        teachers = Teachers(config, dataset.labels, second.labels, device)
        asked = zip(teachers.each, config.teacher, strict=True)
        answered = (_ask_once(teacher, file, dataset, rows, hooks, device) for teacher, file in asked)
        targets = teachers.blend(torch.from_numpy(targets).to(device), answered).cpu().numpy()
    return targets


def _ask_once(
    teacher: Teacher, file: str, dataset: FaceDataset, rows: np.ndarray, hooks: Hooks, device: str
) -> torch.Tensor:
    """Return a teacher's outputs, averaged over each picture and its mirror image."""
    hooks.on_note(f"running the teacher {file}")
    found = []
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        pixels = torch.from_numpy(prepare_faces(dataset, part, teacher.info.preprocessing).pixels).to(device)
        found.append((teacher.answers(pixels) + teacher.answers(pixels.flip(-1))) / 2)
        hooks.on_read(start + len(part), len(rows))
    return torch.cat(found)


def _read_soft_labels(
    file: str, dataset: FaceDataset, rows: np.ndarray, second: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return (outputs, 1 where they exist, else 0), both float32 (n, K of both heads)."""
    numbers, widths = kaggle_numbers(dataset), (len(FERPLUS), len(FERPLUS) + len(FER2013))
    try:
        stored = read_arrays(Path(file))
        known_rows, answers = stored["row"], stored["answers"]
        if answers.dtype != np.uint8 or known_rows.dtype.kind not in "iu" or known_rows.ndim != 1:
            raise ValueError(f"row {known_rows.dtype} {known_rows.shape}, answers {answers.dtype}")
        if answers.shape not in [(len(known_rows), width) for width in widths]:
            raise ValueError(f"answers of shape {answers.shape} for {len(known_rows)} rows")
    except (OSError, ValueError, KeyError) as error:
        reason = problem_of(error) if isinstance(error, OSError) else f"{error}. Create it again."
        raise TrainingError(
            f"expected an .npz with row, int (n,), and answers, uint8 (n, {' or '.join(map(str, widths))}), in {file}: "
            f"{reason}"
        ) from error
    table = answers / np.float32(255)
    place = {row: index for index, row in enumerate(known_rows.tolist())}
    where = np.array([place.get(number, -1) for number in ([] if numbers is None else numbers[rows].tolist())])
    found = np.flatnonzero(where >= 0)
    columns = [FERPLUS.index(label) for label in dataset.labels]
    agreeing = table[where[found]][:, columns].argmax(axis=1) == dataset.truth(rows[found])
    if not len(found) or agreeing.mean() < _AGREEING:
        raise TrainingError(
            f"expected the soft labels in {file} to belong to the pictures of {dataset.name}, by their rows in "
            f"fer2013.csv (fer0000017.png is row 17): found {len(found)} of {len(rows)}, with the same top expression "
            f"in {agreeing.sum()}. Leave out --soft-labels, or use the data set that they were made for."
        )
    own = FERPLUS + FER2013 if table.shape[1] > len(FERPLUS) else FERPLUS
    others = [own.index(label, len(FERPLUS)) for label in second] if set(second) <= set(own[len(FERPLUS) :]) else []
    answers = np.zeros((len(rows), len(columns) + len(second)), np.float32)
    known = np.zeros_like(answers)
    chosen = table[where[found]][:, [*columns, *others]]
    answers[found, : chosen.shape[1]], known[found, : chosen.shape[1]] = chosen, 1
    return answers, known
