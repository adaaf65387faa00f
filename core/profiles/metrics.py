"""Stage 8: what the users of each segment are like, as the tables that the screen draws.

Everything counts users of the whole data set, never a sample, and every number comes with what it is of.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.schema import OUTSIDE
from core.base.settings import AnalyzeSettings
from core.data.receipt import NO_CURRENCY
from core.one_page.segments import OnePageSegments
from core.profiles.data import ProfileData
from core.profiles.heatmap import CLIP, heat_map
from core.profiles.outcomes import Happened, any_of, label_of
from core.profiles.profile_columns import FIELDS, ROW, Col, Field, MetricRole, RowKind
from core.profiles.rows import Rows, make_rows, medians
from core.profiles.shares import attribute_shares
from core.profiles.top_pages import top_pages
from core.profiles.wilson import wilson

__all__ = ["CLIP", "ProfileData", "Profiles", "profile"]

FORMAT: Final = 1
"""Version of the JSON; raised when a name or a meaning changes."""
NO_PAGE_VIEW: Final = ("group:no_page_view", RowKind.GROUP.value, OUTSIDE, "No page view")
"""The row of the outcomes table for users of whom no page view is used: counted there and nowhere else."""
ANY_OUTCOME: Final = "any of them"
_INTERVAL: Final = (Col.OUTCOME_RATE, Col.OUTCOME_LOW, Col.OUTCOME_HIGH)
_MONEY: Final = (Col.REVENUE, Col.REVENUE_PER_USER)
_OF_OUTCOME: Final = (Col.OUTCOME_USERS, *_INTERVAL, Col.OUTCOME_SESSIONS, Col.SESSION_RATE, *_MONEY)
COMPARED_WITH: Final = "Everything is compared with the other clustered users."


@dataclass(frozen=True, eq=False)
class Profiles:
    """What each segment is like. Frames are shared: do not edit them.

    Each row of a table is about a segment, a group made by rule, a one-page segment, or all users: columns
    ``key`` (``segment:0``, ``group:bot_like``, ``one_page:0``, ``all``), ``kind``, ``segment`` (id, −1
    outside) and ``label``. ``group:one_page`` is the total of the one-page segments where there are any.

    Args:
        settings: What was asked for.
        outcome: What converted users did, in words; None where the data has nothing that could be an outcome.
        chosen: The same as texts (``core/profiles/outcomes.py``), one each.
        happened: Who did it, of the users with a page view; None without an outcome.
        n_users: All users.
        n_clustered: Users in segments.
        rows: Who belongs where.
        one_page: Segments of the one-page users, by rule; None where they were not asked for.
        segments: One row each; the other columns are described in ``fields``.
        top_pages: Pages over- and under-represented and most viewed, see ``core/profiles/top_pages.py``.
        shares: Browser, device, country, source, see ``core/profiles/shares.py``.
        heatmap: How far each row is from the average clustered user, see ``core/profiles/heatmap.py``.
        outcomes: Each outcome, and any of them, of each row and of users without a page view: so that whoever
            is in the file is in the table. One row a row, outcome and currency.
        fields: What each column of ``segments`` is: label, unit, evidence, what it is of, definition.
        notes: What to know before reading the outcome.
    """

    settings: AnalyzeSettings
    outcome: str | None
    chosen: tuple[str, ...]
    happened: Happened | None
    n_users: int
    n_clustered: int
    rows: Rows
    one_page: OnePageSegments | None
    segments: pd.DataFrame
    top_pages: pd.DataFrame
    shares: pd.DataFrame
    heatmap: pd.DataFrame
    outcomes: pd.DataFrame
    fields: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def parts(self) -> pd.DataFrame:
        """Rows of ``segments`` that share no user and leave none out."""
        return self.segments.iloc[: self.rows.n_rows]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every table a list of records, what is absent is None."""
        tables = {
            "segments": self.segments, "top_pages": self.top_pages, "shares": self.shares,
            "heatmap": self.heatmap, "outcomes": self.outcomes, "fields": self.fields,
        }  # fmt: skip
        return {
            "format": FORMAT,
            "settings": self.settings.model_dump(mode="json"),
            "outcome": self.outcome,
            "n_users": self.n_users,
            "n_clustered": self.n_clustered,
            "compared_with": COMPARED_WITH,
            "notes": list(self.notes),
            **{name: records(table) for name, table in tables.items()},
        }

    def to_json(self) -> str:
        """:meth:`to_dict` as strict JSON text."""
        return json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False)


def profile(
    data: ProfileData, labels: np.ndarray, settings: AnalyzeSettings, one_page: OnePageSegments | None = None
) -> Profiles:
    """Describe the segments, the groups and segments made by rule, and all users.

    Args:
        data: The users.
        labels: int32 of shape (n_users,), the segment of each, ``OUTSIDE`` for users outside clustering.
        settings: Outcomes and how many pages to list.
        one_page: Segments of the one-page users, who are one group without them.

    Raises:
        SettingsError: If an outcome is not in the data.
        ArtifactError: If the labels are not of these users.
    """
    return profile_rows(data, make_rows(data, labels, one_page), settings, one_page)


