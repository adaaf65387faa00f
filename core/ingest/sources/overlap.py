"""Detect input that holds the same events more than once, so that nothing is silently counted twice.

GA4 replaces the intraday and the fresh table of a day by the daily table. An export with two of them, or with
the same day twice, holds most events of that day twice, and its users look twice as busy.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from core.base.schema import Raw
from core.ingest.sources.input_files import InputFile

_KINDS: Final = ("daily", "fresh", "intraday")
"""Kinds of tables of a day, the one that replaces the others first."""
_TABLE: Final = re.compile(
    r"(?P<intraday>intraday(?![a-z]))|events_(?:(?P<fresh>fresh(?![a-z]))|(?P<daily>20\d\d[-_]?\d\d[-_]?\d\d(?!\d)))",
    re.IGNORECASE,
)
_DAY: Final = re.compile(r"(?<!\d)(20\d\d)[-_]?(\d\d)[-_]?(\d\d)(?!\d)")
_COPY: Final = re.compile(r"( ?\(\d+\)| - copy| copy)$", re.IGNORECASE)


def describe_copies(sources: Sequence[InputFile]) -> list[str]:
    """Warn about inputs with the same content as another input."""
    return [
        f"{copy} holds the same as {source.name}"
        " and is read once. Leave it out, or look for the file that you meant"
        for source in sources
        for copy in source.copies
    ]


def describe_repeats(events: int) -> str:
    """Warn about events that are in more than one file."""
    return (
        f"{events:,} events are in more than one file (same user, time, event and page) and count twice. "
        "Leave one of those files out"
    )


def describe_overlaps(days: Mapping[str, frozenset[str]]) -> list[str]:
    """Warn about files that hold the same day, and say which of them counts.

    Args:
        days: Name of each file → its days as ``YYYYMMDD``; empty where they are not known.
    """
    found = {name: known or days_in(name) for name, known in days.items()}
    told = []
    for name, mine in found.items():
        better = {other: mine & theirs for other, theirs in found.items() if _replaces(other, name)}
        if twice := {other: shared for other, shared in better.items() if shared}:
            shared = sorted(frozenset().union(*twice.values()))
            told.append(
                f"{name} and {', '.join(twice)} hold the same day ({', '.join(shared[:3])}): "
                f"the {min(map(_kind, twice), key=_KINDS.index)} table replaces the {_kind(name)} one, whose "
                "events of that day are left out"
            )
        elif better and not mine:
            told.append(
                f"{name} does not say of which day it is, neither by its name nor by {Raw.EVENT_DATE}: where "
                "another file holds that day, its events count twice"
            )
    return [*told, *_named_alike(list(days))]


def replaced_days(files: Sequence[tuple[str, Sequence[str]]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Find days of files that are replaced by a table of a better kind: daily before fresh before intraday.

    Args:
        files: Name of each file, and its distinct ``event_date`` as written; empty without such a column.

    Returns:
        Index of a file, and its ``event_date`` values of replaced days; empty if the whole file is replaced.
    """
    days = [frozenset(map(_plain, written)) or days_in(name) for name, written in files]
    found = []
    for number, (name, written) in enumerate(files):
        better = frozenset[str]().union(
            *(theirs for (other, _), theirs in zip(files, days, strict=True) if _replaces(other, name))
        )
        shared = tuple(text for text in written if _plain(text) in better)
        if shared or (not written and days[number] and days[number] <= better):
            found.append((number, shared))
    return tuple(found)


def is_provisional(name: str) -> bool:
    """Whether the name of a file is that of an intraday or fresh table, which the daily table replaces."""
    return _kind(name) in _KINDS[1:]


def _kind(name: str) -> str:
    """Kind of table (:data:`_KINDS`) by the name of a file; empty for any other file."""
    match = _TABLE.search(PurePosixPath(name).name)
    return (match and match.lastgroup) or ""


def _replaces(other: str, name: str) -> bool:
    kinds = (_kind(other), _kind(name))
    return all(kinds) and _KINDS.index(kinds[0]) < _KINDS.index(kinds[1])


def _plain(day: str) -> str:
    return day.strip()[:10].replace("-", "")


def days_in(name: str) -> frozenset[str]:
    """Return the days in the name of a file, as ``YYYYMMDD``."""
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
