"""What a model chose, made into blocks: each address looked up, what does not hold dropped and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from core.base.errors import Beha2VecError
from core.facts.answer import Block, Chart, ChartMark, Comment, Contrast, Fact, FigureList, Idea, Ranking
from core.facts.finding import present
from core.facts.measures import BY_KEY
from core.facts.segment_tools import of_segments
from core.writing.outbox import Outbox, key_of_said
from core.writing.remarks import Names, kept
from core.writing.specs import MOST_BLOCKS, MOST_FIGURES, ORDERS

Raw: TypeAlias = Mapping[str, object]
MOST_CHARTED: Final = 8
_REMARK: Final = "no number, comparison, measure or cause may be in its text"
RULES: Final = {
    "figures": f"its facts are at most {MOST_FIGURES} addresses of those offered, each said once",
    "contrast": "its fact is an address of those offered, against another row that has such a figure",
    "ranking": f"its measure and item are of an address offered, its order is {' or '.join(ORDERS)}",
    "chart": "its facts are addresses of one measure: of one item over rows, or of items of one row; its mark"
    f" is {', '.join(ChartMark)}",
    "comment": _REMARK,
    "idea": _REMARK,
}
"""Kind of block → what it must be: all that a model is told of its mistakes, nothing of what it wrote."""
UNKNOWN: Final = f"a block is an object whose kind is {', '.join(RULES)}"


@dataclass
class Resolved:
    """What came of a model's choice.

    Args:
        blocks: That hold.
        problems: What was dropped, a line a piece, for the model: fixed sentences.
    """

    blocks: list[Block] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def resolve(chosen: Iterable[object], outbox: Outbox, names: Names) -> Resolved:
    """Blocks of what a model chose.

    Args:
        chosen: Whole parts of its answer, of whatever shape.
        outbox: What it was offered.
        names: What segments and items are called in remarks.
    """
    made = Resolved()
    for number, raw in enumerate(chosen, 1):
        whole: Raw = raw if isinstance(raw, Mapping) else {}
        kind = str(whole.get("kind"))
        try:
            block, dropped = _made(kind, whole, made.blocks, outbox, names)
        except Beha2VecError:
            block, dropped = None, 1
        holds = block is not None and block not in made.blocks and len(made.blocks) < MOST_BLOCKS
        made.blocks += [block] if block and holds else []
        told = f"block {number}: {RULES.get(kind, UNKNOWN)}; at most {MOST_BLOCKS} blocks, none twice"
        made.problems += [told] * max(dropped, not holds)
    return made


def resolve_flat(addresses: Sequence[object], outbox: Outbox) -> Resolved:
    """One list of figures: all that a weak model chooses."""
    facts, dropped = _facts(addresses, MOST_FIGURES, outbox)
    return Resolved([FigureList(facts=facts)] if facts else [], [RULES["figures"]] * dropped)


def _made(
    kind: str, raw: Raw, before: Sequence[Block], outbox: Outbox, names: Names
) -> tuple[Block | None, int]:
    """A block, if it holds, and how many pieces of it do not."""
    if kind == "contrast":
        return _contrast(raw, outbox), 0
    if kind == "ranking":
        return _ranking(raw, outbox), 0
    if kind in ("comment", "idea"):
        text = raw.get("text")
        shown, dropped = kept(text, names) if isinstance(text, str) else ("", 1)
        block = Comment(text=shown) if kind == "comment" else Idea(text=shown)
        return block if shown else None, dropped
    if kind not in RULES:
        return None, 1
    facts, dropped = _facts(raw.get("facts"), MOST_FIGURES if kind == "figures" else MOST_CHARTED, outbox)
    if kind == "chart":
        return _chart(raw, facts, outbox), dropped
    said = {fact for one in before if isinstance(one, FigureList) for fact in one.facts}
    fresh = tuple(fact for fact in facts if fact not in said)
    return FigureList(facts=fresh) if fresh else None, dropped


def _facts(addresses: object, most: int, outbox: Outbox) -> tuple[tuple[Fact, ...], int]:
    """Those that were offered, each once, and how many others there are: unknown, or beyond the limit."""
    listed = addresses if isinstance(addresses, list | tuple) else [addresses]
    found = present(_offered(address, outbox) for address in listed)
    unique = tuple(dict.fromkeys(found))
    return unique[:most], len(listed) - len(found) + len(unique[most:])


def _offered(address: object, outbox: Outbox) -> Fact | None:
    return outbox.offered.get(address.strip()) if isinstance(address, str) else None


def _contrast(raw: Raw, outbox: Outbox) -> Contrast | None:
    fact = _offered(raw.get("fact"), outbox)
    return outbox.figures.contrast(fact, key_of_said(str(raw.get("against")))) if fact else None


def _ranking(raw: Raw, outbox: Outbox) -> Ranking | None:
    measure, number, order = str(raw.get("measure")), raw.get("item") or "", raw.get("order", ORDERS[0])
    if order not in ORDERS:
        return None
    if not number and measure in BY_KEY:
        facts = of_segments(outbox.figures, measure)
    else:
        ends = f".{measure}.{number}"
        found = (fact for address, fact in outbox.offered.items() if address.endswith(ends))
        facts = _everywhere(next(found, None), outbox)
    return outbox.figures.ranking(facts, most=order == ORDERS[0])


def _everywhere(fact: Fact | None, outbox: Outbox) -> tuple[Fact, ...]:
    """Look up the measure and item of a fact for every segment."""
    keys = outbox.figures.context.segment_keys if fact else ()
    return present(outbox.figures.same(fact, key) for key in keys if fact)


def _chart(raw: Raw, facts: tuple[Fact, ...], outbox: Outbox) -> Chart | None:
    """Of one address every segment's figure, of several these: one measure, over rows or items of a row."""
    if len(facts) == 1:
        facts = _everywhere(facts[0], outbox)
    mark, measures = raw.get("mark", ChartMark.BAR), {fact.measure for fact in facts}
    items, rows = {fact.item for fact in facts}, {fact.segments for fact in facts}
    is_one = len(measures) == 1 and min(len(items), len(rows)) == 1 and all(len(row) == 1 for row in rows)
    if len(facts) < 2 or not is_one or mark not in list(ChartMark):
        return None
    return Chart(facts=facts, mark=ChartMark(str(mark)))
