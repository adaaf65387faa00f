"""A session with a Spark cluster: opened with what executors need, watched while it works, closed with Java.

Spark by itself waits forever where nobody can work, and says in a hundred lines of Java what went wrong in
one of Python. Here every wait has an end, and an error is a line.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, TypeVar

import core
from core.base.contention import CORES
from core.base.errors import Beha2VecError, ResourceError
from core.base.progress import Progress
from core.scoring.spark.requirements import Master, require_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WORKERS_S: Final = 120.0
"""Seconds to wait for an executor at most, at the start and while something is to be done."""
_SETTLED_S: Final = 2.0
"""Seconds without another executor until all are taken to be there."""
_LOOK_S: Final = 0.3
_GROUP: Final = "beha2vec"
JAVA_OPTIONS: Final = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Java only hands bytes on: compiling it well would cost more, at every start, than it brings."""
_CORE: Final = Path(core.__file__).resolve().parent
_UNPACKED: Final = "beha2vec-code"
"""Folder in an executor's work folder with the unpacked code; on its PYTHONPATH."""

_Result = TypeVar("_Result")
_SAID: Final = re.compile(r"^(?:[\w.]*\.)?(\w*(?:Error|Exception|Cancelled)): (.+)$", re.MULTILINE)


@dataclass
class SparkWork:
    """An open session with a cluster.

    Args:
        spark: The session.
        master: Address of the master.
        log: File with the output of Java.
        cores: Tasks that can run at a time.
        quiet_since: Monotonic time at which there was last an executor.
    """

    spark: SparkSession
    master: Master
    log: Path
    cores: int = 1
    quiet_since: float = field(default_factory=time.monotonic)

    def ship(self, archive: Path) -> None:
        """Give executors a zip; :func:`shipped_folder` finds it unpacked, under its name without ending."""
        self.spark.sparkContext.addArchive(f"{archive}#{archive.stem}")

    def do(self, action: Callable[[], _Result], progress: Progress, stage: str, what: str) -> _Result:
        """Run an action of Spark, and report how far it is.

        Args:
            action: What starts it, and waits for it.
            progress: Gets the share of tasks that are done; may raise ``Cancelled``, which stops them.
            stage: Name of the stage for ``progress``.
            what: Message for ``progress``, and name of the job in Spark.

        Raises:
            ResourceError: If it fails, or there is no executor for :data:`WORKERS_S`.
        """
        from pyspark import InheritableThread

        ended: list[tuple[bool, Any]] = []

        def work() -> None:
            try:
                self.spark.sparkContext.setJobGroup(_GROUP, what, interruptOnCancel=True)
                ended.append((True, action()))
            except Exception as error:  # handed to the thread that waits
                ended.append((False, error))

        thread: Thread = InheritableThread(target=work, daemon=True)
        thread.start()
        self.quiet_since = time.monotonic()
        try:
            while thread.is_alive():
                thread.join(_LOOK_S)
                tasks, done = self._tasks()
                progress(stage, done / (tasks + 1), what, tasks_done=done, tasks=tasks)
        except BaseException:
            with suppress(Exception):  # Java may be gone
                self.spark.sparkContext.cancelAllJobs()
            raise
        done, result = ended[0]
        if not done:
            raise reword_error(result) from result
        progress(stage, 1.0, what)
        return result  # type: ignore[no-any-return]  # what the action returned

    def _tasks(self) -> tuple[int, int]:
        """Number of tasks at work, and of those that are done; none where Java is gone.

        Raises:
            ResourceError: If there has been no executor for too long.
        """
        stages = []
        with suppress(Exception):
            if self._executors() or not self.master.is_cluster:
                self.quiet_since = time.monotonic()
            tracker = self.spark.sparkContext.statusTracker()
            jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(_GROUP)]
            running = {number for job in jobs if job and job.status == "RUNNING" for number in job.stageIds}
            stages = [info for number in running if (info := tracker.getStageInfo(number))]
        if time.monotonic() - self.quiet_since > WORKERS_S:
            raise _nobody(self.master)
        return sum(info.numTasks for info in stages), sum(info.numCompletedTasks for info in stages)

    def _executors(self) -> int:
        """Number of executors, without the driver."""
        java = self.spark.sparkContext._jsc.sc()  # the Python side does not tell
        return len(java.statusTracker().getExecutorInfos()) - 1

    def wait_for_workers(self) -> None:
        """Wait until there are executors and no more come, and note how many cores they have.

        Raises:
            ResourceError: If nobody comes.
        """
        began = since = time.monotonic()
        before = 0
        while self.master.is_cluster and (not before or time.monotonic() - since < _SETTLED_S):
            time.sleep(_LOOK_S)
            if (now := self._executors()) != before:
                before, since = now, time.monotonic()
            if not before and time.monotonic() - began > WORKERS_S:
                raise _nobody(self.master)
        self.cores = max(1, self.spark.sparkContext.defaultParallelism)


def shipped_folder(name: str) -> Path:
    """On an executor: the folder that :meth:`SparkWork.ship` has sent under that name."""
    from pyspark import SparkFiles

    return Path(SparkFiles.get(name))


