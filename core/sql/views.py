"""The tables that SQL for experts may read: what the profiles show, by name; no users and no rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from core.facts.context import Context
from core.facts.items import label_table
from core.facts.steps import session_ends
from core.journeys.moves import FROM, SESSIONS, SESSIONS_N, STEPS, TO
from core.profiles.profile_columns import ROW, Col, RowKind

_NAME: Final = "name"
"""Column of the segments table with the analyst's names."""
_ENDS_LISTED: Final = 50
"""Most pages of a row where sessions begin, or end."""


@dataclass(frozen=True, eq=False)
class SqlView:
    """One table that a query may read.

    Args:
        about: What its rows are, in one sentence.
        table: All of it.
    """

    about: str
    table: pa.Table


def sql_views(context: Context) -> Mapping[str, SqlView]:
    """Return the tables that a query may read, by name; those without rows are left out."""
    counted, profiles = context.tables, context.tables.profiles
    made = {
        "segments": ("One row a segment, a group made by rule, and all users.", _named(context)),
        "top_pages": ("Pages over- and under-represented and most viewed, by row.", profiles.top_pages),
        "shares": ("Device, browser, country and first source, by row.", profiles.shares),
        "heatmap": (
            "How far a row is from the other clustered users, in standard deviations.",
            profiles.heatmap,
        ),
        "themes_and_types": (
            "What the pages that are viewed are about and for, by row.",
            label_table(context),
        ),
        "differences": (
            "Every row against the other clustered users; differs is null where nothing was tested.",
            counted.differences,
        ),
        "entries": ("Where sessions begin, by row.", _ends(context, "entry")),
        "exits": ("Where sessions end, by row.", _ends(context, "exit")),
        "fields": ("What each column of segments is.", profiles.fields),
    }
    return {
        name: SqlView(about, pa.Table.from_pandas(table, preserve_index=False))
        for name, (about, table) in made.items()
        if len(table)
    }


def columns(view: SqlView) -> pd.DataFrame:
    """List the columns of a view in a table with ``Column`` and ``Type`` (of Arrow)."""
    fields = [(field.name, str(field.type)) for field in view.table.schema]
    return pd.DataFrame(fields, columns=["Column", "Type"])


def _ends(context: Context, kind: str) -> pd.DataFrame:
    """The pages with which most sessions of each row begin or end."""
    called = {TO if kind == "entry" else FROM: Col.VALUE, STEPS: SESSIONS, Col.N: SESSIONS_N}
    parts = [
        session_ends(context, key, kind, _ENDS_LISTED).assign(**{Col.KEY: key}) for key in context.keys
    ]  # fmt: skip
    rows = [part.assign(**{Col.RANK: np.arange(1, len(part) + 1)}) for part in parts]
    table = context.tables.rows.head.merge(pd.concat(rows), on=Col.KEY).rename(columns=called)
    kept = [*ROW, Col.RANK, Col.VALUE, SESSIONS, SESSIONS_N, Col.SHARE, Col.USERS]
    return table[kept]


def _named(context: Context) -> pd.DataFrame:
    table = context.tables.profiles.segments
    names = table[Col.SEGMENT].where(table[Col.KIND] == RowKind.SEGMENT).map(context.names)
    return table.assign(**{_NAME: names.astype("str").where(names.notna())})
