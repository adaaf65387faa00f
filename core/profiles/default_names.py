"""A short working name for each segment, from the pages that set it apart.

Words come from other stages; this is what stands there until then: ``/apparel · /blog``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from core.profiles.metrics import Profiles
from core.profiles.profile_columns import Col, PageRanking, RowKind

FEWEST, MOST = 2, 4
"""Pages in a name, and in one that would otherwise be another segment's as well."""
LONGEST: Final = 28
"""Characters of one page; the end of a path says more than its beginning."""

HOME: Final = "home page"

_PATH: Final = re.compile(r"[/?#].*", re.DOTALL)


def default_names(profiles: Profiles) -> dict[int, str]:
    """The working name of every segment: its most over-represented pages; all names differ.

    The same profiles give the same names.
    """
    rows = profiles.segments
    segments = rows.loc[rows[Col.KIND] == RowKind.SEGMENT, Col.SEGMENT].tolist()
    ranked = _ranked(profiles)
    pages = {segment: _pages(ranked, segment) for segment in segments}
    lengths = dict.fromkeys(segments, FEWEST)
    names = _joined(pages, lengths)
    while any(_can_grow(segment, pages, lengths) for segment in _shared(names)):
        for segment in _shared(names):
            lengths[segment] += _can_grow(segment, pages, lengths)
        names = _joined(pages, lengths)
    return names | {segment: f"{names[segment]} ({segment + 1})" for segment in _shared(names)}


def short_page(location: str) -> str:
    """A page as few characters: its path, or what stands there if it is not a URL."""
    path = _PATH.search(location.split("://")[-1])
    text = " ".join((path.group() if path else location).split())
    if text == "/":
        return HOME
    if len(text) <= LONGEST:
        return text
    end = text[1 - LONGEST :]
    return "…" + end[max(0, end.find("/")) :]


def _ranked(profiles: Profiles) -> dict[tuple[int, str], list[str]]:
    """Segment and ranking → its pages, the first one first."""
    found: dict[tuple[int, str], list[str]] = {}
    columns = (Col.KIND, Col.SEGMENT, Col.RANKING, Col.PAGE_LOCATION)
    for kind, segment, ranking, page in zip(*(profiles.top_pages[c].tolist() for c in columns), strict=True):
        if kind == RowKind.SEGMENT:
            found.setdefault((segment, ranking), []).append(page)
    return found


def _pages(ranked: Mapping[tuple[int, str], list[str]], segment: int) -> list[str]:
    for ranking in (PageRanking.OVER, PageRanking.MOST_VIEWED):
        if locations := ranked.get((segment, ranking.value)):
            return list(dict.fromkeys(short_page(location) for location in locations))
    return [f"Segment {segment + 1}"]


def _joined(pages: dict[int, list[str]], lengths: dict[int, int]) -> dict[int, str]:
    return {segment: " · ".join(pages[segment][: lengths[segment]]) for segment in pages}


def _shared(names: dict[int, str]) -> list[int]:
    often = Counter(names.values())
    return [segment for segment, name in names.items() if often[name] > 1]


def _can_grow(segment: int, pages: dict[int, list[str]], lengths: dict[int, int]) -> bool:
    return lengths[segment] < min(MOST, len(pages[segment]))
