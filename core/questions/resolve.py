"""Combine the words of a parsed question into the cues and measures that the intents know."""

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
"""Cues beside which the biggest segment is the one with most users."""
_LISTED: Final = frozenset({"entry", "exit", "after", "before", "path", "routes", "rule", "funnel"})
"""Cues of lists that each segment has one of."""
_PER_USER: Final = {
    Col.REVENUE: Col.REVENUE_PER_USER, Col.SESSIONS: Col.SESSIONS_MEAN, Col.PAGE_VIEWS: Col.PAGE_VIEWS_MEAN,
    Col.DIFFERENT_PAGES_MEAN: Col.DIFFERENT_PAGES_MEAN, Col.ENGAGEMENT_MEAN: Col.ENGAGEMENT_MEAN,
}  # fmt: skip
_PER_SESSION: Final = {
    Col.PAGE_VIEWS: Col.PAGES_PER_SESSION, Col.PAGE_VIEWS_MEAN: Col.PAGES_PER_SESSION,
    Col.OUTCOME_RATE: Col.SESSION_RATE, Col.OUTCOME_USERS: Col.SESSION_RATE,
}  # fmt: skip
_MEDIAN: Final = {
    Col.PAGE_VIEWS: Col.PAGE_VIEWS_MEDIAN, Col.PAGE_VIEWS_MEAN: Col.PAGE_VIEWS_MEDIAN,
    Col.ENGAGEMENT_MEAN: Col.ENGAGEMENT_MEDIAN,
}  # fmt: skip
_RELATED: Final = {"per_user": _PER_USER, "per_session": _PER_SESSION, "median": _MEDIAN}
"""Qualifying cue → measure → measure with that qualification."""
_EACH_ONCE: Final = "Users are counted, each once."
_SHARES: Final = {Col.USERS: Col.SHARE, Col.OUTCOME_USERS: Col.OUTCOME_RATE}
_DENIED: Final = {Col.OUTCOME_SESSIONS: Col.OUTCOME_USERS}
_BETTER: Final = {"best": "most", "worst": "least"}
_SAID_ALREADY: Final = {"pronoun", "also", "only", "individual", "total"}
"""Cues that add nothing: they refer to the question before, or hold for every figure."""
_LENGTH: Final = {"longest": "most", "shortest": "least"}


def combine_words(parsed: Parsed, context: Context) -> Parsed:
    """A copy of the question, cues and measures combined as intents need them: “best” becomes ``most``."""
    made = replace(parsed, rows=[*parsed.rows], measures=[*parsed.measures])
    made.cues = {_BETTER.get(cue, cue) for cue in parsed.cues - _SAID_ALREADY}
    steps = (
        _moving, _counting_alike, _denying, _trusting, _spending, _vague, _limited, _related, _buying,
        _often, _pages, _average, _long, _everyone, _sized,
    )  # fmt: skip
    for settle in steps:
        settle(made)
    _with_biggest(made, context)
    if {"funnel", "segments"} <= made.cues and made.cues & {"most", "least"}:  # “which adds to cart most”
        made.cues = made.cues - {"most", "least"} | {"each"}
    if "each" in made.cues and not made.rows and (made.dimensions or made.cues & _LISTED):
        made.rows, made.cues = [*context.segment_keys], made.cues - {"each"}
    if {"like", "segments"} <= made.cues and made.rows:  # “segments like segment 2”
        made.cues = made.cues - {"like"} | {"similar"}
    if made.rows:
        made.cues -= {"segments"}
    if CHART & made.cues:
        made.cues.add("chart")
    return made


def reading_notes(parsed: Parsed, made: Parsed) -> list[str]:
    """Notes on how vague words were read; ``made`` is ``parsed`` after :func:`combine_words`."""
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
    """Read ``moves`` as a segment's differing steps; without a segment, as users who changed theirs."""
    if "moves" in made.cues:
        made.cues = made.cues - {"moves"} | ({"path", "apart"} if made.rows else {"changed"})


def _counting_alike(made: Parsed) -> None:
    """Read “how many are like” a segment or the list as its look-alikes, and not as similar segments."""
    of_one = len(made.rows) == 1 or ("list" in made.cues and not made.rows)
    if "many" in made.cues and made.cues & {"like", "similar"} and not made.topic and of_one:
        made.cues = made.cues - {"like", "similar"} | {"lookalikes"}


def _denying(made: Parsed) -> None:
    """Read “not” beside an item as “never”."""
    if "not" in made.cues and made.items:
        made.cues = made.cues - {"not"} | {"never"}


def _trusting(made: Parsed) -> None:
    """Drop ``trust`` where a difference is meant, which comparing answers; keep it for segments."""
    if made.topic or len(made.rows) > 1 or made.cues & (COMPARING | ORDER):
        made.cues -= {"trust"}
    elif "trust" in made.cues:  # “why are there no stable segments”
        made.cues -= {"why", "not", "never"}


