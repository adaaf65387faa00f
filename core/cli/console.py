"""Progress on stderr: a bar for a person, a line for each stage in a log file."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from core.base.wording import printable


class ConsoleProgress:
    """A :class:`core.base.progress.Progress` that draws on stderr while it is entered."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        note = TextColumn("{task.fields[note]}", markup=False)
        columns = (TextColumn("{task.description:<12}"), BarColumn(), TimeElapsedColumn(), note)
        self._bars = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, stage: str, fraction: float, message: str = "", **figures: float) -> None:
        """Show how far a stage is."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=1.0, note="")
            self._began[stage] = time.monotonic()
        note = " ".join(
            [printable(message), *(f"{name}={value:.4g}" for name, value in figures.items())]
        ).strip()
        self._bars.update(self._tasks[stage], completed=fraction, note=note)
        if fraction >= 1 and not self._console.is_terminal and stage in self._began:
            took = time.monotonic() - self._began.pop(stage)
            self._console.print(f"{stage}: {took:.1f} s {note}".rstrip(), soft_wrap=True, markup=False)

    def tell(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(printable(line), soft_wrap=True, markup=False)


def print_line(line: object, *, err: bool = False) -> None:
    """Print a line to stdout, or stderr with ``err``; control characters in it are escaped."""
    click.echo(printable(line), err=err)
