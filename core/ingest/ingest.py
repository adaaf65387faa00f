"""From files to a data set: read → canonical pages → ordered page views → tables and receipt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.base.progress import Progress
from core.base.settings import IngestSettings
from core.data.receipt import Receipt


def ingest(
    paths: Sequence[Path], settings: IngestSettings, out_dir: Path, progress: Progress, work_dir: Path
) -> Receipt:
    """Read an export, clean and order it, and account for every record.

    Args:
        paths: Files, folders or patterns.
        settings: How to read, and what to leave out.
        out_dir: An existing folder; gets the files named in ``core/data/dataset.py``.
        progress: Where to report.
        work_dir: An existing folder for intermediate files; what is left in it can be removed.

    Returns:
        The receipt, also written to ``receipt.json``.

    Raises:
        InputError: If a file or column cannot be used, or no page view is left.
        SettingsError: If a URL rule cannot be applied.
        ResourceError: If disk or memory run out.
        Cancelled: If ``progress`` says so.
    """
    # Imported here: Ibis takes half a second, and whoever only opens a receipt does not need it.
    from core.ingest.read.read_all import read_all
    from core.ingest.transform import transform

    raw = read_all(paths, settings, work_dir / "raw", progress)
    return transform(raw, settings, out_dir, progress, work_dir)
