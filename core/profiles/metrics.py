"""Stage 8: profiles of the segments, as the tables that the app shows.

Everything counts users of the whole data set, never a sample, and every share or mean comes with its n.

First the heat-map: how far each row is from the other clustered users, by metric. ``z`` is the difference in
standard deviations of a user. Behaviour has a long tail, and one robot with 5,000 page views would make every
difference look small; so each user's value is capped at three times the 99th percentile of the values above
0, for ``z`` only. That is far beyond what people do: without a robot ``z`` orders rows as ``value`` does, the
number of the segments table.

Then :class:`Profiles` with all tables, and :func:`outside_note` on data where most users are in no segment.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.schema import OUTSIDE, Group
from core.base.settings import AnalyzeSettings
from core.base.wording import percent
from core.profiles.counts import Counts, OutcomeTotals, attribute_shares, count
from core.profiles.data import ProfileData
from core.profiles.outcomes import OutcomeIndex, OutcomeRecord, any_of, label_of
from core.profiles.profile_columns import FIELDS, ROW, Col, Field, MetricRole, RowKind
from core.profiles.rows import Numbers, Rows, make_rows, medians, merge_numbers
from core.profiles.top_pages import top_pages
from core.profiles.two_shares import wilson
from core.segments.one_page import OnePageSegments
from core.storage.receipt import NO_CURRENCY, OutcomeUsers, add_outcome_users

CLIP: Final = 1.5
"""Largest absolute ``z``, at which colours end; 0.8 is already a large difference (Cohen 1988)."""
_CAP, _CAP_TIMES = 0.99, 3
"""Quantile of the values above 0, and the multiple of it at which a user's value is capped."""


def _heat_map(
    counts: Counts, conversions: OutcomeTotals | None, segments: pd.DataFrame, fields: Iterable[Field]
) -> pd.DataFrame:
    """Compare each row with the other clustered users, metric by metric.

    Args:
        counts: Counts of the users.
        conversions: Users with the outcome; None where the data has none.
        segments: The segments table.
        fields: Description of each column of the segments table.

    Returns:
        A row for each row and metric: the columns that say what a row is, ``metric``, ``value``, ``z`` (−1.5
        to 1.5), ``n`` and ``evidence``. A metric that is absent for all users is left out.
    """
    described = {field.field: field for field in fields}
    parts = []
    for metric, numbers in {**counts.numbers, **_of_outcome(counts.sizes, conversions)}.items():
        if segments[metric].notna().any():
            columns = {
                Col.METRIC: np.repeat(metric, len(segments)),
                Col.VALUE: segments[metric].to_numpy(dtype=np.float64),
                Col.Z: _z(counts.rows, numbers),
                Col.N: segments[described[metric].n].to_numpy(),
                Col.EVIDENCE: np.repeat(described[metric].evidence.value, len(segments)),
            }
            parts.append(segments[[*ROW]].assign(**columns))
    return pd.concat(parts, ignore_index=True)


def _of_outcome(sizes: np.ndarray, conversions: OutcomeTotals | None) -> dict[str, Numbers]:
    """Numbers of the outcome: 0 or 1 for each user, and the amount paid if there is a single currency."""
    if conversions is None:
        return {}
    did, row = conversions.users[:-1], np.arange(len(sizes))
    numbers = {Col.OUTCOME_RATE: _with_zeros(Numbers(row, np.ones(len(row)), did, did), sizes)}
    if len(conversions.paid) == 1:
        (paid,) = conversions.paid.values()
        numbers[Col.REVENUE_PER_USER] = _with_zeros(paid.only(paid.row < len(sizes)), sizes)
    return numbers


def _with_zeros(numbers: Numbers, sizes: np.ndarray) -> Numbers:
    """Add 0 for the users of each row who have no number."""
    row, without = np.arange(len(sizes)), sizes - numbers.known(len(sizes))
    merged = merge_numbers([numbers, Numbers(row, np.zeros(len(sizes)), without, without)])
    return merged.only(merged.users > 0)


