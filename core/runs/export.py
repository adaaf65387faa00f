"""Tables that leave the tool: who is in which segment, the profiles, the vectors.

Ids leave as they came, always as text. A spreadsheet that opens a CSV turns ``1605951.6059719720`` into
a number even inside quotes; :attr:`IdStyle.EXCEL` writes it so that a double click keeps it, for people,
while :attr:`IdStyle.EXACT` is for machines (and for a spreadsheet's "import as text").

Every other text that a spreadsheet would take for a formula gets an apostrophe in front, as OWASP
advises: page titles and addresses are written by strangers.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import ArtifactError
from core.base.schema import OUTSIDE, SET_ASIDE, Group, Users, View
from core.profiles.outcomes import OutcomeRecord
from core.segments.one_page import OnePageSegments
from core.segments.partition import Partition
from core.storage.dataset import UserColumns, dimensions_of

SEGMENT, _NEXT_SEGMENT = "segment", "next_segment"
_DISTANCE, _NEXT_DISTANCE = "distance", "next_distance"
MEMBERSHIP: Final = "membership"
_REVENUE: Final = "revenue"
_ENGAGED: Final = "engaged_seconds"
_FIRST_SEEN, _LAST_SEEN = "first_seen", "last_seen"

_ID_COLUMNS: Final = (Users.USER_ID,)
"""Columns of ids: they are written as :class:`IdStyle` says, with no apostrophe in front."""

_FORMULA: Final = r"^[=+\-@\t\r\n＝＋－＠]"
_ZIP_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Modification time of every member of a zip, so that the same tables give the same bytes."""


class IdStyle(StrEnum):
    """How a CSV writes ids."""

    EXACT = "exact"
    """In quotes, character by character what the export had."""
    EXCEL = "excel"
    """As ``="…"``, which spreadsheets show as the same text; the file begins with a UTF-8 byte order mark."""


def users_table(
    users: pd.DataFrame,
    partition: Partition,
    vectors: np.ndarray,
    names: Mapping[int, str],
    outcomes: Mapping[str, OutcomeRecord],
    one_page: OnePageSegments | None = None,
) -> pd.DataFrame:
    """One row a user, in index order: the id, where they belong, and what the export says about them.

    Args:
        users: Columns of :class:`core.base.schema.Users`, one row a user; the first ones or all.
        partition: The segments.
        vectors: float32 of shape (n_users, d), the mixed vectors that were clustered.
        names: Segment id → name.
        outcomes: Name of an outcome → who had it, for those that get a column.
        one_page: Segments by rule of the users with a single page view.

    Returns:
        ``user_id``, ``cluster`` (the id in the data, −1 in none), ``segment`` (its name; of a one-page
        segment, too; else empty), ``membership`` (0 to 1, :class:`core.segments.membership.Memberships`),
        ``distance`` to its centroid (0 to 2), ``next_segment`` and ``next_distance`` of
        the next nearest (all four empty outside clustering), ``group`` (:func:`groups`), ``page_views``,
        ``sessions``, ``outcome: NAME`` (sessions with it), ``revenue`` (gross; empty where none was sent; a
        column each of several currencies), ``first_seen`` and ``last_seen`` (UTC, ISO 8601),
        ``engaged_seconds`` (like ``revenue``), ``browser``, ``device``, ``country``, ``source``,
        ``stream_id``, ``id_kind`` where logins were joined, and a column a dimension.

    Raises:
        ArtifactError: If there are more users than segments were made of.
    """
    labels = _labels_of(users, partition)
    table = users[[Users.USER_ID]].copy()
    table[Users.CLUSTER] = np.maximum(labels, OUTSIDE).astype(np.int32)
    table[SEGMENT] = segment_names(labels, names, one_page)
    table = table.join(_distances(labels, partition, vectors[: len(users)], names))
    table[Users.GROUP] = groups(users, labels, one_page)
    table = table.join(users[[Users.PAGE_VIEWS, Users.SESSIONS]]).assign(**_outcomes(outcomes, len(users)))
    facts = [Users.BROWSER, Users.DEVICE, Users.COUNTRY, Users.SOURCE, Users.STREAM_ID, Users.ID_KIND]
    table = table.join(_seen(users))
    own = users.filter([*facts, *dimensions_of(users)])  # not every data set has each
    return table.join(own.rename(columns={name: f"{name}_dimension" for name in table}))


def _labels_of(users: pd.DataFrame, partition: Partition) -> np.ndarray:
    labels = partition.labels[: len(users)]
    if len(labels) != len(users):
        said = f"{len(labels):,} labels do not belong to {len(users):,} users"
        raise ArtifactError(said, remedy="Cluster again")
    return labels


def _seen(users: pd.DataFrame) -> pd.DataFrame:
    engaged = (users[Users.ENGAGEMENT_MSEC] / 1000).astype("Float64").round(3)
    first, last = _iso(users[Users.FIRST_TS]), _iso(users[Users.LAST_TS])
    return pd.DataFrame({_FIRST_SEEN: first, _LAST_SEEN: last, _ENGAGED: engaged})


def groups(users: UserColumns, labels: np.ndarray, one_page: OnePageSegments | None) -> np.ndarray:
    """Group of each user: ``segment``, ``set_aside``, ``bot_like``, ``one_page`` or a one-page segment's key.

    Returns:
        An object array of shape (n_users,).
    """
    found = np.array(users[Users.GROUP], dtype=object)
    if one_page is not None:
        codes = one_page.codes[: len(found)]
        found = np.where(codes < 0, found, np.array([*one_page.keys, None], dtype=object)[codes])
    found[labels == SET_ASIDE] = Group.SET_ASIDE.value
    return found


