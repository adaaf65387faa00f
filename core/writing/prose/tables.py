"""Tables of a text: what each cell is about."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from core.writing.prose.mentions import ALL, Lexicon
from core.writing.prose.sentence import About, about_of

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
    if columns:
        return _cells(row, spans, named, columns, rank), columns
    texts = [row[start:end] for start, end in spans]
    return [(start, row[start:end], About()) for start, end in spans], _heads(texts, named, before)


def _heads(texts: list[str], named: list[About], before: About) -> list[About]:
    """What the columns are about, from the cells of the first row and what these name."""
    found = [
        replace(one, segments=one.segments or one.others or ((ALL,) if _AVERAGE.fullmatch(text) else ()))
        for text, one in zip(texts, named, strict=True)
    ]
    alone = {one.segments for one in found if one.segments not in ((), (ALL,))}
    whole = next(iter(alone)) if len(alone) == 1 else before.segments if not alone else ()
    return [_head(text, one, found, whole) for text, one in zip(texts, found, strict=True)]


def _head(text: str, own: About, every: list[About], whole: tuple[str, ...]) -> About:
    """What one column is about; ``whole`` is the segment of the table."""
    if _RANKED.fullmatch(text):
        return About((), tuple(key for one in every for key in one.metrics), ranked=True)
    pair = [one.segments for one in every if len(one.segments) == 1][:2]
    if _COMPARED.fullmatch(text) and len(pair) == 2:
        return About(pair[0], (), pair[1])
    return replace(own, segments=own.segments or whole)


def _cells(
    row: str, spans: list[tuple[int, int]], named: list[About], columns: list[About], rank: int
) -> list[tuple[int, str, About]]:
    """Place, text and what it is about of each cell; its number in the table is none."""
    segments = next((one.segments for one in named if one.segments), ())
    metrics = next((one.metrics for one in named if one.metrics), ())
    items = next((one.items for one in named if one.items), ())
    cells = []
    for (start, end), head in zip(spans, [*columns, *([About()] * len(spans))], strict=False):
        text = row[start:end]
        if not head.ranked and start < 3 and text.strip(" #.*") == str(rank):
            continue
        own = head.segments if head.segments == (ALL,) or head.others else segments or head.segments
        about = About(
            own, head.metrics or metrics, head.others, items=head.items or items, ranked=head.ranked
        )
        cells.append((start, text, about))
    return cells
