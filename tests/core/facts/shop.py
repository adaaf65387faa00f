"""A small demo shop, for what eight users are too few for; made once a process."""

from __future__ import annotations

from functools import cache

from benchmarks.words.demo import Shop, demo_shop
from core.facts.fact_maker import Figures

USERS = 700


@cache
def shop() -> Shop:
    """Some 700 visitors in six segments with edited names; must not be changed."""
    return demo_shop(USERS)


def shop_figures() -> Figures:
    """Facts about them."""
    return Figures(shop().context)
