"""How a long computation reports: one small callable, passed in, never a screen handle."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives how far a stage is; may raise :class:`core.base.errors.Cancelled` to stop it.

    Call it at least once a second from anything that takes longer than that.
    """

    def __call__(self, stage: str, fraction: float, message: str = "", **figures: float) -> None:
        """Report.

        Args:
            stage: Name of the stage, one of :data:`core.runs.pipeline.STAGES` or a background task.
            fraction: Share of the stage that is done, 0 to 1.
            message: One short line for a person.
            figures: Plain numbers worth plotting or showing (``loss=…``, ``users_per_s=…``).
        """


class SubProgress:
    """Reports a part of a stage as that part of the whole.

    Args:
        whole: Where to report.
        start: Where the part begins, 0 to 1.
        end: Where it ends.
    """

    def __init__(self, whole: Progress, start: float, end: float) -> None:
        self._whole, self._start, self._end = whole, start, end

    def __call__(self, stage: str, fraction: float, message: str = "", **figures: float) -> None:
        """Report."""
        self._whole(stage, self._start + (self._end - self._start) * fraction, message, **figures)


def silent(stage: str, fraction: float, message: str = "", **figures: float) -> None:
    """The progress of somebody who is not watching."""
