"""Stages after the segments of a run: one that fails is recorded with its error, and the run goes on."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

from core.base.errors import Cancelled, ResourceError, one_line
from core.storage.disk import disk_errors

FAILED_LOG: Final = "failed.log"
"""Tracebacks of the stages that failed; no file where none did."""

Made = TypeVar("Made")
Other = TypeVar("Other")


class Attempt(Protocol):
    """Runs a stage that a run can do without: (its name, what makes the result, the result if that fails)."""

    def __call__(self, stage: str, make: Callable[[], Made], otherwise: Other) -> Made | Other:
        """Run ``make`` and return its result, or ``otherwise`` where the stage fails and that may be."""


def failure_lines(failed: Mapping[str, str]) -> list[str]:
    """Lines for the user about failed stages; ``failed``: stage → its error in a line."""
    return [f"{stage} could not be made ({error}); see {FAILED_LOG}" for stage, error in failed.items()]


def raising(stage: str, make: Callable[[], Made], otherwise: Other) -> Made | Other:
    """An :class:`Attempt` that lets every error through."""
    return make()


@dataclass(frozen=True)
class LaterStages:
    """Runs stages one by one, and records which failed.

    Args:
        folder: Where the files of the run are made.
        failed: Stage → its error in a line.
    """

    folder: Path
    failed: dict[str, str] = field(default_factory=dict)

    def attempt(self, stage: str, make: Callable[[], Made], otherwise: Other) -> Made | Other:
        """Run a stage; where it fails, remove its files and log its traceback.

        Args:
            stage: What it makes, as a person calls it.
            make: Makes it.
            otherwise: What is returned where that fails.

        Raises:
            Cancelled: If the run was stopped.
            ResourceError: If disk or memory run out.
        """
        before = set(self.folder.rglob("*"))
        try:
            with disk_errors():
                return make()
        except (Cancelled, ResourceError, MemoryError):
            raise
        except Exception as error:  # whatever it is, the other stages have nothing to do with it
            for path in set(self.folder.rglob("*")) - before:
                if not path.is_dir():
                    path.unlink()
            self.failed[stage] = one_line(error)
            with (self.folder / FAILED_LOG).open("a", encoding="utf-8") as log:
                log.write(f"{stage}\n{traceback.format_exc()}\n")
            return otherwise
