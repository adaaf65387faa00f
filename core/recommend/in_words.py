"""What is said of next pages: where they come from, and how often they are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from core.base.wording import counted, percent
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
NO_PAGE: Final = "No page is left to suggest: what these users have not seen is functional, or too rare."


def why(parts: Mapping[Source, float]) -> str:
    """``followed the last page 62 %, viewed by similar users 30 %``: the sources that count, most first."""
    named = sorted((source for source in parts if parts[source] >= SAID_FROM), key=lambda one: -parts[one])
    return ", ".join(f"{CALLED[source]} {percent(parts[source], 0)}" for source in named)


def how_right(head: Head, reach: Reach) -> str:
    """How often the blend finds the next page, beside the plain way, on users it was not learned from."""
    page = "next new page" if reach is Reach.NEW else "next page"
    plain = "what follows the last page" + ("" if reach is Reach.NEW else " and the pages viewed before")
    if head.judged is None:
        return (
            f"Fewer than {FEWEST_JUDGED} users were kept out of the training, too few to weigh the sources: "
            f"suggestions are {plain}, and popular pages, with fixed weights."
        )
    judged = head.judged
    found = (
        f"For {counted(judged.users, 'user')} that nothing was learned from, the {page} is among ten "
        f"suggestions {_share(judged.hits if head.blended else judged.plain)} of the time"
    )
    if not head.blended:
        return f"{found}. Other sources find no more, so it is {plain} and popularity alone."
    return f"{found}; by {plain} alone {_share(judged.plain)}, a difference of {_points(judged.gain)}."


def rows_in_words(pages: Sequence[str], shares: Sequence[float]) -> str:
    """``/a (41 %), /b (30 %)``."""
    return ", ".join(f"{page} ({percent(share, 0)})" for page, share in zip(pages, shares, strict=True))


def _share(one: Measured) -> str:
    return f"{percent(one.value, 0)} ({percent(one.low, 0)} to {percent(one.high, 0)})"


def _points(one: Measured) -> str:
    value, low, high = (f"{100 * end:+.1f}" for end in (one.value, one.low, one.high))
    return f"{value} points ({low} to {high})"
