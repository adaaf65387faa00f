"""What a model chose, made into blocks: each address looked up, what does not hold dropped and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from core.base.errors import Beha2VecError, InputError
from core.facts.answer import Block, Chart, ChartMark, Comment, Contrast, Fact, FigureList, Idea, Ranking
from core.facts.finding import present
from core.facts.measures import BY_KEY
from core.facts.segment_tools import of_segments
from core.writing.outbox import Outbox, key_of_said
from core.writing.remarks import Names, kept
from core.writing.specs import MOST_BLOCKS, MOST_FIGURES, ORDERS

Raw: TypeAlias = Mapping[str, object]
MOST_CHARTED: Final = 8
NOTHING_HELD: Final = "no sentence of it may be shown: no numbers, comparisons, measures or causes"


@dataclass
class Resolved:
    """What came of a model's choice.

    Args:
        blocks: That hold.
        problems: What was dropped, a line a piece, for the model.
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
    for raw in chosen:
        try:
            _add(made, raw, outbox, names)
        except Beha2VecError as error:
            made.problems.append(str(error))
    return made


def resolve_flat(addresses: Sequence[object], outbox: Outbox) -> Resolved:
    """One list of figures: all that a weak model chooses."""
    made = Resolved()
    facts = _facts(addresses, MOST_FIGURES, outbox, made)
    made.blocks += [FigureList(facts=facts)] if facts else []
    return made


def _add(made: Resolved, raw: object, outbox: Outbox, names: Names) -> None:
    if not isinstance(raw, Mapping):
        raise InputError("A block is an object")
    kind = raw.get("kind")
    if len(made.blocks) >= MOST_BLOCKS:
        raise InputError(f"More than {MOST_BLOCKS} blocks")
    if kind in ("comment", "idea"):
        block: Block | None = _remark(made, str(kind), raw.get("text"), names)
    elif kind == "figures":
        facts = _facts(raw.get("facts"), MOST_FIGURES, outbox, made)
        said = {fact for one in made.blocks if isinstance(one, FigureList) for fact in one.facts}
        fresh = tuple(fact for fact in facts if fact not in said)
        block = FigureList(facts=fresh) if fresh else None
    elif kind == "contrast":
        block = _contrast(raw, outbox)
    elif kind == "ranking":
        block = _ranking(raw, outbox)
    elif kind == "chart":
        block = _chart(made, raw, outbox)
    else:
        raise InputError("There is no such kind of block", allowed="those of the schema")
    if block is None or block in made.blocks:
        raise InputError(f"A {kind} block says nothing new")
    made.blocks.append(block)


def _remark(made: Resolved, kind: str, text: object, names: Names) -> Comment | Idea | None:
    shown, dropped = kept(text, names) if isinstance(text, str) else ("", 1)
    made.problems += [f"{kind}: {NOTHING_HELD}"] * (dropped - (not shown))
    if not shown:
        raise InputError(f"A {kind}: {NOTHING_HELD}")
    return Comment(text=shown) if kind == "comment" else Idea(text=shown)


def _facts(addresses: object, most: int, outbox: Outbox, made: Resolved) -> tuple[Fact, ...]:
    """Those that were offered, each once; the others, and those beyond the limit, are problems."""
    listed = addresses if isinstance(addresses, list | tuple) else [addresses]
    facts = present(_offered(address, outbox) for address in listed)
    unknown = [address for address in listed if _offered(address, outbox) is None]
    made.problems += [f"{str(address)[:60]}: there is no such address" for address in unknown]
    unique = tuple(dict.fromkeys(facts))
    made.problems += [f"{fact.label}: at most {most} figures in a block" for fact in unique[most:]]
    return unique[:most]


def _offered(address: object, outbox: Outbox) -> Fact | None:
    return outbox.offered.get(address.strip()) if isinstance(address, str) else None


def _fact(address: object, outbox: Outbox) -> Fact:
    fact = _offered(address, outbox)
    if fact is None:
        raise InputError(f"There is no address {str(address)[:60]!r}", allowed="those offered")
    return fact


def _contrast(raw: Raw, outbox: Outbox) -> Contrast:
    against = key_of_said(str(raw.get("against")))
    if against not in outbox.figures.context.keys:
        raise InputError(f"There is no row {str(raw.get('against'))[:60]!r}", allowed=", ".join(outbox.rows))
    return outbox.figures.contrast(_fact(raw.get("fact"), outbox), against)


def _ranking(raw: Raw, outbox: Outbox) -> Ranking:
    order = raw.get("order", ORDERS[0])
    if order not in ORDERS:
        raise InputError("A ranking has an order", allowed=" or ".join(ORDERS))
    measure, number = str(raw.get("measure")), str(raw.get("item") or "")
    if not number and measure in BY_KEY:
        facts = of_segments(outbox.figures, measure)
    else:
        facts = _everywhere(_of_item(measure, number, outbox), outbox)
    return outbox.figures.ranking(facts, most=order == ORDERS[0])


def _of_item(measure: str, number: str, outbox: Outbox) -> Fact:
    """Any row's figure of an item."""
    ends = f".{measure}.{number}"
    found = next((fact for address, fact in outbox.offered.items() if address.endswith(ends)), None)
    if found is None:
        raise InputError(f"There is no address that ends in {ends[:60]!r}", allowed="those offered")
    return found


def _everywhere(fact: Fact, outbox: Outbox) -> tuple[Fact, ...]:
    """The same measure and item of every segment."""
    return present(outbox.figures.same(fact, key) for key in outbox.figures.context.segment_keys)


def _chart(made: Resolved, raw: Raw, outbox: Outbox) -> Chart:
    """Of one address every segment's figure, of several these, if they are of one measure."""
    facts = _facts(raw.get("facts"), MOST_CHARTED, outbox, made)
    if len(facts) == 1:
        facts = _everywhere(facts[0], outbox)
    mark = raw.get("mark", ChartMark.BAR.value)
    if mark not in set(ChartMark):
        raise InputError("A chart has a mark", allowed=", ".join(ChartMark))
    if len(facts) < 2 or len({fact.measure for fact in facts}) > 1:
        raise InputError("A chart is of several figures of one measure")
    return Chart(facts=facts, mark=ChartMark(str(mark)))
