"""What was decided on all users of an export, for looking at some of them as if the others were there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import ibis.expr.types as ir

from core.base.schema import Raw
from core.ingest.account.accounting import Accounted
from core.ingest.clean.locations import PAGE, Locations
from core.ingest.engine import Engine
from core.ingest.observe.narrow import Events
from core.ingest.observe.outcomes import NobodysOutcomes, Refunds

LOCATION: Final = "location"


@dataclass(frozen=True, eq=False)
class Decided:
    """Everything about a user that depends on others.

    Args:
        accounted: Of all records: by which clock days are, whether times were rounded.
        locations: The pages; its table holds nothing, see ``page_of``.
        page_of: Parquet file, raw location → page.
        repeated: Parquet file, file and line of the purchases that repeat an earlier one of anybody.
        n_users: Users with a page view.
        engaged: Share of them with any engagement.
        refunds: Everything that was given back; None where nothing was.
        nobodys: What visitors without a user id did, if there are any.
    """

    accounted: Accounted
    locations: Locations
    page_of: Path
    repeated: Path
    n_users: int
    engaged: float
    refunds: Refunds | None = None
    nobodys: NobodysOutcomes | None = None

    def moved(self, folder: Path) -> Decided:
        """Look for the files in another folder, perhaps of another machine."""
        return replace(self, page_of=folder / self.page_of.name, repeated=folder / self.repeated.name)

    def locations_in(self, engine: Engine) -> Locations:
        """The pages, for the records of a database."""
        table = engine.ibis.read_parquet(self.page_of)
        return replace(self.locations, table=table.select(LOCATION, PAGE))

    def repeated_in(self, engine: Engine, events: Events) -> ir.Table:
        """Those of the events that are purchases which repeat an earlier one."""
        found = engine.ibis.read_parquet(self.repeated)
        return engine.keep("repeated", found.semi_join(events.table, [Raw.FILE_NO, Raw.LINE]))
