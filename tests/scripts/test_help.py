"""What `--help` shows, however a command was started."""

import importlib

import pytest


@pytest.mark.parametrize("command", ["train", "evaluate", "predict"])
def test_help_explains_the_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"fer.cli.{command}")
    with pytest.raises(SystemExit) as left:
        module.main(["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: fer-studio {command}")
    assert f"\n    fer-studio {command} --" in said
    assert "scripts/" not in said
    with pytest.raises(SystemExit) as left:
        module.main([])
    assert left.value.code == 2
    assert "required" in capsys.readouterr().err


@pytest.mark.parametrize("script", ["train", "evaluate", "predict"])
def test_a_script_explains_itself(
    script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [f"scripts/{script}.py", "--help"])
    with pytest.raises(SystemExit) as left:
        importlib.import_module(f"scripts.{script}").main()
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert f"\n    python scripts/{script}.py --" in said
    assert "fer-studio" not in said
