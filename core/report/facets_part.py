"""How users differ, in the report: a table a facet."""

from __future__ import annotations

from core.base.wording import percent
from core.facets.facets import Facet, Facets
from core.report.model import Cell, FunnelPart, HeatRow


def facet_parts(facets: Facets) -> tuple[FunnelPart, ...]:
    """Tables of the facets, those first to which users keep the most."""
    return tuple(_part(facet, facets.outcome) for facet in facets.in_order)


def _part(facet: Facet, outcome: str) -> FunnelPart:
    users, total = facet.users.tolist(), int(facet.users.sum())
    rows = []
    for level, number, rate in zip(facet.levels, users, facet.outcome, strict=True):
        cells = [Cell(f"{number:,}", None), Cell(percent(number / total, n=total), None)]
        if outcome:
            cells.append(Cell(rate.text if rate else "–", None))
        rows.append(HeatRow(None, f"{level.name}: users {level.rule}", tuple(cells)))
    steps = ("Users", "Share", *([f"With {outcome}"] if outcome else []))
    return FunnelPart(title=facet.question, meaning=facet.sentence, steps=steps, rows=tuple(rows))
