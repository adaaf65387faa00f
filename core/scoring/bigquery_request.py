"""Which days of a BigQuery export to read, and what that would cost, as data: nothing here asks BigQuery."""

from __future__ import annotations

import os
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from core.base.errors import SettingsError
from core.base.settings import IngestSettings, Settings, size_in_bytes
from core.base.wording import percent, pluralise

PRICE_PER_TIB: Final = 6.25
PRICE_NOTE: Final = "list price on demand in the US as of 2024, check yours; the first TiB a month is free"
MAX_BYTES: Final = 100 * 10**9
ESTIMATE, READ = "bigquery_estimate", "bigquery_read"
"""Tasks of a job's child, asked with a :class:`BigQueryRequest` and a :class:`DaysRequest`."""
MIB: Final = 2**20
"""Bytes of a MiB, in which BigQuery bills."""
MIN_BYTES: Final = 10 * MIB
"""Bytes that BigQuery bills at least for each table of a query."""
SHARES: Final = 1000
"""Users are drawn in thousandths."""
_MOST: Final = "BEHA2VEC_BIGQUERY_MAX_BYTES"
"""Environment variable for the most that may be billed for a reading in the app."""
_MAX_DAYS: Final = 1100
"""Most days of a request, three years: the export has no more, and a typo in a year does."""

_PROJECT: Final = re.compile(r"[a-z][a-z0-9\-.:]{4,62}[a-z0-9]", re.ASCII)
_TABLE: Final = re.compile(_PROJECT.pattern + r"\.\w{1,1024}\.\w{1,1000}_\*", re.ASCII)


class BigQueryRequest(Settings):
    """Days to read: every setting that changes a query, and the limits of what it may cost."""

    added = frozenset({"join_logins"})
    table: str
    """Tables of all days, ``PROJECT.DATASET.events_*``."""
    first: date
    last: date
    user_key: str = IngestSettings().user_key
    mapping: dict[str, str] = Field(default_factory=dict)
    """Field of :class:`core.base.schema.Raw` → name in the table, if not GA4's; empty leaves it out."""
    join_logins: bool = False
    """Whether ``user_id`` is read beside the user key, to join cookies by it."""
    user_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the users, each with all events."""
    billing_project: str = ""
    """The project that pays for the queries; that of the table if empty."""
    max_bytes: Annotated[int, Field(ge=MIN_BYTES)] = MAX_BYTES
    price_per_tib: Annotated[float, Field(ge=0)] = PRICE_PER_TIB

    @property
    def dataset(self) -> str:
        """The data set, as ``PROJECT.DATASET``."""
        return self.table.rpartition(".")[0]

    @property
    def prefix(self) -> str:
        """Prefix of the names of all days' tables."""
        return self.table.rpartition(".")[2].removesuffix("*")

    @property
    def pays(self) -> str:
        """The project that pays for the queries."""
        return self.billing_project or self.dataset.rpartition(".")[0]

    @property
    def thousandths(self) -> int:
        """Share of the users in thousandths."""
        return round(self.user_share * SHARES)

    @property
    def days(self) -> tuple[date, ...]:
        """Every day that is asked for."""
        return tuple(self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


def require_possible(request: BigQueryRequest) -> None:
    """Refuse a request that is wrong in its form, before BigQuery is asked.

    Raises:
        SettingsError: If the name of the table or of who pays, the days or the share are not possible.
    """
    if not _TABLE.fullmatch(request.table):
        raise SettingsError(
            f"The table {request.table!r} is not possible",
            allowed="PROJECT.DATASET.events_*, with a star in place of the day",
        )
    if request.billing_project and not _PROJECT.fullmatch(request.billing_project):
        raise SettingsError(
            f"The project that pays, {request.billing_project!r}, is not possible",
            allowed="the id of a project, such as your-project",
        )
    if request.first > request.last:
        raise SettingsError(f"The first day, {request.first}, comes after the last one, {request.last}")
    if len(request.days) > _MAX_DAYS:
        raise SettingsError(f"{len(request.days):,} days are too many", allowed=f"up to {_MAX_DAYS:,}")
    if not request.thousandths:
        raise SettingsError(
            f"A share of {request.user_share} of the users is too small", allowed=f"{1 / SHARES} to 1"
        )


def most_allowed() -> int | None:
    """Bytes that may be billed at most for a reading in the app (:data:`_MOST`); None if unset.

    Raises:
        SettingsError: If it is no size.
    """
    told = os.environ.get(_MOST, "").strip()
    return size_in_bytes(told) if told else None


def require_allowed(request: BigQueryRequest) -> None:
    """Refuse a limit that is above that of whoever runs the app.

    Raises:
        SettingsError: If it is.
    """
    most = most_allowed()
    if most is not None and request.max_bytes > most:
        raise SettingsError(
            f"{in_gigabytes(request.max_bytes)} is more than may be billed here",
            allowed=f"up to {in_gigabytes(most)} ({_MOST})",
        )


class DayTable(Settings):
    """The table of one day, as it is in BigQuery now."""

    day: date
    name: str
    """Full name, ``PROJECT.DATASET.events_YYYYMMDD``."""
    modified: str
    """When it was last written, ISO 8601; for a view, which does not tell, when it was looked at."""
    rows: int
    columns: tuple[str, ...]
    """Names of its plain columns, dots between the parts, and of its lists of parameters."""


class BigQueryEstimate(Settings):
    """Cost of reading some days, measured by dry runs, which are free."""

    request: BigQueryRequest
    tables: tuple[DayTable, ...]
    """All days that have a table, oldest first."""
    kept: tuple[date, ...] = ()
    """Days of them that were read before and have not changed since: not read again, not paid again."""
    bytes_billed: int
    """Of the other days: what the columns hold in whole :data:`MIB`, at least :data:`MIN_BYTES` a table."""

    @property
    def to_read(self) -> tuple[DayTable, ...]:
        """Tables of the days that are read and paid for: those not in :attr:`kept`."""
        return tuple(table for table in self.tables if table.day not in self.kept)

    @property
    def missing(self) -> tuple[date, ...]:
        """Requested days that have no table."""
        found = {table.day for table in self.tables}
        return tuple(day for day in self.request.days if day not in found)

    @property
    def dollars(self) -> float:
        """Price of :attr:`bytes_billed` in US dollars, at the rate of the request."""
        return self.bytes_billed / 2**40 * self.request.price_per_tib

    @property
    def too_much(self) -> bool:
        """Whether more would be billed than the request allows."""
        return self.bytes_billed > self.request.max_bytes

    def sentences(self) -> list[str]:
        """The estimate in sentences, for a person who is about to agree."""
        rows = sum(table.rows for table in self.to_read)
        told = [f"{pluralise(len(self.tables), 'day')} of {self.request.table} found"]
        if self.missing:
            told.append(f"{_listed(self.missing)}: no table")
        if self.kept:
            told.append(
                f"{pluralise(len(self.kept), 'day')} read before and unchanged: not read or paid again"
            )
        if self.to_read:
            price = f"${self.request.price_per_tib:g} a TiB"
            whose = f" ({PRICE_NOTE})" if self.request.price_per_tib == PRICE_PER_TIB else ""
            told.append(f"{pluralise(len(self.to_read), 'day')} with {pluralise(rows, 'event')} to read")
            told.append(
                f"BigQuery bills {in_gigabytes(self.bytes_billed)}: {money(self.dollars)} at {price}{whose}"
            )
        if self.request.thousandths < SHARES:
            share = percent(self.request.thousandths / SHARES, 1)
            told.append(f"{share} of the users are read, each with all events; BigQuery bills all the same")
            if self.request.join_logins:
                told.append(
                    "Cookies are drawn, not signed-in users: of a user with several some may be left out"
                )
        return told


class DaysRequest(Settings):
    """Days to read as they were estimated, and where their folder is made."""

    estimate: BigQueryEstimate
    input_dir: Path


def in_gigabytes(size: int) -> str:
    """Size in decimal units, as limits are stated: ``3.20 GB``, ``1.250 TB``."""
    return f"{size / 10**12:,.3f} TB" if size >= 10**12 else f"{size / 10**9:,.2f} GB"


def money(dollars: float) -> str:
    """Price in words, such as ``about $1.20``."""
    return f"about ${dollars:,.2f}" if dollars >= 0.01 or not dollars else "less than $0.01"


def _listed(days: tuple[date, ...], most: int = 5) -> str:
    more = f" and {len(days) - most} more" if len(days) > most else ""
    return ", ".join(day.isoformat() for day in days[:most]) + more
