"""The labels of a data set as an analyst looks them over, worked out once for each state of the labels."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.base.schema import View
from core.data.page_labels import LabelledPages
from core.labels import review

STATES: Final = 6
"""Labels whose tables are kept, across data sets and sessions."""


def by_template(labels: LabelledPages, pages: pd.DataFrame) -> pd.DataFrame:
    """See :func:`core.labels.review.by_template`."""
    return _by_template(labels, pages, labels.key)


def coverage(labels: LabelledPages, pages: pd.DataFrame) -> pd.DataFrame:
    """See :func:`core.labels.review.coverage`."""
    return _coverage(labels, pages, labels.key)


def mosaic(labels: LabelledPages, pages: pd.DataFrame) -> pd.DataFrame:
    """See :func:`core.labels.review.mosaic`."""
    return _mosaic(labels, pages, labels.key)


def theme_shares(labels: LabelledPages, pages: pd.DataFrame) -> dict[str, float]:
    """See :func:`core.labels.review.shares`."""
    return _theme_shares(labels, pages, labels.key)


@st.cache_data(max_entries=STATES, show_spinner=False)
def _theme_shares(_labels: LabelledPages, _pages: pd.DataFrame, key: str) -> dict[str, float]:
    return review.shares(_labels.table, _pages, View.THEME)


@st.cache_data(max_entries=STATES, show_spinner="Putting the pages together")
def _by_template(_labels: LabelledPages, _pages: pd.DataFrame, key: str) -> pd.DataFrame:
    return review.by_template(_labels.table, _pages)


@st.cache_data(max_entries=STATES, show_spinner=False)
def _coverage(_labels: LabelledPages, _pages: pd.DataFrame, key: str) -> pd.DataFrame:
    return review.coverage(_labels.table, _pages)


@st.cache_data(max_entries=STATES, show_spinner=False)
def _mosaic(_labels: LabelledPages, _pages: pd.DataFrame, key: str) -> pd.DataFrame:
    return review.mosaic(_labels.table, _pages)
