"""The video page, without a browser."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer.cli import video_job
from fer.datasets.drawing.clip import known_frames, write_clip
from fer.faces import NOT_HUMAN, difference
from fer.jobs.job import PROCESS_NAME, read_request, stop, view, working
from fer.jobs.process import ProcessMark
from fer.jobs.status import RUNNING, STOPPED
from fer.model.checkpoint import load_checkpoint, save_checkpoint
from fer.records import read_record
from fer.results.result import COMPLETE, INTERRUPTED, VIDEO
from fer.results.store import GONE_SECONDS, ResultStore
from fer.results.timeline import read_timeline
from fer.video import job
from fer.video.io.mp4 import Mp4Writer
from fer.video.job import KIND, TIMELINE_NAME
from fer.video.neutral import MEDIAN, SECONDS
from fer.video.notes import Notes, is_drawn_as_noted, read_notes
from fer.video.timeline import Marker, Timeline
from pages.parts.neutral import NO_NEUTRAL, THIS_IS, UNDO
from pages.parts.results import result_store
from pages.parts.video_player import player_data
from scripts.nonhuman import drawn_animal
from tests.scripts.processes import wait_until
from tests.video.results import timeline_of

ENTRY = str(Path(__file__).parents[2] / "streamlit_app.py")


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path, tmp_path: Path, at_the_machine: None) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))


@pytest.fixture
def app() -> AppTest:
    return shown(AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/video.py"))


class Never:
    """Nothing is ever asked to stop."""

    asked = gently = False


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets jobs be done in this process, where the model is in memory already."""

    def do(folder: Path, kind: object) -> None:
        request = read_request(folder, KIND)
        try:
            with working(folder) as reporter:
                video_job.run(folder, request, reporter, Never())
        except Exception:  # its status says so
            pass

    monkeypatch.setattr(job, "start", do)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """One second of the astronaut, with a tone."""
    small = np.ascontiguousarray(astronaut[:240, 80:400])
    return write_clip(tmp_path_factory.mktemp("clip") / "astronaut.mp4", (small for _ in range(30)))


def shown(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return shown(app)


def can_be_canceled(app: AppTest) -> bool:
    return "Cancel" in {button.label for button in app.button}


def upload(app: AppTest, path: Path, name: str = "astronaut.mp4") -> AppTest:
    app.file_uploader[0].set_value((name, path.read_bytes(), "video/mp4"))
    return shown(app)


def folder_of(app: AppTest) -> Path:
    return Path(os.environ["FER_DATA"]) / "videos" / app.session_state["video_job"]


def text(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.subheader, app.markdown, app.caption) for element in kind)


def kept(app: AppTest) -> Timeline:
    timeline = read_timeline(folder_of(app) / TIMELINE_NAME)
    assert timeline is not None
    return timeline


def told(app: AppTest) -> Timeline:
    """What was seen, as the notes say."""
    return read_notes(folder_of(app)).applied(kept(app))


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_from_an_upload_to_the_downloads_and_back(app: AppTest, clip: Path, results: Path) -> None:
    upload(app, clip)
    assert "320 × 240" in text(app)
    press(app, "Analyze")
    assert kept(app).people == [1] and kept(app).frames == 30
    assert "30 frames" in text(app) and "1 person" in text(app)
    assert len(app.get("download_button")) == 5
    assert len(app.get("plotly_chart")) == 1
    folder = folder_of(app)
    (result,) = ResultStore(results).list("").results
    assert (result.kind, result.name, result.state) == (VIDEO, "astronaut.mp4", COMPLETE)
    assert (result.figures.people, result.figures.seconds) == (1, 1.0) and result.job_bytes > 0
    assert app.query_params["result"] == result.id
    press(app, "Choose another video")
    assert "video_job" not in app.session_state and app.file_uploader and folder.is_dir()
    assert "astronaut" in text(app)
    press(app, "Open")
    press(app, "Delete")
    assert folder.exists() and app.file_uploader and not ResultStore(results).list("").results
    press(app, "Undo")
    assert ResultStore(results).get(result.id, "") and folder.exists()
    assert app.query_params["result"] == result.id and len(app.get("plotly_chart")) == 1
    press(app, "Delete")
    result_store().sweep(time.time() + GONE_SECONDS)
    assert not folder.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_options_reach_the_analysis_and_another_try_keeps_the_first(app: AppTest, clip: Path, results: Path) -> None:
    upload(app, clip)
    next(box for box in app.selectbox if box.label == "Frames to analyze").set_value("every 5th frame")
    shown(app)
    press(app, "Analyze")
    assert kept(app).rows["frame"].tolist() == [0, 5, 10, 15, 20, 25]
    first = folder_of(app)
    press(app, "Analyze again")
    assert folder_of(app) != first and not (folder_of(app) / TIMELINE_NAME).exists()
    press(app, "Analyze")
    assert kept(app).frames == 30
    assert (first / TIMELINE_NAME).exists() and ResultStore(results).list("").total == 2


