"""Find every face in photos or a video and recognize its expression.

    fer-studio predict --image photo.jpg holiday/
    fer-studio predict --image holiday/ --csv faces.csv --output annotated/
    fer-studio predict --image photo.jpg --explain why.html
    fer-studio predict --image archive/ --engine ray --parquet tables/
    fer-studio predict --video clip.mov --output faces.mp4 --csv faces.csv --subtitles faces.srt

An interrupted command that writes files resumes when you run it again: finished photos are kept beside the output until
all are done.

Exit code: 0 done; 1 a photo, the video or the model could not be read (everything readable is still processed); 130
stopped by Ctrl-C or SIGTERM (a video is written up to that point).
"""

import argparse
import contextlib
import sys
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from pathlib import Path

from tqdm import tqdm

from fer.cli import video
from fer.cli.arguments import add_model_arguments, load_recognizer
from fer.cli.command import STOPPED_CODE, command_parser, say, tells_errors
from fer.errors import ImageError, without_secrets
from fer.faces import describe
from fer.files import free_path, real_path
from fer.images import IMAGE_SUFFIXES, list_images, read_image
from fer.model.checkpoint import ModelInfo, model_sha256, read_info
from fer.names import printable
from fer.results.journal import Finished, PictureTask, forget_results, open_results
from fer.results.parquet import write_parquet
from fer.results.pictures import PictureResult, concern_words, to_csv, to_json


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command_parser("predict", __doc__, arguments)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--image", nargs="+", type=Path, metavar="PATH", help="pictures, or folders of pictures")
    source.add_argument("--video", type=Path, metavar="FILE", help="a video")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write a CSV file with a row for each face")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE_OR_DIR",
        help="also write annotated copies: a .png file for one photo, a folder for several, an .mp4 file for a video",
    )
    add_model_arguments(parser)
    pictures, videos = parser.add_argument_group("pictures"), parser.add_argument_group("videos")
    _add_picture_arguments(pictures)
    video.add_arguments(videos)
    options = parser.parse_args(arguments)
    other, group = ("--video", videos) if options.image else ("--image", pictures)
    for action in group._group_actions:
        if getattr(options, action.dest) != action.default:
            parser.error(f"{action.option_strings[0]} requires {other}")
    return options


