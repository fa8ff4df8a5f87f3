"""The evaluation page and the model card in all their states, without a browser."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from fer.datasets import open_dataset
from fer.datasets.drawing import NOT_REAL
from fer.evaluation.job import KIND, model_of
from fer.evaluation.report import Evaluation, read_evaluation, read_report, write_report
from fer.evaluation.seen import Seen
from fer.jobs import job
from fer.model import DEFAULT_REPORT, shipped_reports
from fer.training.config import TrainingConfig
from fer.training.runs import open_run
from tests.datasets.pictures import pattern, write_picture
from tests.evaluation.evaluations import finished_run, make_evaluation
from tests.scripts.processes import wait_until

ENTRY = str(Path(__file__).parents[2] / "streamlit_app.py")
PARTS = ("Mistakes", "Expressions", "Confidence", "People", "Robustness", "Pictures", "Details and downloads")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FER_ALLOW_TRAINING", "1")
    yield tmp_path / "runs"
    for view in job.views(tmp_path / "runs", KIND):
        job.stop(view.folder, KIND)


def open_page(page: str = "evaluation") -> AppTest:
    app = AppTest.from_file(ENTRY, default_timeout=60).run().switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def section(app: AppTest, name: str, key: str = "evaluation_section") -> AppTest:
    app.segmented_control(key=key).set_value(name).run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.subheader)
    return "\n".join([element.value for kind in kinds for element in kind] + html(app))


def html(app: AppTest) -> list[str]:
    """Return what pages show as HTML, without their style sheet."""
    found = [element.proto.body for element in app.get("html")]
    return [body for body in found if not body.startswith("<style>")]


def charts(app: AppTest) -> int:
    return len(app.get("plotly_chart"))


def by_key(widgets: Sequence[Any], key: str) -> Any:
    """Return the one widget whose key begins so."""
    (found,) = [widget for widget in widgets if (widget.key or "").startswith(key)]
    return found


def formats(app: AppTest) -> set[str]:
    """What kinds of files can be taken along, as their buttons say in brackets."""
    return {kind for button in app.get("download_button") for kind in re.findall(r"\((.+)\)", button.label)}


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def choose_first_run(app: AppTest) -> None:
    app.selectbox(key="evaluation_report_widget").select_index(len(shipped_reports())).run()


def test_it_opens_on_the_shipped_model_without_any_data_set(folder: Path) -> None:
    app = open_page()
    report = read_report(DEFAULT_REPORT)
    assert report.basis in texts(app)
    (cards, *_) = html(app)
    assert f"{100 * report.accuracy.value:.1f} %" in cards
    assert report.agreement and f"{100 * report.agreement.difference.value:+.1f}" in cards
    assert cards.count("n = ") == 3 and cards.count(f"n = {report.n:,}") == 2 and "majority" in cards
    assert len(app.get("bidi_component")) == 1 and not charts(app) and not app.error
    assert not folder.exists()


def test_a_report_on_drawn_faces_says_what_it_is_not(folder: Path) -> None:
    evaluation = make_evaluation()
    drawn = replace(evaluation.report, data=replace(evaluation.report.data, notes=(NOT_REAL,)))
    finished_run(folder, "drawn", replace(evaluation, report=drawn))
    app = open_page()
    assert not app.warning
    choose_first_run(app)
    assert [warning.value for warning in app.warning] == [NOT_REAL]


@pytest.mark.slow
def test_all_shipped_models_are_there_for_everybody(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")
    monkeypatch.setattr("fer.model.WEIGHTS_DIR", tmp_path)
    shutil.copy(DEFAULT_REPORT, tmp_path / DEFAULT_REPORT.name)
    another = make_evaluation()
    report = replace(another.report, predictions="another.report.predictions.csv")
    write_report(tmp_path / "another.report.json", report, another.predictions)
    app = open_page()
    choice = app.selectbox(key="evaluation_report_widget")
    assert [option.split()[-1] for option in choice.options] == ["another", "ferplus-resnet18"]
    choice.select_index(0).run()
    section(app, "Details and downloads", "evaluation_part")
    assert "CSV" in formats(app)
    assert choice.options[0] in open_page("model_card").selectbox[0].options


@pytest.mark.parametrize("part", PARTS)
def test_every_part_says_its_rule_and_n(folder: Path, part: str) -> None:
    app = section(open_page(), part, "evaluation_part")
    assert "n = 3,137" in texts(app) and not app.error


@pytest.mark.slow
def test_every_part_of_a_report_with_everything(folder: Path) -> None:
    finished_run(folder, "mine", make_evaluation(rated=True))
    app = open_page()
    choose_first_run(app)
    assert make_evaluation().report.basis.partition(",")[0] in texts(app)
    for part, count in zip(PARTS, (0, 3, 1, 2, 1, 0, 1), strict=True):
        section(app, part, "evaluation_part")
        assert charts(app) == count and not app.error
    assert formats(app) >= {"HTML", "JSON", "CSV"}


@pytest.mark.slow
def test_a_field_without_the_data_set_is_a_table_and_with_it_a_gallery(folder: Path, tmp_path: Path) -> None:
    """A data set that can be opened again stands for the one that was measured."""
    dataset = open_dataset("synthetic:80")
    pretended = make_evaluation(rated=True)
    data = replace(pretended.report.data, fingerprint=dataset.fingerprint())
    report = replace(pretended.report, data=data)
    predictions = replace(pretended.predictions, rows=pretended.predictions.rows % 80)
    finished_run(folder, "mine", Evaluation(report, predictions))
    app = open_page()
    choose_first_run(app)
    number = report.confusion[1][0]
    by_key(app.selectbox, "truth ").set_value("fear").run()
    by_key(app.selectbox, "answer ").set_value("neutral").run()
    assert f"{number} of 120 pictures: **fear**" in texts(app)
    (table,) = app.dataframe
    assert (
        list(table.value["label"]) == ["fear"] * number and list(table.value["model predicts"]) == ["neutral"] * number
    )
    assert list(table.value["model, confidence"]) == sorted(table.value["model, confidence"], reverse=True)

    (where,) = app.text_input
    where.set_value("synthetic:400").run()
    assert "synthetic:400" in app.error[0].value.replace("\\", "")
    app.text_input[0].set_value(str(tmp_path / "nowhere")).run()
    assert "nowhere" in app.error[0].value
    app.text_input[0].set_value("synthetic:80").run()
    assert not app.error and not app.exception
    assert html(app)[-1].count("<img") == min(number, 24)
    assert "4 fear, 1 absent" in html(app)[-1] or "4 fear, 1 neutral" in html(app)[-1]


def test_lists_show_the_pictures_that_matter(folder: Path) -> None:
    app = section(open_page(), "Pictures", "evaluation_part")
    predictions = read_evaluation(DEFAULT_REPORT).predictions
    table = app.dataframe[0].value
    assert (table["label"] != table["model predicts"]).all()
    wrong = predictions.predicted != predictions.truth
    assert table["model, confidence"].iloc[0] == pytest.approx(100 * predictions.confidence[wrong].max())
    for name in ("Least sure", "Likely label errors"):
        section(app, name, "evaluation_list")
        assert len(app.dataframe[0].value)


@pytest.mark.slow
def test_two_runs_are_compared(folder: Path) -> None:
    finished_run(folder, "calm", make_evaluation(seed=0, rated=True))
    finished_run(folder, "eager", make_evaluation(seed=1, skill=3, rated=True))
    app = section(open_page(), "Compare")
    assert not charts(app), "with nothing chosen"
    calm, eager = (folder / name / "reports" / "pretended-test-majority" / "report.json" for name in ("calm", "eager"))
    app.multiselect(key="comparison_reports").select(calm).select(eager).run()
    assert not app.exception and not app.error
    assert charts(app) == 3  # differences, expressions, training
    assert re.search("calm.*validation.*n = 20.*eager.*validation", texts(app))
    assert len(app.get("download_button")) == 6 and formats(app) == {"HTML", "CSV"}
    table = app.dataframe[0].value
    assert list(table["model"]) == ["calm", "eager"]
    assert float(table["p"].iloc[1]) < 0.05
    differing = app.dataframe[1].value
    assert (differing["second predicts"] == differing["label"]).all() and (
        differing["first predicts"] != differing["label"]
    ).all()
    app.multiselect(key="comparison_reports").unselect(eager).select(DEFAULT_REPORT).run()
    assert len(app.error) == 1


@pytest.mark.slow
def test_a_model_that_was_trained_on_the_pictures_is_marked_and_not_compared(folder: Path) -> None:
    for name, seed, seen in (("fair", 0, Seen(5, 0)), ("knowing", 1, Seen(100, 0))):
        found = make_evaluation(seed=seed)
        report = replace(found.report, data=replace(found.report.data, seen=seen))
        finished_run(folder, name, Evaluation(report, found.predictions))
    app = open_page()
    title = Path("reports", "pretended-test-majority", "report.json")
    paths = {name: folder / name / title for name in ("fair", "knowing")}
    app.selectbox(key="evaluation_report_widget").set_value(paths["fair"]).run()
    assert not app.warning and any("trained on 5 " in caption.value for caption in app.caption)
    app.selectbox(key="evaluation_report_widget").set_value(paths["knowing"]).run()
    assert "100 of these 120" in app.warning[0].value
    section(app, "Compare")
    app.multiselect(key="comparison_reports").set_value(list(paths.values())).run()
    assert not app.exception and "100 of 120" in app.error[0].value and not charts(app)


def test_one_report_cannot_be_compared(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer.model.WEIGHTS_DIR", tmp_path)
    shutil.copy(DEFAULT_REPORT, tmp_path / DEFAULT_REPORT.name)
    app = section(open_page(), "Compare")
    assert len(app.info) == 1 and not app.multiselect


@pytest.mark.slow
def test_a_model_is_measured_in_the_background(folder: Path, tiny_checkpoint: Path) -> None:
    run = open_run(folder, TrainingConfig("synthetic:80", epochs=2, size_px=24), "mine")
    shutil.copy(tiny_checkpoint, run.best_path)
    app = section(open_page(), "Evaluate")
    app.segmented_control(key="measure_source").set_value("Drawn faces").run()
    app.select_slider[0].set_value(80).run()
    app.multiselect(key="measure_models").set_value([]).run()
    assert next(button for button in app.button if button.label == "Evaluate").disabled, "no model"
    app.multiselect(key="measure_models").set_value([run.best_path]).run()
    press(app, "Evaluate")
    (view,) = job.views(folder, KIND)
    assert model_of(view.folder) == "mine"
    other = section(open_page(), "Evaluate")  # another viewer, or the same after a reload
    if job.view(view.folder, KIND).active:
        assert "Stop" in {button.label for button in other.button}
    wait_until(lambda: not job.view(view.folder, KIND).active)
    app.run()
    press(app, "Show")
    assert app.segmented_control(key="evaluation_section").value == "Report"
    assert "drawn faces (80)" in texts(app) and not app.error
    section(app, "Evaluate")
    press(app, "Delete it")
    assert job.views(folder, KIND) == []


@pytest.mark.slow
def test_a_data_set_is_looked_at(folder: Path) -> None:
    app = section(open_page(), "Data set")
    assert not app.dataframe, "with nothing chosen"
    app.segmented_control(key="look_source").set_value("Drawn faces").run()
    app.select_slider[0].set_value(80).run()
    assert not app.exception and "**80 pictures**" in texts(app)
    app.selectbox(key="samples_label").set_value("fear").run()
    assert len(re.findall(r'alt="[^"]*fear"', html(app)[-1])) == 10
    app.segmented_control(key="look_source").set_value("On this machine").run()
    app.text_input[0].set_value("/nowhere/at/all").run()
    assert "/nowhere/at/all" in app.error[0].value


@pytest.mark.slow
def test_copies_are_shown_as_pairs_of_pictures(folder: Path, tmp_path: Path) -> None:
    for number, (split, label) in enumerate(
        [("train", "fear"), ("train", "anger"), ("test", "anger"), ("train", "fear"), ("test", "fear")]
    ):
        seed = max(number, 2)  # the first three are one picture
        write_picture(tmp_path / "faces" / split / label / f"{number}.png", pattern(seed))
    app = section(open_page(), "Data set")
    app.segmented_control(key="look_source").set_value("On this machine").run()
    app.text_input[0].set_value(str(tmp_path / "faces")).run()
    assert not app.exception and not app.error
    kinds = by_key(app.selectbox, "copies ")
    assert [option.split(": ")[1] for option in kinds.options] == ["2", "1", "2"]
    (pairs,) = [part for part in html(app) if "#D55E00" in part]
    assert pairs.count("<img") == 4 and "train: fear/0.png" in pairs and "test: anger/2.png" in pairs
    kinds.set_value("labeled differently").run()
    (pairs,) = [part for part in html(app) if "#D55E00" in part]
    assert pairs.count("#D55E00") == 2


def test_others_only_look(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")
    finished_run(folder, "mine", make_evaluation(rated=True))
    app = open_page()
    section(app, "Pictures", "evaluation_part")
    assert not app.text_input and len(app.dataframe)
    for name in ("Evaluate", "Data set"):
        section(app, name)
        assert "FER_ALLOW_TRAINING=1" in texts(app)
    section(app, "Report")
    choose_first_run(app)
    section(app, "Details and downloads", "evaluation_part")
    assert not app.get("download_button") and not app.code


def test_a_damaged_report_is_said(folder: Path) -> None:
    run = finished_run(folder, "mine", make_evaluation())
    report = run.folder / "reports" / "pretended-test-majority" / "report.json"
    report.write_text("{")
    app = open_page()
    choose_first_run(app)
    assert not app.exception and "report.json" in app.error[0].value


def test_a_report_that_was_deleted_in_another_tab_is_not_replaced_in_silence(folder: Path) -> None:
    run = finished_run(folder, "gone", make_evaluation())
    app = open_page()
    choose_first_run(app)
    assert not app.info
    shutil.rmtree(run.folder)
    app.run()
    assert len(app.info) == 1 and not app.exception
    app.run()
    assert not app.info


def test_the_model_card(folder: Path) -> None:
    app = open_page("model_card")
    assert "n = 3,137" in texts(app)
    assert len(app.expander) == 10 and len(app.get("image")) == 6
    assert formats(app) == {"Markdown"}


@pytest.mark.slow
def test_it_opens_without_heavy_libraries() -> None:
    program = (
        "import sys\nimport pages.parts.evaluation_report\n"
        "print(*sorted({'torch', 'sklearn', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(ENTRY).parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


CONFIG = '{"kind": "evaluation", "dataset": "synthetic:80", "checkpoint": "m"'
BROKEN = {
    "missing": {},
    "empty": {"config.json": ""},
    "half-written": {"config.json": CONFIG},
    "of another shape": {"config.json": '["evaluation"]'},
    "of another type": {"config.json": '{"kind": "evaluation", "dataset": 5, "checkpoint": "m"}'},
    "of a later version": {"config.json": f'{CONFIG}, "mood": "good"}}'},
    "status of a later version": {"config.json": f"{CONFIG}}}", "status.json": '{"state": "dreaming"}'},
    "finished without a report": {"config.json": f"{CONFIG}}}", "status.json": '{"state": "finished"}'},
    "of an earlier version, half-written": {"request.json": '{"request": {"data'},
    "a report alone": {"report.json": "{"},
    "nested deeply": {"config.json": f'{CONFIG}, "sample": ' + '{"a":' * 10**5},
}


@pytest.mark.parametrize("files", BROKEN.values(), ids=BROKEN)
def test_a_damaged_evaluation_is_shown_and_can_be_deleted(folder: Path, files: dict[str, str]) -> None:
    place = folder / "mine" / "reports" / "broken"
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name).write_text(text)
    app = section(open_page(), "Evaluate")
    assert (" · broken" in texts(app)) == bool(files)
    if any(button.label == "Show" for button in app.button):
        press(app, "Show")
        section(app, "Evaluate")
    if files:
        press(app, "Delete it")
        assert not place.exists()
