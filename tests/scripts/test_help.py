"""What `--help` says of the scripts."""

import importlib

import pytest


@pytest.mark.parametrize("script", ["train", "evaluate", "predict"])
def test_help_explains_the_command(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"scripts.{script}")
    with pytest.raises(SystemExit) as left:
        module.main(["--help"])
    assert left.value.code == 0
    assert f"python scripts/{script}.py" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        module.main([])
    assert left.value.code == 2
    assert "required" in capsys.readouterr().err
