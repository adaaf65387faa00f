"""How well the label stage labels pages that a person labelled before any rule was written.

It names no page, so that nobody tunes a rule on the sets by reading what went wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support

from benchmarks.labels.sets import LabelledSet
from benchmarks.tables import markdown
from core.base.progress import silent
from core.base.schema import NO_THEME, UNKNOWN, View
from core.labels.cascade import Cascade, decide_themes, decide_types
from core.labels.label_types import Label, Rung


def evaluate(labelled: LabelledSet, cascade: Cascade) -> dict[View, pd.DataFrame]:
    """Run the label stage over a set.

    Returns:
        View → a row a page: ``gold``, ``said`` (``Unknown`` where nothing was decided), ``rung``. Themes are
        of the pages to which a person gave one.
    """
    types = decide_types(labelled.pages, labelled.taxonomy, cascade, silent)
    themes = decide_themes(labelled.pages, types, labelled.taxonomy, cascade, silent)
    made = {View.TYPE: _pages(labelled.types, types), View.THEME: _pages(labelled.themes, themes)}
    has_theme = ~made[View.THEME]["gold"].isin((NO_THEME, UNKNOWN))
    return made | {View.THEME: made[View.THEME][has_theme]}


def _pages(gold: Sequence[str], labels: Sequence[Label | None]) -> pd.DataFrame:
    said = [(UNKNOWN, "") if label is None else (label.value, label.rung.value) for label in labels]
    return pd.DataFrame(said, columns=["said", "rung"]).assign(gold=list(gold))


def summary(pages: pd.DataFrame) -> dict[str, str]:
    """Coverage, precision where decided, accuracy of a table of :func:`evaluate`; undecided is not right."""
    n, decided = len(pages), int((pages["said"] != UNKNOWN).sum())
    right = int((pages["said"] == pages["gold"]).sum())
    return {
        "pages": str(n),
        "coverage": percent(decided / n),
        "precision on decided": _with_interval(right, decided),
        "accuracy": _with_interval(right, n),
    }


def by_rung(pages: pd.DataFrame) -> pd.DataFrame:
    """A row for each rung (what decides labels): how many pages it decided, and its precision."""
    decided = pages[pages["said"] != UNKNOWN]
    right = (decided["said"] == decided["gold"]).groupby(decided["rung"], sort=False)
    return right.agg(["size", "mean"]).set_axis(["decided", "precision"], axis=1)


def by_class(pages: pd.DataFrame) -> pd.DataFrame:
    """A row for each true label: n, coverage, precision (NaN if never said), f1."""
    names = sorted(pages["gold"].unique())
    precision, _, f1, n = precision_recall_fscore_support(
        pages["gold"], pages["said"], labels=names, zero_division=np.nan
    )
    coverage = (pages["said"] != UNKNOWN).groupby(pages["gold"]).mean()
    return pd.DataFrame(
        {"n": n, "coverage": coverage.reindex(names), "precision": precision, "f1": np.nan_to_num(f1)},
        index=pd.Index(names, name="class"),
    )


def up_to_each_rung(pages: pd.DataFrame) -> dict[Rung, pd.DataFrame]:
    """Rung → :func:`by_class` as if it and the surer rungs alone decided; the surest first."""
    return {
        rung: by_class(
            pages.assign(said=pages["said"].mask(pages["rung"].isin(list(Rung)[at + 1 :]), UNKNOWN))
        )
        for at, rung in enumerate(Rung)
        if rung in set(pages["rung"])
    }


def report(labelled: LabelledSet, found: Mapping[View, pd.DataFrame]) -> str:
    """The evaluation of one set as Markdown."""
    return "\n\n".join(_parts(labelled, found))


def _parts(labelled: LabelledSet, found: Mapping[View, pd.DataFrame]) -> Iterator[str]:
    yield f"### {labelled.name}: {len(labelled.pages)} pages"
    summaries = {view: summary(pages) for view, pages in found.items()}
    yield markdown(
        ["view", *summaries[View.TYPE]], [(view, *cells.values()) for view, cells in summaries.items()]
    )
    for view, pages in found.items():
        rungs = by_rung(pages)
        yield f"Each {view}: pages decided by each rung, and its precision:"
        yield markdown(
            ["rung", *rungs.columns],
            [(rung, n, percent(precision)) for rung, n, precision in rungs.itertuples()],
        )
        yield f"Each {view}: coverage, precision, F1 of the cascade up to each rung, in per cent:"
        up_to_rung = up_to_each_rung(pages)
        cells = pd.DataFrame(
            {f"up to {rung}": classes.apply(_three, axis=1) for rung, classes in up_to_rung.items()}
        )
        cells.insert(0, "n", by_class(pages)["n"])
        yield markdown([view, *cells.columns], cells.itertuples())


def _three(row: pd.Series) -> str:
    figures = (row["coverage"], row["precision"], row["f1"])
    return " · ".join("-" if pd.isna(value) else f"{100 * value:.0f}" for value in figures)


def percent(share: float) -> str:
    """``0.5`` → ``50.0 %``."""
    return f"{100 * share:.1f} %"


def _with_interval(hits: int, n: int) -> str:
    """A share with its Wilson 95 % interval."""
    if not n:
        return "-"
    interval = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    return f"{percent(hits / n)} ({100 * interval.low:.0f} to {100 * interval.high:.0f})"
