"""A query of an expert: run in a process of its own, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from core.base.errors import Beha2VecError
from core.runs.export import csv_bytes
from core.sql.sandbox import SqlLimits, SqlResult, run_sql
from core.sql.views import SqlView
from pages.ui.shell import errors
from pages.ui.shell.text import count

LIMITS: Final = SqlLimits()


@dataclass(frozen=True, eq=False)
class Found:
    """What came of a query.

    Args:
        digest: Of the segments that it was asked about.
        result: What it found; None if it was refused or went wrong.
        problem: Why.
    """

    digest: str
    result: SqlResult | None = None
    problem: str = ""


def run(sql: str, views: Mapping[str, SqlView], digest: str) -> Found:
    """Run a query.

    Args:
        sql: As it was written.
        views: What it may read.
        digest: Names the data set and its segments.
    """
    try:
        return Found(digest, run_sql(sql, {name: view.table for name, view in views.items()}, LIMITS))
    except Beha2VecError as error:
        return Found(digest, problem=str(error))


def show(found: Found, digest: str) -> None:
    """Draw the rows, or why there are none.

    Args:
        found: What came of the query.
        digest: Of the segments that are on screen now.
    """
    if found.digest != digest:
        st.caption("The segments have changed since this was run.")
    if found.result is None:
        errors.show(found.problem)
        return
    result = found.result
    table: pd.DataFrame = result.table.to_pandas()
    cut = f", cut after {LIMITS.max_rows:,}: there are more" if result.cut else ""
    with st.container(border=True, key="sql-result"):
        st.caption(f"{count(len(table), 'row')}{cut} · {result.seconds:.1f} s")
        st.dataframe(table, hide_index=True, placeholder="–", alt="Result of the query")
        st.download_button(
            "Download as CSV", data=lambda: csv_bytes(table), file_name="result.csv",
            mime="text/csv", icon=":material/download:", key="get-sql", on_click="ignore",
        )  # fmt: skip
        st.caption("What was run")
        st.code(result.sql, language="sql", wrap_lines=True)
