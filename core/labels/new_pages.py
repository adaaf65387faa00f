"""Pages that the training never saw, labelled one by one in memory: by what is sure of each alone.

An export is labelled as a whole: templates, a site's tree and models decide there what rules leave open. A
single page at a door has none of that; what its title and address do not tell stays unknown.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import pandas as pd

from core.base.progress import silent
from core.base.schema import PageEvents, Pages
from core.labels.label_settings import UNKNOWN, LabelSettings
from core.labels.ladder import PageDecisions, decide_themes, decide_types, sure_rungs
from core.labels.pages import read_pages
from core.labels.rule_classifier import literal_segments

KEPT: Final = 10_000
"""Labels that are remembered."""


class NewPages:
    """The lower rungs of the ladder, ready for single pages.

    Args:
        settings: Taxonomy and corrections with which the model was trained.
    """

    def __init__(self, settings: LabelSettings) -> None:
        self._taxonomy, self._ladder = settings.taxonomy, sure_rungs(settings)
        self._decided = lru_cache(KEPT)(self._decide)

    def label(self, page: str, title: str | None) -> tuple[str, str]:
        """Theme and type of a page.

        Args:
            page: Canonical.
            title: What it is called, if anybody said.
        """
        return self._decided(page, title)

    def _decide(self, page: str, title: str | None) -> tuple[str, str]:
        frame = {Pages.PAGE_LOCATION: [page], Pages.PAGE_TITLE: [title], Pages.VIEWS: [1], Pages.USERS: [1]}
        no_events = pd.DataFrame(columns=[PageEvents.PAGE, PageEvents.EVENT_NAME, PageEvents.EVENTS])
        alone = read_pages(pd.DataFrame(frame), no_events, literal=literal_segments())
        types = decide_types(alone, self._taxonomy, self._ladder, silent)
        themes = decide_themes(alone, types, self._taxonomy, self._ladder, silent)
        return _name(themes), _name(types)


def _name(decided: PageDecisions) -> str:
    [label] = decided
    return label.value if label else UNKNOWN
