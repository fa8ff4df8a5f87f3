"""Readings are corrected and confirmed on the pages; what gathers is a data set that its owner can delete."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest
from streamlit.testing.v1 import AppTest

from fer import home
from fer.collection.job import Request
from fer.datasets.drawing import draw_face
from fer.datasets.drawing.clip import write_clip
from fer.evaluation.report import read_report
from fer.faces import Box, Face, percent
from fer.images import encode_png, read_image
from fer.jobs.job import JobView
from fer.jobs.status import FINISHED, Reporter
from fer.model import DEFAULT_REPORT
from fer.model.checkpoint import model_sha256, read_info
from fer.results.corrections import Corrections, correction_of
from fer.results.timeline import write_timeline
from fer.training import runs
from fer.training.estimate import Speed
from fer.video.job import TIMELINE_NAME, VideoRequest, new_job
from fer.video.notes import read_notes
from fer.video.settings import ClipOptions
from fer.video.timeline import Correction
from pages.parts import visitor
from tests.pages.test_folder import ENTRY, done, folder, opened, press
from tests.scripts.processes import wait_until
from tests.video.results import timeline_of

__all__ = ["done", "folder"]


@pytest.fixture
def kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Corrections:
    """What gathers; the visitor is the owner of the machine, as in `test_results`."""
    monkeypatch.setattr(visitor, "may_train", lambda *signs: True)
    return Corrections(folder.parent / "corrections")


@pytest.fixture
def app(kept: Corrections, astronaut: np.ndarray) -> AppTest:
    """The photo page with a face."""
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/photo.py").run()
    app.file_uploader[0].set_value([("a.png", encode_png(astronaut), "image/png")]).run()
    assert not app.exception and len(app.pills) == 1
    return app


def say(app: AppTest, which: int | None) -> str | None:
    """Click the label at this position, 0 being the model's; None clicks the chosen one again."""
    (question,) = [pills for pills in app.pills if str(pills.key).startswith("right ")]
    label = None if which is None else question.options[which].removeprefix(":material/check: ")
    question.set_value(label).run()
    assert not app.exception
    return label


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


@pytest.mark.slow
def test_corrections_gather_once_their_owner_wishes(app: AppTest, kept: Corrections, tiny_checkpoint: Path) -> None:
    assert "Collect" not in labels(app)
    corrected = say(app, 1)
    assert "Collect" in labels(app) and not kept.folder.exists()
    press(app, "Collect")
    assert "Collect" not in labels(app)
    (one,) = kept.all().values()
    assert (one.label, one.model) == (corrected, model_sha256(tiny_checkpoint)) and not one.was_right
    assert (kept.folder / one.path).is_file()
    confirmed = say(app, 0)
    (one,) = kept.all().values()
    assert one.label == one.model_label == confirmed and one.was_right
    say(app, None)
    assert kept.all() == {}
    say(app, 2)
    app.switch_page("pages/training.py").run()
    app.segmented_control(key="training_source").set_value("My corrections").run()
    assert app.toggle(key="gather_corrections").value
    press(app, "Delete all")
    assert kept.all() == {}
    app.toggle(key="gather_corrections").set_value(False).run()
    assert kept.gather is False


