"""Words that add to each other: what a question means once all of it is read, in terms of the intents."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from core.facts.answer import BY_KEY
from core.facts.context import ALL, Context
from core.facts.items import Dimension
from core.facts.segment_tools import AVERAGES
from core.profiles.profile_columns import Col
from core.questions.followups import CHART, COMPARING, ORDER, OVER_ALL
from core.questions.parsed import Parsed

_SIZED: Final = OVER_ALL | COMPARING | {"many", "list"}
"""Cues beside which the biggest is the one with most users."""
LISTED: Final = frozenset({"entry", "exit", "after", "before", "path", "routes", "rule", "funnel"})
"""Cues of lists, which every segment has one of."""
_PER_USER: Final = {
    Col.REVENUE: Col.REVENUE_PER_USER, Col.SESSIONS: Col.SESSIONS_MEAN, Col.PAGE_VIEWS: Col.PAGE_VIEWS_MEAN,
    Col.DIFFERENT_PAGES_MEAN: Col.DIFFERENT_PAGES_MEAN, Col.ENGAGEMENT_MEAN: Col.ENGAGEMENT_MEAN,
}  # fmt: skip
_PER_SESSION: Final = {
    Col.PAGE_VIEWS: Col.PAGES_PER_SESSION, Col.PAGE_VIEWS_MEAN: Col.PAGES_PER_SESSION,
    Col.OUTCOME_RATE: Col.SESSION_RATE, Col.OUTCOME_USERS: Col.SESSION_RATE,
}  # fmt: skip
MEDIAN: Final = {
    Col.PAGE_VIEWS: Col.PAGE_VIEWS_MEDIAN, Col.PAGE_VIEWS_MEAN: Col.PAGE_VIEWS_MEDIAN,
    Col.ENGAGEMENT_MEAN: Col.ENGAGEMENT_MEDIAN,
}  # fmt: skip
_RELATED: Final = {"per_user": _PER_USER, "per_session": _PER_SESSION, "median": MEDIAN}
"""Cue → measure → what it is with that said of it."""
_EACH_ONCE: Final = "Users are counted, each once."
SHARES: Final = {Col.USERS: Col.SHARE, Col.OUTCOME_USERS: Col.OUTCOME_RATE}
DENIED: Final = {Col.OUTCOME_SESSIONS: Col.OUTCOME_USERS}
BETTER: Final = {"best": "most", "worst": "least"}
_SAID_ALREADY: Final = {"pronoun", "also", "only", "individual", "total"}
"""Cues that only say what a question goes on with, or what every figure is."""
LENGTH: Final = {"longest": "most", "shortest": "least"}


def settled(parsed: Parsed, context: Context) -> Parsed:
    """Without words that add nothing beside what else was said; “best” is most of the figure named."""
    made = replace(parsed, rows=[*parsed.rows], measures=[*parsed.measures])
    made.cues = {BETTER.get(cue, cue) for cue in parsed.cues - _SAID_ALREADY}
    steps = (
        _moving, _counting_alike, _denying, _trusting, _spending, _vague, _limited, _related, _buying,
        _often, _pages, _average, _long, _everyone, _sized,
    )  # fmt: skip
    for settle in steps:
        settle(made)
    _with_biggest(made, context)
    if {"funnel", "segments"} <= made.cues and made.cues & {"most", "least"}:  # “which adds to cart most”
        made.cues = made.cues - {"most", "least"} | {"each"}
    if "each" in made.cues and not made.rows and (made.dimensions or made.cues & LISTED):
        made.rows, made.cues = [*context.segment_keys], made.cues - {"each"}
    if {"like", "segments"} <= made.cues and made.rows:  # “segments like segment 2”
        made.cues = made.cues - {"like"} | {"similar"}
    if made.rows:
        made.cues -= {"segments"}
    if CHART & made.cues:
        made.cues.add("chart")
    return made


def read_as(parsed: Parsed, made: Parsed) -> list[str]:
    """How vague words were read."""
    once = (
        "unconverted" not in parsed.cues
        and "buys" in parsed.cues
        and not parsed.nouns
        and Col.OUTCOME_USERS in made.measures
    )
    vague = {word: name for word, name in parsed.meant.items() if name in made.measures}
    said = [f"“{word}” is read as the {BY_KEY[name].label}." for word, name in vague.items()]
    return [_EACH_ONCE, *said] if once else said


def _moving(made: Parsed) -> None:
    """How a segment moves is by which steps it is apart; who moves without one has changed the segment."""
    if "moves" in made.cues:
        made.cues = made.cues - {"moves"} | ({"path", "apart"} if made.rows else {"changed"})


def _counting_alike(made: Parsed) -> None:
    """How many users are like a segment, or the list, are its look-alikes, and no segments."""
    of_one = len(made.rows) == 1 or ("list" in made.cues and not made.rows)
    if "many" in made.cues and made.cues & {"like", "similar"} and not made.topic and of_one:
        made.cues = made.cues - {"like", "similar"} | {"lookalikes"}


def _denying(made: Parsed) -> None:
    """Who did not see an item never saw it."""
    if "not" in made.cues and made.items:
        made.cues = made.cues - {"not"} | {"never"}


def _trusting(made: Parsed) -> None:
    """Whether a difference is real is what comparing tells; whether segments are, the verdict."""
    if made.topic or len(made.rows) > 1 or made.cues & (COMPARING | ORDER):
        made.cues -= {"trust"}
    elif "trust" in made.cues:  # “why are there no stable segments”
        made.cues -= {"why", "not", "never"}


def _spending(made: Parsed) -> None:
    """Who spends, and no time, brings revenue."""
    if "spends" in made.cues and made.measures != [Col.OUTCOME_USERS]:
        made.cues -= {"spends"}
        made.measures += [] if made.topic else [Col.REVENUE_PER_USER]


def _vague(made: Parsed) -> None:
    """The most active are those with most of the figure that is nearest to it."""
    if "vague" in made.cues and made.meant and made.cues & {"most", "least"}:
        made.cues -= {"vague"}
        made.measures = list(dict.fromkeys(made.meant.values()))


def _limited(made: Parsed) -> None:
    """A limit in percent is one of a share; users on average are the figure of a user."""
    if made.limit is None:
        return
    if made.limit.share:
        made.measures = [SHARES.get(name, name) for name in made.measures]
        if "buys" in made.cues and not made.items and not made.measures:
            made.measures, made.cues = [Col.OUTCOME_RATE], made.cues - {"buys"}
    if "average" in made.cues and not made.items:
        made.measures = [_PER_USER.get(name, name) for name in made.measures]
        made.cues -= {"average"}
    made.cues -= {"also", "only", "most", "least"} if made.measures else set()


def _related(made: Parsed) -> None:
    """Figures a user or a session, and medians."""
    for cue, related in _RELATED.items():
        if cue in made.cues and {*made.measures} & {*related, *related.values()}:
            made.measures = list(dict.fromkeys(related.get(name, name) for name in made.measures))
            made.cues -= {cue}


def _buying(made: Parsed) -> None:
    """Who buys are the converted users, or the outcome rate where a share or a reason is asked for."""
    share = made.cues & {"share", "why"}
    if "unconverted" in made.cues:  # “users without orders”
        made.measures = [DENIED.get(name, name) for name in made.measures]
    if "share" in share and made.measures == [Col.OUTCOME_USERS]:
        made.measures, made.cues = [Col.OUTCOME_RATE], made.cues - {"share"}
    if "many" in made.cues and made.measures == [Col.OUTCOME_RATE]:
        made.measures = [Col.OUTCOME_USERS]
    if (
        "buys" in made.cues
        and "compare" in made.cues
        and made.measures
        and not made.fills & {"who", "that", "those"}
    ):
        made.measures, made.cues = [Col.OUTCOME_RATE, *made.measures], made.cues - {"buys"}
    if "buys" in made.cues and not made.measures and not made.items:
        rate = share or (made.cues & {"most", "least", "compare", "differ"} and "many" not in made.cues)
        made.cues -= {"buys", "share", "many"}
        made.measures.append(Col.OUTCOME_RATE if rate else Col.OUTCOME_USERS)


def _often(made: Parsed) -> None:
    """How often somebody comes (back) is the sessions a user; how often something is seen, its page views."""
    if "returns" in made.cues and not made.topic and "never" not in made.cues:
        often = made.cues & {"often", "most", "least", "compare", "rank", "above", "below"}
        made.cues = made.cues - {"returns"} | (set() if often else {"retention"})
        made.measures = [Col.SESSIONS_MEAN] if often else []
    if "often" in made.cues and "buys" not in made.cues:
        made.measures = [Col.SESSIONS_MEAN if name == Col.SESSIONS else name for name in made.measures]
        made.cues -= {"often"} if made.measures else {"often", "viewed"}
        if not made.measures and not made.dimensions:
            made.measures.append(Col.PAGE_VIEWS if made.items else Col.SESSIONS_MEAN)


def _average(made: Parsed) -> None:
    """The average is the figure of all users; a count has none."""
    if "average" not in made.cues:
        return
    if {*made.measures} & {*MEDIAN.values()}:  # “mean against median”
        means = [
            mean for mean, median in MEDIAN.items() if median in made.measures and mean != Col.PAGE_VIEWS
        ]
        made.measures, made.cues = [*means, *made.measures], made.cues - {"average", "compare"}
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
    views = {"segments", "viewed"} <= made.cues and made.cues & {"most", "least"}
    if views and made.topic == "dimensions" and made.dimensions == [Dimension.PAGE] and not made.rows:
        made.cues -= {"viewed"}  # “which segment views the most pages”
        made.dimensions, made.measures = [], [Col.PAGE_VIEWS_MEAN]


def _long(made: Parsed) -> None:
    """Whoever stays longest has the most engagement time; nothing else is long."""
    if {*made.measures} <= {Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN}:
        for cue in made.cues & {"longest", "shortest"}:
            made.cues = made.cues - {cue} | {LENGTH[cue]}
            made.measures = made.measures or [Col.ENGAGEMENT_MEAN]


def _everyone(made: Parsed) -> None:
    """A segment above all users, or another one, is held against them; among all, segments are ranked."""
    if len(made.rows) in (1, 2) and made.cues & {"above", "below"} and made.measures:
        made.cues = made.cues - {"above", "below"} | {"compare"}
        made.rows += [ALL] if len(made.rows) == 1 else []
    elif made.rows == [ALL] and (
        "each" in made.cues or ("segments" in made.cues and made.cues & OVER_ALL - {"segments"})
    ):
        made.rows.clear()  # “of each segment in total”: all users are a row beside the segments


def _sized(made: Parsed) -> None:
    """The biggest is the one with most users, and so is the one with most where users are spoken of."""
    sized = (made.nouns and made.cues & {"most", "least"}) or made.cues & {"biggest", "smallest"}
    if sized and made.cues <= _SIZED and not made.topic:
        made.measures.append(Col.USERS)


def _with_biggest(made: Parsed, context: Context) -> None:
    """Beside anything else that is asked, the biggest segment is a row like one that is named."""
    size = made.cues & {"biggest", "smallest"}
    if len(size) == 1 and not made.rows and made.measures != [Col.USERS] and made.nth is None:
        sizes = {key: context.row(key)[Col.USERS] for key in context.segment_keys}
        order = sorted(sizes, key=lambda key: sizes[key], reverse="biggest" in size)
        listed = made.number if made.measures and not made.dimensions else None  # “the two smallest”
        made.rows, made.cues = order[: listed or 1], made.cues - size
        made.number = None if listed else made.number
