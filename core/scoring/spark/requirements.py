"""Check what Spark needs before a cluster is asked for anything: a package, Java, a master that answers."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from core.base.errors import ResourceError, SettingsError
from core.base.places import install_command

_JAVA: Final = 17
"""Oldest version of Java that Spark 4 runs on."""
_ANSWERS_S: Final = 5.0
"""Seconds to wait for a master's port at most."""
ALLOWED: Final = "spark://HOST:PORT of a standalone cluster, or local[N] for N cores of this machine"

_CLUSTER: Final = re.compile(r"spark://(?P<host>[\w.-]+|\[[0-9A-Fa-f:]+\]):(?P<port>\d{1,5})")
_LOCAL: Final = re.compile(r"local\[(?:[1-9]\d{0,3}|\*)\]")
_VERSION: Final = re.compile(r'version "(\d+)')
_LOOPBACK: Final = ("127.", "localhost", "[::1]")
_MAX_PORT: Final = 65_535


@dataclass(frozen=True)
class Master:
    """Address of a Spark master.

    Args:
        url: As it was given.
        host: Empty where Spark runs in this machine's own process.
        port: 0 there.
    """

    url: str
    host: str = ""
    port: int = 0

    @property
    def is_cluster(self) -> bool:
        """Whether executors are processes of their own, which have to be waited for."""
        return bool(self.host)

    @property
    def is_here(self) -> bool:
        """Whether all of it is on this machine's loopback."""
        return not self.host or self.host.startswith(_LOOPBACK)

    @classmethod
    def read(cls, url: str) -> Master:
        """Read the address of a master.

        Raises:
            SettingsError: If it is of another form.
        """
        found = _CLUSTER.fullmatch(url)
        if found and 0 < int(found["port"]) <= _MAX_PORT:
            return cls(url, found["host"], int(found["port"]))
        if _LOCAL.fullmatch(url):
            return cls(url)
        raise SettingsError(f"--master {url!r} is not the address of a Spark master", allowed=ALLOWED)


def installed() -> bool:
    """Whether pyspark is installed; Java, a master and its workers are looked for when a run starts."""
    return find_spec("pyspark") is not None


def require_spark(master: Master) -> None:
    """Check that Spark can be started, and that something answers where the master should be.

    Raises:
        SettingsError: If the package is not installed.
        ResourceError: If there is no Java, or nothing answers.
    """
    if not installed():
        raise SettingsError(
            "--engine spark needs the package pyspark, which is not installed",
            remedy=f"Install it: {install_command('spark', 'pyspark>=4.3,<5')}",
        )
    _require_java()
    if master.is_cluster:
        _require_answer(master)


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    remedy = f"Install Java {_JAVA} or newer (apt install default-jre-headless), or set JAVA_HOME to it"
    where = f" at JAVA_HOME={home}" if home else ""
    try:
        done = subprocess.run(
            [java or "", "-version"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ResourceError(f"Spark needs Java, and none can be run here{where}", remedy=remedy) from error
    found = _VERSION.search(done.stderr + done.stdout)
    if found and int(found[1]) < _JAVA:
        raise ResourceError(f"Spark needs Java {_JAVA}, and {java} is Java {found[1]}", remedy=remedy)


def _require_answer(master: Master) -> None:
    """Check that the master's port answers; Spark itself would try for a minute before it says so."""
    try:
        with socket.create_connection((master.host.strip("[]"), master.port), timeout=_ANSWERS_S):
            return
    except OSError as error:
        raise ResourceError(
            f"No Spark master answers at {master.url} ({error.strerror or error})",
            remedy="Start it, or look up its address: the master's own page and log name it",
        ) from error
