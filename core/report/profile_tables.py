"""Profile tables as the report sets them: what a column is called, and its values in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from core.base import wording
from core.profiles import formats
from core.profiles.heatmap import CLIP
from core.profiles.profile_columns import FIELDS, Col, Field, RowKind
from core.report.model import Cell, HeatRow, Table

LABELS: Final = {
    **{field.field: field.label for field in FIELDS},
    Col.PAGE_VIEWS_MEDIAN: "Median",
    Col.ENGAGEMENT_MEAN: "Engaged time a user",
    Col.OUTCOME_RATE: "Outcome rate",
}
HEAT_NOTE: Final = (
    "Blue is above the other clustered users, orange below. Full colour is "
    f"{CLIP} standard deviations of a user or more; 0.2 is small, 0.8 is large."
)


def present(rows: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> tuple[str, ...]:
    """Those fields that some row has a value of; what the files cannot tell is left out."""
    listed = list(rows)
    return tuple(field for field in fields if any(row[field] is not None for row in listed))


def metrics(heatmap: Iterable[Mapping[str, Any]]) -> tuple[Field, ...]:
    """Headers of the heat-map, in its order."""
    full = {field.field: field for field in FIELDS}
    return tuple(full[name] for name in dict.fromkeys(row[Col.METRIC] for row in heatmap))


def heat_rows(heatmap: Iterable[Mapping[str, Any]], called: Mapping[str, str]) -> tuple[HeatRow, ...]:
    """One row a segment, one cell a metric."""
    cells: dict[int, list[Cell]] = {}
    names: dict[int, str] = {}
    for row in heatmap:
        if row[Col.KIND] == RowKind.SEGMENT:
            names[row[Col.SEGMENT]] = called[row[Col.KEY]]
            cells.setdefault(row[Col.SEGMENT], []).append(_cell(row))
    return tuple(HeatRow(segment, names[segment], tuple(cells[segment])) for segment in cells)


def _cell(row: Mapping[str, Any]) -> Cell:
    z, n = row[Col.Z], row[Col.N]
    hint = "" if z is None else f"{z:+.2f} standard deviations; n = {wording.number(n)}"
    return Cell(formats.figure(row[Col.METRIC], row[Col.VALUE]), None if z is None else z / CLIP, hint)


def settings(values: Mapping[str, Any]) -> Table:
    """Settings as two columns without headers, nested ones with dots."""
    return Table((), tuple(_flat(values)))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}".replace("_", " "), _said(value)


def _said(value: Any) -> str:  # noqa: ANN401 - whatever a setting is
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value) or "none"
    return "not set" if value is None else str(value)
