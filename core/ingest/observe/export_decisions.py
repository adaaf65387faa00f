"""Decisions made on all users of an export, for ingesting a part of them as in the whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import ibis.expr.types as ir

from core.base.schema import Raw
from core.ingest.account.accounting import RecordAccount
from core.ingest.clean.locations import PAGE, Locations
from core.ingest.engine import Engine
from core.ingest.observe.narrow import Events
from core.ingest.observe.outcomes import OutcomesWithoutUserId, Refunds

LOCATION: Final = "location"


@dataclass(frozen=True, eq=False)
class ExportDecisions:
    """All decisions about a user that depend on other users.

    Args:
        accounted: Account of all records: local clock, whether times were rounded.
        locations: The pages; the table is empty, see ``page_of``.
        page_of: Parquet file, raw location → page.
        repeated: Parquet file, file and line of purchases that repeat an earlier one of any user.
        visits: Parquet file, channels of visits (:func:`~core.ingest.observe.channel_codes.written_visits`);
            None where no file has sources.
        n_users: Number of users with a page view.
        engaged: Share of these users with any engagement.
        refunds: All refunds; None if there are none.
        without_user_id: Outcomes of visitors without a user id, if there are any.
    """

    accounted: RecordAccount
    locations: Locations
    page_of: Path
    repeated: Path
    visits: Path | None
    n_users: int
    engaged: float
    refunds: Refunds | None = None
    without_user_id: OutcomesWithoutUserId | None = None

    def moved(self, folder: Path) -> ExportDecisions:
        """Return the same decisions with the files in another folder, perhaps of another machine."""
        visits = self.visits and folder / self.visits.name
        return replace(
            self, page_of=folder / self.page_of.name, repeated=folder / self.repeated.name, visits=visits
        )

    def locations_in(self, engine: Engine) -> Locations:
        """Return the locations with their table opened in a database."""
        table = engine.ibis.read_parquet(self.page_of)
        return replace(self.locations, table=table.select(LOCATION, PAGE))

    def visits_in(self, engine: Engine) -> ir.Table | None:
        """Return the channels of visits opened in a database."""
        return engine.ibis.read_parquet(self.visits) if self.visits else None

    def repeated_in(self, engine: Engine, events: Events) -> ir.Table:
        """Return file and line of those of some events that are repeated purchases."""
        found = engine.ibis.read_parquet(self.repeated)
        return engine.keep("repeated", found.semi_join(events.table, [Raw.FILE_NO, Raw.LINE]))