def scratch() -> Path:
    """On an executor: a folder of Spark's own, which it clears away however this process ends."""
    given = os.environ.get("SPARK_EXECUTOR_DIRS", "").split(os.pathsep)[0]
    here = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")[0]  # of local[N]: Java clears it
    return Path(given or here or tempfile.gettempdir())


@contextmanager
def open_spark(master: Master) -> Iterator[SparkWork]:
    """Open a session, and close it with the Java process that it runs in.

    Raises:
        SettingsError: If pyspark is not installed.
        ResourceError: If there is no Java, no master, or no executor.
    """
    require_spark(master)
    with tempfile.TemporaryDirectory(prefix="beha2vec-spark.", ignore_cleanup_errors=True) as place:
        log = Path(place) / "java.log"
        with _java(master, log) as spark:
            work = SparkWork(spark, master, log)
            if master.is_cluster:
                work.ship(zip_core(Path(place)))
            work.wait_for_workers()
            yield work


@contextmanager
def _java(master: Master, log: Path) -> Iterator[SparkSession]:
    """Start Java with a log of its own, and end it."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    conf = SparkConf().setAll(list(_settings(master).items()))
    gateway = None
    with log.open("wb") as file:
        try:
            logged = {"stdout": file, "stderr": file}
            gateway = launch_gateway(conf, logged)  # type: ignore[no-untyped-call]
            spark = SparkSession(SparkContext(gateway=gateway, conf=conf))
        except Exception as error:  # of Python, of Java, of the system
            _forget_java(gateway)
            raise _not_started(master, error, log) from error
    spark.sparkContext.pythonExec = os.environ.get("PYSPARK_PYTHON", sys.executable)
    try:
        yield spark
    finally:
        with suppress(Exception):  # it may be gone already
            spark.stop()
        _forget_java(gateway)


def _settings(master: Master) -> dict[str, str]:
    """Settings of a session; all others are as spark-defaults.conf of SPARK_CONF_DIR has them."""
    path = _UNPACKED if master.is_cluster else str(_CORE.parent)
    here = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return {
        "spark.master": master.url,
        "spark.app.name": "beha2vec",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": JAVA_OPTIONS,
        "spark.executor.extraJavaOptions": JAVA_OPTIONS,
        "spark.executorEnv.PYTHONPATH": path,
        f"spark.executorEnv.{CORES}": "1",  # of a task; others run beside it
        # a row is a file of megabytes, so a batch is a row
        "spark.sql.execution.arrow.maxRecordsPerBatch": "1",
        "spark.sql.inMemoryColumnarStorage.batchSize": "1",
        "spark.driver.maxResultSize": "0",
        **(here if master.is_here else {}),
    }


def _forget_java(gateway: Any) -> None:  # noqa: ANN401 - py4j has no types
    """End the Java process, so that the next session starts its own."""
    from pyspark import SparkContext

    if gateway is not None:
        with suppress(Exception):
            gateway.shutdown()
        with suppress(Exception):
            gateway.proc.stdin.close()  # Java ends with it
            gateway.proc.wait(10)
    SparkContext._gateway = SparkContext._jvm = None


def reword_error(error: Exception) -> Beha2VecError:
    """Turn an error from somewhere in a cluster into a line of ours."""
    if isinstance(error, Beha2VecError):
        return error
    found = _SAID.findall(str(error))
    kind, text = found[-1] if found else (type(error).__name__, str(error).partition("\n")[0])
    if kind == "ModuleNotFoundError":
        return ResourceError(
            f"The Python of the executors lacks a package: {text}",
            remedy="Install requirements.txt on every worker, and name its Python in PYSPARK_PYTHON",
        )
    return ResourceError(f"Spark could not do it: {kind}: {text[:300]}", remedy="Look at the workers' logs")


def _not_started(master: Master, error: Exception, log: Path) -> ResourceError:
    lines = log.read_text(errors="replace").splitlines()
    told = next((line for line in reversed(lines) if "ERROR" in line or "Exception" in line), "")
    return ResourceError(
        f"Spark could not be started on {master.url}: {(told or str(error)).strip()[:300]}",
        remedy="See that it is the address of a Spark master of the same version as pyspark here",
    )


def _nobody(master: Master) -> ResourceError:
    return ResourceError(
        f"No worker of {master.url} has been at work for {WORKERS_S:.0f} s: none is there, or none has a "
        "core and the memory free",
        remedy="Start workers, or end other applications of the cluster",
    )


def zip_folder(folder: Path, to: Path, inside: str = "") -> Path:
    """Pack the files of a folder, without what Python compiled, and return the zip.

    Args:
        folder: What to pack.
        to: The zip to write.
        inside: Folder within the zip.
    """
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, Path(inside) / path.relative_to(folder))
    return to


def zip_core(folder: Path) -> Path:
    """Pack ``core/`` into a folder, as executors run the very code of the driver.

    Python and the packages that it needs (requirements.txt) have to be there already.
    """
    return zip_folder(_CORE, folder / f"{_UNPACKED}.zip", inside=_CORE.name)
