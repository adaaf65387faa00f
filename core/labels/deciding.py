"""From pages to one type and one theme each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from core.base.progress import Progress, SubProgress
from core.base.schema import View
from core.labels.label_settings import NO_THEME, Taxonomy
from core.labels.label_types import Label
from core.labels.ladder import Ladder, decide
from core.labels.pages import LabelPages, Subjects, group, theme_subjects
from core.labels.structure import lists_above_products

PageDecisions = list[Label | None]
"""One a page; None where no rung decided."""


def decide_types(pages: LabelPages, taxonomy: Taxonomy, ladder: Ladder, progress: Progress) -> PageDecisions:
    """Decide a type for each page: by template; where it says nothing, by page, by place; models come last.

    A root with products, articles and terms side by side has one template: what rules cannot say of all of
    them, they often can of one.
    """
    labels: PageDecisions = [None] * len(pages)
    for keys, part in (
        (pages.templates, SubProgress(progress, 0.0, 0.3)),
        (pages.urls, SubProgress(progress, 0.3, 0.6)),
    ):
        subjects = group(pages, keys, _undecided(labels))
        _fill(labels, decide(ladder.sure, subjects.subjects, View.TYPE, part), subjects)
    by_place = lists_above_products(dict(zip(pages.templates, labels, strict=True)), taxonomy)
    labels = [label or by_place.get(one) for label, one in zip(labels, pages.templates, strict=True)]
    subjects = group(pages, pages.templates, _undecided(labels))
    _fill(
        labels,
        decide(ladder.judging, subjects.subjects, View.TYPE, SubProgress(progress, 0.6, 1.0)),
        subjects,
    )
    _correct(labels, pages, ladder, View.TYPE)
    return labels


def decide_themes(
    pages: LabelPages, types: PageDecisions, taxonomy: Taxonomy, ladder: Ladder, progress: Progress
) -> PageDecisions:
    """Decide a theme for each page that can have one; pages that serve a function have none, by rule."""
    functional = {one.name for one in taxonomy.types if one.functional}
    labels: PageDecisions = [_no_theme(kind, functional) for kind in types]
    subjects = theme_subjects(pages, _undecided(labels))
    _fill(labels, decide((*ladder.sure, *ladder.judging), subjects.subjects, View.THEME, progress), subjects)
    _correct(labels, pages, ladder, View.THEME)
    return labels


def _no_theme(kind: Label | None, functional: Collection[str]) -> Label | None:
    if kind is None or kind.value not in functional:
        return None
    evidence = f"pages of type {kind.value} serve a function and have no theme"
    return Label(NO_THEME, kind.rung, kind.score, kind.margin, evidence)


def _correct(labels: PageDecisions, pages: LabelPages, ladder: Ladder, view: View) -> None:
    """Put the analyst's corrections over everything: of a page, then of its template."""
    for index, (url, template) in enumerate(zip(pages.urls, pages.templates, strict=True)):
        label = ladder.overrides.of(url, template, view)
        labels[index] = label or labels[index]


def _fill(labels: PageDecisions, found: Sequence[Label | None], subjects: Subjects) -> None:
    """Give pages without a label that of their subject."""
    for index, number in enumerate(subjects.of_page.tolist()):
        if labels[index] is None and number >= 0:
            labels[index] = found[number]


def _undecided(labels: PageDecisions) -> np.ndarray:
    return np.array([label is None for label in labels], dtype=bool)
