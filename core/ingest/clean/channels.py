"""The marketing channel of a source, medium and campaign: GA4's default channel group (``channels.yaml``)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, TypedDict

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import yaml

_FILE: Final = Path(__file__).with_suffix(".yaml")
UNASSIGNED: Final = "Unassigned"
"""Channel of a source that no definition fits."""


class _Channel(TypedDict):
    channel: str
    any: list[dict[str, str]]


class _Definitions(TypedDict):
    channels: list[_Channel]
    categories: dict[str, list[str]]


@cache
def _definitions() -> _Definitions:
    definitions: _Definitions = yaml.load(
        _FILE.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    return definitions


def add_channel(visits: ir.Table) -> ir.Table:
    """Add the column ``channel``, never null; call it with distinct values, not with events.

    Args:
        visits: Columns of text, absent where null or empty: ``source`` (absent, it counts as ``(direct)``),
            ``medium`` (``(none)``), ``campaign`` (a name) and ``ads_click`` (``gclid``; where there is one,
            source and medium are ``google`` and ``cpc``, as GA4 has it and the export often does not).
    """
    clicked = _plain(visits["ads_click"]) != ""
    plain = visits.mutate(
        plain_source=clicked.ifelse("google", _plain(visits["source"]).nullif("").fill_null("(direct)")),
        plain_medium=clicked.ifelse("cpc", _plain(visits["medium"]).nullif("").fill_null("(none)")),
        plain_campaign=_plain(visits["campaign"]),
    )
    # Selected once more: ibis refuses to join a table whose expressions are of an open join.
    known = plain.left_join(_categories(), "plain_source").select(*plain.columns, "category")
    branches = [
        (ibis.or_(*(_fits(conditions, known) for conditions in channel["any"])), channel["channel"])
        for channel in _definitions()["channels"]
    ]
    return known.select(*visits.columns, channel=ibis.cases(*branches, else_=UNASSIGNED))


def _plain(text: ir.Value) -> ir.Value:
    return text.fill_null("").strip().lower()


def _categories() -> ir.Table:
    """Return one row a listed source: ``plain_source`` and its ``category``."""
    category = {source: name for name, names in _definitions()["categories"].items() for source in names}
    return ibis.memtable(pa.table({"plain_source": list(category), "category": list(category.values())}))


def _fits(conditions: dict[str, str], known: ir.Table) -> ir.Value:
    """Whether all conditions of an alternative hold."""
    return ibis.and_(
        *(
            (known["category"] == wanted).fill_null(False)
            if field == "category"
            else known[f"plain_{field}"].re_search(f"^({wanted})$")
            for field, wanted in conditions.items()
        )
    )