def segment_names(
    labels: np.ndarray, names: Mapping[int, str], one_page: OnePageSegments | None
) -> pd.Series:
    """Name of each user's segment, one-page segments included; absent where a user is in none.

    Args:
        labels: int of shape (n_users,), the segment of each user; negative in none.
        names: Segment id → name.
        one_page: Segments by rule of the users with a single page view.
    """
    return _names(labels, names).fillna(_by_rule(len(labels), one_page))


def _by_rule(n_users: int, one_page: OnePageSegments | None) -> pd.Series:
    """Name of each user's one-page segment; absent where a user is in none."""
    if one_page is None:
        return pd.Series([None] * n_users, dtype="str")
    return (
        pd.Series([*one_page.labels, None], dtype="str").iloc[one_page.codes[:n_users]].reset_index(drop=True)
    )


def _names(ids: np.ndarray, names: Mapping[int, str]) -> pd.Series:
    return pd.Series([names.get(int(segment)) for segment in ids], dtype="str")


def _distances(
    labels: np.ndarray, partition: Partition, vectors: np.ndarray, names: Mapping[int, str]
) -> pd.DataFrame:
    from core.segments.membership import memberships

    found = memberships(vectors, labels, partition)
    return pd.DataFrame(
        {
            MEMBERSHIP: found.share.round(4), _DISTANCE: found.distance.round(6),
            _NEXT_SEGMENT: _names(found.next_segment, names), _NEXT_DISTANCE: found.next_distance.round(6),
        }
    )  # fmt: skip


def _outcomes(outcomes: Mapping[str, OutcomeRecord], n_users: int) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    revenue: dict[str, pd.Series] = {}
    for name, conversions in outcomes.items():
        here = conversions.only(conversions.user < n_users)
        sessions = np.bincount(here.user, here.sessions, minlength=n_users)
        columns[f"outcome: {name}"] = sessions.astype(np.int64)
        for currency, paid in here.money.items():
            before = revenue.get(currency, pd.Series(np.nan, index=range(n_users)))
            revenue[currency] = before.add(pd.Series(paid, index=here.user), fill_value=0)
    if len(revenue) > 1:
        return columns | {f"{_REVENUE}: {name}": revenue[name].to_numpy() for name in sorted(revenue)}
    paid = next((values.to_numpy() for values in revenue.values()), np.full(n_users, np.nan))
    return columns | {_REVENUE: paid} if outcomes else {}


def csv_bytes(table: pd.DataFrame, ids: IdStyle = IdStyle.EXACT) -> bytes:
    """A table as CSV: UTF-8, text in quotes (after ``'`` where it may be a formula), absent values empty.

    Args:
        table: Any table; its id columns are those of :data:`_ID_COLUMNS`.
        ids: How to write ids.
    """
    safe = table.copy()
    for name in table.columns:
        if name in _ID_COLUMNS:
            safe[name] = _written_ids(table[name], ids)
        elif pd.api.types.is_string_dtype(table[name]) or table[name].dtype == object:
            safe[name] = _without_formulas(table[name])
    safe.columns = pd.Index(_without_formulas(pd.Series([str(name) for name in table.columns], dtype="str")))
    text = safe.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    return str(text).encode("utf-8-sig" if ids is IdStyle.EXCEL else "utf-8")


def parquet_bytes(table: pd.DataFrame | pa.Table) -> bytes:
    """A table as the bytes of a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(arrow_table(table), sink)
    return sink.getvalue()


def vector_lists(vectors: np.ndarray) -> pa.FixedSizeListArray:
    """Vectors of shape (n, d) as n fixed-size lists of d float32."""
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])


def embeddings_table(user_id: pa.StringArray, views: Mapping[View, np.ndarray]) -> pa.Table:
    """Table for ``embeddings.parquet``: ``user_id`` as text, and a list of float32 for each view.

    Args:
        user_id: n_users texts.
        views: float32 of shape (n_users, d), one a present view.

    Raises:
        ArtifactError: If a view has another number of users.
    """
    wrong = [str(view) for view, vectors in views.items() if len(vectors) != len(user_id)]
    if wrong:
        raise ArtifactError(f"The vectors of {', '.join(wrong)} do not fit the users", remedy="Embed again")
    return pa.table(
        {Users.USER_ID: user_id, **{str(view): vector_lists(vectors) for view, vectors in views.items()}}
    )


def tables_zip(tables: Mapping[str, pd.DataFrame]) -> bytes:
    """Several tables as one zip of CSV files; the same tables give the same bytes.

    Args:
        tables: Name of the file, without ``.csv`` → table.
    """
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in tables.items():
            member = zipfile.ZipInfo(f"{name}.csv", _ZIP_EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, csv_bytes(table))
    return sink.getvalue()


def arrow_table(table: pd.DataFrame | pa.Table) -> pa.Table:
    """Convert a table to Arrow for Parquet: plain strings, no index, no metadata of pandas."""
    if isinstance(table, pa.Table):
        return table
    made = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    plain = [field.with_type(_plain(field.type)) for field in made.schema]
    return made.cast(pa.schema(plain))


def _plain(kind: pa.DataType) -> pa.DataType:
    """Plain string type for a large one, which pandas writes and some readers do not know."""
    return pa.string() if pa.types.is_large_string(kind) else kind


def _iso(microseconds: pd.Series) -> pd.Series:
    seconds = pd.to_datetime(microseconds, unit="us").dt.floor("s")
    return seconds.dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype("str")


def _written_ids(ids: pd.Series, style: IdStyle) -> pd.Series:
    if style is IdStyle.EXACT:
        return ids
    return '="' + ids.str.replace('"', '""', regex=False) + '"'


def _without_formulas(texts: pd.Series) -> pd.Series:
    values = texts.astype("str")
    return values.mask(values.str.contains(_FORMULA, regex=True, na=False), "'" + values)
