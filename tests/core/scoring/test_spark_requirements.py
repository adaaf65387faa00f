"""What is said before a cluster is asked for anything; nothing here starts Java."""

import socket
from importlib import util
from pathlib import Path

import pytest

from core.base.errors import ResourceError, SettingsError
from core.scoring.spark import requirements
from core.scoring.spark.requirements import Master, require_spark


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Java of version 17, as far as anybody asks."""
    return said_java('openjdk version "17.0.2" 2022-01-18', tmp_path, monkeypatch)


def said_java(version: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (home / "bin").mkdir()
    (home / "bin" / "java").write_text(f"#!/bin/sh\necho '{version}' >&2\n")
    (home / "bin" / "java").chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(home))
    return home


@pytest.mark.parametrize(
    ("url", "host", "port", "is_here"),
    [
        ("spark://10.0.0.7:7077", "10.0.0.7", 7077, False),
        ("spark://master.example:7077", "master.example", 7077, False),
        ("spark://127.0.0.1:17077", "127.0.0.1", 17077, True),
        ("spark://[::1]:7077", "[::1]", 7077, True),
        ("local[2]", "", 0, True),
        ("local[*]", "", 0, True),
    ],
)
def test_an_address_is_a_cluster_or_cores_of_this_machine(
    url: str, host: str, port: int, is_here: bool
) -> None:
    found = Master.read(url)
    assert (found.url, found.host, found.port, found.is_here) == (url, host, port, is_here)
    assert found.is_cluster == bool(host)


@pytest.mark.parametrize(
    "url",
    ["", "spark://host", "spark://host:0", "spark://host:99999", "spark://host:7077/x", "http://host:7077",
     "host:7077", "yarn", "local", "local[0]", "local[x]", "spark://a b:7077"],
)  # fmt: skip
def test_another_form_is_refused_with_those_that_there_are(url: str) -> None:
    with pytest.raises(SettingsError, match=r"(?s)is not the address.*spark://HOST:PORT.*local\[N\]"):
        Master.read(url)


def test_who_has_not_installed_the_extra_is_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "find_spec", lambda name: None)
    assert util.find_spec("json")
    with pytest.raises(SettingsError, match=r"not installed.*pip install 'pyspark>=4.3,<5'"):
        require_spark(Master.read("local[1]"))


def test_without_java_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "find_spec", lambda name: name)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(ResourceError, match=rf"JAVA_HOME={tmp_path}.*default-jre-headless"):
        require_spark(Master.read("local[1]"))
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ResourceError, match="none can be run here"):
        require_spark(Master.read("local[1]"))


def test_a_java_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "find_spec", lambda name: name)
    said_java('openjdk version "11.0.2" 2019-01-15', tmp_path, monkeypatch)
    with pytest.raises(ResourceError, match=r"needs Java 17, and .* is Java 11"):
        require_spark(Master.read("local[1]"))


def test_a_master_that_is_not_there_is_noticed_at_once(java: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "find_spec", lambda name: name)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(ResourceError, match=rf"No Spark master answers at spark://127.0.0.1:{port}"):
            require_spark(Master.read(f"spark://127.0.0.1:{port}"))
        closed.listen()
        require_spark(Master.read(f"spark://127.0.0.1:{port}"))