def profile_rows(
    data: ProfileData, rows: Rows, settings: AnalyzeSettings, one_page: OnePageSegments | None = None
) -> Profiles:
    """The same for users that are sorted into rows.

    Raises:
        SettingsError: If an outcome is not in the data.
    """
    parts = data.outcomes.parts(settings)
    chosen, everybody = tuple(parts), any_of(list(parts.values())) if parts else None
    happened = everybody.only(everybody.user < data.n_users) if everybody else None
    sizes = rows.count()
    segments = _segments(data, rows, sizes, happened)
    fields = described(happened, seen=rows.by_outcome or data.outcomes.is_read(chosen))
    return Profiles(
        settings=settings,
        outcome=label_of(chosen) or None,
        chosen=chosen,
        happened=happened,
        n_users=data.n_users,
        n_clustered=int(rows.clustered(sizes)),
        rows=rows,
        one_page=one_page,
        segments=segments,
        top_pages=top_pages(data, rows, sizes, settings.top_pages),
        shares=attribute_shares(data, rows),
        heatmap=heat_map(data, rows, segments, happened, fields),
        outcomes=_outcomes(rows, sizes, parts, everybody),
        fields=pd.DataFrame([vars(field) for field in fields]).assign(
            **{Col.EVIDENCE: [field.evidence.value for field in fields]}
        ),
        notes=data.outcomes.notes(chosen, everybody) if everybody else (),
    )


def described(happened: Happened | None, *, seen: bool) -> tuple[Field, ...]:
    """What each column is of these data: the revenue's currency, and what the model saw.

    Args:
        happened: Who converted.
        seen: Whether the model read who has the outcome, or it made the rows: then its rate is no finding.
    """
    money = tuple(happened.money) if happened else ()
    changes: dict[str, dict[str, Any]] = defaultdict(dict)
    if len(money) == 1 and money[0] != NO_CURRENCY:
        for name in _MONEY:
            changes[name]["unit"] = money[0]
    elif len(money) > 1:
        apart = f"Absent: paid in {' and '.join(money)}, which are not added up; see the outcomes table."
        for name in _MONEY:
            changes[name]["definition"] = apart
    for name in _OF_OUTCOME if seen else ():
        changes[name]["evidence"] = MetricRole.INPUT
    return tuple(replace(field, **changes[field.field]) for field in FIELDS)


def _outcomes(
    rows: Rows, sizes: np.ndarray, parts: Mapping[str, Happened], everybody: Happened | None
) -> pd.DataFrame:
    """Who did each chosen outcome, and any of them, with a page view and without, and what they paid."""
    several = {ANY_OUTCOME: everybody} if everybody and len(parts) > 1 else {}
    tables = [
        _one_outcome(rows, sizes, called, happened, currency)
        for called, happened in {**parts, **several}.items()
        for currency in (*happened.money,) or (None,)
    ]
    columns = (Col.OUTCOME, Col.OUTCOME_USERS, *_INTERVAL, Col.N, Col.CURRENCY, Col.REVENUE)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*ROW, *columns])


def _one_outcome(
    rows: Rows, sizes: np.ndarray, called: str, happened: Happened, currency: str | None
) -> pd.DataFrame:
    inside = happened.only(happened.user < len(rows.place))
    converted, n = rows.with_all(rows.count(inside.user)), rows.with_all(sizes)
    low, high = wilson(converted, n)
    paid = np.nan_to_num(inside.money[currency]) if currency else np.full(len(inside.user), np.nan)
    everywhere = np.nansum(happened.money[currency]) if currency else np.nan
    revenue = rows.with_all(rows.count(inside.user, paid))
    head = pd.concat([rows.head, pd.DataFrame([NO_PAGE_VIEW], columns=list(ROW))], ignore_index=True)
    columns = (converted, _ratio(converted, n), low, high, n, revenue)
    outside = (
        len(happened.user) - len(inside.user),
        np.nan,
        np.nan,
        np.nan,
        np.nan,
        everywhere - revenue[-1],
    )
    names = (Col.OUTCOME_USERS, *_INTERVAL, Col.N, Col.REVENUE)
    found = {
        name: np.append(values, last) for name, values, last in zip(names, columns, outside, strict=True)
    }
    if not currency:
        found[Col.REVENUE] = np.full(len(head), np.nan)
    return head.assign(**{Col.OUTCOME: called, Col.CURRENCY: currency}, **found)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts of plain Python values; what is absent or infinite, which JSON has not, becomes None."""
    plain = {
        str(name): [None if pd.isna(value) or value == np.inf else value for value in column.tolist()]
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
        Col.PAGE_VIEWS_MEAN: _ratio(views, users),
        Col.PAGE_VIEWS_MEDIAN: medians(rows, data.page_views.astype(np.float64)),
        Col.SESSIONS: sessions.astype(np.int64),
        Col.SESSIONS_MEAN: _ratio(sessions, users),
        Col.PAGES_PER_SESSION: _ratio(views, sessions),
        Col.DIFFERENT_PAGES_MEAN: _ratio(rows.with_all(rows.count(weights=data.different_pages)), users),
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
        Col.ENGAGEMENT_NONE_SHARE: 1 - _ratio(known, users) if computable else np.full(len(users), np.nan),
        Col.ENGAGEMENT_MEAN: _ratio(seconds, known),
        Col.ENGAGEMENT_MEDIAN: medians(rows, data.engagement_s),
    }


def _outcome(
    rows: Rows, users: np.ndarray, sessions: np.ndarray, happened: Happened | None
) -> dict[str, np.ndarray]:
    if happened is None:
        return {name: np.full(len(users), np.nan) for name in _OF_OUTCOME}
    converted = rows.with_all(rows.count(happened.user))
    converting = rows.with_all(rows.count(happened.user, happened.sessions))
    low, high = wilson(converted, users)
    sent = ~np.isnan(happened.revenue)
    revenue = rows.with_all(rows.count(happened.user[sent], happened.revenue[sent]))
    if not sent.any():
        revenue[:] = np.nan
    session_rate = np.where(converting <= sessions, _ratio(converting, sessions), np.nan)
    values = (
        converted, _ratio(converted, users), low, high, converting, session_rate, revenue,
        _ratio(revenue, users),
    )  # fmt: skip
    return dict(zip(_OF_OUTCOME, values, strict=True))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio
