"""Choose which themes a data set's pages get: the shop's categories, those mined, or the taxonomy's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Final

import numpy as np

from core.base.schema import RESERVED, View
from core.base.settings import Settings
from core.labels.event_classifier import EventClassifier, categories_of
from core.labels.label_settings import (
    SEVERAL,
    LabelClass,
    LabelSettings,
    Taxonomy,
    ThemeSource,
    default_taxonomy,
)
from core.labels.label_types import Label
from core.labels.pages import LabelPages, Subjects, group, theme_subjects
from core.labels.rule_classifier import RuleClassifier, literal_segments
from core.labels.site_themes import mine_themes, modularity, moves_between, neighbours
from core.storage.dataset import Dataset

_MIN_MOVES: Final = 500
"""Fewest moves between pages that can have a theme; with fewer, the order of addresses is used instead."""
_ENOUGH: Final = 0.5
"""With too few moves: least share of page views that must get a shop theme by rules to keep these."""
_MOSTLY: Final = 0.2
"""Least share of the page views that can have a theme on pages of items for their categories to be themes."""
_MOST_CATEGORIES: Final = 60
NONE_FOUND: Final = (
    "This site has no themes of its own that can be told from its addresses and titles: no folder and no "
    "word is on several pages that are seen together, and not on the others"
)


class MinedTheme(Settings):
    """A theme that was mined from the site.

    Args:
        theme: Its name, folders and words.
        share: Share of all page views that its pages have.
    """

    theme: LabelClass
    share: float


class ThemeChoice(Settings):
    """The themes mined from the site, and the taxonomy that is used.

    Args:
        own: The mined themes, used or not, in the order in which they decide; empty if there are none.
        taxonomy: The classes that pages are labelled with.
        mined: Whether the taxonomy's themes are the mined ones, which then replace its own.
    """

    own: tuple[MinedTheme, ...]
    taxonomy: Taxonomy
    mined: bool


def choose_themes(
    dataset: Dataset, pages: LabelPages, types: Sequence[Label | None], settings: LabelSettings
) -> ThemeChoice:
    """Mine themes from the site, and decide whether they or those of the taxonomy are used.

    Where a fifth of the page views that can have a theme are on pages of items whose categories are known,
    these are the site's themes. With ``ThemeSource.AUTO`` and the built-in taxonomy they are used, and mined
    ones if their modularity on the
    moves between pages is higher than that of the shop themes; with too few moves, if rules give less than
    half of the page views a shop theme.

    Args:
        dataset: The cleaned export.
        pages: Its pages.
        types: The type of each page; pages that serve a function have no theme.
        settings: Settings with the taxonomy, and where themes come from.
    """
    functional = {one.name for one in settings.taxonomy.types if one.functional}
    wanted = np.array([kind is None or kind.value not in functional for kind in types], dtype=bool)
    moves = moves_between(dataset.sequences, wanted)
    told = moves.sum() >= 2 * _MIN_MOVES
    moves = moves if told else neighbours(pages.urls, wanted)
    categories = _categories(pages, wanted)
    themes = categories or mine_themes(pages, wanted, moves, literal_segments())
    if not themes:
        return ThemeChoice(own=(), taxonomy=settings.taxonomy, mined=False)
    mined = settings.taxonomy.model_copy(update={"themes": themes})
    subjects = theme_subjects(pages, wanted)
    of_theme = _groups(subjects, mined)
    mine = settings.themes is ThemeSource.MINED
    if settings.themes is ThemeSource.AUTO and settings.taxonomy == default_taxonomy():
        shop = _groups(subjects, settings.taxonomy)
        little = pages.views[shop >= 0].sum() < _ENOUGH * pages.views[wanted].sum()
        better = modularity(of_theme, moves) > modularity(shop, moves) if told else little
        mine = bool(categories or better)
    views = [int(pages.views[of_theme == number].sum()) for number in range(len(themes))]
    total = max(1, int(pages.views.sum()))
    own = tuple(MinedTheme(theme=one, share=seen / total) for one, seen in zip(themes, views, strict=True))
    return ThemeChoice(own=own, taxonomy=mined if mine else settings.taxonomy, mined=mine)


def _categories(pages: LabelPages, wanted: np.ndarray) -> tuple[LabelClass, ...]:
    """The categories of items as themes, those with most page views first; none where few pages have them."""
    single = group(pages, pages.urls, wanted)
    views = Counter[str]()
    for subject in single.subjects:
        views.update(dict.fromkeys(islice(categories_of(subject), 1), subject.views))
    named = merged(
        [
            LabelClass.checked(name=name, descriptions=(name,), words=(name,) * (len(name.split()) < 3))
            for name, _ in views.most_common()
            if name and name.casefold() not in {*map(str.casefold, RESERVED), SEVERAL}
        ]
    )
    enough = views.total() > _MOSTLY * pages.views[wanted].sum()
    return named[:_MOST_CATEGORIES] if enough and len(named) > 1 else ()


def merged(themes: Sequence[LabelClass]) -> tuple[LabelClass, ...]:
    """Merge themes with the same name into one, in the place of the first, with all folders and words."""
    together: dict[str, list[LabelClass]] = {}
    for one in themes:
        together.setdefault(one.name.casefold(), []).append(one)
    return tuple(
        own[0].model_copy(
            update={
                "folders": tuple(dict.fromkeys(folder for one in own for folder in one.folders)),
                "words": tuple(dict.fromkeys(word for one in own for word in one.words)),
            }
        )
        for own in together.values()
    )


def _groups(subjects: Subjects, taxonomy: Taxonomy) -> np.ndarray:
    """Number of the theme that items or rules give each page, int of shape (n_pages,); -1 for none."""
    numbers = {one.name: number for number, one in enumerate(taxonomy.themes)}
    rungs = (EventClassifier(taxonomy), RuleClassifier(taxonomy))
    by_rung = [rung.classify(subjects.subjects, View.THEME) for rung in rungs]
    labels = [event or rule for event, rule in zip(*by_rung, strict=True)]
    found = np.array([-1 if label is None else numbers[label.value] for label in labels] + [-1])
    groups: np.ndarray = found[subjects.of_page]  # pages of no subject have -1, the last
    return groups
