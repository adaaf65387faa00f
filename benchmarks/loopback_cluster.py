"""A standalone Spark cluster of this machine's own: a master and workers on the loopback, as real processes.

``python -m benchmarks.loopback_cluster --workers 2`` keeps one up and prints its address, until Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from core.scoring.spark.session import JAVA_OPTIONS

HOST: Final = "127.0.0.1"
UP_S: Final = 300.0
END_S: Final = 20.0
_CLASS: Final = "org.apache.spark.deploy"


@dataclass
class Cluster:
    """A master and its workers, each a process of its own.

    Args:
        folder: For logs and the work of executors.
        port: Port of the master.
        workers: Running processes in order of their start; each offers one core unless told otherwise.
    """

    folder: Path
    port: int
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _all: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Address of the master, for ``--master``."""
        return f"spark://{HOST}:{self.port}"

    def start_master(self) -> None:
        """Start the master, and wait until it listens."""
        log = self._start("master", "master.Master", "--host", HOST, "--port", self.port, "--webui-port", 0)
        _wait(log, "I have been elected leader")

    def start_workers(self, count: int = 1, cores: int = 1, memory: str = "1g") -> None:
        """Start workers at once, and wait until the master knows them."""
        logs = []
        for _ in range(count):
            name = f"worker{len(self.workers)}"
            logs.append(self._start(
                name, "worker.Worker", self.url, "--host", HOST, "--cores", cores, "--memory", memory,
                "--webui-port", 0, "--work-dir", self.folder / name,
            ))  # fmt: skip
            self.workers.append(self._all[-1])
        for log in logs:
            _wait(log, "Successfully registered with master")

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """Kill a worker with its executors, as a machine does that loses power."""
        family = [worker, *psutil.Process(worker.pid).children(recursive=True)]
        for process in family:
            process.kill()
        worker.wait()
        self.workers.remove(worker)

    def stop(self) -> None:
        """End all processes that were started here, workers first."""
        for process in reversed(self._all):
            process.terminate()
        for process in self._all:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, name: str, what: str, *options: object) -> Path:
        import pyspark

        home = Path(pyspark.__file__).parent
        log = self.folder / f"{name}.log"
        own = {
            "SPARK_LOCAL_IP": HOST,
            "SPARK_LOCAL_DIRS": str(self.folder / "local"),
            "SPARK_CONF_DIR": str(self.folder),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": JAVA_OPTIONS,
        }
        with log.open("wb") as file:
            process = subprocess.Popen(
                [home / "bin" / "spark-class", f"{_CLASS}.{what}", *map(str, options)],
                env={**os.environ, "SPARK_HOME": str(home), **own},
                stdout=file, stderr=file, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self._all.append(process)
        return log


@contextmanager
def loopback_cluster(workers: int = 2, cores: int = 1, memory: str = "1g") -> Iterator[Cluster]:
    """A master and some workers, ended by their process ids.

    Raises:
        RuntimeError: If one of them does not come up.
    """
    folder = Path(tempfile.mkdtemp(prefix="spark-cluster."))
    cluster = Cluster(folder, _free_port())
    try:
        cluster.start_master()
        cluster.start_workers(workers, cores, memory)
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait(log: Path, line: str) -> None:
    ends = time.monotonic() + UP_S
    while time.monotonic() < ends:
        if line in log.read_text(errors="replace"):
            return
        time.sleep(0.2)
    raise RuntimeError(f"{log.name} does not say {line!r}:\n{log.read_text(errors='replace')[-2000:]}")


def main() -> None:
    """Keep a cluster up until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1, help="of each worker")
    parser.add_argument("--memory", default="1g", help="of each worker")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with loopback_cluster(asked.workers, asked.cores, asked.memory) as cluster:
        print(cluster.url, flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