def _z(rows: Rows, numbers: Numbers) -> np.ndarray:
    """The ``z`` of each row; NaN where no user has a value, and for all users, who have no others.

    A mean over sessions weights each user by the number of sessions.
    """
    clustered = numbers.only(numbers.row < rows.n_segments)
    above = clustered.only(slice(np.searchsorted(clustered.value, 0, side="right"), None))
    cap = _CAP_TIMES * above.above(_CAP) if len(above.value) else 0
    capped, inside = (replace(one, value=np.minimum(one.value, cap)) for one in (numbers, clustered))
    known, sums = numbers.known(rows.n_rows), capped.sums(rows.n_rows)
    apart = _means(rows.with_all(sums), rows.with_all(known)) - _means(rows.rest(sums), rows.rest(known))
    spread = inside.spread
    z: np.ndarray = np.clip(apart / spread if spread > 0 else apart * 0, -CLIP, CLIP)
    return z


def _means(sums: np.ndarray, known: np.ndarray) -> np.ndarray:
    means: np.ndarray = np.divide(sums, known, out=np.full(len(sums), np.nan), where=known > 0)
    return means


__all__ = ["CLIP", "ProfileData", "Profiles", "profile"]

_FORMAT: Final = 1
"""Version of the JSON; raised when a name or a meaning changes."""
_NO_PAGE_VIEW: Final = ("group:no_page_view", RowKind.GROUP.value, OUTSIDE, "No page view used")
"""Row of the outcomes table for users without a used page view, who are in no other table."""
_NO_USER_ID: Final = "group:no_user_id"
"""Key of the row of the outcomes table for visitors without a user id: only events and revenue are known."""
_TOTAL: Final = ("total", RowKind.ALL.value, OUTSIDE, "Total")
"""Row of the outcomes table for all users and visitors, in data with visitors without a user id."""
_ANY_OUTCOME: Final = "any of them"
_INTERVAL: Final = (Col.OUTCOME_RATE, Col.OUTCOME_LOW, Col.OUTCOME_HIGH)
_MONEY: Final = (Col.REVENUE, Col.NET_REVENUE, Col.REVENUE_PER_USER)
_SUMS: Final = (Col.REVENUE, Col.REFUNDS, Col.NET_REVENUE)
_OF_OUTCOME: Final = (Col.OUTCOME_USERS, *_INTERVAL, Col.OUTCOME_SESSIONS, Col.SESSION_RATE, *_MONEY)
_COMPARED_WITH: Final = "Everything is compared with the other clustered users."


