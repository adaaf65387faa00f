"""``python -m core forget``: what it works on, and what it says."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.base.errors import ResourceError, SettingsError
from core.base.places import cache_folder
from core.base.progress import Progress
from core.base.wording import pluralise
from core.ingest.sources import id_list
from core.runs.forgetting import forget as forgetting
from core.runs.forgetting.patterns import IdPatterns
from core.runs.forgetting.places import SearchedPlaces
from core.storage.disk import write_text_atomic

_TOO_SHORT: Final = "too short to be told from other words: only columns of ids are searched for them"
_NAMED_LEFT: Final = 10


def forget_users(
    places: SearchedPlaces, patterns: IdPatterns, certificate: Path, progress: Progress
) -> list[str]:
    """Remove all traces of users, and write the certificate.

    Returns:
        The lines to print.

    Raises:
        ResourceError: If something is left, after the certificate was written.
        Beha2VecError: If something cannot be used.
    """
    found = forgetting.forget(places, patterns, progress)
    write_text_atomic(certificate, found.to_json())
    if not found.is_clean:
        named = [f"{one.file} ({one.why or pluralise(one.places, 'place')})" for one in found.left]
        raise ResourceError(
            f"{found.sentence}: {'; '.join(named[:_NAMED_LEFT])}",
            remedy=f"Delete these or write them anew, and run again; {certificate} has all of them",
        )
    return [
        *(f"{n:,} × {what}" for what, n in found.done.items()),
        f"{found.found:,} of {pluralise(found.ids, 'id')} stood somewhere",
        *_of_short(found.short),
        f"{found.sentence}. See {certificate}",
    ]


def preview_lines(places: SearchedPlaces, patterns: IdPatterns, progress: Progress) -> list[str]:
    """Lines that say what would be removed; nothing is changed.

    Raises:
        Beha2VecError: If something cannot be used.
    """
    told = forgetting.preview(places, patterns, progress)
    called = [" ".join(filter(None, (step["what"], step["name"]))) for step in told.steps]
    sums = Counter(step["what"] for step in told.steps)
    in_all = ", ".join(f"{n:,} × {what}" for what, n in sums.items()) or "nothing to remove"
    return [
        *(f"{what}: {one['fate']} ({one['path']})" for what, one in zip(called, told.steps, strict=True)),
        *(f"nothing can be proven of {path}: {why}" for path, why in told.unread),
        *_of_short(told.short),
        f"{told.found:,} of {pluralise(told.ids, 'id')} found. In all: {in_all}",
    ]


def _of_short(n: int) -> list[str]:
    return [f"{pluralise(n, 'id is', 'ids are')} {_TOO_SHORT}"] if n else []


def read_ids(ids: Path) -> IdPatterns:
    """Read the ids of a file, or of stdin for ``-``.

    Raises:
        InputError: If there is none.
    """
    return forgetting.ids_of(sys.stdin.read() if str(ids) == "-" else id_list.read_file(ids))


def searched_places(cache: Path | None, out: Sequence[Path], tables: Sequence[Path]) -> SearchedPlaces:
    """Collect what to search: ``cache``, or the app's if it exists, folders of runs and files of tables.

    Raises:
        SettingsError: If there is nothing.
    """
    usual = cache_folder()
    places = SearchedPlaces(cache or (usual if usual.is_dir() else None), tuple(out), tuple(tables))
    if not places.searched:
        raise SettingsError("There is nothing to search", remedy="Name a --cache, an --out or an --input")
    return places