@pytest.mark.slow
def test_corrections_train_a_model_that_is_then_used(
    app: AppTest, kept: Corrections, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.parts.training_setup.measure_speed", lambda *_: Speed(100.0, "a test"))
    random, words = np.random.default_rng(0), ("happiness", "neutral")
    for number in range(40):
        face = Face(Box(number, 0, 50, 60), (), 1.0, labels=words, probabilities=(0.8, 0.2))
        kept.add(correction_of(face, words[number % 2], "sha"), draw_face(words[number % 2], random))
    (question,) = app.pills
    say(app, [option.removeprefix(":material/check: ") for option in question.options].index("happiness"))
    press(app, "Collect")
    assert len(kept.all()) == 41
    app.switch_page("pages/training.py").run()
    app.segmented_control(key="training_source").set_value("My corrections").run()
    app.number_input[0].set_value(1)
    press(app, "Start training")
    (started,) = runs.views(home.runs_folder())
    wait_until(lambda: not runs.view(started.folder).active)
    run = runs.view(started.folder)
    assert run.state == FINISHED and run.best and run.beginning and run.beginning.accuracy is not None
    app.run()
    said = " ".join(one.value for one in app.markdown)
    assert all(percent(share, 1) in said for share in (run.beginning.accuracy, run.best.validation_accuracy))
    press(app, "Use for photos")
    assert app.title[0].value == "Photo" and app.session_state["chosen_model"] == run.best_path
    app.switch_page("pages/photo.py").run()  # the test's page stays the one before
    app.file_uploader[0].set_value([("a.png", encode_png(astronaut), "image/png")]).run()
    (question,) = app.pills
    assert {option.removeprefix(":material/check: ") for option in question.options} >= {*words}
    assert read_info(run.best_path).labels == words


def ask_to_gather() -> None:
    """A page of its own, see `test_a_tab_that_is_stale_leaves_consent_as_it_is`."""
    from pages.parts.corrections import corrections_path

    corrections_path()


def test_a_tab_that_is_stale_leaves_consent_as_it_is(kept: Corrections) -> None:
    app = AppTest.from_function(ask_to_gather).run()
    app.toggle[0].set_value(True).run()
    assert kept.gather is True and app.toggle[0].value
    kept.set_gather(False)  # in another tab
    app.run()
    assert not app.exception and kept.gather is False and not app.toggle[0].value


@pytest.mark.slow
def test_nothing_gathers_where_it_is_not_wished(app: AppTest, kept: Corrections, astronaut: np.ndarray) -> None:
    say(app, 1)
    press(app, "Don't collect")
    label = say(app, 2)
    assert "Collect" not in labels(app) and kept.all() == {} and kept.gather is False
    later = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/photo.py").run()
    later.file_uploader[0].set_value([("a.png", encode_png(astronaut), "image/png")]).run()
    assert later.pills[0].value == label, "it is known after a reload"


@pytest.mark.slow
def test_visitors_from_elsewhere_correct_for_themselves_alone(
    app: AppTest, kept: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.set_gather(True)
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")
    label = say(app, 1)
    (question,) = app.pills
    assert question.value == label
    assert kept.all() == {} and "Collect" not in labels(app)


@pytest.mark.slow
def test_a_face_among_many_photos_is_corrected(done: JobView[Request], kept: Corrections) -> None:
    kept.set_gather(True)
    app = opened(job=done.name)
    first = say(app, 1)
    (one,) = kept.all().values()
    assert one.label == first != one.model_label
    again = opened(job=done.name)  # another visit
    assert [pills.value for pills in again.pills if str(pills.key).startswith("right ")] == [first]


@pytest.fixture
def seen_video(folder: Path, tiny_checkpoint: Path) -> Path:
    """The folder of a video of 3 seconds that was analyzed: somebody is neutral, then happy."""
    folder.parent.mkdir()
    clip = write_clip(folder.parent / "clip.mp4", (np.full((120, 160, 3), 2 * n, np.uint8) for n in range(90)))
    made = new_job(folder.parent / "videos", VideoRequest(clip, tiny_checkpoint, ClipOptions()))
    shown = timeline_of({1: ["neutral"] * 10 + ["happiness"] * 20}, size_wh=(160, 120), peaks=())
    write_timeline(made / TIMELINE_NAME, shown)
    Reporter(made).set(FINISHED)
    return made


def opened_video(made: Path, moment: float) -> AppTest:
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/video.py")
    app.query_params["job"] = made.name
    app.run()
    app.session_state["video_moment"] = moment
    app.run()
    assert not app.exception
    return app


@pytest.mark.slow
def test_a_reading_in_a_video_is_corrected_confirmed_and_taken_back(seen_video: Path, kept: Corrections) -> None:
    app = opened_video(seen_video, 1.55)
    corrected = say(app, 1)
    assert read_notes(seen_video).corrections == (Correction(15, 1, str(corrected)),)
    assert kept.all() == {} and "Collect" in labels(app)
    press(app, "Collect")
    (one,) = kept.all().values()
    assert (one.label, one.model_label) == (corrected, "happiness")
    crop = read_image(kept.folder / one.path)
    assert crop.mean() == pytest.approx(2 * 45, abs=3)
    confirmed = say(app, 0)
    (one,) = kept.all().values()
    assert one.was_right and read_notes(seen_video).corrections == (Correction(15, 1, str(confirmed)),)
    say(app, None)
    assert kept.all() == {} and read_notes(seen_video).corrections == ()


@pytest.mark.slow
def test_where_a_video_is_gone_what_was_said_is_kept_without_a_picture(seen_video: Path, kept: Corrections) -> None:
    kept.set_gather(True)
    (seen_video.parents[1] / "clip.mp4").unlink()
    app = opened_video(seen_video, 1.55)
    label = say(app, 1)
    assert read_notes(seen_video).corrections == (Correction(15, 1, str(label)),) and kept.all() == {}
    assert any("My corrections" in caption.value for caption in app.caption)


@pytest.mark.slow
def test_evaluation_says_how_often_a_model_was_right_about_ones_own_faces(kept: Corrections) -> None:
    report = read_report(DEFAULT_REPORT)
    for number in range(12):
        given = (0.9, *[0.0] * (len(report.model.labels) - 1))
        face = Face(Box(number, 0, 50, 60), (), 1.0, labels=report.model.labels, probabilities=given)
        label = report.model.labels[number >= 9]
        kept.add(correction_of(face, label, report.model.sha256), np.zeros((48, 48, 3), np.uint8))
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/evaluation.py").run()
    assert not app.exception
    (line,) = [caption.value for caption in app.caption if "thumbs_up_down" in caption.value]
    interval = binomtest(9, 12).proportion_ci(0.95, method="wilson")
    found = [int(number) for number in re.findall(r"\d+", line)]
    assert found == [12, 9, 75, round(100 * interval.low), round(100 * interval.high)]


def ask() -> None:
    """A page of its own, see `test_an_answer_that_cannot_be_taken_back_stays_and_is_told_once`."""
    import numpy as np

    from fer.faces import Box, Face
    from pages.parts.corrections import ask_right
    from pages.parts.session import show_failure

    show_failure()
    face = Face(Box(0, 0, 50, 60), (), 1.0, labels=("neutral", "anger"), probabilities=(0.8, 0.2))
    ask_right(face, lambda: np.zeros((48, 48, 3), np.uint8), "sha", "face")


def test_an_answer_that_cannot_be_taken_back_stays_and_is_told_once(
    kept: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object) -> None:
        raise OSError("the disk is full")

    kept.set_gather(True)
    app = AppTest.from_function(ask).run()
    label = say(app, 1)
    assert [one.label for one in kept.all().values()] == [label]
    with monkeypatch.context() as patch:
        patch.setattr(Corrections, "remove", fails)
        say(app, None)
    assert len(app.error) == 1 and app.pills[0].value == label and len(kept.all()) == 1
    say(app, None)
    assert not app.error and app.pills[0].value is None and not kept.all()