@dataclass(frozen=True, eq=False)
class Profiles:
    """All profile tables of the segments and other rows. Frames are shared: do not edit them.

    Each row of a table is about a segment, a group made by rule, a one-page segment, or all users: columns
    ``key`` (``segment:0``, ``group:bot_like``, ``one_page:0``, ``all``), ``kind``, ``segment`` (id, −1
    outside) and ``label``. ``group:one_page`` is the total of the one-page segments where there are any.

    Args:
        settings: Outcomes and number of pages.
        outcome: The outcome in words; None where the data has nothing that could be an outcome.
        chosen: The texts of the chosen outcomes (``core/profiles/outcomes.py``).
        conversions: Users with a page view who had it; None without an outcome, and after adding up parts.
        n_users: Number of all users.
        n_clustered: Number of users in segments.
        rows: The row of each user.
        one_page: Segments of the one-page users, by rule; None where they were not asked for.
        segments: One row each; the other columns are described in ``fields``.
        top_pages: Pages over- and under-represented and most viewed, see ``core/profiles/top_pages.py``.
        shares: Browser, device, country, source, see ``core/profiles/counts.py``.
        heatmap: How far each row is from the average clustered user, see ``core/profiles/metrics.py``.
        outcomes: Each outcome, and any of them, of each row and of users without a page view, so that all
            users of the file are in the table. A row for each row, outcome and currency.
        fields: Description of each column of ``segments``: label, unit, evidence, n, definition.
        notes: Warnings for readers of the outcome.
    """

    settings: AnalyzeSettings
    outcome: str | None
    chosen: tuple[str, ...]
    conversions: OutcomeRecord | None
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
        """Rows of ``segments`` without the totals: each user is in exactly one."""
        return self.segments.iloc[: self.rows.n_rows]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every table as a list of records; absent values are None."""
        tables = {
            "segments": self.segments, "top_pages": self.top_pages, "shares": self.shares,
            "heatmap": self.heatmap, "outcomes": self.outcomes, "fields": self.fields,
        }  # fmt: skip
        return {
            "format": _FORMAT,
            "settings": self.settings.model_dump(mode="json"),
            "outcome": self.outcome,
            "n_users": self.n_users,
            "n_clustered": self.n_clustered,
            "compared_with": _COMPARED_WITH,
            "notes": list(self.notes),
            **{name: records(table) for name, table in tables.items()},
        }

    def to_json(self) -> str:
        """The data of :meth:`to_dict` as strict JSON text."""
        return json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False)


def profile(
    data: ProfileData, labels: np.ndarray, settings: AnalyzeSettings, one_page: OnePageSegments | None = None
) -> Profiles:
    """Compute the profiles of segments, groups and segments made by rule, and all users.

    Args:
        data: The users.
        labels: int32 of shape (n_users,), the segment of each, ``OUTSIDE`` for users outside clustering.
        settings: Outcomes and how many pages to list.
        one_page: Segments of the one-page users; None makes these users one group.

    Raises:
        SettingsError: If an outcome is not in the data.
        ArtifactError: If the labels are not of these users.
    """
    return profile_rows(data, make_rows(data, labels, one_page), settings, one_page)


def profile_rows(
    data: ProfileData, rows: Rows, settings: AnalyzeSettings, one_page: OnePageSegments | None = None
) -> Profiles:
    """Compute the profiles of rows of users; arguments as in :func:`profile`, with ``rows`` for the labels.

    Raises:
        SettingsError: If an outcome is not in the data.
    """
    conversions = with_any_of(data.outcomes.parts(settings))
    profiles = profile_counts(count(data, rows, conversions), data.outcomes, settings, one_page)
    *_, whole = (None, *conversions.values())
    return replace(profiles, rows=rows, conversions=whole and whole.only(whole.user < data.n_users))


def with_any_of(parts: Mapping[str, OutcomeRecord]) -> dict[str, OutcomeRecord]:
    """Add a last entry, :data:`_ANY_OUTCOME`, for users with any of the outcomes, if there are several."""
    return {**parts, **({_ANY_OUTCOME: any_of(list(parts.values()))} if len(parts) > 1 else {})}


def profile_counts(
    counts: Counts, outcomes: OutcomeIndex, settings: AnalyzeSettings, one_page: OnePageSegments | None = None
) -> Profiles:
    """Compute profiles from counts, which may be added up from parts of the users.

    Args:
        counts: With each chosen outcome, and any of them.
        outcomes: The possible outcomes.
        settings: Outcomes and how many pages to list.
        one_page: Segments of the one-page users.

    Raises:
        SettingsError: If an outcome is not in the data.
    """
    rows, sizes, chosen = counts.rows, counts.sizes, outcomes.chosen(settings)
    *_, whole = (None, *counts.outcomes.values())
    segments = _segments(counts, whole)
    is_unset = settings.outcome is None and outcomes.unset
    unset = (f"{outcomes.unset}. Choose it: --outcome {next(iter(outcomes.likely))}",) if is_unset else ()
    fields = column_descriptions(
        whole.paid if whole else (), seen=rows.by_outcome or outcomes.is_read(chosen)
    )
    roles = [field.evidence.value for field in fields]
    return Profiles(
        settings=settings,
        outcome=label_of(chosen) or None,
        chosen=chosen,
        conversions=None,
        n_users=counts.n_users,
        n_clustered=int(rows.clustered(sizes)),
        rows=rows,
        one_page=one_page,
        segments=segments,
        top_pages=top_pages(counts.pages, rows, sizes, settings.top_pages),
        shares=attribute_shares(counts.attributes, rows, sizes),
        heatmap=_heat_map(counts, whole, segments, fields),
        outcomes=_outcomes(counts, outcomes.without_user_id),
        fields=pd.DataFrame([vars(field) for field in fields]).assign(**{Col.EVIDENCE: roles}),
        notes=outcomes.notes(chosen, counts.n_users, *whole.for_notes) if whole else unset,
    )


def drop_empty_rows(profiles: Profiles) -> Profiles:
    """Remove rows of segments and groups without users from all tables."""
    used = profiles.rows.used(profiles.segments[Col.USERS].to_numpy()[: profiles.rows.n_rows])
    empty = profiles.rows.head[Col.KEY][: len(used)][~used]
    tables = ("segments", "top_pages", "shares", "heatmap", "outcomes")
    filled = {
        name: table[~table[Col.KEY].isin(empty)].reset_index(drop=True)
        for name, table in ((name, getattr(profiles, name)) for name in tables)
    }
    return replace(profiles, rows=profiles.rows.only(used), **filled)


def column_descriptions(currencies: Iterable[str], *, seen: bool) -> tuple[Field, ...]:
    """Description of each column for a data set: with the revenue's currency, and whether it is a finding.

    Args:
        currencies: Currencies of the payments.
        seen: Whether the model saw who has the outcome, or it made the rows: then it is no finding.
    """
    money = tuple(currencies)
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


def _outcomes(counts: Counts, without_id: Mapping[str, OutcomeUsers]) -> pd.DataFrame:
    """The outcomes table: users with each outcome, and any of them, with a page view or not; revenue."""
    alone = [without_id[called] for called in counts.outcomes if called in without_id]
    of_nobody = {**without_id, _ANY_OUTCOME: add_outcome_users(alone)} if alone else {}
    tables = []
    for called, conversions in counts.outcomes.items():
        more = of_nobody.get(called)
        for currency in {**conversions.paid, **(more.revenue if more else {})} or (None,):
            table = _one_outcome(counts, called, conversions, currency)
            tables.append(_with_nobodys(table, more) if more else table)
    columns = (Col.OUTCOME, Col.OUTCOME_USERS, *_INTERVAL, Col.N, Col.CURRENCY, *_SUMS)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*ROW, *columns])


def _with_nobodys(table: pd.DataFrame, more: OutcomeUsers) -> pd.DataFrame:
    """Add rows for visitors without a user id, and for the total, to the table of an outcome."""
    nobody = (_NO_USER_ID, RowKind.GROUP.value, OUTSIDE, f"No user id ({more.events:,} times)")
    all_users, unseen = table.iloc[-2], table.iloc[-1]
    currency = table[Col.CURRENCY].iloc[0]
    amounts = [sums.get(currency, 0.0) for sums in (more.revenue, more.refunds, more.net)]
    paid = {
        name: [value, np.nansum([value, all_users[name], unseen[name]])]
        for name, value in zip(_SUMS, amounts, strict=True)
        if name is not Col.REFUNDS or value or table[name].notna().any()
    }
    last = pd.DataFrame([nobody, _TOTAL], columns=list(ROW)).assign(
        **{
            Col.OUTCOME: all_users[Col.OUTCOME],
            Col.CURRENCY: all_users[Col.CURRENCY],
            Col.OUTCOME_USERS: [np.nan, all_users[Col.OUTCOME_USERS] + unseen[Col.OUTCOME_USERS]],
            **paid,
        }
    )
    return pd.concat([table, last], ignore_index=True)


def _one_outcome(
    counts: Counts, called: str, conversions: OutcomeTotals, currency: str | None
) -> pd.DataFrame:
    rows = counts.rows
    converted, n = rows.with_all(conversions.users[:-1]), rows.with_all(counts.sizes)
    low, high = wilson(converted, n)
    every = rows.n_rows + 1
    paid = (
        conversions.paid[currency].sums(every)
        if currency and currency in conversions.paid
        else np.full(every, np.nan)
    )
    back = conversions.refunds.get(currency or "", np.full(every, np.nan))
    sums = np.array([paid, back, paid - np.nan_to_num(back)])
    head = pd.concat([rows.head, pd.DataFrame([_NO_PAGE_VIEW], columns=list(ROW))], ignore_index=True)
    columns = (converted, _ratio(converted, n), low, high, n, *(rows.with_all(one[:-1]) for one in sums))
    outside = (conversions.users[-1], np.nan, np.nan, np.nan, np.nan, *sums[:, -1])
    names = (Col.OUTCOME_USERS, *_INTERVAL, Col.N, *_SUMS)
    columns_of = {
        name: np.append(values, last) for name, values, last in zip(names, columns, outside, strict=True)
    }
    return head.assign(**{Col.OUTCOME: called, Col.CURRENCY: currency}, **columns_of)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as dicts of plain Python values; absent and infinite values become None for JSON."""
    plain = {
        str(name): [None if pd.isna(value) or value == np.inf else value for value in column.tolist()]
        for name, column in table.items()
    }
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _segments(counts: Counts, conversions: OutcomeTotals | None) -> pd.DataFrame:
    rows, numbers, sizes = counts.rows, counts.numbers, counts.sizes
    users = rows.with_all(sizes)
    views, sessions, different = (
        rows.with_all(numbers[metric].sums(rows.n_rows))
        for metric in (Col.PAGE_VIEWS_MEAN, Col.SESSIONS_MEAN, Col.DIFFERENT_PAGES_MEAN)
    )
    clustered = np.full(len(users), np.nan)
    clustered[: rows.n_segments] = sizes[: rows.n_segments] / rows.clustered(sizes)
    columns = {
        Col.USERS: users.astype(np.int64),
        Col.SHARE: users / counts.n_users,
        Col.SHARE_CLUSTERED: clustered,
        Col.PAGE_VIEWS: views.astype(np.int64),
        Col.PAGE_VIEWS_MEAN: _ratio(views, users),
        Col.PAGE_VIEWS_MEDIAN: medians(rows, numbers[Col.PAGE_VIEWS_MEAN]),
        Col.SESSIONS: sessions.astype(np.int64),
        Col.SESSIONS_MEAN: _ratio(sessions, users),
        Col.PAGES_PER_SESSION: _ratio(views, sessions),
        Col.DIFFERENT_PAGES_MEAN: _ratio(different, users),
    }
    columns |= _engagement(rows, numbers[Col.ENGAGEMENT_MEAN], users)
    columns |= _outcome(rows, users, sessions, conversions)
    return rows.frame(columns, [*ROW, *(field.field for field in FIELDS)])


