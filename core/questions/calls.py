"""Functions that run the tools for each kind of question: from a parsed question to a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from core.base.errors import InputError
from core.base.schema import RESERVED, View
from core.facts import (
    funnel_tools,
    item_tools,
    items,
    like_tools,
    other_tools,
    segment_tools,
    time_tools,
    tools,
)
from core.facts.answer import About, Block, Chart, ChartMark, Fact, FigureList, Metric, Order, Ranking, Unit
from core.facts.context import ALL, ONE_PAGE, PASTED, UNSEEN
from core.facts.fact_maker import Figures, Finding, complement, notes, select
from core.facts.items import LABELLED, Dimension, ItemMetric
from core.facts.steps import step_view
from core.facts.verbs import subject
from core.profiles.profile_columns import HEAT_MAP, Col
from core.questions.lexicon import EVENT
from core.questions.parsed import Parsed

_DEFAULT_N: Final = 5
"""Number of entries in a list where the question gives none."""
TRUST: Final = (
    "Whether these segments are there at all, and how sure one is, is measured on the Trust page, not here."
)
HOW_SURE: Final = "How sure one of them is, is measured on the Trust page."
TESTED: Final = "Whether two of them differ in a figure is tested where they are compared."
_PERCENT: Final = "Is that a percentage, or a number? Write “%” after the limit for a share."
OVER_TIME: Final[Mapping[str, About]] = {"when": "hours", "trend": "growth", "retention": "return"}
"""Cue → ``about``, the argument of the tool for figures over time."""
BOUNCED: Final = "Sessions of one page are not counted; users who saw only one page are."


Run: TypeAlias = Callable[[Figures, Parsed], Finding]


def of_all(tool: Callable[[Figures], Finding]) -> Run:
    """Make an intent's function of a tool without arguments."""
    return lambda figures, parsed: tool(figures)


def of_row(tool: Callable[[Figures, str], Finding]) -> Run:
    """Make an intent's function of a tool whose argument is the first row that the question names."""
    return lambda figures, parsed: tool(figures, parsed.rows[0])


def _n(parsed: Parsed) -> int:
    return parsed.number or max(_DEFAULT_N, parsed.nth or 0)


def _row(parsed: Parsed) -> str:
    return parsed.rows[0] if parsed.rows else ALL


def chart(figures: Figures, parsed: Parsed) -> Finding:
    """Draw one measure of all segments as a chart; their sizes if no measure is named."""
    mark = next((mark for mark in ChartMark if mark.value in parsed.cues), ChartMark.BAR)
    name = parsed.measures[0] if parsed.measures else Col.USERS
    return segment_tools.chart(figures, Metric(name), mark)


def chart_item(figures: Figures, parsed: Parsed) -> Finding:
    """Draw one item over all segments as a chart."""
    mark = next((mark for mark in ChartMark if mark.value in parsed.cues), ChartMark.BAR)
    found = rank_item(figures, parsed)
    by_row = sorted(found.facts, key=lambda fact: figures.context.place(fact.row))
    return replace(found, blocks=(*found.blocks, Chart(facts=tuple(by_row), mark=mark)))


def alike(figures: Figures, parsed: Parsed) -> Finding:
    """Find the two segments with the nearest centroids; an InputError if there are not two."""
    near = [fact for key in figures.context.segment_keys for fact in figures.nearest(key, 1)]
    if not near:
        raise InputError("There are not two segments to compare")
    closest = min(near, key=lambda fact: fact.value)
    return Finding((FigureList(facts=(closest,)),), select("key, other, distance", "centroids"))


def trust(figures: Figures, parsed: Parsed) -> Finding:
    """How sure the first named segment is, where that was measured; else the verdict on all segments."""
    measured = [f"segment:{segment}" for segment in figures.context.certificates]
    asked = [row for row in parsed.rows if row in measured]
    if not asked:
        verdict = figures.context.verdict
        return Finding(notes(verdict or TRUST, HOW_SURE if verdict else "", TESTED))
    return other_tools.how_sure(figures, asked[0])


def funnel(figures: Figures, parsed: Parsed) -> Finding:
    """Count a funnel of the steps that the question names; without any, the analyst's or the usual one."""
    named = tuple(value if value.startswith(EVENT) else f"{kind}:{value}" for kind, value in parsed.items)
    last = (funnel_tools.OUTCOME,) if named and "buys" in parsed.cues else ()
    within = "session" if "in_session" in parsed.cues else "user"
    asked = {"segment": _row(parsed), "steps": named + last, "within": within}
    return tools.call(figures, "funnel", asked)


def time(figures: Figures, parsed: Parsed) -> Finding:
    """When users come, whose share grows, or who comes again; of the named row or of each segment."""
    about = next(about for cue, about in OVER_TIME.items() if cue in parsed.cues)
    return time_tools.over_the_data(figures, _row(parsed), about=about)


def look_alikes(figures: Figures, parsed: Parsed) -> Finding:
    """Count the users who are like those of a segment, or of the pasted list where none is named."""
    return like_tools.look_alikes(figures, (parsed.rows or [PASTED])[0])


def similar(figures: Figures, parsed: Parsed) -> Finding:
    """List the segments nearest to a segment."""
    return other_tools.nearest_segments(figures, parsed.rows[0], parsed.number or 3)


def transitions(figures: Figures, parsed: Parsed) -> Finding:
    """List where sessions begin or end, what comes before or after an item, frequent steps, or routes."""
    where = next((end for end in ("entry", "exit", "routes") if end in parsed.cues), "steps")
    usual = Dimension.TYPE if step_view(figures.context) is View.TYPE else Dimension.PAGE
    by, value = parsed.items[0] if parsed.items else ((parsed.dimensions or [usual])[0], None)
    place = {"origin" if "after" in parsed.cues else "target": value} if where == "steps" and value else {}
    level = "page" if where in ("entry", "exit") else by.value
    asked = {"segment": _row(parsed), "by": level, "where": where, "n": _n(parsed), **place}
    return tools.call(figures, "transitions", asked)


def moves(figures: Figures, parsed: Parsed) -> Finding:
    """List the steps that users of a segment take more or less often than the others."""
    usual = Dimension.TYPE if step_view(figures.context) is View.TYPE else Dimension.PAGE
    by = (parsed.dimensions or [usual])[0].value
    return tools.call(figures, "differing_steps", {"segment": parsed.rows[0], "by": by, "n": _n(parsed)})


def why(figures: Figures, parsed: Parsed) -> Finding:
    """What sets a segment apart, or makes one of its measures high or low."""
    return segment_tools.why(figures, parsed.rows[0], parsed.measures[0] if parsed.measures else None)


def share(figures: Figures, parsed: Parsed) -> Finding:
    """The number or share of users who saw or have an item."""
    dimension, value = parsed.items[0]
    rows = parsed.rows or ([*figures.context.segment_keys] if "each" in parsed.cues else [ALL])
    found = item_tools.item_shares(figures, rows, dimension, value, _item_metric(parsed))
    return replace(found, blocks=(FigureList(facts=_denied(found.facts, parsed)),))


def lift(figures: Figures, parsed: Parsed) -> Finding:
    """The lift of an item: the share of a row's users with it over that of the other clustered users."""
    dimension, value = parsed.items[0]
    return item_tools.item_share(figures, _row(parsed), dimension, value, ItemMetric.LIFT)


def within(figures: Figures, parsed: Parsed) -> Finding:
    """List the segments, or named rows, whose figure lies beyond the question's limit, the farthest first."""
    limit, rows = parsed.limit, parsed.rows or figures.context.segment_keys
    assert limit is not None  # or another intent would fit
    if parsed.items:
        ((dimension, value),) = parsed.items
        metric = ItemMetric.SHARE if limit.share else ItemMetric.USERS
        facts = [item_tools.needed(figures, row, dimension, value, metric) for row in rows]
    else:
        facts = [figures.needed(row, parsed.measures[0]) for row in rows]
    if (facts[0].unit is Unit.SHARE) is not limit.share or facts[0].unit is Unit.SECONDS:
        raise InputError(_PERCENT)
    kept = sorted(
        (fact for fact in facts if limit.holds(fact.value)), key=lambda fact: fact.value, reverse=limit.above
    )
    said = f"{subject(facts[0])} {limit.text}"
    return Finding((Ranking(facts=tuple(kept), most=limit.above, limit=said),), select("key", "segments"))


def only_nth(blocks: Sequence[Block], nth: int | None) -> tuple[Block, ...]:
    """Keep only the ``nth`` entry (from 1) of each list and ranking; all blocks as they are if it is None.

    Raises:
        InputError: If one has fewer entries.
    """
    if nth is None:
        return (*blocks,)
    facts = [block.facts[nth - 1 : nth] for block in blocks if isinstance(block, FigureList | Ranking)]
    if not all(facts):
        raise InputError("There are not so many")
    return tuple(FigureList(facts=own) for own in facts)


def bounce(figures: Figures, parsed: Parsed) -> Finding:
    """Users with a single page view, with a note that a bounce rate is one of sessions."""
    found = segment_tools.metrics(figures, [ONE_PAGE], [Col.SHARE, Col.USERS])
    return replace(found, blocks=(*notes(BOUNCED), *found.blocks))


def contrast_item(figures: Figures, parsed: Parsed) -> Finding:
    """Compare the share of an item between the two rows that the question names."""
    dimension, value = parsed.items[0]
    metric = ItemMetric.VIEW_SHARE if Col.PAGE_VIEWS in parsed.measures else ItemMetric.SHARE
    fact = item_tools.needed(figures, parsed.rows[0], dimension, value, metric)
    query = select(metric.value, items.table_of(dimension), key=", ".join(parsed.rows), value=value)
    return Finding((figures.contrast(fact, parsed.rows[1]),), query)


def side_by_side(figures: Figures, parsed: Parsed) -> Finding:
    """List figures of three or more rows: those that the question names, else users and the heat map's."""
    usual = [name for name in (Col.USERS, *HEAT_MAP) if figures.measure(ALL, name)]
    return segment_tools.metrics(figures, parsed.rows, parsed.measures or usual)


def rank_item(figures: Figures, parsed: Parsed) -> Finding:
    """Rank the segments by an item; interest in a theme or type is its share of the page views."""
    dimension, value = parsed.items[0]
    metric = _item_metric(parsed)
    if "interested" in parsed.cues:
        metric = ItemMetric.VIEW_SHARE if dimension in LABELLED else ItemMetric.SHARE
    order = Order.LEAST if "least" in parsed.cues else Order.MOST
    found = item_tools.rank_item(figures, dimension, value, metric, order)
    ranked = figures.ranking(_denied(found.facts, parsed), most=order is Order.MOST)
    return replace(found, blocks=(ranked,))


def either(figures: Figures, parsed: Parsed) -> Finding:
    """Show several items of one kind beside each other."""
    kinds = {dimension for dimension, _ in parsed.items}
    if len(kinds) > 1:
        raise InputError("These are of different kinds, and one question can only be about one kind")
    if "or" not in parsed.fills and "compare" not in parsed.cues and not kinds <= {*items.ATTRIBUTES}:
        raise InputError("Users who saw both are not counted; who saw each is")
    metric = ItemMetric.USERS if "many" in parsed.cues else ItemMetric.SHARE
    values = [value for _, value in parsed.items]
    return item_tools.either(figures, _row(parsed), parsed.items[0][0], values, metric)


