"""Find every face in pictures or a video and name its expression.

    python scripts/predict.py --image photo.jpg holiday/
    python scripts/predict.py --image holiday/ --csv faces.csv --output annotated/
    python scripts/predict.py --video clip.mov --output faces.mp4 --csv faces.csv --subtitles faces.srt

Exit code: 0 done; 1 a picture, the video or the model could not be read (other pictures, and what of the video could be
read, are done all the same); 130 a video was stopped by Ctrl-C or SIGTERM, with what was seen up to there.
"""

import argparse
import io
import itertools
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from fer.display import clip_command
from fer.display.tables import PictureResult, to_csv, to_json
from fer.errors import FerError, ImageError
from fer.faces import Face, describe
from fer.images import IMAGE_SUFFIXES, encode_png, list_images, read_image
from fer.model import DEFAULT_CHECKPOINT
from fer.video.files import VideoFile
from fer.video.mp4 import Mp4Writer

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer
    from fer.video.clip import ClipAnalysis, ClipOptions


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--image", nargs="+", type=Path, metavar="PATH", help="pictures, or folders of them")
    source.add_argument("--video", type=Path, metavar="FILE", help="a video")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write a table with a line for each face")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE_OR_DIR",
        help="also write annotated pictures: a .png file for one, a folder for any; of a video an .mp4 file",
    )
    clip_command.add_arguments(parser)
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, metavar="FILE", help="(the one shipped)")
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
    if options.video:
        return clip_command.predict_video(options, partial(_analysis, options))
    paths = list_images(options.image)
    if not paths:
        print(f"error: expected pictures, found none in {', '.join(map(str, options.image))}.", file=sys.stderr)
        return 1
    try:
        recognizer = _load(options)
        outputs = _output_paths(paths, options.output)
        shown = zip(paths, outputs, strict=True)
        results = [
            _predict(recognizer, path, output)
            for path, output in tqdm(shown, total=len(paths), disable=None, leave=False)
        ]
        print(to_json(results) if options.json else "\n".join(_table(results)))
        if options.csv:
            options.csv.parent.mkdir(parents=True, exist_ok=True)
            table = to_csv(results, recognizer.info.labels)
            options.csv.write_text(table, encoding="utf-8", errors="backslashreplace", newline="")
    except (FerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if any(result.error for result in results) else 0


def _load(options: argparse.Namespace) -> "Recognizer":
    # After the options are known to be right, since it takes seconds.
    from fer.model.device import choose_device
    from fer.recognition.recognizer import Recognizer

    return Recognizer.load(options.checkpoint, choose_device(options.device))


def _analysis(
    options: argparse.Namespace, file: VideoFile, chosen: "ClipOptions", writer: Mp4Writer | None
) -> "ClipAnalysis":
    import torch

    from fer.display.overlay import draw_live
    from fer.video.clip import ClipAnalysis

    torch.set_num_threads(1)  # as on the page: decoding, drawing and writing go on beside the model
    return ClipAnalysis(file, _load(options).for_video(), chosen, writer, draw_live)


def _predict(recognizer: "Recognizer", path: Path, output: Path | None) -> PictureResult:
    """Recognize one picture and write its annotated copy; what is wrong with it goes to standard error as well."""
    from fer.display.drawing import draw_faces

    faces: tuple[Face, ...] = ()
    try:
        image = read_image(path)
        faces = tuple(recognizer.recognize(image))
        if output:
            output.write_bytes(encode_png(draw_faces(image, faces)))
    except (ImageError, OSError) as error:
        reason = str(error) if str(path) in str(error) else f"{path}: {error}"
        print(f"error: {reason}", file=sys.stderr)
        return PictureResult(str(path), faces, error=reason)
    return PictureResult(str(path), faces)


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
