"""Measure which faces are flagged as possibly not human: on pictures without people, and on photos of people.

    python scripts/nonhuman.py --people data/photos FOLDER…

Drawn animals and toys, and pictures that come with scikit-image and scikit-learn have no people; neither should the
pictures in each folder. Each is shown to the detector many times, cropped, rotated, enlarged, blurred, darkened, since
few are taken for faces at first; those that are count. On a photo of people the largest face counts, in its own size
and two smaller ones.

Every face also enters the picture in a short video, and counts when it is first detected and at the end.
"""

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data
from sklearn.datasets import load_sample_images

from fer.cli.command import tells_errors
from fer.errors import ImageError
from fer.faces import Detection
from fer.images import IMAGE_SUFFIXES, read_image, shrink_to_fit
from fer.recognition.detector import FaceDetector
from fer.recognition.recognizer import Recognizer
from fer.video.follow import Follower
from fer.video.settings import VideoSettings

Image = npt.NDArray[np.uint8]
Seen = tuple[Image, Detection]
"""A picture and a face in it."""
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


def drawn_toy(random: np.random.Generator) -> Image:
    """Draw a robot from the front, RGB uint8 (240, 240, 3)."""
    metal, ground, light = (tuple(random.integers(30, 230, 3).tolist()) for _ in range(3))
    image = np.full((240, 240, 3), ground, np.uint8)
    wide, high, eye = (int(random.integers(*bounds)) for bounds in ((50, 80), (60, 85), (8, 20)))
    cv2.line(image, (120, 120 - high), (120, 15), metal, 6)
    cv2.circle(image, (120, 15), 9, light, -1)
    cv2.rectangle(image, (120 - wide, 125 - high), (120 + wide, 125 + high), metal, -1)
    for side in (-1, 1):
        x = int(120 + side * wide * 0.45)
        if random.random() < 0.5:
            cv2.rectangle(image, (x - eye, 110 - eye), (x + eye, 110 + eye), (250, 250, 235), -1)
        else:
            cv2.circle(image, (x, 110), eye, (250, 250, 235), -1)
        cv2.circle(image, (x, 110), int(eye * 0.5), (15, 15, 20), -1)
    cv2.rectangle(image, (115, 125), (125, 145), light, -1)
    cv2.rectangle(image, (120 - wide // 2, 160), (120 + wide // 2, 180), (20, 20, 25), -1)
    for x in range(120 - wide // 2, 120 + wide // 2, 12):
        cv2.line(image, (x, 160), (x, 180), (235, 235, 235), 2)
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


def package_pictures() -> list[Image]:
    """Return pictures without people that come with packages, RGB uint8 (H, W, 3)."""
    images = [*(getattr(skimage.data, name)() for name in WITHOUT_PEOPLE), *load_sample_images().images]
    return [np.stack([image] * 3, axis=-1) if image.ndim == 2 else image[..., :3] for image in images]


def crops(images: list[Image], random: np.random.Generator, count: int) -> Iterator[Image]:
    """Yield small squares of pictures: RGB uint8 (side, side, 3)."""
    for _ in range(count):
        image = images[random.integers(len(images))]
        side = random.integers(40, 160)
        top, left = (random.integers(length - side + 1) for length in image.shape[:2])
        yield image[top : top + side, left : left + side]


def pictures(folder: Path) -> Iterator[Image]:
    """Yield the readable pictures in a folder and its subfolders."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in IMAGE_SUFFIXES:
            try:
                yield read_image(path)
            except ImageError as error:
                print(error, file=sys.stderr)


def entering(recognizer: Recognizer, image: Image, face: Detection) -> list[Detection]:
    """Return a face that moves into the picture from the left: its first and its last detection, if there are any."""
    follower, settings = Follower(), VideoSettings(detections_per_second=2)
    found: list[Detection] = []
    for number, outside in enumerate(np.arange(0.6, -0.31, -0.15)):
        matrix = np.array([[1, 0, -face.box.x1 - outside * face.box.width], [0, 1, 0]])
        frame = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        place = face.box.width * (0.5 - outside), face.box.center[1]
        faces = follower.see(recognizer, np.asarray(frame, np.uint8), number / 2, settings)
        found += [one for one in faces if math.dist(one.box.center, place) < face.box.width / 2]
    return [found[0], found[-1]] if found else []


def told(faces: Sequence[Detection]) -> str:
    """Return how many of the faces are flagged as possibly not human, as text."""
    flagged = sum(not face.looks_human for face in faces)
    return f"{flagged:5} of {len(faces):5}  {100 * flagged / max(len(faces), 1):5.1f} %"


def nobody(detector: FaceDetector, images: Iterable[Image], random: np.random.Generator, count: int) -> Iterator[Seen]:
    """Yield the faces in pictures without people, each with the variant of the picture that it is in."""
    for image in images:
        for seen in variants(image, random, count):
            yield from ((seen, face) for face in detector.detect(seen))


def people(detector: FaceDetector, images: Iterable[Image]) -> Iterator[Seen]:
    """Yield each photo with its largest face, if there is one."""
    for image in images:
        if faces := detector.detect(image):
            yield image, max(faces, key=lambda face: face.box.height)


def smaller(detector: FaceDetector, image: Image, face: Detection, height_px: int) -> list[Detection]:
    """Return the largest face of a photo as it is detected at this height; none if it is not that high."""
    scale = height_px / face.box.height
    if scale > 1:
        return []
    seen = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return sorted(detector.detect(np.asarray(seen, np.uint8)), key=lambda one: one.box.height)[-1:]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER", help="pictures without people")
    parser.add_argument("--people", type=Path, metavar="DIR", help="photos of people")
    parser.add_argument("--variants", type=int, default=20, metavar="N", help="variants of each picture (%(default)s)")
    parser.add_argument(
        "--drawn", type=int, default=100, metavar="N", help="drawn animals, toys, and crops, each (%(default)s)"
    )
    return parser.parse_args(arguments)


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Measure and print a line for each source; return the exit code."""
    options = parse_arguments(arguments)
    recognizer, random, images = Recognizer.load().for_video(), np.random.default_rng(0), package_pictures()
    detector = recognizer.detector
    sources: dict[str, Iterable[Image]] = {
        "drawn animals": (drawn_animal(random) for _ in range(options.drawn)),
        "drawn toys": (drawn_toy(random) for _ in range(options.drawn)),
        "pictures of packages": images,
        "small crops of them": crops(images, random, options.drawn),
        **{str(folder): pictures(folder) for folder in options.folders},
    }
    print("detected faces that are flagged as possibly not human")
    every: list[Detection] = []
    videos: list[Detection] = []
    for name, source in sources.items():
        faces = []
        for image, face in nobody(detector, source, random, options.variants):
            faces.append(face)
            videos += entering(recognizer, image, face)
        every += faces
        print(f"{told(faces)}  {name}", flush=True)
    print(f"{told(every)}  all without people")
    tell_entering(videos)
    if options.people:
        faces, videos = [], []
        small: dict[int, list[Detection]] = {px: [] for px in SMALLER_PX}
        for image, face in people(detector, pictures(options.people)):
            faces.append(face)
            videos += entering(recognizer, image, face)
            for px, those in small.items():
                those += smaller(detector, image, face, px)
        print(f"{told(faces)}  people")
        for px, those in small.items():
            print(f"{told(those)}  people, {px} pixels")
        tell_entering(videos)
    return 0


def tell_entering(videos: Sequence[Detection]) -> None:
    """Print the lines of all that `entering` returned."""
    print(f"{told(videos[::2])}  the same entering a video, at first")
    print(f"{told(videos[1::2])}  the same entering a video, at the end")


if __name__ == "__main__":
    sys.exit(main())
