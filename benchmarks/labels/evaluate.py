"""How well the ladder labels pages that a person labelled before any rule was written.

    python -m benchmarks.labels.evaluate --mode auto

Prints Markdown for docs/method.md: for each set, types and themes by class, by rung and by language. It names
no page, so that nobody tunes a rule on the sets by reading what went wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from benchmarks.labels.scores import Rate, Scores, climb, score, themes_of
from benchmarks.labels.sets import SETS, LabelledSet, load
from core.labels.contract import Classifier, Label
from core.labels.settings import NO_THEME, UNKNOWN, LabelMode, LabelSettings
from core.schema import View

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


def evaluate(labelled: LabelledSet, classifiers: Sequence[Classifier]) -> Evaluation:
    """Run the ladder over a set: types first, since a functional type says that there is no theme."""
    types = climb(classifiers, labelled.subjects, View.TYPE)
    themes = themes_of(classifiers, labelled.subjects, types, labelled.taxonomy)
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
    yield f"### {labelled.name}: {len(labelled.subjects)} pages\n"
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
        for name, table in (
            ("class", scores.classes),
            ("rung", scores.rungs),
            ("language", scores.languages),
        ):
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


def _table(table: pd.DataFrame) -> str:
    shown = table.reset_index()
    for name in shown.columns[1:]:
        shown[name] = [str(int(cell)) if name in _COUNTS else _percent(cell) for cell in shown[name]]
    rows = [list(shown.columns), ["---"] * len(shown.columns), *shown.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def _percent(value: float) -> str:
    return "-" if pd.isna(value) else f"{100 * value:.1f} %"


def _with_interval(rate: Rate) -> str:
    if not rate.n:
        return "-"
    low, high = rate.interval()
    return f"{_percent(rate.value)} ({100 * low:.0f} to {100 * high:.0f})"


def _of(rate: Rate) -> str:
    return f"{rate.hits} of {rate.n}"


def main() -> None:
    """Command line."""
    from core.labels.cache import MemoryCache
    from core.labels.ladder import build

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    modes = [LabelMode.RULES.value, LabelMode.AUTO.value]
    parser.add_argument("--mode", choices=modes, default=LabelMode.AUTO.value)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    args = parser.parse_args()
    for name in args.sets:
        labelled = load(name)
        settings = LabelSettings(mode=LabelMode(args.mode), taxonomy=labelled.taxonomy)
        ladder = build(settings, MemoryCache())
        print(markdown(labelled, evaluate(labelled, (*ladder.sure, *ladder.judging))))


if __name__ == "__main__":
    main()
