"""How well the label stage labels pages that a person labelled before any rule was written.

For each set, types and themes by class and rung, by rung and by language, as Markdown. It names no page, so
that nobody tunes a rule on the sets by reading what went wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from benchmarks.labels.scores import Rate, Scores, score
from benchmarks.labels.sets import LabelledSet
from core.base.progress import silent
from core.labels.label_settings import NO_THEME, UNKNOWN
from core.labels.label_types import Label
from core.labels.ladder import Ladder, decide_themes, decide_types

_COUNTS = ("n", "decided")


@dataclass(frozen=True)
class Evaluation:
    """What the ladder makes of one set.

    Args:
        types: Over all pages.
        themes: Over the pages to which a person gave a theme.
        lost: Of those, the pages left without a theme because their type was taken for a functional one.
        without: Of the pages without a theme, those that got one.
        undecidable: Of the pages whose theme a person cannot tell, those that got one.
    """

    types: Scores
    themes: Scores
    lost: Rate
    without: Rate
    undecidable: Rate


def evaluate(labelled: LabelledSet, ladder: Ladder) -> Evaluation:
    """Run the label stage over a set."""
    types = decide_types(labelled.pages, labelled.taxonomy, ladder, silent)
    themes = decide_themes(labelled.pages, types, labelled.taxonomy, ladder, silent)
    has_theme = [place for place, theme in enumerate(labelled.themes) if theme not in (NO_THEME, UNKNOWN)]
    return Evaluation(
        types=score(labelled.types, types, labelled.languages),
        themes=score(
            [labelled.themes[place] for place in has_theme],
            [themes[place] for place in has_theme],
            [labelled.languages[place] for place in has_theme],
        ),
        lost=Rate(sum(_value(themes[place]) == NO_THEME for place in has_theme), len(has_theme)),
        without=_given_a_theme(labelled, themes, NO_THEME),
        undecidable=_given_a_theme(labelled, themes, UNKNOWN),
    )


def _given_a_theme(labelled: LabelledSet, themes: Sequence[Label | None], gold: str) -> Rate:
    said = [_value(label) for label, theme in zip(themes, labelled.themes, strict=True) if theme == gold]
    return Rate(sum(value not in (NO_THEME, UNKNOWN) for value in said), len(said))


def _value(label: Label | None) -> str:
    return UNKNOWN if label is None else label.value


def markdown(labelled: LabelledSet, found: Evaluation) -> str:
    """The evaluation of one set as Markdown."""
    return "\n".join(_lines(labelled, found))


def _lines(labelled: LabelledSet, found: Evaluation) -> Iterator[str]:
    yield f"### {labelled.name}: {len(labelled.pages)} pages\n"
    yield "| view | pages | coverage | precision on decided | accuracy | macro F1 |"
    yield "|---|---|---|---|---|---|"
    yield _summary("type", found.types)
    yield _summary("theme", found.themes)
    yield ""
    yield (
        f"Left without a theme for their type: {_of(found.lost)} pages with one. "
        f"Given a theme: {_of(found.without)} pages without one, "
        f"{_of(found.undecidable)} where a person cannot tell.\n"
    )
    for view, scores in (("Type", found.types), ("Theme", found.themes)):
        yield f"{view} by class: coverage, precision, F1 of the ladder up to each rung:\n"
        yield _classes(scores)
        yield ""
        for name, table in (("rung", scores.rungs), ("language", scores.languages)):
            yield f"{view} by {name}:\n"
            yield _table(table)
            yield ""


def _summary(view: str, scores: Scores) -> str:
    cells = (
        view,
        str(scores.coverage.n),
        _percent(scores.coverage.value),
        _with_interval(scores.precision),
        _with_interval(scores.accuracy),
        _percent(scores.macro_f1),
    )
    return f"| {' | '.join(cells)} |"


def _classes(scores: Scores) -> str:
    cells = pd.DataFrame({"n": scores.classes["n"]})
    for rung, classes in scores.upto.items():
        three = zip(classes["coverage"], classes["precision"], classes["f1"], strict=True)
        cells[f"up to {rung}"] = [" · ".join(map(_short, row)) for row in three]
    return _rows(cells.reset_index())


def _table(table: pd.DataFrame) -> str:
    shown = table.reset_index()
    for name in shown.columns[1:]:
        shown[name] = [str(int(cell)) if name in _COUNTS else _percent(cell) for cell in shown[name]]
    return _rows(shown)


def _rows(shown: pd.DataFrame) -> str:
    rows = [list(shown.columns), ["---"] * len(shown.columns), *shown.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def _percent(value: float) -> str:
    return "-" if pd.isna(value) else f"{100 * value:.1f} %"


def _short(value: float) -> str:
    return "-" if pd.isna(value) else f"{100 * value:.0f}"


def _with_interval(rate: Rate) -> str:
    if not rate.n:
        return "-"
    low, high = rate.interval()
    return f"{_percent(rate.value)} ({100 * low:.0f} to {100 * high:.0f})"


def _of(rate: Rate) -> str:
    return f"{rate.hits} of {rate.n}"
