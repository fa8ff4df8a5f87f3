"""Hostile names of files, runs, data sets, labels and models are plain text on every page."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from fer.cli import jobs as command
from fer.collection import job as collection
from fer.datasets.drawing.clip import known_frames, write_clip
from fer.evaluation.report import Evaluation, Report
from fer.images import encode_png
from fer.labels import FERPLUS
from fer.model.checkpoint import load_checkpoint, save_checkpoint
from fer.results.result import WEBCAM, Figures, Result
from fer.results.store import ResultStore
from fer.results.timeline import write_timeline
from fer.video.job import TIMELINE_NAME, VideoRequest, new_job
from fer.video.notes import keep_notes
from fer.video.settings import ClipOptions
from scripts.benchmarks.page import running_app
from tests.browser.acting import settled
from tests.evaluation.evaluations import finished_run, make_evaluation
from tests.video.results import timeline_of

HOSTILE = (
    "![x](http://evil.example/a.png) <img src=http://evil.example/b.png> <b>c</b> :smile: :material/home: :streamlit: "
    "[a](javascript:1) [b](http://evil.example) http://evil.example $x$ **b** me@evil.example www.evil.example"
)
AS_A_FILE = HOSTILE.replace("/", "&sol;")[:180]
"""In Markdown &sol; is a slash, which no file name can contain."""
PARTS = ("Mistakes", "Expressions", "Confidence", "Robustness", "Pictures", "Details and downloads")
MARKUP = """() => [
    ...document.querySelectorAll('[href*="evil"]:not([href^="#"]), [src*="evil"], .katex'),
    ...document.querySelectorAll('[href^="javascript"], [href^="mailto"]'),
    ...[...document.querySelectorAll('strong, b, em')].filter(one => /^[bc]$/.test(one.textContent)),
    ...[...document.querySelectorAll('img[src^="data:image/svg"]')].filter(one => one.closest('p, label')),
    ...[...document.querySelectorAll('p span[translate=no]')].filter(one => one.textContent === 'home'),
].map(one => one.outerHTML.slice(0, 200)).concat(/😄/.test(document.body.textContent) ? ['an emoji'] : [])"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path, astronaut: np.ndarray) -> Path:
    """A folder where everything has a hostile name."""
    place = tmp_path_factory.mktemp("hostile")
    info, network = load_checkpoint(tiny_checkpoint)
    labels = tuple(f"{HOSTILE} {label}" for label in FERPLUS)
    model = place / "runs" / AS_A_FILE / "best.safetensors"

    def hostile(made: Evaluation) -> Evaluation:
        about: Report = made.report
        data, model = replace(about.data, name=HOSTILE), replace(about.model, file=HOSTILE, architecture=HOSTILE)
        return replace(made, report=replace(about, data=data, model=model))

    for seed, name in enumerate((AS_A_FILE, f"{AS_A_FILE[:150]} 2")):
        finished_run(
            place / "runs", "plain", hostile(make_evaluation(seed, labels=(*labels[:2], "absent"), rated=True))
        )
        (place / "runs" / "plain").rename(place / "runs" / name)
    save_checkpoint(
        model, replace(info, labels=labels, training={"dataset": HOSTILE, "epochs": 3}), network.state_dict()
    )

    photos = place / AS_A_FILE
    photos.mkdir()
    Image.fromarray(astronaut).save(photos / f"{AS_A_FILE}.png")
    (photos / f"{AS_A_FILE}.jpg").write_bytes(b"broken")
    photos_job = collection.create(place / "data" / "collections", model, HOSTILE, photos)
    assert command.main(["run", str(photos_job.folder)]) == 0

    clip = write_clip(place / f"{AS_A_FILE}.mp4", (frame for _, frame in zip(range(20), known_frames(), strict=False)))
    folder = new_job(place / "data" / "videos", VideoRequest(clip, model, ClipOptions()))
    assert command.main(["run", str(folder)]) == 0
    (place / "job.txt").write_text(f"{photos_job.folder.name} {folder.name}")
    return place


