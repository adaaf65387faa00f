"""Stage 8: what the users of each segment are like, as the tables that the screen draws.

Everything counts users of the whole data set, never a sample, and every number comes with what it is of.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.errors import SettingsError
from core.base.settings import AnalyzeSettings
from core.profiles.data import Happened, ProfileData
from core.profiles.heatmap import CLIP, heat_map
from core.profiles.profile_columns import FIELDS, ROW, Col
from core.profiles.rows import Rows, make_rows, medians
from core.profiles.shares import attribute_shares
from core.profiles.top_pages import top_pages
from core.profiles.wilson import wilson

__all__ = ["CLIP", "ProfileData", "Profiles", "profile"]

FORMAT: Final = 1
"""Version of the JSON; raised when a name or a meaning changes."""
DEFAULT_OUTCOME: Final = "purchase"
COMPARED_WITH: Final = "Everything is compared with the other clustered users."


@dataclass(frozen=True, eq=False)
class Profiles:
    """What each segment is like. Frames are shared: do not edit them.

    Each row of a table is about a segment, a group made by rule, or all users: columns ``key``
    (``segment:0``, ``group:one_page``, ``all``), ``kind``, ``segment`` (id, −1 outside) and ``label``.

    Args:
        settings: What was asked for.
        outcome: The event whose users count as converted; None where the data has none.
        n_users: All users.
        n_clustered: Users in segments.
        segments: One row each; the other columns are described in ``fields``.
        top_pages: Pages over- and under-represented and most viewed, see ``core/profiles/top_pages.py``.
        shares: Browser, device, country, source, see ``core/profiles/shares.py``.
        heatmap: How far each row is from the average clustered user, see ``core/profiles/heatmap.py``.
        fields: What each column of ``segments`` is: label, unit, evidence, what it is of, definition.
    """

    settings: AnalyzeSettings
    outcome: str | None
    n_users: int
    n_clustered: int
    segments: pd.DataFrame
    top_pages: pd.DataFrame
    shares: pd.DataFrame
    heatmap: pd.DataFrame
    fields: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every table a list of records, what is absent is None."""
        tables = {
            "segments": self.segments, "top_pages": self.top_pages, "shares": self.shares,
            "heatmap": self.heatmap, "fields": self.fields,
        }  # fmt: skip
        return {
            "format": FORMAT,
            "settings": self.settings.model_dump(mode="json"),
            "outcome": self.outcome,
            "n_users": self.n_users,
            "n_clustered": self.n_clustered,
            "compared_with": COMPARED_WITH,
            **{name: records(table) for name, table in tables.items()},
        }

    def to_json(self) -> str:
        """:meth:`to_dict` as strict JSON text."""
        return json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False)


def profile(data: ProfileData, labels: np.ndarray, settings: AnalyzeSettings) -> Profiles:
    """Describe the segments, the groups made by rule, and all users.

    Args:
        data: The users.
        labels: int32 of shape (n_users,), the segment of each, ``OUTSIDE`` for users outside clustering.
        settings: Outcome event and how many pages to list.

    Raises:
        SettingsError: If the outcome event is not in the data.
        ArtifactError: If the labels are not of these users.
    """
    outcome = chosen_outcome(data.outcomes, settings)
    rows = make_rows(data, labels)
    sizes = rows.count()
    happened = data.outcomes[outcome] if outcome else None
    segments = _segments(data, rows, sizes, happened)
    return Profiles(
        settings=settings,
        outcome=outcome,
        n_users=data.n_users,
        n_clustered=int(rows.clustered(sizes)),
        segments=segments,
        top_pages=top_pages(data, rows, sizes, settings.top_pages),
        shares=attribute_shares(data, rows),
        heatmap=heat_map(data, rows, segments, happened),
        fields=pd.DataFrame([vars(field) for field in FIELDS]).assign(
            **{Col.EVIDENCE: [field.evidence.value for field in FIELDS]}
        ),
    )


