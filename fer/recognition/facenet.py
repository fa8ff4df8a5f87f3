"""MTCNN as implemented by facenet-pytorch: for GPUs, and as the reference for our own loop. Needs torch."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from facenet_pytorch import MTCNN

from fer.recognition.mtcnn import Candidates, Mtcnn

NOBODY = Candidates(*(np.empty(shape, np.float32) for shape in ((0, 4), 0, (0, 5, 2))))


class FacenetMtcnn:
    """facenet-pytorch's loop and networks. Not thread-safe."""

    def __init__(self, device: str = "cpu") -> None:
        """Load the three networks onto a device."""
        self.mtcnn = MTCNN(keep_all=True, select_largest=False, device=device)
        for network in (self.mtcnn.pnet, self.mtcnn.rnet, self.mtcnn.onet):
            # Max-pooling in the default layout is not vectorized on CPUs and took half of the total time.
            network.to(memory_format=torch.channels_last)
        self._ours = Mtcnn()
        self.look_again = self._ours.look_again  # a few small pictures, on the CPU

    def find(self, image: npt.NDArray[np.uint8], min_face_px: float) -> Candidates:
        """Find the faces, see `fer.recognition.mtcnn.Mtcnn.find`, which takes the pictures on which this loop fails."""
        self.mtcnn.min_face_size = min_face_px
        try:
            with torch.inference_mode():
                boxes, scores, landmarks = self.mtcnn.detect(image, landmarks=True)
        except (RuntimeError, IndexError, ValueError):  # no face fits, or it miscounts candidates of zero width
            return self._ours.find(image, min_face_px)
        if boxes is None:
            return NOBODY
        return Candidates(*(np.asarray(values, np.float32) for values in (boxes, scores, landmarks)))


def networks() -> dict[str, Any]:
    """Return the three networks by their names, on the CPU."""
    mtcnn = MTCNN()
    return {"pnet": mtcnn.pnet, "rnet": mtcnn.rnet, "onet": mtcnn.onet}
