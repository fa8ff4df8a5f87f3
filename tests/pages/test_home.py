"""The home page, without a browser."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from fer.evaluation.report import read_report
from fer.model import DEFAULT_REPORT
from fer.results.result import PICTURES
from fer.results.store import ResultStore

ROOT = Path(__file__).parents[2]
ENTRY = str(ROOT / "streamlit_app.py")


def text_of(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.title, app.markdown, app.caption) for element in kind)


def test_home_says_what_it_is_and_how_good() -> None:
    app = AppTest.from_file(ENTRY, default_timeout=60).run()
    assert not app.exception
    text = text_of(app)
    report = read_report(DEFAULT_REPORT)
    assert "Expression Studio" in text
    assert ":material/lock:" in text, "nothing about privacy"
    assert "Barrett et al. 2019" in text
    assert "5(1)(f)" in text
    assert report.basis in text
    assert report.agreement is not None
    for share in (report.agreement.rater, report.agreement.model):
        assert f"{100 * share.value:.1f} %" in text
    recall = report.per_class["contempt"].recall.value
    assert recall < 0.5
    assert f"contempt (recall {100 * recall:.0f} %)" in text
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Accuracy"] == f"{100 * report.accuracy.value:.1f} %"
    assert figures["Test pictures"] == f"{report.n:,}"


@pytest.mark.parametrize(
    ("auth", "count"),
    [
        ({}, 0),
        ({"client_id": "a", "client_kwargs": {"prompt": "login"}}, 1),
        ({"one": {"client_id": "a"}, "two": {"client_id": "b"}}, 2),
    ],
)
def test_visitors_sign_in_with_each_provider_that_is_set_up(auth: dict[str, Any], count: int) -> None:
    app = AppTest.from_file(ENTRY, default_timeout=60)
    app.secrets["auth"] = auth
    app.run()
    assert not app.exception and len(app.sidebar.button) == count


def test_who_sits_at_the_machine_changes_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, at_the_machine: None, results: Path
) -> None:
    app = AppTest.from_file(ENTRY, default_timeout=60).run()
    app.radio[0].set_value(PICTURES)
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception and not app.error
    assert ResultStore(results).settings.keep == PICTURES
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")
    assert not AppTest.from_file(ENTRY, default_timeout=60).run().radio


def test_home_with_an_own_model_shows_no_figures_of_the_built_in_one(
    monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path
) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    app = AppTest.from_file(ENTRY, default_timeout=60).run()
    assert not app.exception
    assert not app.metric
    assert "resnet18" in text_of(app)


def test_home_reports_a_missing_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(tmp_path / "missing.safetensors"))
    app = AppTest.from_file(ENTRY, default_timeout=60).run()
    assert not app.exception
    assert "missing.safetensors" in app.error[0].value


@pytest.mark.slow
def test_home_opens_without_heavy_libraries() -> None:
    """Streamlit itself imports Plotly; anything else was imported by the page."""
    program = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "before = set(sys.modules)\n"
        "app = AppTest.from_file(sys.argv[1], default_timeout=60).run()\n"
        "assert not app.exception, app.exception\n"
        "heavy = {'torch', 'torchvision', 'pandas', 'plotly', 'scipy', 'sklearn', 'fer.charts'}\n"
        "print(*sorted(heavy & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", program, ENTRY], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []
