"""How well decided labels agree with a person's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from core.labels.label_settings import UNKNOWN
from core.labels.label_types import Label, Rung

LEVEL = 0.95
"""Of the intervals."""


@dataclass(frozen=True)
class Rate:
    """A share and how sure it is.

    Args:
        hits: How many.
        n: Of how many.
    """

    hits: int
    n: int

    @property
    def value(self) -> float:
        """The share; NaN of nothing."""
        return self.hits / self.n if self.n else float("nan")

    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at :data:`LEVEL`; NaN of nothing."""
        if not self.n:
            return float("nan"), float("nan")
        found = binomtest(self.hits, self.n).proportion_ci(LEVEL, method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class Scores:
    """One view of one set.

    Args:
        coverage: Decided pages of all.
        precision: Right ones of the decided.
        accuracy: Right ones of all; what is not decided is not right.
        macro_f1: Mean F1 over the classes that the set has; what is not decided is missed.
        classes: A row a class of the set: n, coverage, precision, recall, f1.
        rungs: A row a rung: decided, share (of all pages), precision.
        upto: Rung → ``classes`` if the ladder ended there; the surest first.
        languages: A row a language: n, coverage, precision, accuracy.
    """

    coverage: Rate
    precision: Rate
    accuracy: Rate
    macro_f1: float
    classes: pd.DataFrame
    rungs: pd.DataFrame
    upto: Mapping[Rung, pd.DataFrame]
    languages: pd.DataFrame


def score(gold: Sequence[str], labels: Sequence[Label | None], languages: Sequence[str]) -> Scores:
    """Compare labels with a person's, page by page."""
    table = pd.DataFrame(
        {
            "gold": list(gold),
            "said": [UNKNOWN if label is None else label.value for label in labels],
            "rung": ["" if label is None else label.rung.value for label in labels],
            "language": list(languages),
        }
    )
    table["decided"] = table["said"] != UNKNOWN
    table["right"] = table["said"] == table["gold"]
    decided, right = int(table["decided"].sum()), int(table["right"].sum())
    classes = _by_class(table)
    return Scores(
        coverage=Rate(decided, len(table)),
        precision=Rate(right, decided),
        accuracy=Rate(right, len(table)),
        macro_f1=float(classes["f1"].mean()),
        classes=classes,
        rungs=_by_rung(table),
        upto=_by_class_up_to(table),
        languages=_by_language(table),
    )


def _by_class(table: pd.DataFrame) -> pd.DataFrame:
    names = sorted(table["gold"].unique())
    precision, recall, f1, n = precision_recall_fscore_support(
        table["gold"], table["said"], labels=names, zero_division=np.nan
    )
    covered = table.groupby("gold")["decided"].mean().reindex(names)
    return pd.DataFrame(
        {
            "n": n,
            "coverage": covered.to_numpy(),
            "precision": precision,  # NaN: never said
            "recall": recall,
            "f1": np.nan_to_num(f1),
        },
        index=pd.Index(names, name="class"),
    )


def _by_class_up_to(table: pd.DataFrame) -> dict[Rung, pd.DataFrame]:
    found = {}
    for at, rung in enumerate(Rung):
        if rung in set(table["rung"]):
            later = table["rung"].isin(list(Rung)[at + 1 :])
            said = table["said"].mask(later, UNKNOWN)
            found[rung] = _by_class(table.assign(said=said, decided=said != UNKNOWN))
    return found


def _by_rung(table: pd.DataFrame) -> pd.DataFrame:
    right = table[table["decided"]].groupby("rung", sort=False)["right"]
    decided = right.size()
    return pd.DataFrame({"decided": decided, "share": decided / len(table), "precision": right.mean()})


def _by_language(table: pd.DataFrame) -> pd.DataFrame:
    rows = {}
    for language, group in table.groupby("language"):
        decided = group[group["decided"]]
        precision = accuracy_score(decided["gold"], decided["said"]) if len(decided) else float("nan")
        accuracy = accuracy_score(group["gold"], group["said"])
        rows[language] = (len(group), group["decided"].mean(), precision, accuracy)
    columns = ["n", "coverage", "precision", "accuracy"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("language")
