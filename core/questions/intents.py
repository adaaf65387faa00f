"""The kinds of questions (intents) and what each needs; an intent must use every part of the question."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from core.facts import other_tools, rule_tools, segment_tools
from core.profiles.profile_columns import Col
from core.questions import calls
from core.questions.calls import Run, of_all, of_row
from core.questions.parsed import Parsed

_MANY: Final = 99
_BARE: Final = frozenset({
    "a", "an", "the", "of", "and", "or", "what", "who", "which", "is", "are", "s",
    "please", "show", "give", "me", "us", "by", "with",
})  # fmt: skip
"""Words that may stand beside a row that is named alone."""
_EACH: Final = frozenset({
    "top", "looks_at", "describe", "persona", "entry", "exit", "step", "path", "route", "rule", "moves",
    "funnel",
})  # fmt: skip
"""Names of intents that answer for several rows or dimensions one by one."""


@dataclass(frozen=True)
class Intent:
    """A kind of question: the parts it must and may have, and the function that answers it.

    Args:
        name: Its name.
        run: Calls the tools that answer it.
        needs: Cues of which one must be there; empty if it needs none.
        allows: Further cues that may be there.
        rows: Least and most rows that it names; ``measures``, ``dimensions`` and ``items`` likewise.
        number: Whether it may say how many to list.
        only: Measures that may be there; empty for all.
        bare: Whether words without a meaning of their own must be among a few harmless ones.
        says: Words without a meaning of their own of which one must be there; empty if it needs none.
        limit: Whether it must have a limit (``over 4 %``); else it must not.
    """

    name: str
    run: Run
    needs: frozenset[str] = frozenset()
    allows: frozenset[str] = frozenset()
    rows: tuple[int, int] = (0, 0)
    measures: tuple[int, int] = (0, 0)
    dimensions: tuple[int, int] = (0, 0)
    items: tuple[int, int] = (0, 0)
    number: bool = False
    only: frozenset[str] = frozenset()
    bare: bool = False
    says: frozenset[str] = frozenset()
    limit: bool = False

    def fits(self, parsed: Parsed) -> bool:
        """Whether the intent uses every part of the question, and has all that it needs."""
        counts = (
            (self.rows, parsed.rows), (self.measures, parsed.measures), (self.dimensions, parsed.dimensions),
            (self.items, parsed.items),
        )  # fmt: skip
        return (
            (not self.needs or bool(self.needs & parsed.cues))
            and parsed.cues <= self.needs | self.allows
            and all(low <= len(found) <= high for (low, high), found in counts)
            and (self.number or (parsed.number is None and parsed.nth is None))
            and self.limit is (parsed.limit is not None)
            and (not self.only or set(parsed.measures) <= self.only)
            and (not self.bare or parsed.fills <= _BARE)
            and (not self.says or bool(parsed.fills & self.says))
        )


def choose(parsed: Parsed) -> Intent | None:
    """The first intent that fits the question; None where none does."""
    return next((intent for intent in INTENTS if intent.fits(parsed)), None)


def choose_all(parsed: Parsed) -> list[tuple[Intent, Parsed]]:
    """The intent that fits, with the question; else one for each of its rows or dimensions; empty if none."""
    if whole := choose(parsed):
        return [(whole, parsed)]
    if len(parsed.rows) > 1 and not parsed.cues & {
        "apart",
        "most",
        "least",
    }:  # these tell rows from each other
        each = [replace(parsed, rows=[row]) for row in parsed.rows]
    elif len(parsed.dimensions) > 1:
        each = [replace(parsed, dimensions=[dimension]) for dimension in parsed.dimensions]
    else:
        return []
    found = [pair for one in each for pair in choose_all(one)]
    return found if len(found) >= len(each) and all(intent.name in _EACH for intent, _ in found) else []


def _cues(*cues: str) -> frozenset[str]:
    return frozenset(cues)


_LOOSE: Final = ("list", "segments")
_FLOW: Final = ("top", "most", "where", *_LOOSE)
_SHARE: Final = frozenset({Col.SHARE})
_SHARES: Final = frozenset({Col.SHARE, Col.USERS, Col.PAGE_VIEWS})
_RATES: Final = frozenset({
    Col.SHARE, Col.SHARE_CLUSTERED, Col.OUTCOME_RATE, Col.SESSION_RATE, Col.ENGAGEMENT_NONE_SHARE
})  # fmt: skip
_OUTCOMES: Final = frozenset({Col.OUTCOME_USERS, Col.OUTCOME_RATE})
_VIEWED: Final = frozenset({Col.PAGE_VIEWS, Col.USERS})
_VIEWERS: Final = frozenset({Col.SHARE, Col.USERS})
_ENDS: Final = frozenset({Col.SESSIONS})

INTENTS: Final = (
    Intent("within", calls.within, _cues(), _cues("each", "viewed", "many", "where", *_LOOSE),
           rows=(0, _MANY), measures=(1, 1), limit=True),
    Intent("within", calls.within, _cues(), _cues("each", "viewed", "many", "share", "where", *_LOOSE),
           rows=(0, _MANY), measures=(0, 1), dimensions=(0, 1), items=(1, 1), only=_VIEWERS, limit=True),
    Intent("lift", calls.lift, _cues("lift"), rows=(1, 1), dimensions=(0, 1), items=(1, 1)),
    Intent("changed", of_all(other_tools.what_changed), _cues("changed"), _cues("many", "share", *_LOOSE),
           measures=(0, 1), only=_SHARE),
    Intent("sample", of_all(other_tools.who_is_counted), _cues("sample"), _cues("many", "share", *_LOOSE),
           rows=(0, _MANY), measures=(0, 1), only=_VIEWERS),
    Intent("persona", of_row(segment_tools.persona), _cues("persona"), _cues("describe", *_LOOSE),
           rows=(1, 1)),
    Intent("rule", of_row(rule_tools.segment_rule), _cues("rule"),
           _cues("describe", "best", "most", *_LOOSE), rows=(1, 1)),
    Intent("funnel", calls.funnel, _cues("funnel"),
           _cues("many", "share", "viewed", "exit", "path", "buys", "onward", "describe", "like",
                 "in_session", *_FLOW),
           rows=(0, 1), measures=(0, 1), dimensions=(0, 1), items=(0, _MANY), only=_VIEWERS),
    Intent("when", calls.time, _cues("when"),
           _cues("most", "mostly", "often", "viewed", "typical", "each", *_LOOSE), rows=(0, 1)),
    Intent("trend", calls.time, _cues("trend"), _cues("most", "least", "share", "many", "each", *_LOOSE),
           rows=(0, 1), measures=(0, 1), only=_VIEWERS),
    Intent("retention", calls.time, _cues("retention"), _cues("share", "many", "each", *_LOOSE), rows=(0, 1)),
    Intent("look_alikes", calls.look_alikes, _cues("lookalikes"),
           _cues("many", "share", "where", "like", "similar", "most", *_LOOSE), rows=(0, 1)),
    Intent("chart", calls.chart, _cues("chart", "bar", "line", "point"), _cues("each", *_LOOSE),
           measures=(1, 1)),
    Intent("chart_item", calls.chart_item, _cues("chart", "bar", "line", "point"),
           _cues("each", "share", "many", "viewed", *_LOOSE), measures=(0, 1), dimensions=(0, 1),
           items=(1, 1), only=_SHARES),
    Intent("chart_size", calls.chart, _cues("chart", "bar", "line", "point"), _cues("each", *_LOOSE)),
    Intent("similar", calls.similar, _cues("similar"), _cues(*_LOOSE), rows=(1, 1), number=True),
    Intent("alike", calls.alike, _cues("similar"), _cues("most", *_LOOSE), number=True),
    Intent("trust", calls.trust, _cues("trust"), _cues("describe", "like", "each", "many", *_LOOSE),
           rows=(0, 1), number=True),
    Intent("entry", calls.transitions, _cues("entry"), _cues("many", "share", "viewed", *_FLOW), rows=(0, 1),
           measures=(0, 1), dimensions=(0, 1), number=True, only=_ENDS),
    Intent("exit", calls.transitions, _cues("exit"), _cues("many", "share", *_FLOW), rows=(0, 1),
           measures=(0, 1), dimensions=(0, 1), number=True, only=_ENDS),
    Intent("step", calls.transitions, _cues("after"), _cues("path", "viewed", *_FLOW), rows=(0, 1),
           dimensions=(0, 1), items=(1, 1), number=True),
    Intent("step", calls.transitions, _cues("before"), _cues("path", "viewed", *_FLOW), rows=(0, 1),
           dimensions=(0, 1), items=(1, 1), number=True),
    Intent("route", calls.transitions, _cues("routes"), _cues("typical", "describe", "like", *_FLOW),
           rows=(0, 1), dimensions=(0, 1), number=True),
    Intent("path", calls.transitions, _cues("path"), _cues("typical", "describe", "like", *_FLOW),
           rows=(0, 1), dimensions=(0, 1), number=True),
    Intent("moves", calls.moves, _cues("path"), _cues("apart", "differ", "rest", *_FLOW),
           rows=(1, 1), dimensions=(0, 1), number=True),
    Intent("why", calls.why, _cues("why"),
           _cues("most", "least", "apart", "differ", "describe", "unconverted", *_LOOSE),
           rows=(1, 1), measures=(0, 1)),
    Intent("bounce", calls.bounce, _cues("bounce"), _cues("share", "many")),
    Intent("contrast_item", calls.contrast_item, _cues("compare", "differ", "similar", "most", "least"),
           _cues("share", "many", "viewed", "interested", *_LOOSE), rows=(2, 2), measures=(0, 1),
           dimensions=(0, 1), items=(1, 1), only=_SHARES),
    Intent("share", calls.share, _cues("share", "many"), _cues("each", "viewed", "compare", "never", *_LOOSE),
           rows=(0, _MANY), measures=(0, 1), dimensions=(0, 1), items=(1, 1), only=_SHARES),
    Intent("share", calls.share, _cues(), _cues("each", "viewed", "compare", *_LOOSE), rows=(0, _MANY),
           measures=(1, 1), dimensions=(0, 1), items=(1, 1), only=_SHARES),
    Intent("share", calls.share, _cues(), _cues("list"), rows=(1, _MANY), items=(1, 1)),
    Intent("share", calls.share, _cues("each"), items=(1, 1)),
    Intent("share", calls.share, _cues("mostly"), _cues("viewed", *_LOOSE), rows=(0, _MANY),
           dimensions=(0, 1), items=(1, 1)),
    Intent("either", calls.either, _cues(), _cues("many", "share", "most", "mostly", "viewed", *_LOOSE),
           rows=(0, 1), dimensions=(0, 1), items=(2, _MANY), says=frozenset({"or", "and"})),
    Intent("either", calls.either, _cues("compare"), _cues("many", "share", *_LOOSE), rows=(0, 1),
           dimensions=(0, 1), items=(2, _MANY)),
    Intent("likes", calls.rank_item, _cues("interested"), _cues("most", "least", *_LOOSE), dimensions=(0, 1),
           items=(1, 1)),
    Intent("beyond", calls.beyond, _cues("above", "below"), _cues(*_LOOSE), measures=(1, 1)),
    Intent("rank_item", calls.rank_item, _cues("most", "least"),
           _cues("share", "many", "viewed", "each", "never", *_LOOSE), measures=(0, 1),
           dimensions=(0, 1), items=(1, 1), only=_SHARES),
    Intent("rank_item", calls.rank_item, _cues("where"), _cues(), items=(1, 1)),
    Intent("saw", calls.rank_item, _cues("viewed", "never"), _cues("segments"), dimensions=(0, 1),
           items=(1, 1), says=frozenset({"which", "who"})),
    Intent("top", calls.top, _cues("top", "most", "mostly", "apart", "viewed", "interested", "list"), _cues(),
           rows=(0, 1), measures=(0, 1), dimensions=(1, 1), number=True, only=_VIEWED),
    Intent("top", calls.top, _cues(), _cues("list"), rows=(1, 1), dimensions=(1, 1), number=True),
    Intent("top", calls.top, _cues(), _cues("list"), dimensions=(1, 1), bare=True),
    Intent("looks_at", calls.top, _cues("viewed", "interested"),
           _cues("most", "mostly", "top", "apart", *_LOOSE), rows=(1, 1), number=True,
           says=frozenset({"what"})),
    Intent("compare", calls.compare_two,
           _cues("compare", "differ", "similar", "apart", "most", "least", "biggest", "smallest"),
           _cues("many", *_LOOSE), rows=(2, 2), measures=(0, _MANY)),
    Intent("side_by_side", calls.side_by_side, _cues("compare", "differ", "similar"), _cues(*_LOOSE),
           rows=(3, _MANY), measures=(0, _MANY)),
    Intent("rank_rows", calls.rank, _cues("most", "least", "biggest", "smallest", "rank"), _cues(*_LOOSE),
           rows=(3, _MANY), measures=(1, 1)),
    Intent("compare", calls.compare_two, _cues(), _cues("many", *_LOOSE), rows=(2, 2), bare=True),
    Intent("compare_all", of_all(segment_tools.compare_all), _cues("compare", "differ"),
           _cues("each", *_LOOSE)),
    Intent("rank", calls.rank, _cues("compare", "differ"), _cues("each", *_LOOSE), measures=(1, _MANY)),
    Intent("rank", calls.rank, _cues("most", "least", "rank"), _cues("each", "many", *_LOOSE),
           measures=(1, _MANY), number=True),
    Intent("rank", calls.rank, _cues("biggest", "smallest", "rank"), _cues("each", "many", *_LOOSE),
           measures=(1, 1), number=True, only=frozenset({Col.USERS})),
    Intent("rank", calls.rank, _cues("top"), _cues(*_LOOSE), measures=(1, 1), number=True),
    Intent("rank_users", calls.rank, _cues("rank"), _cues("each", "many", *_LOOSE)),
    Intent("list", of_all(segment_tools.list_segments), _cues("segments", "each", "describe"),
           _cues("list", "many")),
    Intent("apart", calls.why, _cues("apart", "differ"), _cues("rest", "describe", *_LOOSE), rows=(1, 1)),
    Intent("describe", of_row(segment_tools.paragraph), _cues("describe", "like"), _cues(*_LOOSE),
           rows=(1, 1)),
    Intent("describe", of_row(segment_tools.paragraph), _cues(), _cues("list"), rows=(1, 1), bare=True),
    Intent("metric", calls.metrics, _cues(), _cues("many", "each", "list", "segments"),
           rows=(0, _MANY), measures=(1, _MANY)),
    Intent("metric", calls.metrics, _cues("share"), _cues("each", "list", "segments"), rows=(0, _MANY),
           measures=(1, _MANY), only=_RATES),
    Intent("metric", calls.metrics, _cues("unconverted"), _cues("many", "share", "each", "list"),
           rows=(0, _MANY), measures=(1, 1), only=_OUTCOMES),
    Intent("rank", calls.rank, _cues("most", "least"), _cues("unconverted", "many", "share", *_LOOSE),
           measures=(1, 1), only=_OUTCOMES),
    Intent("size", calls.metrics, _cues("many", "share"), _cues("each", *_LOOSE), rows=(0, _MANY)),
)  # fmt: skip
"""All intents, in the order in which they are tried."""
