"""Replace a set of files by a new set: all of it, or nothing.

The new set is made in a temporary folder inside the target. Renaming that folder to ``READY`` commits it:
from then on its files are put in place one by one, by this process or, after a crash, by the next one that
opens the folder.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.storage.disk import disk_errors, flush, flush_all, put_in_place
from core.storage.locks import claim_folder, unless_removed

_BUILDING: Final = ".publishing."
READY: Final = ".ready"
_ORDER: Final = ".order.json"


@contextmanager
def replace_files_atomic(folder: Path, last: str, optional: Collection[str] = ()) -> Iterator[Path]:
    """Yield a temporary folder to fill; on a clean exit its files and folders replace those of ``folder``.

    Args:
        folder: The folder of the set.
        last: The file that marks the set as whole: its old version is removed first, the new one put last.
        optional: Names that are removed where the new set does not have them; other old files stay.

    Raises:
        ResourceError: If the disk refuses, another process writes there, or the folder was removed; the
            old set is still there.
    """
    with claim_folder(folder) as confirm, disk_errors():
        finish_replacement(folder)
        building = Path(tempfile.mkdtemp(dir=folder, prefix=_BUILDING))
        try:
            yield building
            with unless_removed(folder):
                names = {path.name for path in building.iterdir()}
                order = {"put": [*sorted(names - {last}), last], "remove": sorted(set(optional) - names)}
                (building / _ORDER).write_text(json.dumps(order), encoding="utf-8")
                flush_all(building)
                confirm()
                put_in_place(building, folder / READY)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        finish_replacement(folder)


def finish_replacement(folder: Path) -> None:
    """Finish the committed replacement of a killed process, and remove an uncommitted one.

    Raises:
        ResourceError: If the disk refuses (the next call goes on from there), or a running process writes
            there.
    """
    with claim_folder(folder), disk_errors(), unless_removed(folder):
        for half in folder.glob(f"{_BUILDING}*"):
            shutil.rmtree(half, ignore_errors=True)
        ready = folder / READY
        if (ready / _ORDER).exists():
            order = json.loads((ready / _ORDER).read_text(encoding="utf-8"))
            _put_in_place(ready, folder, order["put"], order["remove"])
            (ready / _ORDER).unlink()  # from here on there is nothing to put, only to clear away
        shutil.rmtree(ready, ignore_errors=True)


def _put_in_place(ready: Path, folder: Path, wanted: list[str], remove: list[str]) -> None:
    """Put the remaining files in place; after a crash at any point a second call has the same result.

    The folder is flushed where order counts: no new file beside the old ``last``, no new ``last`` before
    every other file, no end before that.
    """
    *names, last = wanted
    if (ready / last).exists():
        (folder / last).unlink(missing_ok=True)
        flush(folder)
    for name in remove:
        (folder / name).unlink(missing_ok=True)
    for name in names:
        if (ready / name).exists():
            _replace(ready / name, folder / name)
    flush(folder)
    if (ready / last).exists():
        _replace(ready / last, folder / last)
        flush(folder)


def _replace(source: Path, target: Path) -> None:
    """Rename; a folder cannot replace another, so the old one steps aside first."""
    if target.is_dir():
        os.replace(target, source.with_name(f".old.{target.name}"))
    os.replace(source, target)
