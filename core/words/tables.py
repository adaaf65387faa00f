"""Tables of a text: what each cell is about."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from core.words.mentions import ALL, Lexicon
from core.words.sentence import About, about_of

_CELL: Final = re.compile(r"[^|\n]+")
_AVERAGE: Final = re.compile(r"\W*(?:average|overall|total|all|everyone|site|benchmark)\W*", re.IGNORECASE)
"""Over a column that is of all users."""
_COMPARED: Final = re.compile(r"\W*(?:ratio|difference|gap|factor|change)\W*", re.IGNORECASE)
_RANKED: Final = re.compile(r"\W*(?:rank|ranking|place|position)\W*", re.IGNORECASE)


def cells_of(
    row: str, lexicon: Lexicon, columns: list[About], before: About, rank: int
) -> tuple[list[tuple[int, str, About]], list[About]]:
    """A row of a table: its cells, each about what the row and the column are about.

    The first row names the columns; a segment that it names alone is that of the whole table, as is one that
    the text names before.

    Args:
        row: The row as it is written.
        lexicon: The names that count.
        columns: What the columns are about; empty in the first row.
        before: What the text goes on about.
        rank: Number of the row, which its first cell may say.

    Returns:
        Place, text and what it is about of each cell; what the columns are about.
    """
    spans = [match.span() for match in _CELL.finditer(row)]
    named = [about_of(row[start:end], lexicon.mentions(row[start:end]), About()) for start, end in spans]
    if not columns:
        every = [(ALL,) if _AVERAGE.fullmatch(row[start:end]) else () for start, end in spans]
        named = [
            replace(one, segments=one.segments or one.others or whole)
            for one, whole in zip(named, every, strict=True)
        ]
        alone = {one.segments for one in named if one.segments not in ((), (ALL,))}
        whole = next(iter(alone)) if len(alone) == 1 else before.segments if not alone else ()
        pair = [one.segments for one in named if len(one.segments) == 1][:2]
        measures = tuple(key for one in named for key in one.metrics)
        heads = [
            About((), measures, ranked=True)
            if _RANKED.fullmatch(row[start:end])
            else About(pair[0], (), pair[1])
            if _COMPARED.fullmatch(row[start:end]) and len(pair) == 2
            else replace(one, segments=one.segments or whole)
            for one, (start, end) in zip(named, spans, strict=True)
        ]
        return [(start, row[start:end], About()) for start, end in spans], heads
    segments = next((one.segments for one in named if one.segments), ())
    metrics = next((one.metrics for one in named if one.metrics), ())
    items = next((one.items for one in named if one.items), ())
    heads = [*columns, *([About()] * len(spans))]
    cells = [
        (
            start,
            row[start:end],
            About(
                head.segments if head.segments == (ALL,) or head.others else segments or head.segments,
                head.metrics or metrics,
                head.others,
                items=head.items or items,
                ranked=head.ranked,
            ),
        )
        for (start, end), head in zip(spans, heads, strict=False)
        if head.ranked
        or not (start < 3 and row[start:end].strip(" #.*") == str(rank))  # its place in the table
    ]
    return cells, columns
