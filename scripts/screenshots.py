"""Make the pictures of README and docs/ from the running app, with drawn people and a photo by NASA only.

    python scripts/screenshots.py                 all of them
    python scripts/screenshots.py photo webcam    some

It needs a Chromium and what `requirements-dev.txt` brings; all of them take some minutes.
"""

import argparse
import base64
import io
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
WIDTH = 1280
HEIGHT = 900
MOST_BYTES, MOST_MOVING_BYTES = 120_000, 1_500_000
PATIENCE_MS = 240_000
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
MOVING_SECONDS, MOVING_RATE, MOVING_PX, MOVING_QUALITY = 10, 6, 800, 60
TIMELINE = ((0.0, "neutral"), (2.5, "happiness"), (5.5, "surprise"), (7.5, "neutral"))
"""Seconds from which the drawn person before the camera shows each expression; after ten it begins again."""


def one_person(expression: str, person: int, width: int = 640, height: int = 480, face: int = 210) -> np.ndarray:
    """Draw a person; RGB uint8 (height, width, 3)."""
    from fer.datasets.drawing import draw_portrait

    return draw_portrait(
        expression, np.random.default_rng(person), width_px=width, height_px=height, face_height_px=face
    )[0]


def two_people(seconds: float) -> np.ndarray:
    """Return what the camera sees: the photo, and beside it a drawn person who changes the expression.

    Returns:
        RGB uint8 (480, 640, 3).
    """
    from fer.datasets.drawing.clip import KNOWN_PERSON
    from pages.parts.samples import PHOTO, sample_picture

    turn = 2 * np.pi * seconds / MOVING_SECONDS
    x, y = round(20 * np.sin(2 * turn)), round(10 * np.cos(turn))
    label = next(label for start, label in reversed(TIMELINE) if start <= seconds)
    photo = cv2.resize(sample_picture(PHOTO), (900, 900), interpolation=cv2.INTER_AREA)
    drawn = one_person(label, KNOWN_PERSON, 400, 540, 210)
    return np.hstack([photo[20 + y : 500 + y, 235 + x : 555 + x], drawn[30 - y : 510 - y, 40 - x : 360 - x]])


def four_people() -> np.ndarray:
    """Return a video call: the photo and three drawn people, RGB uint8 (840, 1120, 3)."""
    from pages.parts.samples import PHOTO, sample_picture

    photo = cv2.resize(sample_picture(PHOTO), (720, 720), interpolation=cv2.INTER_AREA)[:420, 30:590]
    drawn = [
        one_person(label, person, 560, 420, 190) for label, person in (("surprise", 6), ("sadness", 28), ("anger", 14))
    ]
    return np.vstack([np.hstack([photo, drawn[0]]), np.hstack(drawn[1:])])


def write_photos(path: Path) -> Path:
    """Write a ZIP of drawn people and the photo."""
    from fer.datasets.drawing import EXPRESSIONS
    from fer.images import encode_jpeg
    from pages.parts.samples import SAMPLES, sample_picture

    pictures = [one_person(label, person) for label in EXPRESSIONS for person in (4, 10, 14, 28)]
    pictures += [sample_picture(name) for name in SAMPLES]
    with zipfile.ZipFile(path, "w") as archive:
        for number, picture in enumerate(pictures, start=2041):
            archive.writestr(f"IMG_{number}.jpg", encode_jpeg(picture))
    return path


class Studio:
    """The app, and a browser's page that looks at it."""

    def __init__(self, page: "Page", url: str, place: Path) -> None:
        """Begin with nothing done."""
        self.page, self.url, self.place = page, url, place

    def open(self, address: str) -> None:
        """Open a page of the app, and wait until it is there."""
        self.page.goto(f"{self.url}/{address}")
        self.page.get_by_role("heading", level=1).wait_for()
        self.settle()

    def settle(self) -> None:
        """Wait until the app has nothing more to do, and all is drawn."""
        self.page.wait_for_timeout(1000)
        self.page.locator(IDLE).wait_for(timeout=PATIENCE_MS)
        self.page.mouse.move(WIDTH - 5, 5)  # nothing is pointed at
        self.page.wait_for_timeout(1500)

    def upload(self, *files: Path) -> None:
        """Choose files."""
        self.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(list(files))

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def text(self, text: str | re.Pattern[str]) -> "Locator":
        """Return the first element with a text."""
        return self.page.get_by_text(text, exact=True).first

    def top(self, what: "Locator", above: int = 20) -> None:
        """Scroll until something stands near the upper edge."""
        what.evaluate(
            """(element, above) => {
                const main = document.querySelector('[data-testid="stMain"]');
                main.scrollBy({ top: element.getBoundingClientRect().top - above, behavior: "instant" });
            }""",
            above,
        )
        self.page.wait_for_timeout(500)


