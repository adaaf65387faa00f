"""Tables for reviewing the labels of an export: coverage, one row a template, themes against types."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.base.schema import NO_THEME, UNKNOWN, PageLabels, Pages, View
from core.labels.label_settings import SEVERAL as SEVERAL  # exported for the app's pages
from core.labels.label_types import Rung

_VALUE: Final = {View.THEME: PageLabels.THEME, View.TYPE: PageLabels.TYPE}
RUNG: Final = {View.THEME: PageLabels.THEME_RUNG, View.TYPE: PageLabels.TYPE_RUNG}
_SCORE: Final = {View.THEME: PageLabels.THEME_SCORE, View.TYPE: PageLabels.TYPE_SCORE}
EVIDENCE: Final = {View.THEME: PageLabels.THEME_EVIDENCE, View.TYPE: PageLabels.TYPE_EVIDENCE}

_EXAMPLES: Final = 3
BY_TYPE: Final = "Page type"
"""Stands for the rung of pages that have no theme because of their type."""
_GUESSED: Final = (Rung.EMBEDDING, Rung.NLI, Rung.LLM)
"""Models, whose labels need review; the other rungs are rules."""


class Review:
    """Names of columns of the review tables."""

    VIEW: Final = "view"
    RUNG: Final = "rung"
    PAGES: Final = "pages"
    PAGE_VIEWS: Final = "page_views"
    SHARE: Final = "share"
    TITLES: Final = "titles"
    ATTENTION: Final = "attention"


def coverage(labels: pd.DataFrame, pages: pd.DataFrame) -> pd.DataFrame:
    """Pages and page views that each rung decided, for themes and types.

    Args:
        labels: :class:`core.base.schema.PageLabels`, in page order.
        pages: :class:`core.base.schema.Pages`, in page order.

    Returns:
        Columns view, rung (of :func:`decided_by`, "Unknown" where none decided), pages, page_views, share of
        the page views; the rungs in order, Unknown last.
    """
    order = [*(rung.value for rung in Rung), BY_TYPE, UNKNOWN]
    parts = []
    for view in RUNG:
        rung = pd.Categorical(decided_by(labels, view).fillna(UNKNOWN), order, ordered=True)
        frame = pd.DataFrame({Review.RUNG: rung, Review.PAGE_VIEWS: pages[Pages.VIEWS]})
        grouped = frame.groupby(Review.RUNG, observed=True)[Review.PAGE_VIEWS]
        part = grouped.agg(["size", "sum"]).reset_index()
        part.columns = [Review.RUNG, Review.PAGES, Review.PAGE_VIEWS]
        parts.append(part.assign(**{Review.RUNG: part[Review.RUNG].astype(str), Review.VIEW: view.value}))
    table = pd.concat(parts, ignore_index=True)
    table[Review.SHARE] = table[Review.PAGE_VIEWS] / max(1, int(pages[Pages.VIEWS].sum()))
    columns = [Review.VIEW, Review.RUNG, Review.PAGES, Review.PAGE_VIEWS, Review.SHARE]
    return table[columns]


def decided_by(labels: pd.DataFrame, view: View) -> pd.Series:
    """Rung that decided each page's label, by page index; null if none, :data:`BY_TYPE` for no theme."""
    rung = labels[RUNG[view]]
    own = rung.isin([Rung.OVERRIDE, Rung.FROZEN])
    return rung.mask((labels[_VALUE[view]] == NO_THEME) & ~own, BY_TYPE)


def shares(labels: pd.DataFrame, pages: pd.DataFrame, view: View) -> dict[str, float]:
    """Theme or type → its share of the page views, 0 to 1."""
    views = pages[Pages.VIEWS].groupby(labels[_VALUE[view]].to_numpy()).sum() / max(
        1, pages[Pages.VIEWS].sum()
    )
    return {str(name): float(share) for name, share in views.items()}


