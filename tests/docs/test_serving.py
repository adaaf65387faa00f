"""Every command of docs/how-to/serving.md, as it stands there, against a real model."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.core.scoring.serving.conftest import small_network

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "how-to" / "serving.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serving")
    shutil.copytree(small_network(tmp_path_factory) / "out", folder / "OUT")
    return folder


def in_shell(command: str, out: Path, port: int) -> str:
    """The command where the page means it to be run; with the test's port and its Python."""
    python = f'python() {{ {sys.executable} "$@"; }}\n'
    env = os.environ | {"PYTHONPATH": str(ROOT), "BEHA2VEC_TOKEN": "a-token-of-twenty-letters"}
    done = subprocess.run(
        ["bash", "-ec", python + command.replace("8788", str(port))],
        cwd=out, env=env, capture_output=True, text=True, check=True, timeout=250,
    )  # fmt: skip
    return done.stdout


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_the_door_is_started_and_asked_as_it_is_written(out: Path) -> None:
    start, single, batch = blocks("sh")
    port = free_port()
    events = json.loads(re.search(r"-d '(.*)'", single, re.DOTALL)[1])  # type: ignore[index]
    (out / "events.json").write_text(json.dumps(events))
    token, serve = start.strip().splitlines()
    env = os.environ | {"BEHA2VEC_TOKEN": "a-token-of-twenty-letters"}
    made = in_shell(f"{token}; echo $BEHA2VEC_TOKEN", out, port)
    assert len(made.strip()) >= 40
    command = serve.replace("python", sys.executable, 1).replace("8788", str(port))
    with subprocess.Popen(command.split(), cwd=out, env=env | {"PYTHONPATH": str(ROOT)}) as server:
        try:
            wait_for(port)
            answer = json.loads(in_shell(single, out, port))
            many = json.loads(in_shell(batch, out, port))
        finally:
            server.send_signal(signal.SIGTERM)
    assert server.returncode == 0
    assert answer["page_views"] == 2
    assert [one["segment"] for one in many["users"]] == [answer["segment"]]


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)


def test_the_service_starts_what_there_is() -> None:
    [unit] = blocks("ini")
    service = configparser.ConfigParser(strict=False, interpolation=None)
    service.optionxform = str  # type: ignore[assignment,method-assign]
    service.read_string(unit)
    words = service["Service"]["ExecStart"].split()
    said = subprocess.run(
        [sys.executable, "-m", "core", "serve", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert words[1:4] == ["-m", "core", "serve"]
    assert all(word in said for word in words if word.startswith("--"))


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_takes_its_lines(tmp_path: Path) -> None:
    [lines] = blocks("nginx")
    with socket.socket() as probe:  # nginx takes no port 0
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(
        f"events {{}}\nhttp {{ server {{ listen 127.0.0.1:{port};\n{lines}\n}} }}\npid {tmp_path}/pid;"
    )
    subprocess.run(["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], check=True)


def test_the_paths_statuses_and_limits_that_are_told_are_those_there_are() -> None:
    from core.scoring.serving.scorer import BATCH_EVENTS, SINGLE_EVENTS
    from core.scoring.serving.server import ERRORS, openapi

    assert all(path in TEXT for path in openapi()["paths"])
    assert all(str(status) in TEXT for status in ERRORS)
    assert f"{SINGLE_EVENTS:,} events" in TEXT
    assert f"{BATCH_EVENTS:,} events" in TEXT