def _engagement(rows: Rows, engaged: Numbers, users: np.ndarray) -> dict[str, np.ndarray]:
    known = rows.with_all(engaged.known(rows.n_rows))
    none = 1 - _ratio(known, users) if len(engaged.value) else np.full(len(users), np.nan)
    return {
        Col.ENGAGEMENT_USERS: known.astype(np.int64),
        Col.ENGAGEMENT_NONE_SHARE: none,
        Col.ENGAGEMENT_MEAN: _ratio(rows.with_all(engaged.sums(rows.n_rows)), known),
        Col.ENGAGEMENT_MEDIAN: medians(rows, engaged),
    }


def _outcome(
    rows: Rows, users: np.ndarray, sessions: np.ndarray, conversions: OutcomeTotals | None
) -> dict[str, np.ndarray]:
    if conversions is None:
        return {name: np.full(len(users), np.nan) for name in _OF_OUTCOME}
    converted, converting = rows.with_all(conversions.users[:-1]), rows.with_all(conversions.sessions[:-1])
    low, high = wilson(converted, users)
    revenue, back = np.full(len(users), np.nan), np.zeros(len(users))
    if len(conversions.paid) == 1:  # several currencies cannot be added up
        ((currency, paid),) = conversions.paid.items()
        if (paid.row < rows.n_rows).any():
            revenue = rows.with_all(paid.sums(rows.n_rows + 1)[:-1])
        if currency in conversions.refunds:
            back = rows.with_all(conversions.refunds[currency][:-1])
    session_rate = np.where(converting <= sessions, _ratio(converting, sessions), np.nan)
    values = (
        converted, _ratio(converted, users), low, high, converting, session_rate, revenue,
        revenue - back, _ratio(revenue, users),
    )  # fmt: skip
    return dict(zip(_OF_OUTCOME, values, strict=True))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio


_MANY: Final = 0.5
"""Share of users outside the segments from which :func:`outside_note` says why."""
_WHY: Final = {
    f"group:{Group.ONE_PAGE}": "viewed one page only, from which no behaviour can be learned",
    f"group:{Group.BOT_LIKE}": "look automated",
    f"group:{Group.SET_ASIDE}": "were set aside by hand",
}


def outside_note(profiles: Profiles) -> str:
    """Explain in one or two sentences why most users are in no segment; empty if most are in one."""
    if profiles.n_users - profiles.n_clustered <= _MANY * profiles.n_users:
        return ""
    shares = profiles.segments.set_index(Col.KEY)[Col.SHARE]
    why = [f"{percent(shares[key], 0)} {what}" for key, what in _WHY.items() if key in shares]
    grouped = (
        " Users of one page are grouped by rule: where they landed, source and device."
        if profiles.rows.one_page
        else ""
    )
    return (
        f"The segments hold {percent(profiles.n_clustered / profiles.n_users, 0)} of the users: "
        f"{'; '.join(why)}.{grouped}"
    )
