"""fer-studio finds its commands, its folders and missing packages."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer.cli import benchmark, command, main
from fer.cli.command import UNREAD_CODE, tells_errors
from fer.home import HOME_VARIABLE, app_folder, data_folder, runs_folder

ROOT = Path(__file__).parents[2]


def run_python(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8")


def test_help_lists_every_command_and_imports_none(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from fer.cli.main import main\n"
        "try: main(['--help'])\n"
        "finally: print(sorted({'numpy', 'torch', 'streamlit', 'fer.cli.train'} & set(sys.modules)))"
    )
    done = run_python("-c", program, folder=tmp_path)
    for name, what in main.COMMANDS.items():
        assert f"  {name:10} {what}\n" in done.stdout
        assert (ROOT / "fer" / "cli" / f"{name}.py").is_file()
    assert done.stdout.endswith("[]\n")


@pytest.mark.slow
def test_the_package_runs_as_a_module_and_returns_the_exit_code(tmp_path: Path) -> None:
    done = run_python("-m", "fer", "evaluate", "--report", "gone.json", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ") and "gone.json" in done.stderr
    assert run_python("-m", "fer", "evaluate", folder=tmp_path).returncode == 2
    assert run_python("-m", "fer", "dance", folder=tmp_path).returncode == 2


def test_home_applies_to_this_process_and_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, "before")  # so that it is restored
    for variable in ("FER_RUNS", "FER_DATA"):  # they would take precedence
        monkeypatch.delenv(variable, raising=False)
    seen = []
    monkeypatch.setattr("fer.cli.benchmark.main", lambda options: seen.append(options) or 7)
    assert main.main(["--home", str(tmp_path), "benchmark", "live", "--json", "--home", "x"]) == 7
    assert seen == [["live", "--json", "--home", "x"]]
    assert os.environ[HOME_VARIABLE] == str(tmp_path)
    assert (runs_folder(), data_folder()) == (tmp_path / "runs", tmp_path / "data")


def test_benchmarks_need_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (app_folder() / "scripts" / "benchmark.py").is_file()
    monkeypatch.setattr(benchmark, "app_folder", lambda: tmp_path)
    assert benchmark.main([]) == 1
    assert "checkout" in capsys.readouterr().err


@pytest.mark.parametrize(("package", "extra"), [("torch", "torch"), ("sklearn.metrics", "train"), ("streamlit", "app")])
def test_a_missing_package_is_named_with_its_extra(
    package: str, extra: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @tells_errors
    def command() -> int:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    assert command() == 1
    assert f'pip install "fer-studio[{extra}]"' in capsys.readouterr().err


def test_our_own_bug_is_not_a_missing_package() -> None:
    @tells_errors
    def command() -> int:
        raise ModuleNotFoundError("No module named 'fer.nowhere'", name="fer.nowhere")

    with pytest.raises(ModuleNotFoundError, match=r"fer\.nowhere"):
        command()


def test_a_character_that_the_terminal_lacks_is_no_error(tmp_path: Path) -> None:
    program = "from fer.cli.command import say, tells_errors; tells_errors(lambda: say('σ → 顔') or 3)()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, encoding="cp1252")
    assert done.stdout == "\\u03c3 \\u2192 \\u9854\n" and not done.stderr


@pytest.mark.parametrize(("filename", "code"), [(None, UNREAD_CODE), ("a?b", 1)])
def test_a_broken_pipe_on_windows_is_no_error(monkeypatch: pytest.MonkeyPatch, filename: str | None, code: int) -> None:
    @tells_errors
    def breaks() -> int:
        raise OSError(errno.EINVAL, "Invalid argument", filename)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(command, "drop_unread", lambda: True)
    assert breaks() == code