def chosen_outcome(events: Collection[str], settings: AnalyzeSettings) -> str | None:
    """The event whose users count as converted.

    Args:
        events: Names of the events in the data.
        settings: Which one was asked for.

    Raises:
        SettingsError: If the event that was asked for is not in the data.
    """
    if settings.outcome is None:
        return DEFAULT_OUTCOME if DEFAULT_OUTCOME in events else None
    if settings.outcome not in events:
        raise SettingsError(
            f"outcome = {settings.outcome!r} is not an event of this data set",
            allowed=", ".join(sorted(events)) or "none: the file holds page views only",
            remedy="Choose one of these, or leave it out",
        )
    return settings.outcome


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts of plain Python values; NaN and other absent values become None."""
    plain = {
        str(name): [None if pd.isna(value) else value for value in column.tolist()]
        for name, column in table.items()
    }
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _segments(data: ProfileData, rows: Rows, sizes: np.ndarray, happened: Happened | None) -> pd.DataFrame:
    users = rows.with_all(sizes)
    views = rows.with_all(rows.count(weights=data.page_views))
    sessions = rows.with_all(rows.count(weights=data.sessions))
    clustered = np.full(len(users), np.nan)
    clustered[: rows.n_segments] = sizes[: rows.n_segments] / rows.clustered(sizes)
    columns = {
        Col.USERS: users.astype(np.int64),
        Col.SHARE: users / data.n_users,
        Col.SHARE_CLUSTERED: clustered,
        Col.PAGE_VIEWS: views.astype(np.int64),
        Col.PAGE_VIEWS_MEAN: views / users,
        Col.PAGE_VIEWS_MEDIAN: medians(rows, data.page_views.astype(np.float64)),
        Col.SESSIONS: sessions.astype(np.int64),
        Col.SESSIONS_MEAN: sessions / users,
        Col.PAGES_PER_SESSION: _ratio(views, sessions),
        Col.DIFFERENT_PAGES_MEAN: rows.with_all(rows.count(weights=data.different_pages)) / users,
    }
    columns |= _engagement(data, rows, users) | _outcome(rows, users, sessions, happened)
    return rows.frame(columns, [*ROW, *(field.field for field in FIELDS)])


def _engagement(data: ProfileData, rows: Rows, users: np.ndarray) -> dict[str, np.ndarray]:
    has = ~np.isnan(data.engagement_s)
    known = rows.with_all(rows.count(weights=has))
    computable = bool(has.any())
    seconds = rows.with_all(rows.count(weights=np.where(has, data.engagement_s, 0)))
    return {
        Col.ENGAGEMENT_USERS: known.astype(np.int64),
        Col.ENGAGEMENT_NONE_SHARE: 1 - known / users if computable else np.full(len(users), np.nan),
        Col.ENGAGEMENT_MEAN: _ratio(seconds, known),
        Col.ENGAGEMENT_MEDIAN: medians(rows, data.engagement_s),
    }


def _outcome(
    rows: Rows, users: np.ndarray, sessions: np.ndarray, happened: Happened | None
) -> dict[str, np.ndarray]:
    names = (
        Col.OUTCOME_USERS, Col.OUTCOME_RATE, Col.OUTCOME_LOW, Col.OUTCOME_HIGH, Col.OUTCOME_SESSIONS,
        Col.SESSION_RATE, Col.REVENUE, Col.REVENUE_PER_USER,
    )  # fmt: skip
    if happened is None:
        return {name: np.full(len(users), np.nan) for name in names}
    converted = rows.with_all(rows.count(happened.user))
    converting = rows.with_all(rows.count(happened.user, happened.sessions))
    low, high = wilson(converted, users)
    sent = ~np.isnan(happened.revenue)
    revenue = rows.with_all(rows.count(happened.user[sent], happened.revenue[sent]))
    if not sent.any():
        revenue[:] = np.nan
    session_rate = np.where(converting <= sessions, _ratio(converting, sessions), np.nan)
    values = (converted, converted / users, low, high, converting, session_rate, revenue, revenue / users)
    return dict(zip(names, values, strict=True))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio
