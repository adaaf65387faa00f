"""The report: one HTML file with everything a run found, that opens without a server.

``compose`` turns the results of a run into plain values, ``render`` lays them out: ``write_report``.
"""

from __future__ import annotations

from pathlib import Path

from core.runs.report.cards import ReportInput
from core.runs.report.content import advice, compose
from core.runs.report.page import render
from core.storage.disk import write_text_atomic

__all__ = ["ReportInput", "advice", "compose", "render", "write_report"]


def write_report(path: Path, source: ReportInput) -> None:
    """Write the report of a run, as a whole or not at all.

    Args:
        path: The HTML file.
        source: Results of the run.

    Raises:
        ResourceError: If the disk is full; an older report is still there.
    """
    write_text_atomic(path, render(compose(source)))
