"""Tables of differences by hand: who does what how often, and how sure that is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.profiles.differences import Diff
from core.profiles.name_words import SiteWords
from core.profiles.profile_columns import Col, RowKind

SITE = SiteWords(
    ("s.e/shop/toppers", "s.e/blog", "s.e/spring-sale", "s.e/sale", "s.e/spring", "s.e/soft", "s.e/search"),
    ("USB hub", "Hub | USB", "Käse"),
    {"Bedding": 3, "Care": 1},
)


def row(segment: int, family: str, item: str, share: float, ratio: float, low: float) -> dict[str, Any]:
    """One row; of 100 users here and 1,000 others, a standard deviation apart."""
    return {
        Col.KIND: RowKind.SEGMENT, Col.SEGMENT: segment, Diff.FAMILY: family, Diff.ITEM: item,
        Col.VALUE: share, Diff.RATIO: ratio, Diff.RATIO_LOW: low, Diff.RATIO_HIGH: ratio * ratio / low,
        Diff.EFFECT: 1.0 if ratio >= 1 else -1.0,
        Col.USERS: round(100 * share), Col.REST_USERS: round(1000 * share / ratio),
    }  # fmt: skip


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    """A table of them."""
    return pd.DataFrame(rows)
