"""Recognize the faces of a picture; used for photos, folders, videos, the webcam and the command line."""

import os
import threading
from collections.abc import Sequence

import numpy as np

from fer.faces import Detection, Face
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import ModelInfo
from fer.model.classifier import AUTO, Classifier
from fer.model.prior import EVERYDAY
from fer.recognition.detector import FaceDetector
from fer.recognition.quality import mean_luma


class Recognizer:
    """A detector and a classifier behind one lock, to be shared by all threads of a process."""

    def __init__(self, detector: FaceDetector, classifier: Classifier, lock: "threading.Lock | None" = None) -> None:
        """Wrap a detector and a classifier. Recognizers that share a detector must share a lock."""
        self.detector = detector
        self.classifier = classifier
        # Two networks at the same time on the same cores are much slower than one after the other.
        self.lock = lock or threading.Lock()

    @classmethod
    def load(
        cls,
        checkpoint: str | os.PathLike[str] = DEFAULT_CHECKPOINT,
        device: str = "cpu",
        faces: str = EVERYDAY,
        runtime: str = AUTO,
        threads: int | None = None,
    ) -> "Recognizer":
        """Load the detector and a model file.

        Args:
            checkpoint: the model file.
            device: where to compute.
            faces: the kind of faces to expect, one of `KINDS_OF_FACES`.
            runtime: see `Classifier.load`.
            threads: see `Classifier.load`.

        Raises:
            CheckpointError: the file is missing, damaged, not made by this package, or does not support these faces.
            FerError: see `Classifier.load`.
        """
        classifier = Classifier.load(checkpoint, device, runtime, threads).for_faces(faces)
        return cls(FaceDetector(device, threads or 1), classifier)

    def for_video(self) -> "Recognizer":
        """Return a recognizer with the faster classifier, see `Classifier.reduced`; detector and lock are shared."""
        return Recognizer(self.detector, self.classifier.reduced(), self.lock)

    def for_faces(self, kind: str) -> "Recognizer":
        """Return a recognizer for a kind of faces, see `Classifier.for_faces`; everything but the reading is shared."""
        return Recognizer(self.detector, self.classifier.for_faces(kind), self.lock)

    @property
    def info(self) -> ModelInfo:
        """The model's header."""
        return self.classifier.info

    def recognize(self, image: np.ndarray, smallest_face: float | None = None) -> list[Face]:
        """Find all faces of a picture and read their expressions, in reading order.

        Args:
            image: RGB uint8 (H, W, 3).
            smallest_face: see `FaceDetector.detect`.

        Returns:
            The faces; an empty list if there are none.

        Raises:
            ImageError: the array is not an RGB picture.
        """
        return self.classify(image, self.detect(image, smallest_face))

    def detect(self, image: np.ndarray, smallest_face: float | None = None) -> list[Detection]:
        """Detect faces only, see `FaceDetector.detect`."""
        with self.lock:
            return self.detector.detect(image, smallest_face)

    def look_again(self, image: np.ndarray, detection: Detection) -> Detection:
        """Return a detected face with its `score_again`, see `FaceDetector.look_again`."""
        with self.lock:
            return self.detector.look_again(image, detection)

    def classify(self, image: np.ndarray, detections: list[Detection]) -> list[Face]:
        """Read the expressions of detected faces, all in one batch."""
        if not detections:
            return []
        return self.name(detections, np.stack([self.network_input(image, detection) for detection in detections]))

    def name(self, detections: Sequence[Detection], pixels: np.ndarray) -> list[Face]:
        """Read the expressions of faces in one batch; they may be from different pictures.

        Args:
            detections: n faces.
            pixels: their `network_input`, uint8 (n, channels, size, size).
        """
        with self.lock:
            rows, opinions = self.classifier.with_opinions(pixels)
        return [
            Face(
                detection.box,
                detection.landmarks,
                detection.score,
                score_again=detection.score_again,
                labels=self.info.labels,
                probabilities=tuple(row.tolist()),
                luma=mean_luma(face),
                opinions=(tuple(both[0].tolist()), tuple(both[1].tolist())) if both is not None else None,
            )
            for detection, face, row, both in zip(
                detections, pixels, rows, [None] * len(rows) if opinions is None else opinions, strict=True
            )
        ]

    def network_input(self, image: np.ndarray, detection: Detection) -> np.ndarray:
        """Return the network's input for a face, uint8 (channels, size, size)."""
        preprocessing = self.info.preprocessing
        return preprocessing.shrink(preprocessing.crop(image, detection))
