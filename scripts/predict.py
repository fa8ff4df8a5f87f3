"""Find every face in pictures and name its expression.

    python scripts/predict.py --image photo.jpg holiday/
    python scripts/predict.py --image holiday/ --csv faces.csv --output annotated/
    python scripts/predict.py --image photo.jpg --explain why.html

Exit code: 0 done, 1 a picture (the others are done all the same) or the model could not be read.
"""

import argparse
import io
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from fer.display.tables import PictureResult, to_csv, to_json
from fer.errors import FerError, ImageError
from fer.faces import Face, describe
from fer.images import IMAGE_SUFFIXES, encode_png, list_images, read_image
from fer.model import DEFAULT_CHECKPOINT, model_file
from fer.model.prior import EVERYDAY, KINDS_OF_FACES

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--image", required=True, nargs="+", type=Path, metavar="PATH", help="pictures, or folders of them"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write a table with a line for each face")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE_OR_DIR",
        help="also write annotated pictures: a .png file for one, a folder for any",
    )
    parser.add_argument(
        "--explain",
        type=Path,
        metavar="FILE",
        help="also write a page (.html) that shows why each face got its expression: a heat map, and what changes if a "
        "part of the face is covered",
    )
    parser.add_argument(
        "--checkpoint", type=model_file, default=DEFAULT_CHECKPOINT, metavar="FILE",
        help="a model file, or shipped-fer2013 (shipped: FER+, eight expressions)",
    )  # fmt: skip
    parser.add_argument(
        "--faces", choices=KINDS_OF_FACES, default=EVERYDAY,
        help="posed or acted faces are neutral less often than the model expects (everyday)",
    )  # fmt: skip
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps (cpu)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Predict; return the exit code."""
    options = parse_arguments(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may have characters that the terminal has not
    if options.csv and options.csv.is_dir():
        print(f"error: expected a file to write the table to, found the folder {options.csv}.", file=sys.stderr)
        return 1
    if options.explain and options.explain.suffix.lower() not in (".html", ".htm"):
        print(f"error: expected --explain to end with .html, got {options.explain}. It is a page.", file=sys.stderr)
        return 1
    paths = list_images(options.image)
    if not paths:
        print(f"error: expected pictures, found none in {', '.join(map(str, options.image))}.", file=sys.stderr)
        return 1
    # After the options are known to be right, since it takes seconds.
    from fer.model.device import choose_device
    from fer.recognition.recognizer import Recognizer

    try:
        recognizer = Recognizer.load(options.checkpoint, choose_device(options.device), options.faces)
        outputs = _output_paths(paths, options.output)
        shown = zip(paths, outputs, strict=True)
        explained: list[str] | None = [] if options.explain else None
        results = [
            _predict(recognizer, path, output, explained)
            for path, output in tqdm(shown, total=len(paths), disable=None, leave=False)
        ]
        print(to_json(results) if options.json else "\n".join(_table(results)))
        if explained is not None:
            from fer.display.explanation import explanation_page

            options.explain.parent.mkdir(parents=True, exist_ok=True)
            options.explain.write_text(explanation_page(explained), encoding="utf-8", errors="backslashreplace")
        if options.csv:
            options.csv.parent.mkdir(parents=True, exist_ok=True)
            table = to_csv(results, recognizer.info.labels)
            options.csv.write_text(table, encoding="utf-8", errors="backslashreplace", newline="")
    except (FerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if any(result.error for result in results) else 0


def _predict(recognizer: "Recognizer", path: Path, output: Path | None, explained: list[str] | None) -> PictureResult:
    """Recognize one picture, write its annotated copy, and explain its faces if there is a list to put that into.

    What is wrong with it goes to standard error as well.
    """
    from fer.display.drawing import draw_faces

    faces: tuple[Face, ...] = ()
    try:
        image = read_image(path)
        faces = tuple(recognizer.recognize(image))
        if output:
            output.write_bytes(encode_png(draw_faces(image, faces, threshold=recognizer.info.unsure_below)))
        if explained is not None:
            explained += _explain(recognizer, path, image, faces)
    except (ImageError, OSError) as error:
        reason = str(error) if str(path) in str(error) else f"{path}: {error}"
        print(f"error: {reason}", file=sys.stderr)
        return PictureResult(str(path), faces, error=reason)
    return PictureResult(str(path), faces)


def _explain(recognizer: "Recognizer", path: Path, image: np.ndarray, faces: Sequence[Face]) -> Iterator[str]:
    """Say of each face why it got its expression, in a section of a page."""
    from fer.display.explanation import explanation_section
    from fer.recognition.explain import explain

    preprocessing = recognizer.info.preprocessing
    for number, face in enumerate(faces, start=1):
        crop = preprocessing.crop(image, face)
        explanation = explain(recognizer, face, preprocessing.shrink(crop))
        yield explanation_section(f"{path}, face {number}", explanation, crop)


def _output_paths(paths: list[Path], output: Path | None) -> list[Path | None]:
    """Return where each annotated picture goes, no two to the same place and none over a picture that is read."""
    if output is None:
        return [None] * len(paths)
    taken = {path.resolve() for path in paths}
    if len(paths) == 1 and output.suffix.lower() in IMAGE_SUFFIXES and not output.is_dir():
        if output.suffix.lower() != ".png":
            raise ImageError(f"expected --output to end with .png, got {output}. Annotated pictures are PNG files.")
        if output.resolve() in taken:
            raise ImageError(f"expected --output to be another file than the picture, got {output} for both.")
        return [output]
    output.mkdir(parents=True, exist_ok=True)
    chosen: list[Path | None] = []
    for path in paths:
        names = (f"{path.stem}{suffix}.png" for suffix in itertools.chain([""], (f"-{n}" for n in itertools.count(2))))
        place = next(output / name for name in names if (output / name).resolve() not in taken)
        taken.add(place.resolve())
        chosen.append(place)
    return chosen


def _table(results: list[PictureResult]) -> Iterator[str]:
    width = max(len(result.path) for result in results)
    for result in results:
        if result.error is not None:
            yield f"{result.path:{width}}  cannot be read"
        elif not result.faces:
            yield f"{result.path:{width}}  no face"
        for number, face in enumerate(result.faces, start=1):
            box = ", ".join(f"{value:.0f}" for value in face.box.xyxy)
            name = result.path if number == 1 else ""
            yield f"{name:{width}}  face {number}  {describe(face):32}  box {box}"


if __name__ == "__main__":
    sys.exit(main())
