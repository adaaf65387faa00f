"""How a long computation reports: one small callable, passed in, never a screen handle."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives how far a stage is; may raise :class:`core.errors.Cancelled` to stop it.

    Call it at least once a second from anything that takes longer than that.
    """

    def __call__(self, stage: str, fraction: float, message: str = "", **figures: float) -> None:
        """Report.

        Args:
            stage: Name of the stage, one of :data:`core.pipeline.STAGES` or a background task.
            fraction: Share of the stage that is done, 0 to 1.
            message: One short line for a person.
            figures: Plain numbers worth plotting or showing (``loss=…``, ``users_per_s=…``).
        """


def silent(stage: str, fraction: float, message: str = "", **figures: float) -> None:
    """The progress of somebody who is not watching."""
