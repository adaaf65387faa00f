"""How users differ, in the report: a table a facet."""

from __future__ import annotations

from core.base.wording import ABSENT, percent
from core.facets.facets import Facet, Facets, ShareInterval
from core.report.model import Cell, FunnelPart, HeatRow


def facet_parts(facets: Facets) -> tuple[FunnelPart, ...]:
    """Tables of the facets, those first to which users keep the most."""
    return tuple(_part(facet, facets.outcome) for facet in facets.in_order)


def _part(facet: Facet, outcome: str) -> FunnelPart:
    users = facet.users.tolist()
    total, rated = sum(users) + facet.not_known, any(facet.outcome)

    def row(name: str, rule: str, number: int, rate: ShareInterval | None) -> HeatRow:
        texts = (f"{number:,}", percent(number / total, n=total), *[rate.text if rate else ABSENT] * rated)
        return HeatRow(None, name, tuple(Cell(text, None, f"Users {rule}") for text in texts))

    levels = zip(facet.levels, users, facet.outcome, strict=True)
    rows = [row(level.name, level.rule, number, rate) for level, number, rate in levels]
    if facet.not_known:
        rows.append(row("Not known", "of whom the visits do not say it", facet.not_known, None))
    return FunnelPart(
        title=facet.question,
        meaning=facet.sentence,
        steps=("Users", "Share", *[f"With {outcome}"] * rated),
        rows=tuple(rows),
        head="Level",
    )
