"""Tables on the screen, with headings of columns and formats of values that hold for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

import pandas as pd
import streamlit as st
from pandas.api import types
from pandas.io.formats.style import Styler

from core.base import wording
from core.profiles import profile_columns
from core.profiles.differences import Diff
from core.profiles.profile_columns import FIELDS, Col
from pages.ui.shell.text import md_text

Columns: TypeAlias = Mapping[str, Any]
"""Column → its heading here, heading and help, or what ``st.dataframe`` takes; None to leave it out."""
_UNSHOWN: Final = dict.fromkeys((Col.KEY, Col.KIND, Col.SEGMENT))
"""Columns for programs: in the downloaded file, not on the screen."""
_FIGURES: Final = {one.field: one.label for one in FIELDS}
_CALLED: Final = _FIGURES | {
    Col.LABEL: "Segment", Col.RANK: "#", Col.PAGE_TITLE: "Title", Col.PAGE_LOCATION: "Page", Col.N: "Of",
    Col.SHARE: "Share", Col.LOW: "From", Col.HIGH: "To", Col.REST_SHARE: "Others", Col.REST_N: "Of others",
    Col.ABSENT: "Without a value",
}  # fmt: skip
"""Column → heading; other columns are called by their name."""
_HELP: Final = {
    Col.LOW: "95 % interval.",
    Col.LIFT: "Share over the others' share.",
    Diff.DIFFERS: "The 95 % interval of the difference leaves out 0.",
}
_IN_PERCENT: Final = re.compile(r"(rest_)?(.*share|low|high)|membership|difference(_low|_high)?")
"""Pattern of columns that are shares, from 0 to 1, or differences of shares."""
_LONG: Final = 18
"""Characters from which a text may push other columns off a phone's screen."""
NARROW: Final = 150
"""Pixels of a long text, at least; where there is room, it gets more."""
MAX_WRITTEN: Final = 50_000
"""Cells up to which values are formatted here (a quarter of a second); of more the browser does it."""


def draw(
    table: pd.DataFrame,
    *,
    key: str,
    alt_text: str,
    columns: Columns | None = None,
    **more: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401 - of st.dataframe
    """Draw a table with headings and formatted values; return what ``st.dataframe`` does.

    Args:
        table: Any table.
        key: A unique key.
        alt_text: What a screen reader says.
        columns: Column → heading here, where it is not the usual one; see :data:`Columns`.
        more: For ``st.dataframe``.
    """
    return st.dataframe(
        written(table), hide_index=True, column_config=headed(table, columns or {}), key=key, placeholder="–",
        alt=alt_text, **more,
    )  # fmt: skip


def draw_in_full(table: pd.DataFrame, alt_text: str) -> None:
    """Draw a small table, its columns called as they are, in which texts wrap: no name is cut.

    Args:
        table: Any table.
        alt_text: What a screen reader says.
    """
    texts: dict[Any, Any] = {name: _writer(str(name), table[name]) or md_text for name in table}
    shown = table.rename(columns={name: md_text(str(name)) for name in table})  # headings, too, are Markdown
    texts = {md_text(str(name)): text for name, text in texts.items()}
    st.table(shown.style.format(texts, na_rep=wording.ABSENT), hide_index=True, alt=alt_text)


def headed(table: pd.DataFrame, own: Columns) -> dict[str, Any]:
    """Settings of columns for ``st.dataframe``: heading, help, and a width that leaves room for figures."""
    found: dict[str, Any] = {}
    for name in map(str, table):
        told = {**_UNSHOWN, **own}.get(name, _CALLED.get(name, _in_words(name)))
        said = (told, _HELP.get(name)) if isinstance(told, str) else told
        if isinstance(said, tuple):
            said = _headed(table[name], *said, by_browser=table.size > MAX_WRITTEN)
        found[name] = said
    return found


def _headed(column: pd.Series, heading: str, told: str | None, *, by_browser: bool) -> Any:  # noqa: ANN401
    """Settings of a column; where the browser formats its values, also the format."""
    if by_browser and types.is_numeric_dtype(column) and not types.is_bool_dtype(column):
        how = "percent" if _IN_PERCENT.fullmatch(str(column.name)) else "localized"
        return st.column_config.NumberColumn(heading, help=told, format=how)
    return st.column_config.Column(heading, help=told, width=_width(column))


def _in_words(name: str) -> str:
    words = name.replace("_", " ")
    words = f"others' {words.removeprefix('rest ')}" if words.startswith("rest ") else words
    return wording.capitalised(words)


def _width(column: pd.Series) -> int | None:
    is_long = types.is_object_dtype(column) or types.is_string_dtype(column)
    return NARROW if is_long and column.astype(str).str.len().max() > _LONG else None


def written(table: pd.DataFrame) -> Styler | pd.DataFrame:
    """The table with formatted values, still sorted by the values; unchanged if it is too large."""
    if table.size > MAX_WRITTEN:
        return table
    writers: dict[Any, Any] = {name: _writer(str(name), table[name]) for name in table}
    if "rate" in table:  # of an outcome, with its interval
        writers |= dict.fromkeys(
            ("rate", Col.LOW, Col.HIGH), partial(profile_columns.figure, Col.OUTCOME_RATE)
        )
    return table.style.format(writers, na_rep=wording.ABSENT)


def _writer(name: str, column: pd.Series) -> Callable[[Any], str] | str | None:
    if name in _FIGURES:
        return partial(profile_columns.figure, name)
    if name == Col.LIFT:
        return wording.lift
    if name == Col.PAGE_LOCATION:
        return partial(wording.short_address, origin=wording.common_origin(column.dropna().tolist()))
    if types.is_datetime64_any_dtype(column):
        days = column.dropna()
        return "{:%-d %b %Y}" if (days == days.dt.normalize()).all() else "{:%-d %b %Y, %H:%M}"
    if types.is_float_dtype(column):
        if _IN_PERCENT.fullmatch(name):
            return wording.percent
        return "{:,.0f}" if (column.dropna() % 1 == 0).all() else "{:,.2f}"
    return "{:,}" if types.is_integer_dtype(column) else None
