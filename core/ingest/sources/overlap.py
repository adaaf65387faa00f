"""Input that holds the same events more than once: said, never silently counted twice.

GA4 replaces the intraday table of a day by a daily one. Who exports both, or the same day twice, has most
events of that day twice, and each of its users looks twice as busy.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from core.ingest.sources.input_files import InputFile

_INTRADAY: Final = "intraday"
_DAY: Final = re.compile(r"(?<!\d)(20\d\d)[-_]?(\d\d)[-_]?(\d\d)(?!\d)")
_COPY: Final = re.compile(r"( ?\(\d+\)| - copy| copy)$", re.IGNORECASE)


def describe_copies(sources: Sequence[InputFile]) -> list[str]:
    """Say which inputs are the same as another one."""
    return [
        f"{copy} holds the same as {source.name}"
        " and is read once. Leave it out, or look for the file that you meant"
        for source in sources
        for copy in source.copies
    ]


def describe_overlaps(days: Mapping[str, frozenset[str]]) -> list[str]:
    """Say which files seem to hold the same day.

    Args:
        days: Name of each file → its days, as ``YYYYMMDD``; none where they are not known.
    """
    intraday = {name: found or days_in(name) for name, found in days.items() if _INTRADAY in name.lower()}
    daily = {name: found or days_in(name) for name, found in days.items() if name not in intraday}
    both = [
        f"{name} and {', '.join(twice)} hold the same day ({', '.join(sorted(found)[:3])}). The daily export "
        "replaces the intraday one: leave the intraday file out, or its events count twice"
        for name, found in intraday.items()
        if (twice := [other for other in daily if found & daily[other]])
    ]
    return [*both, *_named_alike(list(days))]


def days_in(name: str) -> frozenset[str]:
    """Days that the name of a file speaks of, as ``YYYYMMDD``."""
    return frozenset("".join(day) for day in _DAY.findall(PurePosixPath(name).name))


def _named_alike(names: Sequence[str]) -> Iterator[str]:
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        stem = _COPY.sub("", PurePosixPath(name).name.partition(".")[0])
        if days_in(stem):
            alike[stem].append(name)
    for same in alike.values():
        if len(same) > 1:
            yield f"{' and '.join(same)} are named as if they were the same day. If so, leave all but one out"