def _spending(made: Parsed) -> None:
    """Read “spends” without an object as revenue a user."""
    if "spends" in made.cues and made.measures != [Col.OUTCOME_USERS]:
        made.cues -= {"spends"}
        made.measures += [] if made.topic else [Col.REVENUE_PER_USER]


def _vague(made: Parsed) -> None:
    """Replace a vague word, as in “most active”, by the measure that is nearest to it."""
    if "vague" in made.cues and made.meant and made.cues & {"most", "least"}:
        made.cues -= {"vague"}
        made.measures = list(dict.fromkeys(made.meant.values()))


def _limited(made: Parsed) -> None:
    """Fit the measures to a limit: shares for percentages, means a user for averages."""
    if made.limit is None:
        return
    if made.limit.share:
        made.measures = [_SHARES.get(name, name) for name in made.measures]
        if "buys" in made.cues and not made.items and not made.measures:
            made.measures, made.cues = [Col.OUTCOME_RATE], made.cues - {"buys"}
    if "average" in made.cues and not made.items:
        made.measures = [_PER_USER.get(name, name) for name in made.measures]
        made.cues -= {"average"}
    made.cues -= {"also", "only", "most", "least"} if made.measures else set()


def _related(made: Parsed) -> None:
    """Replace measures by those a user, a session or the median where a cue says so."""
    for cue, related in _RELATED.items():
        if cue in made.cues and {*made.measures} & {*related, *related.values()}:
            made.measures = list(dict.fromkeys(related.get(name, name) for name in made.measures))
            made.cues -= {cue}


def _buying(made: Parsed) -> None:
    """Read “buys” as converted users, or as the outcome rate where a share or a reason is asked for."""
    share = made.cues & {"share", "why"}
    if "unconverted" in made.cues:  # “users without orders”
        made.measures = [_DENIED.get(name, name) for name in made.measures]
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
    """Read “how often” as sessions a user where users come or return, else as page views of an item."""
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
    """Read “average” as the figure of all users, or drop it beside measures that are averages."""
    if "average" not in made.cues:
        return
    if {*made.measures} & {*_MEDIAN.values()}:  # “mean against median”
        means = [
            mean for mean, median in _MEDIAN.items() if median in made.measures and mean != Col.PAGE_VIEWS
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
    """Read “more pages”, and pages on average, as page views a user."""
    compared = len(made.rows) == 2 and made.cues & {"most", "least"}
    if made.dimensions == [Dimension.PAGE] and (compared or {"average", "many"} <= made.cues):
        made.cues -= {"average", "many", "viewed"}
        made.dimensions, made.measures = [], [Col.PAGE_VIEWS_MEAN]
    views = {"segments", "viewed"} <= made.cues and made.cues & {"most", "least"}
    if views and made.topic == "dimensions" and made.dimensions == [Dimension.PAGE] and not made.rows:
        made.cues -= {"viewed"}  # “which segment views the most pages”
        made.dimensions, made.measures = [], [Col.PAGE_VIEWS_MEAN]


def _long(made: Parsed) -> None:
    """Read “longest” and “shortest” as most and least engagement time, and of nothing else."""
    if {*made.measures} <= {Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN}:
        for cue in made.cues & {"longest", "shortest"}:
            made.cues = made.cues - {cue} | {_LENGTH[cue]}
            made.measures = made.measures or [Col.ENGAGEMENT_MEAN]


def _everyone(made: Parsed) -> None:
    """Compare a segment that is asked to be above or below another row; drop all users beside segments."""
    if len(made.rows) in (1, 2) and made.cues & {"above", "below"} and made.measures:
        made.cues = made.cues - {"above", "below"} | {"compare"}
        made.rows += [ALL] if len(made.rows) == 1 else []
    elif made.rows == [ALL] and (
        "each" in made.cues or ("segments" in made.cues and made.cues & OVER_ALL - {"segments"})
    ):
        made.rows.clear()  # “of each segment in total”: all users are a row beside the segments


def _sized(made: Parsed) -> None:
    """Read “biggest”, and “most users”, as the number of users."""
    sized = (made.nouns and made.cues & {"most", "least"}) or made.cues & {"biggest", "smallest"}
    if sized and made.cues <= _SIZED and not made.topic:
        made.measures.append(Col.USERS)


def _with_biggest(made: Parsed, context: Context) -> None:
    """Replace “the biggest segment” by its row where something else is asked about it."""
    size = made.cues & {"biggest", "smallest"}
    if len(size) == 1 and not made.rows and made.measures != [Col.USERS] and made.nth is None:
        sizes = {key: context.row(key)[Col.USERS] for key in context.segment_keys}
        order = sorted(sizes, key=lambda key: sizes[key], reverse="biggest" in size)
        listed = made.number if made.measures and not made.dimensions else None  # “the two smallest”
        made.rows, made.cues = order[: listed or 1], made.cues - size
        made.number = None if listed else made.number
