"""Small valid files of each kind, generated here, for `scripts/fuzz.py` to change.

A seed is a folder: relative path of each file → bytes.
"""

import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Seed = dict[str, bytes]

PHOTO = Path(__file__).parents[2] / "pages" / "parts" / "astronaut.jpg"
SIDE_PX = 112
"""Size of the pictures: large enough for face detection."""
VIDEO_WH, VIDEO_FRAMES = (64, 48), 12
CLASSES = ("angry", "happy", "sad")


def seeds_of(kind: str) -> list[Seed]:
    """Make the seeds of a kind, one of `SEEDS`; always the same, except for times and version numbers."""
    return SEEDS[kind]()


def tree(folder: Path) -> Seed:
    """Return all files in a folder, except locks."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fuzz-seeds-") as text:
        yield Path(text)


def _photo(side_px: int = SIDE_PX) -> Image.Image:
    return Image.open(PHOTO).convert("RGB").resize((side_px, side_px))


def _saved(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.copy().save(buffer, file_format, **options)  # encoders leave their settings in a picture
    return buffer.getvalue()


def pictures() -> list[Seed]:
    """Return a picture in each format and, for these, each pixel layout."""
    from pillow_heif import from_pillow

    photo = _photo()
    other = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    exif = photo.getexif()
    exif[274] = 6
    wide = np.asarray(photo.convert("L")).astype(np.uint16) * 16
    palette = photo.quantize(16)
    heic = io.BytesIO()
    from_pillow(photo).save(heic, quality=60)
    made = {
        "plain.png": _saved(photo, "PNG"),
        "palette.png": _saved(palette, "PNG", transparency=0),
        "deep.png": _saved(Image.fromarray(wide), "PNG"),
        "alpha.png": _saved(photo.convert("LA"), "PNG", icc_profile=b"no profile"),
        "animated.png": _saved(photo, "PNG", save_all=True, append_images=[other]),
        "plain.jpg": _saved(photo, "JPEG", exif=exif),
        "progressive.jpg": _saved(photo, "JPEG", progressive=True, comment=b"a comment"),
        "ink.jpg": _saved(photo.convert("CMYK"), "JPEG"),
        "pages.mpo": _saved(photo, "MPO", save_all=True, append_images=[other]),
        "plain.webp": _saved(photo, "WEBP"),
        "lossless.webp": _saved(photo.convert("RGBA"), "WEBP", lossless=True),
        "animated.webp": _saved(photo, "WEBP", save_all=True, append_images=[other]),
        "animated.gif": _saved(palette, "GIF", save_all=True, append_images=[other.quantize(8)]),
        "packed.tiff": _saved(photo, "TIFF", compression="tiff_lzw"),
        "float.tiff": _saved(Image.fromarray(wide.astype(np.float32)), "TIFF"),
        "jpeg.tiff": _saved(photo, "TIFF", compression="jpeg"),
        "pages.tiff": _saved(photo, "TIFF", save_all=True, append_images=[other.copy()]),
        "plain.bmp": _saved(photo, "BMP"),
        "palette.bmp": _saved(palette, "BMP"),
        "plain.avif": _saved(photo, "AVIF", speed=10),
        "plain.heic": heic.getvalue(),
        "plain.jp2": _saved(photo, "JPEG2000"),
        "plain.j2k": _saved(photo, "JPEG2000", no_jp2=True),
    }
    return [{name: data} for name, data in made.items()]


def archives() -> list[Seed]:
    """Return data sets: the content of a ZIP, in each layout; some are already packed, one is a tar."""
    sets = _datasets()
    loose: list[Seed] = [files for files in sets if len(files) > 1] + [files for files in sets if len(files) == 1]
    packed = [{"faces.zip": zipped(files, method)} for files in sets[:2] for method in _METHODS]
    with io.BytesIO() as buffer, tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in sets[0].items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        archive.close()
        return [*loose, *packed, {"faces.tar.gz": buffer.getvalue()}]


_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def zipped(files: Seed, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack a folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def _datasets() -> list[Seed]:
    rng = np.random.default_rng(0)

    def face(number: int) -> bytes:
        return _saved(Image.fromarray(rng.integers(0, 255, (24, 24), np.uint8)), "PNG" if number % 2 else "JPEG")

    numbered = [(label, number) for label in CLASSES for number in range(4)]
    classes = {f"{label}/subject{number:02}_{label}.png": face(number) for label, number in numbered}
    split = {
        f"{part}/{label}/{number}.jpg": face(number) for part in ("train", "test") for label, number in numbered[:6]
    }
    pixels = "\n".join(
        f"{number % 7},{' '.join(map(str, rng.integers(0, 255, 48 * 48)))},{usage}"
        for number, usage in enumerate(["Training", "PublicTest", "PrivateTest"] * 3)
    )
    votes = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n" + "".join(
        f"Training,fer{number:07}.png,{number % 9},4,1,0,0,0,0,0,1,0\n" for number in range(9)
    )
    fer2013 = {"fer2013.csv": f"emotion,pixels,Usage\n{pixels}\n".encode()}
    listed = "".join(f"faces/{number}.png,{CLASSES[number % 3]},train,p{number}\n" for number in range(9))
    table = {"labels.csv": f"path,label,split,person\n{listed}".encode()} | {
        f"faces/{n}.png": face(n) for n in range(9)
    }
    rafdb = {"EmoLabel/list_patition_label.txt": "".join(f"train_{n:05}.jpg {n % 7 + 1}\n" for n in range(9)).encode()}
    rafdb |= {f"Image/aligned/train_{n:05}_aligned.jpg": face(n) for n in range(9)}
    number = io.BytesIO()
    np.save(number, np.array("3"))
    affectnet = {f"train_set/images/{n}.jpg": face(n) for n in range(4)}
    affectnet |= {f"train_set/annotations/{n}_exp.npy": number.getvalue() for n in range(4)}
    kdef = {f"A{sex}{n:02}{code}S.JPG": face(0) for sex in "FM" for n in range(3) for code in ("AN", "HA", "NE")}
    plus: Seed = {}
    for part in ("FER2013Train", "FER2013Valid", "FER2013Test"):
        lines = "".join(f'fer{n:07}.png,"(0, 0, 48, 48)",{n},4,1,0,0,0,0,0,1,0\n' for n in range(4))
        plus |= {f"{part}/label.csv": lines.encode()} | {f"{part}/fer{n:07}.png": face(1) for n in range(4)}
    rated = fer2013 | {"fer2013new.csv": votes.encode()}
    return [classes, split, rated, table, rafdb, affectnet, kdef, plus, fer2013]


def models() -> list[Seed]:
    """Return small model files: with one head and with two, alone and with their exports."""
    import torch

    from fer.labels import FERPLUS
    from fer.model.checkpoint import ModelInfo, save_checkpoint, save_second_alone
    from fer.model.export import write_exports
    from fer.model.network import build_network
    from fer.model.preprocessing import Preprocessing
    from fer.model.prior import SecondHead

    torch.manual_seed(0)
    made: list[Seed] = []
    preprocessing = Preprocessing(size_px=32)
    labels, share = FERPLUS[:4], (0.25,) * 4
    one = ModelInfo("squeezenet1_1", labels, preprocessing, training={"dataset": "drawn"}, prior=share)
    heads = ModelInfo("squeezenet1_1", labels, preprocessing, second=SecondHead(labels[:3], (1 / 3,) * 3, "others"))
    for info, exported in ((one, False), (one, True), (heads, False)):
        with _scratch() as folder:
            path = folder / "best.safetensors"
            network = build_network("squeezenet1_1", classes=info.outputs, channels=1, size_px=32)
            save_checkpoint(path, info, network.state_dict())
            if exported:
                write_exports(path)
            if info.second:
                save_second_alone(folder / "second.safetensors", path)
            made.append(tree(folder))
    return made


def records() -> list[Seed]:
    """Return the product's own files: runs, jobs, journals, timelines, reports, tables."""
    from fer.collection import job as collections
    from fer.evaluation import job as evaluations
    from fer.evaluation.report import Request, write_report
    from fer.jobs import job
    from fer.jobs.process import ProcessMark
    from fer.jobs.status import FINISHED, Reporter
    from fer.model import DEFAULT_CHECKPOINT, WEIGHTS_DIR
    from fer.records import write_record
    from fer.results.timeline import write_timeline
    from fer.training import runs
    from fer.training.config import TrainingConfig
    from fer.training.metrics import EpochMetrics
    from fer.video import job as videos
    from fer.video.settings import ClipOptions

    def ended(folder: Path) -> None:
        reporter = Reporter(folder)
        reporter.say("analyzing", 3, 4, {"epoch": 1.0, "epochs": 2.0, "best_epoch": 1.0})
        reporter.set(FINISHED)
        write_record(folder / job.PROCESS_NAME, ProcessMark(1, 1e9))

    with _scratch() as folder:
        run = runs.open_run(folder / "runs", TrainingConfig(dataset=("synthetic:8",)), "mine")
        for epoch in (1, 2):
            line = EpochMetrics(
                epoch=epoch, validation_accuracy=0.5, validation_loss=1.0, validation_confusion=((1, 2), (3, 4)),
                train_loss=2.0, train_accuracy=0.4, learning_rate=0.1, faces=8, size_px=32, seconds=1.5,
            )  # fmt: skip
            run.append_metrics(line)
        ended(run.folder)
        of_run = tree(folder)
    with _scratch() as folder:
        seen = folder / "videos" / "Aa0123456789-_Aa012345"
        job.create(seen, videos.KIND, videos.VideoRequest(Path("video/clip.mp4"), DEFAULT_CHECKPOINT, ClipOptions()))
        write_timeline(seen / videos.TIMELINE_NAME, _timeline())
        ended(seen)
        of_video = tree(folder)
    with _scratch() as folder:
        seen = folder / "collections" / "Aa0123456789-_Aa012345"
        job.create(seen, collections.KIND, collections.Request("holiday", DEFAULT_CHECKPOINT))
        (seen / collections.RESULTS_NAME).write_bytes(_journal())
        ended(seen)
        of_collection = tree(folder)
    with _scratch() as folder:
        request = Request("synthetic:80", str(DEFAULT_CHECKPOINT), split="all", robustness=True, sample=4)
        seen = folder / "runs" / ".shipped" / "reports" / "drawn"
        job.create(seen, evaluations.KIND, request)
        report = seen / evaluations.REPORT_NAME
        found = evaluations.measure(request, report, "drawn", lambda what, done, total: None, threads=1)
        write_report(report, found.report, found.predictions)
        ended(seen)
        of_report = tree(folder)
    tables = {name: (WEIGHTS_DIR / name).read_bytes() for name in ("ablation.json", "finetuning.json", "settings.json")}
    return [of_run, of_video, of_collection, of_report, tables]