@pytest.fixture
def has_two_heads(two_heads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(two_heads))


@pytest.mark.slow
@pytest.mark.usefixtures("at_once", "has_two_heads")
def test_what_both_heads_say_is_shown_where_they_differ(app: AppTest, clip: Path) -> None:
    upload(app, clip)
    press(app, "Analyze")
    app.session_state["video_moment"] = 0.5
    shown(app)
    (face,) = kept(app).faces_at(0.5)
    assert face.differing == ("neutral", "anger")
    assert [fold.label.lower() for fold in app.expander if "anger" in fold.label] == [difference(face)]


@pytest.fixture
def knows_neutral(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the app's model know what is said of neutral faces on average."""
    info, network = load_checkpoint(tiny_checkpoint)
    usual = tuple(np.log([0.93, *[0.01] * 7]).tolist())
    save_checkpoint(tmp_path / "knows.safetensors", replace(info, neutral=usual), network.state_dict())
    monkeypatch.setenv("FER_CHECKPOINT", str(tmp_path / "knows.safetensors"))


@pytest.mark.slow
@pytest.mark.usefixtures("at_once", "knows_neutral")
def test_a_moment_is_taken_for_neutral_kept_shown_beside_what_was_read_and_undone(
    app: AppTest, astronaut: np.ndarray, tmp_path: Path
) -> None:
    small = np.ascontiguousarray(astronaut[:240, 80:400])
    upload(app, write_clip(tmp_path / "long.mp4", (small for _ in range(120))))
    press(app, "Analyze")
    read = kept(app)
    app.session_state["video_moment"] = 3.0
    shown(app)
    press(app, THIS_IS)
    assert "person 1" in app.error[0].value and not told(app).baselines
    app.session_state["video_moment"] = 0.5
    shown(app)
    press(app, THIS_IS)
    (own,) = told(app).baselines.values()
    assert (own.how, own.starts) == (SECONDS, 0.5) and app.session_state["video_moment"] == 0.5
    assert kept(app).rows.tobytes() == read.rows.tobytes()
    assert "raw" in text(app) and THIS_IS not in {button.label for button in app.button}
    app.toggle(key="video_raw").set_value(True)
    shown(app)
    press(app, UNDO)
    assert not told(app).baselines and THIS_IS in {button.label for button in app.button}


@pytest.mark.slow
@pytest.mark.usefixtures("at_once", "knows_neutral")
def test_the_median_face_is_an_option(app: AppTest, astronaut: np.ndarray, tmp_path: Path) -> None:
    small = np.ascontiguousarray(astronaut[:240, 80:400])
    upload(app, write_clip(tmp_path / "long.mp4", (small for _ in range(75))))
    (median,) = (toggle for toggle in app.toggle if "median" in toggle.label)
    assert not median.value and not median.disabled
    median.set_value(True)
    shown(app)
    press(app, "Analyze")
    assert told(app).baselines[1].how == MEDIAN and UNDO in {button.label for button in app.button}
    press(app, UNDO)
    assert not told(app).baselines


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_a_model_that_does_not_know_what_is_neutral_says_so(app: AppTest, clip: Path) -> None:
    upload(app, clip)
    assert next(toggle for toggle in app.toggle if "median" in toggle.label).disabled
    press(app, "Analyze")
    assert NO_NEUTRAL in text(app) and THIS_IS not in {button.label for button in app.button}


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_it_says_who_may_not_be_human(app: AppTest, clip: Path, tmp_path: Path) -> None:
    upload(app, clip)
    press(app, "Analyze")
    assert not kept(app).doubted and NOT_HUMAN not in text(app)
    press(app, "Choose another video")
    animal = drawn_animal(np.random.default_rng(46))
    upload(app, write_clip(tmp_path / "animal.mp4", (animal for _ in range(30))), "animal.mp4")
    press(app, "Analyze")
    assert kept(app).doubted == [1]
    at_the_position, among_the_people = (one.value for one in app.caption if f"person 1 {NOT_HUMAN}" in one.value)
    assert at_the_position == among_the_people and ":material/" in at_the_position


def long_clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "long.mp4", known_frames(seconds=60.0))


