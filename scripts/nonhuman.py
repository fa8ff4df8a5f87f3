"""Measure which faces are flagged as possibly not human: on pictures without people, and on photos of people.

    python scripts/nonhuman.py --people data/photos FOLDER…

Each folder has pictures without people: animals, toys, things, textures. Drawn animals and scikit-image's pictures are
added. Each picture is shown to the detector many times, cropped, rotated, enlarged, blurred, darkened, since few are
taken for faces at first; those that are count. On a photo of people the largest face counts, in its own size and two
smaller ones.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

from fer.cli.command import tells_errors
from fer.errors import ImageError
from fer.faces import Detection
from fer.images import IMAGE_SUFFIXES, read_image, shrink_to_fit
from fer.recognition.detector import FaceDetector

Image = npt.NDArray[np.uint8]
SEEN_PX = 320
"""Longest side of a picture without people as the detector sees it."""
WITHOUT_PEOPLE = ("brick", "chelsea", "coffee", "coins", "colorwheel", "grass", "gravel", "hubble_deep_field",
                  "immunohistochemistry", "moon", "page", "retina", "text")  # fmt: skip
SMALLER_PX = (36, 80)
"""Heights of people's faces, besides their own."""


def drawn_animal(random: np.random.Generator) -> Image:
    """Draw a cat, bear or owl from the front, RGB uint8 (240, 240, 3)."""
    coat, ground = (tuple(random.integers(30, 230, 3).tolist()) for _ in range(2))
    image = np.full((240, 240, 3), ground, np.uint8)
    ear, eye, wide = random.integers(25, 45), random.integers(7, 20), random.integers(60, 85)
    for side in (-1, 1):
        x = int(120 + side * wide * 0.7)
        if random.random() < 0.5:
            cv2.fillPoly(image, [np.array([[x - ear, 90], [x + ear, 90], [x + side * 15, 25]])], coat)
        else:
            cv2.circle(image, (x, 65), int(ear), coat, -1)
    cv2.ellipse(image, (120, 130), (int(wide), 72), 0, 0, 360, coat, -1)
    for side in (-1, 1):
        x = int(120 + side * wide * 0.45)
        cv2.circle(image, (x, 115), int(eye), (245, 240, 220), -1)
        cv2.circle(image, (x, 115), int(eye * 0.6), (10, 10, 10), -1)
    cv2.ellipse(image, (120, 165), (int(wide * 0.5), 26), 0, 0, 360, (230, 220, 205), -1)
    cv2.fillPoly(image, [np.array([[106, 148], [134, 148], [120, 162]])], (40, 25, 25))
    for x in (108, 132):
        cv2.ellipse(image, (x, 166), (12, 9), 0, 0, 180, (40, 25, 25), 2)
    return image


def variants(image: Image, random: np.random.Generator, count: int) -> Iterator[Image]:
    """Yield a picture, then changed parts of it: RGB uint8 (h, w, 3), at most `SEEN_PX` long."""
    yield shrink_to_fit(image, SEEN_PX)
    height, width = image.shape[:2]
    for _ in range(count):
        part = random.uniform(0.3, 1)
        x, y = (random.uniform(0, (1 - part) * length) for length in (width, height))
        scale = SEEN_PX / (part * max(height, width))
        matrix = cv2.getRotationMatrix2D((x + part * width / 2, y + part * height / 2), random.uniform(-25, 25), scale)
        matrix[:, 2] -= scale * x, scale * y
        size_wh = [max(round(scale * part * length), 1) for length in (width, height)]
        seen = cv2.warpAffine(image, matrix, size_wh, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        seen = cv2.GaussianBlur(seen, (0, 0), random.uniform(0.3, 6))
        yield np.clip(seen * random.uniform(0.5, 1.4) + random.uniform(-20, 20), 0, 255).astype(np.uint8)


def to_rgb(image: Image) -> Image:
    """Convert gray to RGB, uint8 (H, W) → (H, W, 3)."""
    return np.stack([image] * 3, axis=-1) if image.ndim == 2 else image[..., :3]


def pictures(folder: Path) -> Iterator[Image]:
    """Yield the readable pictures in a folder and its subfolders."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in IMAGE_SUFFIXES:
            try:
                yield read_image(path)
            except ImageError as error:
                print(error, file=sys.stderr)


def told(faces: list[Detection]) -> str:
    """Return how many of the faces are flagged as possibly not human, as text."""
    flagged = sum(not face.looks_human for face in faces)
    return f"{flagged:5} of {len(faces):5}  {100 * flagged / max(len(faces), 1):5.1f} %"


def people(detector: FaceDetector, folder: Path) -> dict[str, list[Detection]]:
    """Return the largest face of each photo, by its displayed size."""
    found: dict[str, list[Detection]] = {name: [] for name in ("as they are", *(f"{px} pixels" for px in SMALLER_PX))}
    for image in pictures(folder):
        for name, px in zip(found, (0, *SMALLER_PX), strict=True):
            scale = px / found["as they are"][-1].box.height if px else 1.0
            if scale > 1:
                continue
            seen = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            faces = detector.detect(np.asarray(seen, np.uint8))
            if not faces and not px:
                break
            found[name] += sorted(faces, key=lambda face: face.box.height)[-1:]
    return found


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER", help="pictures without people")
    parser.add_argument("--people", type=Path, metavar="DIR", help="photos of people")
    parser.add_argument("--variants", type=int, default=20, metavar="N", help="variants of each picture (%(default)s)")
    parser.add_argument("--drawn", type=int, default=100, metavar="N", help="number of drawn animals (%(default)s)")
    return parser.parse_args(arguments)


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Measure and print a line for each source; return the exit code."""
    options = parse_arguments(arguments)
    detector, random = FaceDetector(), np.random.default_rng(0)
    sources: dict[str, Iterator[Image]] = {
        "drawn animals": (drawn_animal(random) for _ in range(options.drawn)),
        "scikit-image": map(to_rgb, (getattr(skimage.data, name)() for name in WITHOUT_PEOPLE)),
        **{str(folder): pictures(folder) for folder in options.folders},
    }
    print("detected faces that are flagged as possibly not human")
    every: list[Detection] = []
    for name, images in sources.items():
        found = [
            face
            for image in images
            for seen in variants(image, random, options.variants)
            for face in detector.detect(seen)
        ]
        every += found
        print(f"{told(found)}  {name}", flush=True)
    print(f"{told(every)}  all without people")
    if options.people:
        for name, found in people(detector, options.people).items():
            print(f"{told(found)}  people, {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
