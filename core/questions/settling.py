"""Words that add to each other: what a question means once all of it is read, in terms of the intents."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from core.facts.context import ALL, Context
from core.facts.items import Dimension
from core.facts.segment_tools import AVERAGES
from core.profiles.profile_columns import Col
from core.questions.followups import CHART, COMPARING, OVER_ALL
from core.questions.grammar import Parsed

SIZED: Final = OVER_ALL | COMPARING | {"many", "list"}
"""Cues beside which the biggest is the one with most users."""
LISTED: Final = frozenset({"entry", "exit", "after", "before", "path"})
"""Cues of lists, which every segment has one of."""
PER_USER: Final = {
    Col.REVENUE: Col.REVENUE_PER_USER, Col.SESSIONS: Col.SESSIONS_MEAN, Col.PAGE_VIEWS: Col.PAGE_VIEWS_MEAN,
}  # fmt: skip
BETTER: Final = {"best": "most", "worst": "least"}
LENGTH: Final = {"longest": "most", "shortest": "least"}


def settled(parsed: Parsed, context: Context) -> Parsed:
    """Without words that add nothing beside what else was said; “best” is most of the figure named."""
    made = replace(parsed, rows=[*parsed.rows], measures=[*parsed.measures])
    made.cues = {BETTER.get(cue, cue) for cue in parsed.cues - {"pronoun", "also", "only"}}
    if "per_user" in made.cues and {*made.measures} & {*PER_USER, *PER_USER.values()}:
        made.measures = [PER_USER.get(name, name) for name in made.measures]
        made.cues -= {"per_user"}
    for settle in (_buying, _often, _pages, _average, _long, _everyone, _sized):
        settle(made)
    _with_biggest(made, context)
    if "each" in made.cues and not made.rows and (made.dimensions or made.cues & LISTED):
        made.rows, made.cues = [*context.segment_keys], made.cues - {"each"}
    if made.rows:
        made.cues -= {"segments"}
    if CHART & made.cues:
        made.cues.add("chart")
    return made


def _buying(made: Parsed) -> None:
    """Who buys are the converted users, or the outcome rate where a share or a reason is asked for."""
    share = made.cues & {"share", "why"}
    if "share" in share and made.measures == [Col.OUTCOME_USERS]:
        made.measures, made.cues = [Col.OUTCOME_RATE], made.cues - {"share"}
    if "many" in made.cues and made.measures == [Col.OUTCOME_RATE]:
        made.measures = [Col.OUTCOME_USERS]
    if "buys" in made.cues and not made.measures and not made.items:
        made.cues -= {"buys", "share", "many"}
        made.measures.append(Col.OUTCOME_RATE if share else Col.OUTCOME_USERS)


def _often(made: Parsed) -> None:
    """How often somebody comes (back) is the sessions a user; how often something is seen, its page views."""
    if "returns" in made.cues and not made.topic and not made.cues & {"many", "share", "never"}:
        made.cues, made.measures = made.cues - {"returns"}, [Col.SESSIONS_MEAN]
    if "often" in made.cues and "buys" not in made.cues:
        made.measures = [Col.SESSIONS_MEAN if name == Col.SESSIONS else name for name in made.measures]
        made.cues -= {"often"} if made.measures else {"often", "viewed"}
        if not made.measures and not made.dimensions:
            made.measures.append(Col.PAGE_VIEWS if made.items else Col.SESSIONS_MEAN)


def _average(made: Parsed) -> None:
    """The average is the figure of all users; a count has none."""
    if "average" not in made.cues:
        return
    if len(made.rows) == 1 and made.cues & {"compare", "differ", "most", "least", "biggest", "smallest"}:
        made.cues -= {"average"}
        made.rows.append(ALL)
    elif made.measures and not made.rows and made.cues & {"most", "least"}:
        made.cues = made.cues - {"average", "most", "least"} | {"above" if "most" in made.cues else "below"}
    elif made.measures and {*made.measures} <= AVERAGES:
        made.cues -= {"average"}


def _pages(made: Parsed) -> None:
    """More pages, and how many on average, are page views a user."""
    compared = len(made.rows) == 2 and made.cues & {"most", "least"}
    if made.dimensions == [Dimension.PAGE] and (compared or {"average", "many"} <= made.cues):
        made.cues -= {"average", "many", "viewed"}
        made.dimensions, made.measures = [], [Col.PAGE_VIEWS_MEAN]


def _long(made: Parsed) -> None:
    """Whoever stays longest has the most engagement time; nothing else is long."""
    if {*made.measures} <= {Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN}:
        for cue in made.cues & {"longest", "shortest"}:
            made.cues = made.cues - {cue} | {LENGTH[cue]}
            made.measures = made.measures or [Col.ENGAGEMENT_MEAN]


def _everyone(made: Parsed) -> None:
    """A segment above all users is held against them; among all of them, segments are ranked."""
    if len(made.rows) == 1 and made.cues & {"above", "below"} and made.measures:
        made.cues = made.cues - {"above", "below"} | {"compare"}
        made.rows.append(ALL)
    elif made.rows == [ALL] and "segments" in made.cues and made.cues & OVER_ALL - {"segments"}:
        made.rows.clear()


def _sized(made: Parsed) -> None:
    """The biggest is the one with most users, and so is the one with most where users are spoken of."""
    sized = (made.nouns and made.cues & {"most", "least"}) or made.cues & {"biggest", "smallest"}
    if sized and made.cues <= SIZED and not made.topic:
        made.measures.append(Col.USERS)


def _with_biggest(made: Parsed, context: Context) -> None:
    """Beside anything else that is asked, the biggest segment is a row like one that is named."""
    size = made.cues & {"biggest", "smallest"}
    if size and not made.rows and made.measures != [Col.USERS] and made.number is None:
        pick = max if "biggest" in size else min
        sizes = {key: context.row(key)[Col.USERS] for key in context.segment_keys}
        made.rows, made.cues = [pick(sizes, key=lambda key: sizes[key])], made.cues - size
