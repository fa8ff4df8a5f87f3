"""One process at a time in a run folder; a lock dies with its process."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fer.errors import TrainingError
from fer.training.lock import is_locked, locked

HOLD = "import sys, time; from pathlib import Path; from fer.training.lock import locked\n"
HOLD += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"


def test_nobody_gets_in_twice_and_afterwards_anybody(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        assert is_locked(tmp_path)
        with pytest.raises(TrainingError, match="another process is training in"), locked(tmp_path):
            pass
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        pass


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    assert is_locked(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert not is_locked(tmp_path)
