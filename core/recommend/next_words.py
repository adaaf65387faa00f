"""What is said of next pages: where they come from, and how often they are right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import pandas as pd

from core.base.wording import common_origin, counted, percent, short_address
from core.profiles.profile_columns import Col
from core.recommend.candidates import Reach, Source
from core.recommend.head import FEWEST_JUDGED, Head, Measured

CALLED: Final = {
    Source.BIGRAM: "followed the last page",
    Source.LAG: "followed within five views",
    Source.NEIGHBOURS: "viewed by similar users",
    Source.HISTORY: "viewed before",
    Source.POPULARITY: "popular",
}
"""What a source says of a page."""
SAID_FROM: Final = 0.1
"""A source with less of a score is not named."""
HEARD: Final = "What next, with the share of users who have the page among their first three suggestions"
TOLD: Final = 3
"""Pages of a segment in its sentence."""
NO_PAGE: Final = "No page is left to suggest: what these users have not seen is functional, or too rare."


def why(parts: Mapping[Source, float]) -> str:
    """``followed the last page 62 %, viewed by similar users 30 %``: the sources that count, most first."""
    named = sorted((source for source in parts if parts[source] >= SAID_FROM), key=lambda one: -parts[one])
    return ", ".join(f"{CALLED[source]} {percent(parts[source], 0)}" for source in named)


def how_right(head: Head, reach: Reach) -> str:
    """How often the blend finds the next page, beside the plain way, on users it was not learned from."""
    page = "next new page" if reach is Reach.NEW else "next page"
    before = "" if reach is Reach.NEW else ", was viewed before"
    plain = f"what follows the last page{before} or is popular"
    if head.judged is None:
        return (
            f"Fewer than {FEWEST_JUDGED} users were kept out of the training, too few to weigh the sources: "
            f"suggested is {plain}, with fixed weights."
        )
    judged = head.judged
    found = (
        f"For {counted(judged.users, 'user')} that nothing was learned from, the {page} is among ten "
        f"suggestions {in_percent(judged.hits if head.blended else judged.plain)} of the time"
    )
    if not head.blended:
        return f"{found}. Other sources find no more, so suggested is {plain}."
    return f"{found}; by {plain} {in_percent(judged.plain)}, a difference of {in_points(judged.gain)}."


def segments_in_words(table: pd.DataFrame) -> dict[int, str]:
    """Segment → its first next pages, in a sentence; a segment without one is left out.

    Args:
        table: Of :func:`core.recommend.of_segments.next_pages_of_segments`.
    """
    origin = common_origin(table[Col.PAGE_LOCATION].tolist())
    first = table.groupby(Col.SEGMENT, sort=False).head(TOLD)
    told: dict[int, list[str]] = {}
    for segment, page, share, others in zip(
        *(first[name].tolist() for name in (Col.SEGMENT, Col.PAGE_LOCATION, Col.SHARE, Col.REST_SHARE)),
        strict=True,
    ):
        beside = "" if math.isnan(others) else f", others {percent(others, 0)}"
        told.setdefault(segment, []).append(f"{short_address(page, origin)} ({percent(share, 0)}{beside})")
    return {segment: f"{HEARD}: {', '.join(pages)}." for segment, pages in told.items()}


def in_percent(one: Measured) -> str:
    """A share with its interval."""
    return f"{percent(one.value, 0)} ({percent(one.low, 0)} to {percent(one.high, 0)})"


def in_points(one: Measured) -> str:
    """A difference of shares with its interval."""
    value, low, high = (f"{100 * end:+.1f}" for end in (one.value, one.low, one.high))
    return f"{value} points ({low} to {high})"
