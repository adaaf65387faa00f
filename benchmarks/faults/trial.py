"""One trial: a command in a child whose n-th operation on the disk is special, and what is left after it."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

from benchmarks.faults import interpose
from benchmarks.faults.interpose import How
from benchmarks.faults.scenarios import Scenario, leftovers
from core.base.errors import Beha2VecError

DONE, TYPED, UNTYPED, KILLED = 0, 3, 4, 137


@dataclass(frozen=True)
class Trial:
    """What one disturbed operation led to.

    Args:
        at: Number of the operation, from 0.
        operation: What the operation was.
        status: Exit status of the command.
        said: Its error.
        faults: What was wrong after it; empty where all was well.
    """

    at: int
    operation: str
    status: int
    said: str
    faults: tuple[str, ...] = ()


@dataclass
class Bench:
    """Runs the trials of a scenario; call :meth:`prepare` first.

    Args:
        scenario: What is tried.
        folder: Where all of it lies.
        power: Whether the power fails too where the process is killed: what was not flushed is emptied.
        old: Results (file → digest) of the earlier command.
        new: Results of an undisturbed command.
        operations: What each operation is, in order.
        unflushed: Files that the undisturbed command leaves without a flush.
    """

    scenario: Scenario
    folder: Path
    power: bool = False
    old: dict[str, str] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)
    unflushed: list[str] = field(default_factory=list)

    @property
    def out(self) -> Path:
        """The folder that the command writes into."""
        return self.folder / "out"

    @property
    def _told(self) -> Path:
        return self.folder / "unflushed"

    def prepare(self) -> None:
        """Make what an earlier command left, the results to compare with, and the list of operations."""
        self.out.mkdir(parents=True)
        warm_up(lambda: self.scenario.before(self.out), self.folder)
        self.old = self.scenario.results(self.out)
        shutil.copytree(self.out, self.folder / "base", symlinks=True)
        log = self.folder / "operations"
        _expect_done(*self._disturbed(How.COUNT, -1, log))
        self.operations = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
        self.new = self.scenario.results(self.out)
        self.unflushed = [
            path.relative_to(self.out).as_posix() for path in interpose.unflushed(self._told, self.out)
        ]

    def trial(self, how: How, at: int) -> Trial:
        """Run the command with one operation disturbed, recover, run it again; look for faults after each."""
        shutil.rmtree(self.out)
        shutil.copytree(self.folder / "base", self.out)
        status, said = self._disturbed(how, at, None)
        faults = [] if status != UNTYPED else ["untyped"]
        if status == KILLED and self.power:
            lost = [path for path in interpose.unflushed(self._told, self.out) if path.is_file()]
            for path in lost:
                os.truncate(path, 0)
        faults += self._look("torn")
        faults += self._again(self.scenario.recover, "recovery")
        faults += self._look("lost", whole=True)
        faults += self._again(self.scenario.command, "next run")
        if self.scenario.results(self.out) != self.new:
            faults.append("the next run differs")
        faults += [f"left: {name}" for name in leftovers(self.out)]
        return Trial(at, self.operations[at], status, said, tuple(faults))

    def _disturbed(self, how: How, at: int, log: Path | None) -> tuple[int, str]:
        self._told.unlink(missing_ok=True)

        def command() -> None:
            interpose.arm(self.out, how, at, log, self._told)
            try:
                self.scenario.command(self.out)
            finally:
                interpose.tell_unflushed()

        return _child(command, self.folder / "said")

    def _look(self, fault: str, *, whole: bool = False) -> list[str]:
        found = self.scenario.results(self.out)
        return [] if found in (self.old, self.new) or (not found and not whole) else [fault]

    def _again(self, do: Callable[[Path], None], what: str) -> list[str]:
        status, said = _child(lambda: do(self.out), self.folder / "said")
        return [] if status == DONE else [f"{what}: {said}"]


def _child(do: Callable[[], None], told: Path) -> tuple[int, str]:
    """Call a function in a child process: its exit status, and its error, if any."""
    told.unlink(missing_ok=True)
    pid = os.fork()
    if pid == 0:
        _live(do, told)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), told.read_text() if told.exists() else ""


def _live(do: Callable[[], None], told: Path) -> None:
    try:
        do()
    except Beha2VecError as error:
        told.write_text(f"{type(error).__name__}: {error}")
        os._exit(TYPED)
    except BaseException as error:
        told.write_text("".join(traceback.format_exception(error))[-3000:])
        os._exit(UNTYPED)
    sys.stdout.flush()
    os._exit(DONE)


def warm_up(do: Callable[[], None], folder: Path) -> None:
    """Call a function in a child, and import here what it imported, so that later children are quick."""
    names = folder / "modules"

    def learn() -> None:
        do()
        names.write_text("\n".join(sys.modules))

    _expect_done(*_child(learn, folder / "said"))
    for name in names.read_text().split():
        with suppress(Exception):
            import_module(name)


def _expect_done(status: int, said: str) -> None:
    if status != DONE:
        raise RuntimeError(said)


HOWS: Final = {"once": How.ONCE, "ever": How.EVER, "kill": How.KILL, "power": How.KILL}