@pytest.fixture(scope="module")
def url(place: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_CHECKPOINT", str(place / "runs" / AS_A_FILE / "best.safetensors"))
        with running_app(place) as address:
            yield address


@pytest.fixture
def watched(page: Page, url: str) -> Iterator[Page]:
    """A page that connects to nobody but the app."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert [one for one in asked if not one.startswith((url, f"ws{url[4:]}", "data:", "blob:"))] == []


def check_names(page: Page) -> None:
    """Wait until a page is drawn, and check that names are shown and not interpreted."""
    settled(page)
    expect(page.get_by_text("evil").first).to_be_attached()
    assert page.get_by_test_id("stException").count() == 0
    assert page.evaluate(MARKUP) == []


def press(page: Page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()


def choose_report(page: Page) -> None:
    page.get_by_role("combobox", name="Report").click()
    page.get_by_role("option", name="evil").first.click()


def test_photos(watched: Page, url: str, astronaut: np.ndarray) -> None:
    watched.goto(f"{url}/photo")
    files = [
        {"name": f"{AS_A_FILE}.png", "mimeType": "image/png", "buffer": encode_png(astronaut)},
        {"name": f"{AS_A_FILE}.jpg", "mimeType": "image/jpeg", "buffer": b"broken"},
    ]
    watched.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(files)
    watched.get_by_text("Why ").click()
    expect(watched.get_by_test_id("stAlert").first).to_be_visible()
    check_names(watched)


def test_home_and_card(watched: Page, url: str) -> None:
    watched.goto(url)
    check_names(watched)
    watched.goto(f"{url}/model_card")
    choose_report(watched)
    check_names(watched)


def test_jobs(watched: Page, url: str, place: Path) -> None:
    collection, video = (place / "job.txt").read_text().split()
    watched.goto(f"{url}/folder?job={collection}")
    watched.get_by_text("could not be read").click()
    check_names(watched)
    watched.goto(f"{url}/video?job={video}")
    check_names(watched)
    for page in ("folder", "video"):
        watched.goto(f"{url}/{page}")
        check_names(watched)


def test_results(watched: Page, url: str, place: Path) -> None:
    labels = tuple(f"{HOSTILE} {label}" for label in FERPLUS)
    seen = timeline_of({1: labels * 5}, labels=labels, name=HOSTILE)
    store, kept = ResultStore(place / "results"), list[Result]()
    for owner in ("", "somebody"):
        figures = Figures(people=1, seconds=4, expressions={labels[0]: 2})
        made = store.add(owner, WEBCAM, HOSTILE, model=HOSTILE, figures=figures, people=[HOSTILE])
        assert made
        store.folder(made).mkdir(exist_ok=True)
        write_timeline(store.folder(made) / TIMELINE_NAME, seen)
        keep_notes(store.folder(made), lambda was: was.named(1, HOSTILE))
        kept.append(made)
    watched.goto(f"{url}/webcam?result={kept[0].id}")
    expect(watched.get_by_role("heading", name="Recording", exact=True)).to_be_visible()
    settled(watched)
    watched.goto(f"{url}/results?result={store.share(kept[1].id, 'somebody')}")
    expect(watched.get_by_role("heading", level=1)).to_contain_text("evil")
    settled(watched)
    watched.goto(f"{url}/results")
    settled(watched)
    watched.locator(f'[href*="{kept[0].id}"]').click()
    expect(watched.get_by_role("heading", level=1)).to_contain_text("evil")
    settled(watched)
    watched.get_by_role("button", name="Share").click()
    settled(watched)
    watched.keyboard.press("Escape")
    watched.get_by_role("button", name="Delete").click()
    expect(watched.get_by_role("button", name="Undo")).to_be_visible()
    settled(watched)


def test_training(watched: Page, url: str) -> None:
    watched.goto(f"{url}/training")
    press(watched, "Runs")
    expect(watched.locator(".js-plotly-plot")).to_have_count(3)
    check_names(watched)


def test_evaluation(watched: Page, url: str) -> None:
    watched.goto(f"{url}/evaluation")
    choose_report(watched)
    for part in PARTS:
        press(watched, part)
        check_names(watched)
    press(watched, "Compare")
    for _ in range(2):
        watched.get_by_role("combobox", name="Reports (all").click()
        watched.get_by_role("option", name="evil").first.click()
    check_names(watched)
    press(watched, "Evaluate")
    watched.get_by_role("combobox", name="Models").click()
    check_names(watched)