def wait_until_seen(folder: Path, seconds: float) -> None:
    wait_until(lambda: view(folder, KIND).status.done >= seconds or not view(folder, KIND).active)
    assert view(folder, KIND).active


@pytest.fixture
def running(app: AppTest, tmp_path: Path) -> Iterator[Path]:
    """A video of a minute on its way in a process of its own."""
    upload(app, long_clip(tmp_path), "long.mp4")
    press(app, "Analyze")
    folder = folder_of(app)
    yield folder
    if folder.exists():
        stop(folder, KIND, 0.1)


@pytest.mark.slow
def test_while_it_runs_it_says_so_and_survives_a_reload_and_canceling_keeps_the_part(
    app: AppTest, running: Path, results: Path
) -> None:
    wait_until_seen(running, 1.5)
    shown(app)
    assert can_be_canceled(app)
    another = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/video.py")
    (result,) = ResultStore(results).list("").results
    another.query_params["result"] = result.id
    shown(another)
    assert view(running, KIND).state == RUNNING and can_be_canceled(another)
    press(another, "Cancel")
    shown(app)
    assert view(running, KIND).state == STOPPED
    assert 0 < kept(app).frames < 1800 and not kept(app).complete
    assert (running / "long-faces.mp4").is_file()


@pytest.mark.slow
def test_a_process_that_was_killed_leaves_what_was_seen_and_can_be_started_again(
    app: AppTest, running: Path, results: Path
) -> None:
    wait_until((running / TIMELINE_NAME).exists)
    mark = read_record(running / PROCESS_NAME, ProcessMark)
    process = mark.running() if mark else None
    assert process is not None
    process.kill()
    process.wait(10)
    shown(app)
    assert app.warning and kept(app).frames > 0
    assert not (running / "long-faces.mp4").exists()
    (result,) = ResultStore(results).list("").results
    assert result.state == INTERRUPTED and result.figures.seconds == pytest.approx(kept(app).seconds)
    press(app, "Start again")
    assert view(running, KIND).active
    assert ResultStore(results).get(result.id, "").state == RUNNING  # type: ignore[union-attr]


