"""The marketing channel of a source, medium and campaign: GA4's default channel group (``channels.yaml``)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, TypedDict

import ibis
import ibis.expr.types as ir
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
    definitions: _Definitions = yaml.safe_load(_FILE.read_text("utf-8"))
    return definitions


def channel_of(source: ir.Value, medium: ir.Value, campaign: ir.Value, ads_click: ir.Value) -> ir.Value:
    """Return the channel as an expression of text, never null; evaluate it on distinct values, not on events.

    Args:
        source: Text; absent or empty counts as ``(direct)``.
        medium: Text; absent or empty counts as ``(none)``.
        campaign: Name of the campaign, text.
        ads_click: Id of a click on Google Ads (``gclid``), text: where there is one, source and medium are
            ``google`` and ``cpc``, as GA4 has it and the export often does not.
    """
    clicked = _plain(ads_click) != ""
    values = {
        "source": clicked.ifelse("google", _plain(source).nullif("").fill_null("(direct)")),
        "medium": clicked.ifelse("cpc", _plain(medium).nullif("").fill_null("(none)")),
        "campaign": _plain(campaign),
    }
    branches = [
        (ibis.or_(*(_fits(conditions, values) for conditions in channel["any"])), channel["channel"])
        for channel in _definitions()["channels"]
    ]
    return ibis.cases(*branches, else_=UNASSIGNED)


def _plain(text: ir.Value) -> ir.Value:
    return text.cast("string").fill_null("").strip().lower()


def _fits(conditions: dict[str, str], values: dict[str, ir.Value]) -> ir.Value:
    """Whether all conditions of an alternative hold."""
    return ibis.and_(
        *(
            values["source"].isin(_definitions()["categories"][wanted])
            if field == "category"
            else values[field].re_search(f"^({wanted})$")
            for field, wanted in conditions.items()
        )
    )
