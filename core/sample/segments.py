"""The visitors of the made-up shop: eleven kinds that differ in content, in order, or in tempo."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from core.sample.site import DEPARTMENTS, LINKS, Role


@dataclass(frozen=True)
class Segment:
    """One kind of visitor. Numbers are weights or probabilities, seconds or days.

    Args:
        name: What the truth file calls it.
        share: Weight among all visitors.
        landing: Role of a session's first page → weight.
        taste: Role → factor on every link that leads there.
        departments: Department → weight of having it as the favourite; the others weigh 1.
        one_page: Probability of a single page view ever.
        length: Factor on the page views of the others.
        comes_back: Probability that a page view starts another session.
        pace: Median seconds on a page.
        reversal: Probability that a comparison and its guide are seen the other way round: guide first.
        mobile: Share of phones.
        sources: Traffic source → factor on its weight as the first touch.
    """

    name: str
    share: float
    landing: dict[Role, float]
    taste: dict[Role, float] = field(default_factory=dict)
    departments: dict[str, float] = field(default_factory=dict)
    one_page: float = 0.38
    length: float = 1.0
    comes_back: float = 0.08
    pace: float = 24.0
    reversal: float = 0.5
    mobile: float = 0.53
    sources: dict[str, float] = field(default_factory=dict)


_SHOP_DOOR: Final = {Role.HOME: 40.0, Role.DEPARTMENT: 14.0, Role.LIST: 22.0, Role.PRODUCT: 24.0}

_COMPARE_THEN_READ: Final = Segment(
    "compare_then_read", 9, {Role.HOME: 20, Role.COMPARE: 34, Role.LIST: 26, Role.PRODUCT: 20},
    {Role.COMPARE: 9, Role.GUIDE: 4, Role.CART: 0.9, Role.SALE: 0.4, Role.SEARCH: 0.5},
    one_page=0.28, reversal=0.04, mobile=0.48,
)  # fmt: skip
_QUICK_CHECKER: Final = Segment(
    "quick_checker", 9, _SHOP_DOOR,
    {Role.PRODUCT: 1.4, Role.LIST: 1.5, Role.COMPARE: 0.2, Role.GUIDE: 0.2, Role.BLOG: 0.2, Role.SALE: 0.4},
    pace=6.0,
)  # fmt: skip

SEGMENTS: Final[tuple[Segment, ...]] = (
    Segment(
        "deal_hunter", 11, {Role.SALE: 62, Role.HOME: 22, Role.PRODUCT: 16},
        {Role.SALE: 7, Role.PRODUCT: 1.1, Role.CART: 1.3, Role.COMPARE: 0.2, Role.GUIDE: 0.1, Role.BLOG: 0.2},
        pace=15, mobile=0.58, sources={"newsletter": 3.0, "facebook": 2.0, "google cpc": 1.4},
    ),
    Segment(
        "camper", 11, _SHOP_DOOR, {Role.COMPARE: 0.4, Role.SALE: 0.4, Role.CART: 1.1},
        {"tents": 30, "sleeping": 24, "cooking": 18}, one_page=0.33, length=1.1, pace=30,
    ),
    Segment(
        "climber", 8, _SHOP_DOOR, {Role.COMPARE: 0.5, Role.SALE: 0.3, Role.STORE: 4},
        {"climbing": 60, "footwear": 14}, one_page=0.33, pace=27, mobile=0.5, sources={"instagram": 3.0},
    ),
    _COMPARE_THEN_READ,
    replace(_COMPARE_THEN_READ, name="read_then_compare", reversal=0.96),
    _QUICK_CHECKER,
    replace(_QUICK_CHECKER, name="slow_considerer", pace=90.0),
    Segment(
        "loyal_buyer", 7, {Role.HOME: 36, Role.LOGIN: 26, Role.ACCOUNT: 10, Role.LIST: 14, Role.PRODUCT: 14},
        {Role.ACCOUNT: 2.2, Role.LOGIN: 3, Role.CART: 3.0, Role.CHECKOUT: 2.2, Role.SUPPORT: 0.5},
        one_page=0.18, length=1.5, comes_back=0.15, pace=20, mobile=0.46,
        sources={"(direct)": 2.0, "newsletter": 2.5},
    ),
    Segment(
        "support_seeker", 8, {Role.SUPPORT: 66, Role.HOME: 14, Role.LOGIN: 14, Role.STORE: 6},
        {Role.SUPPORT: 8, Role.ACCOUNT: 3, Role.LOGIN: 3, Role.STORE: 2, Role.ABOUT: 3, Role.CART: 0.2},
        one_page=0.4, length=0.9, pace=34, sources={"(direct)": 1.6},
    ),
    Segment(
        "blog_reader", 12, {Role.ARTICLE: 76, Role.BLOG: 14, Role.HOME: 10},
        {Role.ARTICLE: 5, Role.BLOG: 5, Role.GUIDE: 2, Role.CART: 0.1, Role.PRODUCT: 0.4},
        one_page=0.6, length=0.7, comes_back=0.06, pace=40, mobile=0.6, sources={"google organic": 1.8},
    ),
    Segment(
        "searcher", 7, {Role.HOME: 62, Role.SEARCH: 18, Role.PRODUCT: 20},
        {Role.SEARCH: 9, Role.CART: 1.5, Role.CHECKOUT: 1.3, Role.COMPARE: 0.3, Role.LIST: 0.4,
         Role.SALE: 0.3},
        one_page=0.34, pace=18,
    ),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Chances:
    """The table above as arrays, ready for drawing; the first axis is the segment.

    Args:
        share: Cumulative, shape (n_segments,).
        landing: Cumulative over roles, shape (n_segments, n_roles).
        step: Cumulative over the next role, shape (n_segments, n_roles, n_roles).
        department: Cumulative over departments, shape (n_segments, n_departments).
    """

    share: np.ndarray
    landing: np.ndarray
    step: np.ndarray
    department: np.ndarray


def chances() -> Chances:
    """Turn weights into cumulative probabilities."""
    landing = np.array([[segment.landing.get(role, 0.0) for role in Role] for segment in SEGMENTS])
    links = np.array([[LINKS[role].get(to, 0.0) for to in Role] for role in Role])
    taste = np.array([[segment.taste.get(role, 1.0) for role in Role] for segment in SEGMENTS])
    department = [[segment.departments.get(name, 1.0) for name in DEPARTMENTS] for segment in SEGMENTS]
    return Chances(
        share=cumulative(np.array([segment.share for segment in SEGMENTS])),
        landing=cumulative(landing),
        step=cumulative(links[None, :, :] * taste[:, None, :]),
        department=cumulative(np.array(department)),
    )


def cumulative(weights: np.ndarray) -> np.ndarray:
    """Cumulative probabilities over the last axis; the last one is exactly 1."""
    sums = np.cumsum(weights, axis=-1)
    made: np.ndarray = sums / sums[..., -1:]
    return made


def draw(rng: np.random.Generator, cumulative_rows: np.ndarray) -> np.ndarray:
    """Draw one index a row of cumulative probabilities, shape (n, m) → (n,)."""
    chosen: np.ndarray = (rng.random((len(cumulative_rows), 1)) >= cumulative_rows).sum(axis=1)
    return chosen


def per_segment(name: str) -> np.ndarray:
    """One number of every segment, float64 of shape (n_segments,)."""
    return np.array([getattr(segment, name) for segment in SEGMENTS], dtype=float)