def home(studio: Studio) -> None:
    """The first page, with the latest results."""
    studio.open("")


def photo(studio: Studio) -> None:
    """A photo with several faces."""
    from fer.images import encode_png

    path = studio.place / "video-call.png"
    path.write_bytes(encode_png(four_people()))
    studio.open("photo")
    studio.upload(path)
    studio.page.locator(".face").nth(3).click()
    studio.settle()
    studio.page.locator(".js-plotly-plot .bars .point").nth(7).wait_for()


def annotated(studio: Studio) -> "Locator":
    """The picture that the app, the commands and `draw_faces` give."""
    with studio.page.expect_download() as download:
        studio.page.get_by_role("button", name="Annotated").click()
    path = studio.place / "annotated.png"
    download.value.save_as(path)
    studio.page.goto(path.as_uri())
    return studio.page.locator("img")


def why(studio: Studio) -> "Locator":
    """What the model went by: the heat map, and what happens when parts are covered."""
    studio.open("photo")
    studio.text("Sample").click()
    studio.page.get_by_text(re.compile(r"^\w+ happiness\?$")).click()
    heat = studio.page.get_by_role("img", name=re.compile("happiness$"))
    heat.wait_for()
    studio.settle()
    return studio.page.get_by_test_id("stExpander").filter(has=heat)


def many_photos(studio: Studio) -> None:
    """A folder of photos, grouped by expression."""
    studio.open("folder")
    studio.upload(write_photos(studio.place / "holiday.zip"))
    studio.page.get_by_role("button", name=re.compile(r"^Start.*\b1\b")).click()
    studio.page.get_by_role("button", name="(ZIP)").wait_for(timeout=PATIENCE_MS)
    studio.page.get_by_role("button", name="Stop").wait_for(state="hidden", timeout=PATIENCE_MS)
    studio.settle()


def table(studio: Studio) -> None:
    """The same photos as a table."""
    studio.text("Table").click()
    studio.page.get_by_role("button", name=re.compile(r"^unsure \d")).click()
    studio.page.get_by_test_id("stDataFrame").wait_for()
    studio.settle()
    studio.top(studio.page.get_by_test_id("stDataFrame"), 250)


def video(studio: Studio) -> None:
    """A video with its timeline."""
    studio.open("video")
    studio.text("Sample").click()
    studio.press("Use the sample")
    studio.press("Analyze")
    chart = studio.page.get_by_role("slider", name="Position in the video")
    chart.wait_for(timeout=PATIENCE_MS)
    studio.page.get_by_role("button", name="(MP4)").wait_for(timeout=PATIENCE_MS)
    studio.settle()
    place = chart.bounding_box()
    if place:
        studio.page.mouse.click(place["x"] + 0.52 * place["width"], place["y"] + 10)
    studio.settle()


def results(studio: Studio) -> None:
    """What was analyzed before."""
    studio.open("results")


def training(studio: Studio) -> None:
    """A training that has ended, with its curves."""
    studio.open("training")
    studio.text("Drawn faces").click()
    studio.page.get_by_role("slider").first.press("ArrowLeft")  # 400 of them
    studio.settle()
    epochs = studio.page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("6")
    epochs.press("Enter")
    studio.settle()
    studio.press("Start training")
    studio.page.get_by_role("button", name="Evaluate this run").wait_for(timeout=2 * PATIENCE_MS)
    studio.settle()


def evaluation(studio: Studio) -> None:
    """The confusion matrix of the built-in model."""
    studio.open("evaluation")
    studio.page.locator("td button").nth(63).wait_for()
    studio.settle()


def phone(studio: Studio) -> None:
    """A page as a visitor with a phone sees it."""
    studio.page.set_viewport_size({"width": 390, "height": 844})
    studio.open("photo")
    studio.text("Sample").click()
    studio.page.locator(".face").wait_for()
    studio.settle()
    studio.top(studio.page.locator(".face"), 200)


def model_card(studio: Studio) -> None:
    """What the model is for, and how good it is."""
    studio.open("model_card")


def webcam(studio: Studio) -> None:
    """Two people before the camera, once all is in view and the chart has something to show."""
    from scripts.benchmarks.page import start_webcam

    studio.open("webcam")
    seen = start_webcam(studio.page)
    studio.page.wait_for_timeout(1000 * 2 * MOVING_SECONDS)
    studio.top(seen)