def _add_picture_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the options for pictures only."""
    group.add_argument(
        "--explain",
        type=Path,
        metavar="FILE",
        help="also write a page (.html) that explains each face's expression: a heat map, and what changes when parts "
        "of the face are covered",
    )
    group.add_argument(
        "--parquet", type=Path, metavar="DIR", help="write faces.parquet and pictures.parquet instead of a table"
    )
    group.add_argument(
        "--results",
        type=Path,
        metavar="FILE",
        help="keep the result of each picture there (JSON lines) and skip pictures that it already contains",
    )
    group.add_argument("--workers", type=int, metavar="N", help="threads, or Ray processes (one per core)")
    group.add_argument(
        "--engine", choices=("threads", "ray"), default="threads", help="what runs in parallel (threads)"
    )
    group.add_argument("--ray-address", default="local", metavar="ADDRESS", help="a running Ray cluster (start one)")


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    options = parse_arguments(arguments)
    if options.csv and options.csv.is_dir():
        raise ImageError(f"expected a file for --csv, found the folder {options.csv}. Add a file name.")
    if options.explain and options.explain.suffix.lower() not in (".html", ".htm"):
        raise ImageError(f"expected --explain to end with .html, got {options.explain}. Change the suffix.")
    if options.video:
        return video.predict_video(options)
    paths = list_images(options.image)
    if not paths:
        raise ImageError(f"expected pictures, found none in {', '.join(map(str, options.image))}. Check the path.")
    places = zip(paths, _output_paths(paths, options.output), strict=True)
    try:
        return _predict(options, [PictureTask(path, without_secrets(str(path)), output) for path, output in places])
    except KeyboardInterrupt:
        goes_on = "" if _results_path(options) is None else " Run the same command again to resume."
        say(f"interrupted.{goes_on}", aside=True)
        return STOPPED_CODE


def _predict(options: argparse.Namespace, pictures: list[PictureTask]) -> int:
    """Process the remaining pictures, and show all results."""
    info = read_info(options.checkpoint).read_for(options.faces)
    place = _results_path(options)
    failed = 0
    with open_results(place, pictures, f"{model_sha256(options.checkpoint)} {options.faces}") as known:
        missing = known.missing()
        progress = tqdm(total=len(pictures), initial=len(pictures) - len(missing), disable=None, leave=False)
        with progress, contextlib.closing(_recognized(options, missing)) as recognized:
            for finished in recognized:
                known.add(finished)
                progress.update()
                if finished.result.error is not None:
                    failed += 1
                    progress.write(f"error: {printable(finished.result.error)}", file=sys.stderr)
        if options.parquet:
            write_parquet(options.parquet, known.results(), info.labels, info.unsure_below)
        if options.explain:
            _explain(options, known.results())
        if options.csv or not options.parquet or options.json:
            _show(options, list(known.results()), info)  # last: whoever reads the output may quit early
    for written in filter(None, (options.parquet, options.csv, options.explain, options.output)):
        say(f"written to {written}", aside=True)
    if place and place != options.results:
        forget_results(place)  # everything is done
    return 1 if failed else 0


def _recognized(options: argparse.Namespace, pictures: list[PictureTask]) -> Generator[Finished, None, None]:
    """Recognize pictures, annotated copies included, with the chosen engine."""
    if not pictures:
        return
    # Imported only if there is something to do, since it takes seconds.
    if options.engine == "ray":
        from fer.collection.ray_engine import recognize_with_ray
        from fer.model.device import choose_device

        device = choose_device(options.device)
        yield from recognize_with_ray(
            pictures, options.checkpoint, device, options.faces, options.runtime, options.ray_address, options.workers
        )
        return
    from fer.collection.pipeline import recognize_pictures, write_whole

    recognizer = load_recognizer(options)
    finish = partial(write_whole, recognizer.info.unsure_below) if options.output else None
    yield from recognize_pictures(recognizer, pictures, finish, options.workers)


def _show(options: argparse.Namespace, results: list[PictureResult], info: ModelInfo) -> None:
    unsure_below = info.unsure_below
    if options.csv:
        options.csv.parent.mkdir(parents=True, exist_ok=True)
        table = to_csv(results, info.labels, unsure_below)
        options.csv.write_text(table, encoding="utf-8", errors="backslashreplace", newline="")
    if options.json:
        print(to_json(results, unsure_below))
    else:
        say("\n".join(_table(results, unsure_below)))


def _results_path(options: argparse.Namespace) -> Path | None:
    """Return where results are kept until all are done: beside the output. None if nothing is written."""
    if options.results:
        return options.results
    if options.csv and not options.csv.is_symlink():  # such as /dev/stdout
        return options.csv.with_name(f".{options.csv.name}.results")
    if options.parquet:
        return options.parquet / ".results"
    return options.output / ".results" if options.output and options.output.suffix.lower() != ".png" else None


def _explain(options: argparse.Namespace, results: Iterable[PictureResult]) -> None:
    """Write the page that explains each face's expression."""
    from fer.recognition.explain import explain
    from fer.reports.explanation import explanation_page, explanation_section

    recognizer = load_recognizer(options)
    preprocessing = recognizer.info.preprocessing
    sections = []
    for result in tqdm(results, desc="explaining", disable=None, leave=False):
        if not result.faces:
            continue
        image = read_image(result.path)
        for number, face in enumerate(result.faces, start=1):
            crop = preprocessing.crop(image, face)
            explanation = explain(recognizer, face, preprocessing.shrink(crop))
            sections.append(explanation_section(f"{result.path}, face {number}", explanation, crop))
    options.explain.parent.mkdir(parents=True, exist_ok=True)
    options.explain.write_text(explanation_page(sections), encoding="utf-8", errors="backslashreplace")


def _output_paths(paths: list[Path], output: Path | None) -> list[Path | None]:
    """Return where each annotated picture goes; no two share a path and none overwrites an input."""
    if output is None:
        return [None] * len(paths)
    taken = {real_path(path) for path in paths}
    if output.suffix.lower() in IMAGE_SUFFIXES and not output.is_dir():
        if len(paths) > 1:
            raise ImageError(
                f"expected --output to be a folder for {len(paths):,} pictures, got {output}. Remove the suffix."
            )
        if output.suffix.lower() != ".png":
            raise ImageError(f"expected --output to end with .png, got {output}. Annotated pictures are PNG files.")
        if real_path(output) in taken:
            raise ImageError(f"expected --output to differ from the picture, got {output} for both. Choose another.")
        return [output]
    output.mkdir(parents=True, exist_ok=True)
    chosen: list[Path | None] = []
    for path in paths:
        place = free_path(output / f"{path.stem}.png", lambda place: real_path(place) in taken)
        taken.add(real_path(place))
        chosen.append(place)
    return chosen


def _table(results: list[PictureResult], unsure_below: float) -> Iterator[str]:
    names = [printable(result.path) for result in results]
    width = max(map(len, names))
    for path, result in zip(names, results, strict=True):
        if result.error is not None:
            yield f"{path:{width}}  cannot be read"
        elif not result.faces:
            yield f"{path:{width}}  no face"
        for number, face in enumerate(result.faces, start=1):
            box = ", ".join(f"{value:.0f}" for value in face.box.xyxy)
            name = path if number == 1 else ""
            words = concern_words(face, unsure_below)
            yield f"{name:{width}}  face {number}  {describe(face):32}  box {box:20}  {words}".rstrip()
