"""MTCNN as implemented by facenet-pytorch: for GPUs, and as the reference for our own loop. Needs torch."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from facenet_pytorch import MTCNN

from fer.errors import ImageError
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
        self.look_again = Mtcnn().look_again  # a few small pictures, on the CPU

    def find(self, image: npt.NDArray[np.uint8], min_face_px: float) -> Candidates:
        """Find the faces, see `fer.recognition.mtcnn.Mtcnn.find`.

        Raises:
            ImageError: facenet-pytorch fails, as it does on some pictures with candidates of zero width.
        """
        if min(image.shape[:2]) < min_face_px:  # facenet-pytorch fails if no face fits
            return NOBODY
        self.mtcnn.min_face_size = min_face_px
        try:
            with torch.inference_mode():
                boxes, scores, landmarks = self.mtcnn.detect(image, landmarks=True)
        except (RuntimeError, IndexError, ValueError) as error:  # MTCNN miscounts candidates of zero width
            height, width = image.shape[:2]
            raise ImageError(f"the face detector failed on a picture of {width}x{height} pixels: {error}") from error
        if boxes is None:
            return NOBODY
        return Candidates(*(np.asarray(values, np.float32) for values in (boxes, scores, landmarks)))


def networks() -> dict[str, Any]:
    """Return the three networks by their names, on the CPU."""
    mtcnn = MTCNN()
    return {"pnet": mtcnn.pnet, "rnet": mtcnn.rnet, "onet": mtcnn.onet}
