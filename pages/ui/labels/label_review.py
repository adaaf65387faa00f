"""The labels of a data set as an analyst looks them over, worked out once for each state of the labels."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.base.schema import View
from core.data.page_labels import LabelledPages
from core.labels import review
from pages.ui.shell.kept import kept

# tables are kept of six states, across data sets and sessions; each caller gets its own
_a_state = partial(kept, lambda labels, _: labels.key, max_entries=6, cache=st.cache_data)


@_a_state()
def theme_shares(labels: LabelledPages, pages: pd.DataFrame) -> dict[str, float]:
    """See :func:`core.labels.review.shares`."""
    return review.shares(labels.table, pages, View.THEME)


@_a_state(show_spinner="Putting the pages together")
def by_template(labels: LabelledPages, pages: pd.DataFrame) -> pd.DataFrame:
    """See :func:`core.labels.review.by_template`."""
    return review.by_template(labels.table, pages)


@_a_state()
def coverage(labels: LabelledPages, pages: pd.DataFrame) -> pd.DataFrame:
    """See :func:`core.labels.review.coverage`."""
    return review.coverage(labels.table, pages)


@_a_state()
def mosaic(labels: LabelledPages, pages: pd.DataFrame) -> pd.DataFrame:
    """See :func:`core.labels.review.mosaic`."""
    return review.mosaic(labels.table, pages)
