"""A canonical page in parts: what leads to a value, and the value; and its words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final, TypeAlias

from core.ingest.clean.crowds import Crowd, Tail

GAP: Final = "{…}"
"""What stands for a value that belongs to one user."""
Part: TypeAlias = tuple[str, str]
"""What leads to a value (``/``, ``?q=``, …), and the value."""
Values: TypeAlias = Mapping[str, Crowd]
"""Value → who saw it."""

_PARTS: Final = re.compile(r"([?&][^=&#]*=|[/?&#])?([^/?&#]*)")
_WORD: Final = re.compile(r"[^\W_]+")


def parts_of(page: str) -> list[Part]:
    """Split a canonical page into values and what leads to them; joined again they are the page."""
    front = page.find("/", page.find("://") + 3) if "://" in page else 0
    front = len(page) if front < 0 else front
    return [("", page[:front]), *((m[1] or "", m[2]) for m in _PARTS.finditer(page, front) if m[0])]


def folder_of(page: str) -> str:
    """What the siblings of a page begin with."""
    *parents, last = parts_of(page)
    return "".join(slot + value for slot, value in parents) + last[0]


def tail_of(pages: Values) -> Tail:
    """What public places look like, judging by folders; what users typed is none."""
    folders: dict[str, list[Crowd]] = defaultdict(list)
    for page, crowd in pages.items():
        if "?" not in page:
            folders[folder_of(page)].append(crowd)
    return Tail.of(folders.values())


def words_of(text: str) -> set[str]:
    """The words of a text, without case."""
    return set(_WORD.findall(text.casefold()))


class KnownGaps:
    """Where known pages have gaps.

    Args:
        known: Canonical pages, some of them with gaps.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._values: dict[str, set[str]] = defaultdict(set)
        for page in known if any(GAP in page for page in known) else ():
            before = ""
            for slot, value in parts_of(page):
                self._values[before + slot].add(value)
                before += slot + value

    def of(self, page: str) -> str:
        """The page with a gap wherever known pages have one and none has its value."""
        text = ""
        for slot, value in parts_of(page):
            values = self._values.get(text + slot, set())
            gaps = (gap for gap in values if GAP in gap and value.startswith(gap.partition(GAP)[0]))
            text += slot + (value if value in values else max(gaps, key=len, default=value))
        return text