PICTURES: dict[str, tuple[Callable[[Studio], "Locator | None"], int]] = {
    "photo": (photo, HEIGHT),
    "annotated": (annotated, HEIGHT),
    "why": (why, HEIGHT),
    "many-photos": (many_photos, HEIGHT),
    "table": (table, 700),
    "video": (video, 1000),
    "results": (results, 520),
    "home": (home, HEIGHT),
    "training": (training, 1000),
    "evaluation": (evaluation, 1080),
    "model-card": (model_card, HEIGHT),
    "phone": (phone, HEIGHT),
    "webcam": (webcam, 860),
}
"""Name → what to do first, and the height of the window in pixels. What the function returns is shown alone.

The last one moves."""
AFTER = {
    "annotated": ("photo",),
    "table": ("many-photos",),
    "results": ("photo", "many-photos", "video"),
    "home": ("photo", "video"),
}
"""Name → what must have been done before."""


def still(seen: "Page | Locator", path: Path) -> None:
    """Write a screenshot as WebP, in the best quality that is small enough.

    Raises:
        ValueError: none is.
    """
    picture = Image.open(io.BytesIO(seen.screenshot()))
    for quality in range(90, 30, -10):
        picture.save(path, quality=quality, method=6)
        if path.stat().st_size <= MOST_BYTES:
            return
    raise ValueError(f"expected at most {MOST_BYTES:,} bytes, got {path.stat().st_size:,} for {path.name}")


def moving(page: "Page", path: Path) -> None:
    """Record ten seconds as an animated WebP that repeats forever.

    Raises:
        ValueError: it is too large.
    """
    seen: list[tuple[float, bytes]] = []
    screen = page.context.new_cdp_session(page)

    def keep(event: dict[str, Any]) -> None:
        seen.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        screen.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    screen.on("Page.screencastFrame", keep)
    screen.send("Page.startScreencast", {"format": "jpeg", "quality": 95})  # cheaper than as many screenshots
    page.wait_for_timeout(1000 * (MOVING_SECONDS + 1))
    screen.send("Page.stopScreencast")
    page.wait_for_timeout(1000)  # what is still on its way is answered
    screen.detach()
    seen.sort()
    slots = {int((moment - seen[0][0]) * MOVING_RATE): number for number, (moment, _) in enumerate(seen)}
    chosen = [seen[number] for slot, number in slots.items() if slot < MOVING_RATE * MOVING_SECONDS]
    frames = [Image.open(io.BytesIO(data)) for _, data in chosen]
    height = round(frames[0].height * MOVING_PX / frames[0].width)
    small = [frame.resize((MOVING_PX, height), Image.Resampling.LANCZOS) for frame in frames]
    ends = [*(moment for moment, _ in chosen[1:]), chosen[0][0] + MOVING_SECONDS]
    lasting = [round(1000 * (end - moment)) for (moment, _), end in zip(chosen, ends, strict=True)]
    small[0].save(
        path, save_all=True, append_images=small[1:], duration=lasting, loop=0, quality=MOVING_QUALITY, method=4
    )
    if path.stat().st_size > MOST_MOVING_BYTES:
        raise ValueError(f"expected at most {MOST_MOVING_BYTES:,} bytes, got {path.stat().st_size:,} for {path.name}")


def take(names: Sequence[str], folder: Path = FOLDER) -> None:
    """Start the app and take pictures of it; one needs others to be taken before, which are then not written.

    Args:
        names: of `PICTURES`.
        folder: where they are written, as NAME.webp.

    Raises:
        FerError: the app or the browser does not start.
    """
    from scripts.benchmarks.page import FAKE_CAMERA, browser, running_app, write_camera

    folder.mkdir(parents=True, exist_ok=True)
    needed = {*names, *(before for name in names for before in AFTER.get(name, ()))}
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        flags = []
        if "webcam" in needed:
            frames = (two_people(number / 15) for number in range(15 * MOVING_SECONDS))
            flags = [*FAKE_CAMERA, write_camera(place / "camera.mjpeg", (frame for frame in frames for _ in range(2)))]
        with running_app(place) as url, browser(*flags) as started:
            page = started.new_page(color_scheme="light")
            page.set_default_timeout(PATIENCE_MS / 4)
            studio = Studio(page, url, place)
            for name, (see, height) in PICTURES.items():
                if name in needed:
                    page.set_viewport_size({"width": WIDTH, "height": height})
                    part = see(studio)
                    if name in names:
                        path = folder / f"{name}.webp"
                        moving(page, path) if see is webcam else still(part or page, path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures that are asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(PICTURES)} (all)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where they are written")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - PICTURES.keys():
        parser.error(f"expected names of {', '.join(PICTURES)}, got {', '.join(sorted(unknown))}")
    take(options.names or list(PICTURES), options.folder)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # scripts and pages are no modules of the installed package
    sys.exit(main())