def beyond(figures: Figures, parsed: Parsed) -> Finding:
    """List the segments above or below the figure of all users."""
    return segment_tools.beyond_average(figures, parsed.measures[0], above="above" in parsed.cues)


def _item_metric(parsed: Parsed) -> ItemMetric:
    """The metric of an item: of page views where the question names them, else of users; share or number."""
    said = parsed.nouns or parsed.measures or "many" in parsed.cues
    share = bool(parsed.cues & {"share", "mostly"}) or Col.SHARE in parsed.measures or not said
    if Col.PAGE_VIEWS in parsed.measures:
        return ItemMetric.VIEW_SHARE if share else ItemMetric.VIEWS
    return ItemMetric.SHARE if share else ItemMetric.USERS


def top(figures: Figures, parsed: Parsed) -> Finding:
    """List the top items of a kind; by default pages, or themes where interests are asked for."""
    labelled = "interested" in parsed.cues and figures.context.tables.basis.labels
    dimension = (parsed.dimensions or [Dimension.THEME if labelled else Dimension.PAGE])[0]
    if dimension in LABELLED and {*items.values(figures.context, dimension)} <= {*RESERVED}:
        raise InputError(f"No page of this data has a {dimension} that is known")
    return item_tools.top_items(figures, dimension, _row(parsed), _top_metric(dimension, parsed), _n(parsed))


def _top_metric(dimension: Dimension, parsed: Parsed) -> ItemMetric:
    if "apart" in parsed.cues:
        return ItemMetric.LIFT
    if dimension in LABELLED:
        return ItemMetric.VIEW_SHARE
    return ItemMetric.VIEWS if dimension is Dimension.PAGE else ItemMetric.SHARE


def compare_two(figures: Figures, parsed: Parsed) -> Finding:
    """Compare the two rows that the question names."""
    first, second = parsed.rows
    return segment_tools.compare(figures, first, second, tuple(map(Metric, parsed.measures)))


def rank(figures: Figures, parsed: Parsed) -> Finding:
    """Rank the segments, or the named rows, by each measure; by size if no measure is named."""
    names, most = parsed.measures or [Col.USERS], not parsed.cues & {"least", "smallest"}
    blocks = []
    for name in names:
        for facts in segment_tools.by_currency(figures, name, parsed.rows):
            ranked = figures.ranking(_denied(facts, parsed), most=most)
            whole = not (parsed.rows or parsed.number)
            ranked = ranked.model_copy(update={"facts": ranked.facts[: parsed.number], "complete": whole})
            blocks.append(ranked)
    return Finding(tuple(blocks), select(f"key, {', '.join(names)}", "segments"))


def merge_findings(found: Sequence[Finding]) -> Finding:
    """Merge findings; of equal blocks, and of a ranking and its reverse, the first stays where it is."""
    blocks: dict[Block | frozenset[Fact], Block] = {}
    for block in (block for one in found for block in one.blocks):
        blocks.setdefault(frozenset(block.facts) if isinstance(block, Ranking) else block, block)
    return Finding(tuple(blocks.values()), "; ".join(dict.fromkeys(one.query for one in found)))


def metrics(figures: Figures, parsed: Parsed) -> Finding:
    """Show the values of measures; of all users, and of each segment if asked for, where no row is named."""
    rows = parsed.rows or [ALL, *(figures.context.segment_keys if parsed.cues & {"each", "segments"} else ())]
    share = Col.SHARE if "share" in parsed.cues else Col.USERS
    found = segment_tools.metrics(figures, rows, parsed.measures or [share])
    return replace(found, blocks=(FigureList(facts=_denied(found.facts, parsed)),))


def _denied(facts: Iterable[Fact], parsed: Parsed) -> tuple[Fact, ...]:
    """Facts of the users who did *not*, where the question asks for them; else the facts as they are."""
    if not parsed.cues & {"never", "unconverted"}:
        return tuple(facts)
    return tuple(complement(fact) for fact in facts if fact.row != UNSEEN)