def test_what_is_no_video_is_said_without_naming_folders(app: AppTest, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("no video")
    upload(app, path, "../we ird<b>.mp4")
    assert "videos" not in app.error[0].value
    assert app.file_uploader


@pytest.mark.usefixtures("at_once")
def test_a_video_without_faces_says_so(app: AppTest, tmp_path: Path) -> None:
    upload(app, write_clip(tmp_path / "a.mp4", (np.full((120, 160, 3), 99, np.uint8) for _ in range(5))))
    press(app, "Analyze")
    assert app.info
    assert len(app.get("download_button")) == 5


@pytest.mark.usefixtures("at_once")
def test_a_truncated_video_shows_what_could_be_read(app: AppTest, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    random = np.random.default_rng(0)
    with Mp4Writer(path) as writer:
        for number in range(30):
            writer.write(random.integers(0, 255, (64, 96, 3), np.uint8), number / 30)
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
    upload(app, path)
    press(app, "Analyze")
    assert "30 frames" in app.warning[0].value


def test_a_path_of_this_machine_is_for_those_who_sit_at_it(
    app: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")
    shown(app)
    assert "On this machine" not in app.segmented_control[0].options
    monkeypatch.setenv("FER_ALLOW_TRAINING", "1")
    shown(app)
    app.segmented_control[0].set_value("On this machine")
    shown(app)
    app.text_input[0].set_value(str(clip))
    shown(app)
    press(app, "Open")
    request = view(folder_of(app), KIND).request
    assert request and request.path == clip and not request.is_upload
    press(app, "Remove")
    assert clip.is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_people_are_named_and_hidden_and_moments_marked_and_all_of_it_undone(
    app: AppTest, clip: Path, results: Path
) -> None:
    upload(app, clip)
    press(app, "Analyze")
    (name,) = (field for field in app.text_input if "person 1" in field.label)
    name.set_value(" Ada ")
    shown(app)
    assert read_notes(folder_of(app)).names == {1: "Ada"} and "Ada" in text(app)
    (name,) = (field for field in app.text_input if "person 1" in field.label)
    name.set_value("Ada  ")
    shown(app)
    assert not app.error and read_notes(folder_of(app)).names == {1: "Ada"}
    app.session_state["video_note"] = lambda notes: notes.marked(0.5, "a smile")  # as the player does
    shown(app)
    assert read_notes(folder_of(app)).markers == (Marker(0.5, "a smile"),)
    app.session_state["video_note"] = lambda notes: notes.marked(0.5, " ")
    shown(app)
    assert len(app.error) == 1 and len(read_notes(folder_of(app)).markers) == 1
    press(app, "Hide")
    assert "0 people" in text(app) and kept(app).people == [1]
    press(app, "Show")
    assert "1 person" in text(app)
    for _ in range(4):
        press(app, "Undo the last change")
    assert read_notes(folder_of(app)) == Notes()
    assert "Undo the last change" not in {button.label for button in app.button}
    (folder_of(app) / "notes.json").write_text("damaged")
    assert "damaged-notes" in shown(app).warning[0].value
    press(app, "Hide")
    (result,) = ResultStore(results).list("").results
    assert not app.error and read_notes(folder_of(app)).hidden == (1,) and result.figures.people == 0


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_a_video_is_exported_anew_when_people_are_others(app: AppTest, clip: Path, results: Path) -> None:
    upload(app, clip)
    press(app, "Analyze")
    folder = folder_of(app)
    assert len(app.get("download_button")) == 5 and "Export video" not in {button.label for button in app.button}
    app.session_state["video_note"] = lambda notes: notes.named(1, "Ada")
    shown(app)
    assert len(app.get("download_button")) == 4 and not is_drawn_as_noted(folder)
    press(app, "Export video")
    assert len(app.get("download_button")) == 5 and is_drawn_as_noted(folder)
    (result,) = ResultStore(results).list("").results
    assert result.state == COMPLETE and kept(app).complete
    press(app, "Undo the last change")
    shutil.rmtree(folder / "video")
    shown(app)
    assert len(app.get("download_button")) == 4 and "Export video" not in {button.label for button in app.button}


def test_others_see_neither_the_list_nor_what_cannot_be_guessed(
    app: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")
    upload(app, clip)
    other = shown(AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/video.py"))
    assert "astronaut" not in text(other)
    for guess in ("../videos", "x" * 20, ""):
        other.query_params["job"] = guess
        assert shown(other).file_uploader


def name_people(folder: "Path") -> None:
    """A page of its own, see `test_a_name_that_somebody_else_has_is_refused_once`."""
    from pages.parts.session import show_failure
    from pages.parts.video_readings import Source
    from pages.parts.video_timeline import show_timeline
    from tests.video.results import timeline_of

    show_failure()
    seen = timeline_of({1: ["anger"] * 10, 2: ["fear"] * 10}, peaks=())
    show_timeline(folder, seen, {}, Source(folder / "gone", folder / "gone"), lambda: None)


def test_a_name_that_somebody_else_has_is_refused_once(tmp_path: Path) -> None:
    app = shown(AppTest.from_function(name_people, args=(tmp_path,), default_timeout=30))
    for said, names, errors in (("Ada", {1: "Ada"}, 0), (" Ada", {1: "Ada"}, 1), ("An  na", {1: "Ada", 2: "An na"}, 0)):
        place = int(bool(read_notes(tmp_path).names))
        app.text_input[place].set_value(said)
        shown(app)
        assert read_notes(tmp_path).names == names and len(app.error) == errors


def test_of_a_long_video_the_player_knows_which_label_each_drawn_row_held() -> None:
    seen = timeline_of({1: ["anger"] * 3000 + ["fear"] * 3007}, peaks=())
    (person,) = player_data(seen, 0.0, "player")["people"]
    (line,) = person["lines"]
    assert len(line["seconds"]) < 1000
    turn = next(start for start, _, label in person["spans"] if seen.labels[label] == "fear")
    assert [seen.labels[held] for held in line["held"]] == [
        "fear" if second >= turn else "anger" for second in line["seconds"]
    ]
