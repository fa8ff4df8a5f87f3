"""What pages take in a browser can be measured; whether they are fast enough is for people to judge."""

import json
import subprocess
import sys

from playwright.sync_api import Browser

from scripts.benchmarks.page import ROOT


def test_the_benchmark_measures_when_figures_and_matrix_are_drawn(browser: Browser) -> None:
    command = [sys.executable, "scripts/benchmark.py", "page", "--repeat", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    for who in ("first visitor after the app's start", "empty cache", "in the cache"):
        for what in ("headline figures", "confusion matrix"):
            assert figures[f"{who}: {what} (s)"] > 0


def test_the_benchmark_measures_viewers_with_browsers(browser: Browser) -> None:
    command = [sys.executable, "scripts/benchmark.py", "viewers", "--browsers", "--viewers", "1", "--seconds", "3"]
    done = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    assert len(figures) == 4 and all(value > 0 for value in figures.values())
