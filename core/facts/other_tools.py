"""Tools about how segments lie, how sure they are, the last move of a slider, and who is counted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from core.base.errors import InputError
from core.base.safe_text import MAX_LENGTH, clean
from core.base.schema import OUTSIDE
from core.facts.answer import Fact, FigureList, Unit
from core.facts.fact_maker import Figures, Finding, make_fact, notes, require_segment, select
from core.facts.segment_tools import UNSUPPORTED
from core.profiles.profile_columns import Col
from core.segments.certificate import GIVEN
from core.segments.identity import moved, overlap
from core.segments.partition import Partition
from core.storage.receipt import COUNTED

ALL_COUNTED: Final = "All users of the export are counted: this is no sample."


def nearest_segments(figures: Figures, segment: str, n: int) -> Finding:
    """The segments most like one.

    Raises:
        InputError: If there is no such segment.
    """
    key = require_segment(figures.context, segment)
    query = f"{select('key, distance', 'centroids', key=key)} ORDER BY distance LIMIT {n}"
    return Finding((FigureList(facts=tuple(figures.nearest(key, n))),), query)


def how_sure(figures: Figures, segment: str) -> Finding:
    """How sure a segment is: how much of it forms again with other users, and where the others go.

    Raises:
        InputError: If there is no such segment, or it was not measured.
    """
    context = figures.context
    key = require_segment(context, segment)
    found = context.certificates.get(int(context.row(key)[Col.SEGMENT]))
    if found is None:
        raise InputError(
            f"How sure {context.title(key)} is has not been measured", remedy="Measure it, then ask again"
        )
    share = partial(make_fact, unit=Unit.SHARE, n=found.users)
    facts = [
        share(
            "jaccard", "share kept with other users", (key,), found.jaccard,
            interval=(found.low, found.high),
        ),
        share("halves", "share kept with half of the users", (key,), found.halves),
        share("seeds", "share kept from another start", (key,), found.seeds),
    ]  # fmt: skip
    if found.rival is not None:
        rows = (key, f"segment:{found.rival}")
        facts.append(share("moves", "share that moves to the nearest rival", rows, found.moves))
    if found.same_as is not None and found.together is not None:
        rows = (key, f"segment:{found.same_as}")
        facts.append(share("together", "share kept of two that are really one", rows, found.together))
    columns = "jaccard, low, high, halves, seeds, rival, moves, same_as, together"
    query = select(columns, "certificates", key=key)
    word = f"By Hennig's words it is {found.word}, {GIVEN}." if found.supported or found.mark else ""
    beside = "" if found.supported else UNSUPPORTED
    return Finding((FigureList(facts=tuple(facts)), *notes(word, beside)), query)


def what_changed(figures: Figures) -> Finding:
    """How many users changed their segment at the last move of a slider.

    Raises:
        InputError: If there is nothing earlier to compare with.
    """
    context = figures.context
    before, now = context.previous, context.tables.partition
    if before is None:
        raise InputError("Nothing changed yet: these are the first segments", remedy="Move a slider first")
    both = int(((before.labels > OUTSIDE) & (now.labels > OUTSIDE)).sum())
    count = moved(before, now)
    total = _moved(count, both)
    share = make_fact(
        "moved_share", "share of clustered users that changed", ("all",), count / both if both else 0.0,
        Unit.SHARE, n=both, users=count,
    )  # fmt: skip
    new = [context.title(f"segment:{s}") for s in sorted(set(now.ids.tolist()) - set(before.ids.tolist()))]
    gone = [f"Segment {s + 1}" for s in sorted(set(before.ids.tolist()) - set(now.ids.tolist()))]
    said = notes(_named("New", new), _named("Gone", gone))
    query = "SELECT before, now, count(*) FROM moved GROUP BY before, now"
    return Finding((FigureList(facts=(total, share, *_moves(before, now))), *said), query)


def who_is_counted(figures: Figures) -> Finding:
    """Whether all users of the export are counted, or what part of them."""
    part = figures.context.tables.basis.narrowed()
    return Finding(notes(f"{COUNTED.format(clean(part, 5 * MAX_LENGTH))}." if part else ALL_COUNTED))


def _named(what: str, rows: Sequence[str]) -> str:
    return f"{what}: {', '.join(rows)}." if rows else ""


def _moved(count: int, n: int, item: str = "") -> Fact:
    return make_fact(
        "moved", "users that changed their segment", ("all",), count, Unit.COUNT, item=item, n=n, users=count
    )


def _moves(before: Partition, now: Partition) -> list[Fact]:
    """From where to where, most users first; who stayed is left out."""
    shared = overlap(before, now)
    found = [
        (int(shared[row, column]), f"Segment {old + 1} → Segment {new + 1}")
        for row, old in enumerate(before.ids.tolist())
        for column, new in enumerate(now.ids.tolist())
        if old != new and shared[row, column]
    ]
    facts = [_moved(count, count, item) for count, item in found]
    return sorted(facts, key=lambda fact: -fact.value)
