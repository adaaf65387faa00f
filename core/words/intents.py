"""From what a question says to what is asked of the data; an intent must use every word of the question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.errors import InputError
from core.profiles.columns import Col
from core.schema import View
from core.words import arguments, compare, describe, item_tools, other_tools, segment_tools
from core.words.arguments import Metric, Order
from core.words.context import ALL
from core.words.figures import Figures
from core.words.findings import Finding
from core.words.grammar import Parsed
from core.words.items import LABELLED, Dimension, ItemMetric, step_view

DEFAULT_N: Final = 5
MANY: Final = 99
BARE: Final = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "and",
        "or",
        "what",
        "who",
        "which",
        "is",
        "are",
        "s",
        "please",
        "show",
        "give",
        "me",
        "us",
        "by",
        "with",
    ]
)
"""Words beside which a row alone can stand."""
Run = Callable[[Figures, Parsed], Finding]


@dataclass(frozen=True)
class Intent:
    """A kind of question.

    Args:
        name: What it is called.
        run: What is asked of the data.
        needs: Cues of which one must be there; empty for none.
        allows: Further cues that may be there.
        rows: How many rows it names, at least and at most.
        metrics: How many metrics.
        dimensions: How many dimensions.
        items: How many values.
        number: Whether it may say how many to list.
        only: Metrics that may be there; empty for all.
        bare: Whether nothing else may be said, such as a verb that would ask for something else.
        says: Words without a meaning of their own of which one must be there; empty for none.
    """

    name: str
    run: Run
    needs: frozenset[str] = frozenset()
    allows: frozenset[str] = frozenset()
    rows: tuple[int, int] = (0, 0)
    metrics: tuple[int, int] = (0, 0)
    dimensions: tuple[int, int] = (0, 0)
    items: tuple[int, int] = (0, 0)
    number: bool = False
    only: frozenset[str] = frozenset()
    bare: bool = False
    says: frozenset[str] = frozenset()

    def fits(self, parsed: Parsed) -> bool:
        """Whether it uses all that the question says, and has all that it needs."""
        counts = (
            (self.rows, parsed.rows), (self.metrics, parsed.metrics), (self.dimensions, parsed.dimensions),
            (self.items, parsed.items),
        )  # fmt: skip
        return (
            (not self.needs or bool(self.needs & parsed.cues))
            and parsed.cues <= self.needs | self.allows
            and all(low <= len(found) <= high for (low, high), found in counts)
            and (self.number or parsed.number is None)
            and (not self.only or set(parsed.metrics) <= self.only)
            and (not self.bare or parsed.fills <= BARE)
            and (not self.says or bool(parsed.fills & self.says))
        )


def choose(parsed: Parsed) -> Intent | None:
    """The first intent that fits."""
    return next((intent for intent in INTENTS if intent.fits(parsed)), None)


def _n(parsed: Parsed) -> int:
    return parsed.number or DEFAULT_N


def _row(parsed: Parsed) -> str:
    return parsed.rows[0] if parsed.rows else ALL


def _changed(figures: Figures, parsed: Parsed) -> Finding:
    return other_tools.what_changed(figures, arguments.WhatChanged())


def _persona(figures: Figures, parsed: Parsed) -> Finding:
    return describe.persona(figures, parsed.rows[0])


def _chart(figures: Figures, parsed: Parsed) -> Finding:
    mark = next((mark for mark in arguments.Mark if mark.value in parsed.cues), arguments.Mark.BAR)
    name = parsed.metrics[0] if parsed.metrics else Col.USERS
    return segment_tools.chart(figures, arguments.ChartSpec(metric=Metric(name), mark=mark))


def _similar(figures: Figures, parsed: Parsed) -> Finding:
    asked = arguments.NearestSegments(segment=parsed.rows[0], n=parsed.number or 3)
    return other_tools.nearest_segments(figures, asked)


def _ends(figures: Figures, parsed: Parsed) -> Finding:
    asked = arguments.Transitions(
        segment=_row(parsed), where="entry" if "entry" in parsed.cues else "exit", n=_n(parsed)
    )  # fmt: skip
    return item_tools.transitions(figures, asked)


def _step(figures: Figures, parsed: Parsed) -> Finding:
    dimension, value = parsed.items[0]
    place = {"origin" if "after" in parsed.cues else "target": value}
    asked = arguments.Transitions.checked(segment=_row(parsed), by=dimension.value, n=_n(parsed), **place)
    return item_tools.transitions(figures, asked)


def _path(figures: Figures, parsed: Parsed) -> Finding:
    usual = Dimension.TYPE if step_view(figures.context) is View.TYPE else Dimension.PAGE
    by = parsed.dimensions[0] if parsed.dimensions else usual
    asked = arguments.Transitions.checked(segment=_row(parsed), by=by.value, n=_n(parsed))
    return item_tools.transitions(figures, asked)


def _why(figures: Figures, parsed: Parsed) -> Finding:
    return describe.why(figures, parsed.rows[0], parsed.metrics[0] if parsed.metrics else None)


def _share(figures: Figures, parsed: Parsed) -> Finding:
    dimension, value = parsed.items[0]
    rows = parsed.rows or ([*figures.context.segment_keys] if "each" in parsed.cues else [ALL])
    return item_tools.item_shares(figures, rows, dimension, value, _item_metric(parsed))


def _rank_item(figures: Figures, parsed: Parsed) -> Finding:
    dimension, value = parsed.items[0]
    order = Order.LEAST if "least" in parsed.cues else Order.MOST
    return item_tools.rank_item(figures, dimension, value, _item_metric(parsed), order)


def _either(figures: Figures, parsed: Parsed) -> Finding:
    if len({dimension for dimension, _ in parsed.items}) > 1:
        raise InputError("These are of different kinds, and one question can only be about one kind")
    metric = ItemMetric.USERS if "many" in parsed.cues else ItemMetric.SHARE
    values = [value for _, value in parsed.items]
    return item_tools.either(figures, _row(parsed), parsed.items[0][0], values, metric)


def _likes(figures: Figures, parsed: Parsed) -> Finding:
    """Whoever likes a page saw it; whoever likes a theme or a type spends more of the page views on it."""
    dimension, value = parsed.items[0]
    metric = ItemMetric.VIEW_SHARE if dimension in LABELLED else ItemMetric.SHARE
    order = Order.LEAST if "least" in parsed.cues else Order.MOST
    return item_tools.rank_item(figures, dimension, value, metric, order)


def _beyond(figures: Figures, parsed: Parsed) -> Finding:
    return segment_tools.beyond_average(figures, parsed.metrics[0], above="above" in parsed.cues)


def _item_metric(parsed: Parsed) -> ItemMetric:
    """Page views where they are spoken of, else users; a share where one is asked for, else their number."""
    share = bool(parsed.cues & {"share", "mostly"}) or Col.SHARE in parsed.metrics
    if Col.PAGE_VIEWS in parsed.metrics:
        return ItemMetric.VIEW_SHARE if share else ItemMetric.VIEWS
    return ItemMetric.SHARE if share else ItemMetric.USERS


def _top(figures: Figures, parsed: Parsed) -> Finding:
    dimension = parsed.dimensions[0]
    asked = arguments.TopItems(
        dimension=dimension, segment=_row(parsed), metric=_top_metric(dimension, parsed), n=_n(parsed)
    )  # fmt: skip
    return item_tools.top_items(figures, asked)


def _looks_at(figures: Figures, parsed: Parsed) -> Finding:
    """Interests are themes, where pages are labelled."""
    labelled = "interested" in parsed.cues and figures.context.tables.basis.labels
    dimension = Dimension.THEME if labelled else Dimension.PAGE
    asked = arguments.TopItems(
        dimension=dimension, segment=_row(parsed), metric=_top_metric(dimension, parsed), n=_n(parsed)
    )  # fmt: skip
    return item_tools.top_items(figures, asked)


def _top_metric(dimension: Dimension, parsed: Parsed) -> ItemMetric:
    apart = "apart" in parsed.cues
    if dimension in LABELLED:
        return ItemMetric.VIEW_LIFT if apart else ItemMetric.VIEW_SHARE
    if dimension is Dimension.PAGE:
        return ItemMetric.LIFT if apart else ItemMetric.VIEWS
    return ItemMetric.LIFT if apart else ItemMetric.SHARE


def _compare(figures: Figures, parsed: Parsed) -> Finding:
    metrics = tuple(Metric(name) for name in parsed.metrics)
    if not metrics and parsed.nouns and parsed.cues & {"most", "least", "many"}:
        metrics = (Metric(Col.USERS),)
    asked = arguments.Compare(a=parsed.rows[0], b=parsed.rows[1], metrics=metrics)
    return compare.compare(figures, asked)


def _compare_all(figures: Figures, parsed: Parsed) -> Finding:
    return _rank(figures, parsed) if parsed.metrics else compare.compare_all(figures)


def _rank(figures: Figures, parsed: Parsed) -> Finding:
    order = Order.LEAST if parsed.cues & {"least", "smallest"} else Order.MOST
    name = parsed.metrics[0] if parsed.metrics else Col.USERS
    return segment_tools.rank_segments(figures, arguments.RankSegments(metric=Metric(name), order=order))


def _list(figures: Figures, parsed: Parsed) -> Finding:
    return segment_tools.list_segments(figures, arguments.ListSegments())


def _describe(figures: Figures, parsed: Parsed) -> Finding:
    return describe.paragraph(figures, parsed.rows[0])


def _metric(figures: Figures, parsed: Parsed) -> Finding:
    rows = parsed.rows or [ALL, *(figures.context.segment_keys if parsed.cues & {"each", "segments"} else ())]
    share = Col.SHARE if "share" in parsed.cues else Col.USERS
    return segment_tools.metrics(figures, rows, parsed.metrics or [share])


def _cues(*cues: str) -> frozenset[str]:
    return frozenset(cues)


_LOOSE: Final = ("list", "segments")
_FLOW: Final = ("top", "most", "where", *_LOOSE)
_SHARE: Final = frozenset({Col.SHARE})
_SHARES: Final = frozenset({Col.SHARE, Col.USERS, Col.PAGE_VIEWS})
_RATES: Final = frozenset({
    Col.SHARE, Col.SHARE_CLUSTERED, Col.OUTCOME_RATE, Col.SESSION_RATE, Col.ENGAGEMENT_NONE_SHARE
})  # fmt: skip
_VIEWED: Final = frozenset({Col.PAGE_VIEWS, Col.USERS})
_ENDS: Final = frozenset({Col.SESSIONS})

INTENTS: Final = (
    Intent("changed", _changed, _cues("changed"), _cues("many", "share", *_LOOSE),
           metrics=(0, 1), only=_SHARE),
    Intent("persona", _persona, _cues("persona"), _cues("describe", *_LOOSE), rows=(1, 1)),
    Intent("chart", _chart, _cues("chart", "bar", "line", "point"), _cues("each", *_LOOSE), metrics=(1, 1)),
    Intent("chart_size", _chart, _cues("chart", "bar", "line", "point"), _cues("each", *_LOOSE)),
    Intent("similar", _similar, _cues("similar"), _cues(*_LOOSE), rows=(1, 1), number=True),
    Intent("entry", _ends, _cues("entry"), _cues("many", "share", *_FLOW), rows=(0, 1),
           metrics=(0, 1), dimensions=(0, 1), number=True, only=_ENDS),
    Intent("exit", _ends, _cues("exit"), _cues("many", "share", *_FLOW), rows=(0, 1),
           metrics=(0, 1), dimensions=(0, 1), number=True, only=_ENDS),
    Intent("after", _step, _cues("after"), _cues("path", "viewed", *_FLOW), rows=(0, 1),
           dimensions=(0, 1), items=(1, 1), number=True),
    Intent("before", _step, _cues("before"), _cues("path", "viewed", *_FLOW), rows=(0, 1),
           dimensions=(0, 1), items=(1, 1), number=True),
    Intent("path", _path, _cues("path"), _cues("typical", "describe", "like", *_FLOW), rows=(0, 1),
           dimensions=(0, 1), number=True),
    Intent("why", _why, _cues("why"), _cues("most", "least", "apart", "differ", "describe", *_LOOSE),
           rows=(1, 1), metrics=(0, 1)),
    Intent("share", _share, _cues("share", "many"), _cues("each", "viewed", "compare", *_LOOSE),
           rows=(0, MANY), metrics=(0, 1), dimensions=(0, 1), items=(1, 1), only=_SHARES),
    Intent("share", _share, _cues(), _cues("each", "viewed", "compare", *_LOOSE), rows=(0, MANY),
           metrics=(1, 1), dimensions=(0, 1), items=(1, 1), only=_SHARES),
    Intent("share", _share, _cues("mostly"), _cues("viewed", *_LOOSE), rows=(1, MANY), dimensions=(0, 1),
           items=(1, 1)),
    Intent("either", _either, _cues(), _cues("many", "share", "most", "mostly", "viewed", *_LOOSE),
           rows=(0, 1), dimensions=(0, 1), items=(2, MANY), says=frozenset({"or"})),
    Intent("either", _either, _cues("compare"), _cues("many", "share", *_LOOSE), rows=(0, 1),
           dimensions=(0, 1), items=(2, MANY)),
    Intent("likes", _likes, _cues("interested"), _cues("most", "least", *_LOOSE), dimensions=(0, 1),
           items=(1, 1)),
    Intent("beyond", _beyond, _cues("above", "below"), _cues(*_LOOSE), metrics=(1, 1)),
    Intent("rank_item", _rank_item, _cues("most", "least"), _cues("share", "many", "viewed", *_LOOSE),
           metrics=(0, 1), dimensions=(0, 1), items=(1, 1), only=_SHARES),
    Intent("top", _top, _cues("top", "most", "mostly", "apart", "viewed", "interested", "list"), _cues(),
           rows=(0, 1), metrics=(0, 1), dimensions=(1, 1), number=True, only=_VIEWED),
    Intent("top", _top, _cues(), _cues("list"), rows=(1, 1), dimensions=(1, 1), number=True),
    Intent("looks_at", _looks_at, _cues("viewed", "interested"),
           _cues("most", "mostly", "top", "apart", *_LOOSE), rows=(1, 1), number=True,
           says=frozenset({"what"})),
    Intent("compare", _compare, _cues("compare", "differ", "similar", "most", "least"),
           _cues("many", *_LOOSE), rows=(2, 2), metrics=(0, MANY)),
    Intent("compare", _compare, _cues(), _cues("many", *_LOOSE), rows=(2, 2), bare=True),
    Intent("compare_all", _compare_all, _cues("compare", "differ"), _cues("each", *_LOOSE), metrics=(0, 1)),
    Intent("rank", _rank, _cues("most", "least", "rank", "biggest", "smallest"),
           _cues("each", "many", *_LOOSE), metrics=(1, 1)),
    Intent("rank_size", _rank, _cues("most", "least", "rank", "biggest", "smallest"),
           _cues("each", "many", *_LOOSE)),
    Intent("list", _list, _cues("segments", "each"), _cues("list", "many", "describe")),
    Intent("apart", _why, _cues("apart", "differ"), _cues("rest", "describe", *_LOOSE), rows=(1, 1)),
    Intent("describe", _describe, _cues("describe", "like"), _cues(*_LOOSE), rows=(1, 1)),
    Intent("describe", _describe, _cues(), _cues("list"), rows=(1, 1), bare=True),
    Intent("metric", _metric, _cues(), _cues("many", "each", "list", "segments"), rows=(0, MANY),
           metrics=(1, MANY)),
    Intent("metric", _metric, _cues("share"), _cues("each", "list", "segments"), rows=(0, MANY),
           metrics=(1, MANY), only=_RATES),
    Intent("size", _metric, _cues("many", "share"), _cues("each", *_LOOSE), rows=(0, MANY)),
)  # fmt: skip
"""Tried in this order."""
