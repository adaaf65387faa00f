"""One path template, several kinds of pages: split by what people do there, and by what the pages say.

Addresses alone lump what lies side by side: on a flat site an article, a list and every product are
``/:slug``. Each page is looked at by itself: its own events, its own words, its place in the flow. Where
pages of a template turn out to be of different types, the most frequent type keeps the name, and the others
get it with their type: ``/:slug (Category)``. Corrections play no part, so that of a template finds it again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Final

from core.base.schema import View
from core.labels.event_classifier import MIN_VIEWS, EventClassifier
from core.labels.label_settings import Taxonomy
from core.labels.label_types import Label, Rung
from core.labels.pages import LabelPages, group
from core.labels.rule_classifier import RuleClassifier
from core.labels.structure import structure_types

OTHER: Final = "other"
"""Pages of which neither events nor words nor structure tell the type."""


def split_templates(pages: LabelPages, taxonomy: Taxonomy) -> LabelPages:
    """Split templates of which pages are used differently.

    Args:
        pages: With templates mined from addresses.
        taxonomy: Types that events, rules and structure can tell.
    """
    labels = _by_page(pages, taxonomy)
    members: dict[str, list[int]] = defaultdict(list)
    for page, template in enumerate(pages.templates):
        members[template].append(page)
    templates = list(pages.templates)
    for own in members.values():
        kinds = _kinds([labels[page] for page in own], [int(pages.views[page]) for page in own])
        usual = Counter(kinds).most_common(1)[0][0]
        for page, kind in zip(own, kinds, strict=True):
            templates[page] += f" ({kind})" if kind != usual else ""
    return replace(pages, templates=tuple(templates))


def _by_page(pages: LabelPages, taxonomy: Taxonomy) -> list[Label | None]:
    """What each page's own events, words and place tell, the surest first."""
    single = group(pages, pages.urls)
    rungs = (EventClassifier(taxonomy), RuleClassifier(taxonomy))
    events, rules = (rung.classify(single.subjects, View.TYPE) for rung in rungs)
    labels = [events[at] or rules[at] for at in single.of_page.tolist()]
    return [
        label or other for label, other in zip(labels, structure_types(pages, labels, taxonomy), strict=True)
    ]


def _kinds(labels: list[Label | None], views: list[int]) -> list[str]:
    """The kind of each page of a template.

    A page of which nothing is known is of another kind than those of which something is. Where events tell,
    it must have been seen often enough for them to fire; before that it counts to the most frequent kind.
    """
    enough = MIN_VIEWS if any(label and label.rung is Rung.EVENTS for label in labels) else 0
    kinds = [
        label.value if label else OTHER if seen >= enough else None
        for label, seen in zip(labels, views, strict=True)
    ]
    usual = Counter(kind for kind in kinds if kind).most_common(1)[0][0]
    return [kind or usual for kind in kinds]