def by_template(labels: pd.DataFrame, pages: pd.DataFrame) -> pd.DataFrame:
    """Labels by path template, those that need review most first.

    Returns:
        Columns template, titles (a few, joined), pages, page_views, and theme, type with their rung, score
        and evidence (:data:`SEVERAL` where the pages differ); attention: page views weighted by how doubtful
        their labels are (not decided, or decided by a model with a low score).
    """
    views = pages[Pages.VIEWS].to_numpy()
    frame = labels.assign(
        **{
            Review.PAGE_VIEWS: views,
            Review.TITLES: pages[Pages.PAGE_TITLE],
            Review.ATTENTION: views * _doubt(labels),
        }
    )
    grouped = frame.groupby(PageLabels.TEMPLATE, sort=False)
    table = grouped.agg(
        **{
            Review.TITLES: (Review.TITLES, _examples),
            Review.PAGES: (PageLabels.PAGE, "size"),
            Review.PAGE_VIEWS: (Review.PAGE_VIEWS, "sum"),
            Review.ATTENTION: (Review.ATTENTION, "sum"),
            **{_VALUE[view]: (_VALUE[view], _common) for view in _VALUE},
            **{RUNG[view]: (RUNG[view], _common) for view in RUNG},
            **{_SCORE[view]: (_SCORE[view], "mean") for view in _SCORE},
            **{EVIDENCE[view]: (EVIDENCE[view], "first") for view in EVIDENCE},
        }
    ).reset_index()
    order = [Review.ATTENTION, Review.PAGE_VIEWS, PageLabels.TEMPLATE]
    return table.sort_values(order, ascending=[False, False, True], ignore_index=True)


def mosaic(labels: pd.DataFrame, pages: pd.DataFrame) -> pd.DataFrame:
    """Page views by theme and type, as the rectangles of a mosaic of area 1.

    Returns:
        Columns theme, type, page_views, share, and x0, x1 (themes side by side, the largest first), y0, y1
        (types within a theme, in the order of their overall share).
    """
    frame = pd.DataFrame(
        {
            PageLabels.THEME: labels[PageLabels.THEME],
            PageLabels.TYPE: labels[PageLabels.TYPE],
            Review.PAGE_VIEWS: pages[Pages.VIEWS],
        }
    )
    counts = frame.pivot_table(
        index=PageLabels.THEME, columns=PageLabels.TYPE, values=Review.PAGE_VIEWS, aggfunc="sum", fill_value=0
    )
    counts = counts.loc[_largest_first(counts.sum(axis=1)), _largest_first(counts.sum(axis=0))]
    values = counts.to_numpy(dtype=float)
    total, of_theme = values.sum(), values.sum(axis=1)
    x1 = np.cumsum(of_theme) / total
    y1 = np.cumsum(values, axis=1) / of_theme[:, None]
    n_themes, n_types = values.shape
    table = pd.DataFrame(
        {
            PageLabels.THEME: np.repeat(counts.index.to_numpy(), n_types),
            PageLabels.TYPE: np.tile(counts.columns.to_numpy(), n_themes),
            Review.PAGE_VIEWS: counts.to_numpy().ravel(),
            Review.SHARE: values.ravel() / total,
            "x0": np.repeat(x1 - of_theme / total, n_types),
            "x1": np.repeat(x1, n_types),
            "y0": (y1 - values / of_theme[:, None]).ravel(),
            "y1": y1.ravel(),
        }
    )
    return table[table[Review.PAGE_VIEWS] > 0].reset_index(drop=True)


def _doubt(labels: pd.DataFrame) -> np.ndarray:
    """Doubt about the labels of each page, from 0 to 1: half for the theme, half for the type."""
    guessed = [rung.value for rung in _GUESSED]
    total = np.zeros(len(labels))
    for view in _VALUE:
        unknown = labels[RUNG[view]].isna().to_numpy()
        judged = labels[RUNG[view]].isin(guessed).to_numpy()
        score = labels[_SCORE[view]].fillna(0.0).to_numpy()
        total += np.where(unknown, 1.0, np.where(judged, 1.0 - score, 0.0))
    half: np.ndarray = total / len(_VALUE)
    return half


def _examples(titles: pd.Series) -> str:
    return " · ".join(titles.dropna().drop_duplicates().head(_EXAMPLES))


def _common(values: pd.Series) -> str | None:
    """The value if all are equal, else :data:`SEVERAL`."""
    different = values.unique()
    return different[0] if len(different) == 1 else SEVERAL


def _largest_first(sums: pd.Series) -> list[str]:
    return sums.sort_values(ascending=False, kind="stable").index.tolist()
