"""Example visitors: what real people did, session by session, without their ids."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from core.report.model import Session, Step, Visitor
from core.report.wording import common_origin, counted, duration, minute, short_address
from core.schema import Pages
from core.sequences import UserSequences

SHOWN_SESSIONS: Final = 3
SHOWN_STEPS: Final = 10


class PageNames:
    """What to call a page: its title, or its address where it has none.

    Args:
        pages: The page table (:class:`core.schema.Pages`), in index order.
    """

    def __init__(self, pages) -> None:  # noqa: ANN001
        self.addresses: list[str] = pages[Pages.PAGE_LOCATION].tolist()
        self.origin = common_origin(self.addresses)
        titles = pages[Pages.PAGE_TITLE]
        self.titles: list[str | None] = titles.where(titles.notna(), None).tolist()

    def address(self, page: int) -> str:
        """The address, without what all addresses share."""
        return short_address(self.addresses[page], self.origin)