def _timeline() -> Any:
    """Return the timeline of a file: two people in ten frames, one with an own neutral."""
    from fer.faces import Box
    from fer.labels import FERPLUS
    from fer.video.neutral import Baseline
    from fer.video.recorder import Recorder
    from fer.video.timeline import Moment
    from fer.video.tracking import TrackedFace

    recorder = Recorder(FERPLUS, neutral=(0.65, *(0.05,) * 7))
    for number in range(10):
        for person in (1, 2):
            held = (number // 4 + person) % 3
            probabilities = tuple(0.65 if place == held else 0.05 for place in range(8))
            box = Box(10.0 * person, 20, 10.0 * person + 50, 80)
            face = TrackedFace(box, (), 0.99, labels=FERPLUS, probabilities=probabilities, track_id=person, held=held)
            recorder.add(number, number / 10, [face])
    peaks = (Moment(1, FERPLUS[1], 0.2, 0.65, b"jpeg"),)
    own = {1: Baseline((0.0,) * 8, "median", 0.0, 1.0, readings=10)}
    return replace(recorder.timeline(1.0, name="clip.mp4", size_wh=(640, 480), peaks=peaks), baselines=own)


def _journal() -> bytes:
    from fer.faces import Box, Face
    from fer.labels import FERPLUS
    from fer.results.journal import HEADER, Finished, PictureTask
    from fer.results.pictures import PictureResult

    points = ((10.0, 10.0), (30.0, 10.0), (20.0, 20.0), (12.0, 30.0), (28.0, 30.0))
    face = Face(Box(0, 0, 40, 40), points, 0.99, labels=FERPLUS, probabilities=(0.3, *(0.1,) * 7))
    results = [PictureResult("a.jpg", (face, face)), PictureResult("b.jpg"), PictureResult("c.jpg", error="is empty")]
    lines = [
        {"key": result.path} | Finished(PictureTask(Path("/pictures", result.path), result.path), result).to_dict()
        for result in results
    ]
    return HEADER.encode() + b"".join(json.dumps(line).encode() + b"\n" for line in lines)


_CONTAINERS = (
    ("clip.mp4", "mp4", "libx264", "aac"),
    ("clip.mov", "mov", "mpeg4", ""),
    ("clip.mkv", "matroska", "ffv1", "pcm_s16le"),
    ("clip.webm", "webm", "libvpx", "libopus"),
    ("clip.avi", "avi", "mpeg4", "mp3"),
    ("clip.ts", "mpegts", "mpeg2video", "mp2"),
    ("clip.flv", "flv", "flv", ""),
    ("clip.gif", "gif", "gif", ""),
    ("clip.y4m", "yuv4mpegpipe", "wrapped_avframe", ""),
    ("clip.mjpeg", "mjpeg", "mjpeg", ""),
)
"""File, format, codec of the pictures, codec of the sound, if any."""


def videos() -> list[Seed]:
    """Return short videos, with and without sound."""
    with _scratch() as folder:
        return [{name: _video(folder / name, *how)} for name, *how in _CONTAINERS]


def _video(path: Path, file_format: str, codec: str, sound: str) -> bytes:
    import av

    photo = np.asarray(_photo(max(VIDEO_WH)))[: VIDEO_WH[1]]
    with av.open(str(path), "w", format=file_format) as container:
        stream: Any = container.add_stream(codec, rate=10)
        stream.width, stream.height = VIDEO_WH
        stream.pix_fmt = {"gif": "rgb8", "mjpeg": "yuvj420p", "ffv1": "bgr0"}.get(codec, "yuv420p")
        heard: Any = container.add_stream(sound, rate=48_000, layout="stereo") if sound else None
        for number in range(VIDEO_FRAMES):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.roll(photo, number, 1)), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        if heard:
            samples = np.zeros((1, 2 * 48_000), np.int16)
            tone = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            tone.sample_rate, tone.pts = 48_000, 0
            resampler = av.AudioResampler(heard.format, "stereo", 48_000, heard.codec_context.frame_size or None)
            for part in [*resampler.resample(tone), *resampler.resample(None)]:
                container.mux(heard.encode(part))
            container.mux(heard.encode(None))
        container.mux(stream.encode(None))
    return path.read_bytes()


SEEDS: dict[str, Callable[[], list[Seed]]] = {
    "pictures": pictures,
    "archives": archives,
    "models": models,
    "records": records,
    "videos": videos,
}
