"""How a long computation reports its progress: through a callable that is passed in, never to a screen."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives how far a stage is; may raise :class:`core.base.errors.Cancelled` to stop it.

    Call it at least once a second from anything that takes longer than that.
    """

    def __call__(self, stage: str, fraction: float, message: str = "", **figures: float) -> None:
        """Report the progress of a stage.

        Args:
            stage: Name of the stage, one of :data:`core.runs.pipeline.STAGES` or a background task.
            fraction: Share of the stage that is done, 0 to 1.
            message: One short line for a person.
            figures: Plain numbers worth plotting or showing (``loss=…``, ``users_per_s=…``).
        """


class SubProgress:
    """Maps the progress of a part of a stage to its share of the whole stage.

    Args:
        whole: Where to report.
        start: Where the part begins, 0 to 1.
        end: Where it ends.
    """

    def __init__(self, whole: Progress, start: float, end: float) -> None:
        self._whole, self._start, self._end = whole, start, end

    def __call__(self, stage: str, fraction: float, message: str = "", **figures: float) -> None:
        """Report the part's progress, scaled to the whole stage."""
        self._whole(stage, self._start + (self._end - self._start) * fraction, message, **figures)


def silent(stage: str, fraction: float, message: str = "", **figures: float) -> None:
    """Ignore all progress reports."""
