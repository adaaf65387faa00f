"""The made-up shop: its pages with addresses, titles and links, and the segments of its visitors.

Every page has a role (what it is for) and most belong to a range: one of 40, five in each of eight
departments. A visitor moves from role to role; the current range decides which page of a role is seen. Eleven
segments differ in content, in order, or in tempo.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

import numpy as np

HOST: Final = "https://www.tarn-and-trail.example"
_SHOP: Final = "Tarn & Trail"

DEPARTMENTS: Final[dict[str, tuple[str, ...]]] = {
    "tents": ("family-tent", "trekking-tent", "tarp", "beach-shelter", "tent-pole"),
    "sleeping": ("sleeping-bag", "sleeping-mat", "camping-pillow", "bag-liner", "hammock"),
    "packs": ("daypack", "trekking-pack", "duffel-bag", "child-carrier", "rain-cover"),
    "jackets": ("rain-jacket", "down-jacket", "softshell", "fleece", "windbreaker"),
    "footwear": ("hiking-boot", "trail-shoe", "approach-shoe", "sandal", "gaiter"),
    "climbing": ("climbing-harness", "climbing-rope", "carabiner", "climbing-shoe", "helmet"),
    "cooking": ("camping-stove", "pot-set", "water-filter", "cool-box", "mug"),
    "cycling": ("pannier", "bikepacking-bag", "bike-light", "bike-tool", "bottle-cage"),
}
_MODELS: Final = ("Fell", "Corrie", "Birch", "Summit", "Drift", "Ember", "Heron", "Lark")
_ARTICLES: Final = (
    "first-weekend-out", "packing-list", "five-quiet-routes", "care-and-repair", "winter-nights",
    "with-children", "what-we-learned", "interview", "the-one-bag-week", "sixty-euro-kit",
)  # fmt: skip
_HELP: Final = (
    "returns", "shipping", "where-is-my-order", "size-chart", "warranty", "payment", "gift-cards", "contact",
    "repair-service", "cancel-order", "invoice", "discount-codes", "newsletter", "privacy", "spare-parts",
    "click-and-collect", "recycling", "feedback", "product-safety",
)  # fmt: skip
_ACCOUNT: Final = ("", "/orders", "/wishlist", "/addresses", "/settings", "/points", "/returns")
_TERMS: Final = (
    "tent", "rain jacket", "boots", "sleeping bag", "stove", "headlamp", "rope", "daypack", "gift", "hammock",
    "water filter", "merino", "poles", "down jacket", "bike bag", "kids", "helmet", "mat", "gaiters", "mug",
)  # fmt: skip
_CITIES: Final = ("hamburg", "berlin", "utrecht", "leeds", "oslo", "lyon", "graz", "bern")
_ABOUT: Final = ("about", "careers", "press", "sustainability", "imprint", "terms", "partners")

PER_DEPARTMENT: Final = 5
N_RANGES: Final = len(DEPARTMENTS) * PER_DEPARTMENT


class Role(IntEnum):
    """Purpose of a page, such as cart or guide."""

    HOME = 0
    DEPARTMENT = 1
    LIST = 2
    PRODUCT = 3
    SALE = 4
    COMPARE = 5
    GUIDE = 6
    ARTICLE = 7
    BLOG = 8
    SUPPORT = 9
    ACCOUNT = 10
    LOGIN = 11
    SEARCH = 12
    CART = 13
    CHECKOUT = 14
    PAYMENT = 15
    CONFIRMATION = 16
    STORE = 17
    ABOUT = 18


# Weights of the next role. A segment multiplies them by its ``taste``.
_LINKS: Final[dict[Role, dict[Role, float]]] = {
    Role.HOME: {
        Role.DEPARTMENT: 24, Role.LIST: 12, Role.PRODUCT: 14, Role.SALE: 12, Role.SEARCH: 11, Role.BLOG: 6,
        Role.COMPARE: 4, Role.GUIDE: 2, Role.SUPPORT: 4, Role.LOGIN: 4, Role.STORE: 3, Role.ABOUT: 2,
        Role.HOME: 2,
    },
    Role.DEPARTMENT: {Role.LIST: 55, Role.PRODUCT: 30, Role.DEPARTMENT: 10, Role.HOME: 5},
    Role.LIST: {
        Role.PRODUCT: 58, Role.LIST: 17, Role.SALE: 4, Role.SEARCH: 5, Role.COMPARE: 5, Role.HOME: 5,
        Role.GUIDE: 2, Role.CART: 2, Role.DEPARTMENT: 2,
    },
    Role.PRODUCT: {
        Role.PRODUCT: 34, Role.LIST: 26, Role.CART: 12, Role.COMPARE: 8, Role.GUIDE: 4, Role.SEARCH: 6,
        Role.HOME: 5, Role.SALE: 4, Role.STORE: 2, Role.SUPPORT: 2,
    },
    Role.SALE: {Role.PRODUCT: 55, Role.SALE: 27, Role.LIST: 8, Role.CART: 4, Role.HOME: 6},
    Role.COMPARE: {Role.GUIDE: 55, Role.PRODUCT: 28, Role.LIST: 12, Role.HOME: 5},
    Role.GUIDE: {Role.PRODUCT: 50, Role.LIST: 20, Role.ARTICLE: 12, Role.COMPARE: 8, Role.HOME: 10},
    Role.ARTICLE: {
        Role.ARTICLE: 45, Role.BLOG: 20, Role.PRODUCT: 12, Role.GUIDE: 8, Role.LIST: 8, Role.HOME: 7,
    },
    Role.BLOG: {Role.ARTICLE: 76, Role.HOME: 12, Role.LIST: 7, Role.GUIDE: 5},
    Role.SUPPORT: {
        Role.SUPPORT: 52, Role.ACCOUNT: 10, Role.LOGIN: 9, Role.STORE: 7, Role.ABOUT: 6,
        Role.HOME: 11, Role.SEARCH: 5,
    },
    Role.ACCOUNT: {
        Role.ACCOUNT: 45, Role.SUPPORT: 12, Role.HOME: 13, Role.LIST: 12, Role.PRODUCT: 10,
        Role.CART: 3, Role.SALE: 5,
    },
    Role.LOGIN: {Role.ACCOUNT: 72, Role.HOME: 15, Role.CART: 13},
    Role.SEARCH: {Role.PRODUCT: 60, Role.SEARCH: 25, Role.LIST: 10, Role.HOME: 5},
    Role.CART: {Role.CHECKOUT: 46, Role.PRODUCT: 22, Role.LIST: 14, Role.CART: 6, Role.HOME: 12},
    Role.CHECKOUT: {Role.PAYMENT: 68, Role.CART: 14, Role.LOGIN: 6, Role.SUPPORT: 4, Role.HOME: 8},
    Role.PAYMENT: {Role.CONFIRMATION: 76, Role.CHECKOUT: 10, Role.CART: 9, Role.HOME: 5},
    Role.CONFIRMATION: {Role.ACCOUNT: 35, Role.HOME: 33, Role.LIST: 20, Role.SUPPORT: 12},
    Role.STORE: {Role.STORE: 42, Role.HOME: 28, Role.SUPPORT: 20, Role.LIST: 10},
    Role.ABOUT: {Role.ABOUT: 32, Role.HOME: 46, Role.SUPPORT: 22},
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Site:
    """All pages of the shop as arrays.

    Args:
        path: n_pages texts, from the slash on, with a query where it is part of the page's address.
        title: n_pages texts.
        role: int8 of shape (n_pages,), the :class:`Role` of each page, ascending.
        first: int32 of shape (n_roles,), index of the first page of a role.
        width: int32 of shape (n_roles,), number of pages of a role in each of its groups, which lie in order.
        group: int32 of shape (n_roles, N_RANGES), index of the group that belongs to a range of products.
        topic: int32 of shape (N_RANGES,), number of the comparison and of the guide about a range.
    """

    path: tuple[str, ...]
    title: tuple[str, ...]
    role: np.ndarray
    first: np.ndarray
    width: np.ndarray
    group: np.ndarray
    topic: np.ndarray


def build_site() -> Site:
    """Build the pages of the shop: some 570, the same every time."""
    pages = {role: _pages_of(role) for role in Role}
    flat = [page for role in Role for page in pages[role]]
    sizes = np.array([len(pages[role]) for role in Role], dtype=np.int32)
    ranges = np.arange(N_RANGES, dtype=np.int32)
    department, topic = ranges // PER_DEPARTMENT, ranges // PER_DEPARTMENT * 2 + ranges % PER_DEPARTMENT % 2
    group = np.zeros((len(Role), N_RANGES), dtype=np.int32)
    group[[Role.LIST, Role.PRODUCT]] = ranges
    group[[Role.DEPARTMENT, Role.ARTICLE]] = department
    group[[Role.COMPARE, Role.GUIDE]] = topic
    return Site(
        path=tuple(path for path, _ in flat),
        title=tuple(title for _, title in flat),
        role=np.repeat(np.arange(len(Role), dtype=np.int8), sizes),
        first=(np.cumsum(sizes) - sizes).astype(np.int32),
        width=(sizes // (group.max(axis=1) + 1)).astype(np.int32),
        group=group,
        topic=topic,
    )


def _pages_of(role: Role) -> list[tuple[str, str]]:
    """``(path, title)`` of every page of a role, groups of ranges one after the other."""
    shelves = [(dept, kind) for dept, kinds in DEPARTMENTS.items() for kind in kinds]
    topics = [_plural(kinds[part]) for kinds in DEPARTMENTS.values() for part in (0, 1)]
    pages: dict[Role, list[tuple[str, str]]] = {
        Role.HOME: [("/", f"{_SHOP} | Outdoor gear, made to be mended")],
        Role.DEPARTMENT: [(f"/shop/{dept}", _title(dept)) for dept in DEPARTMENTS],
        Role.LIST: [(f"/shop/{dept}/{_plural(kind)}", _title(_plural(kind))) for dept, kind in shelves],
        Role.PRODUCT: [
            (f"/shop/{dept}/{_plural(kind)}/{model.lower()}-{kind}", _title(f"{model} {kind}, {dept}"))
            for dept, kind in shelves
            for model in _MODELS
        ],
        Role.SALE: [
            ("/sale", _title("sale")),
            *((f"/sale/{name}", _title(f"{name} sale")) for name in DEPARTMENTS),
        ],
        Role.COMPARE: [(f"/compare/{topic}", _title(f"compare {topic}")) for topic in topics],
        Role.GUIDE: [(f"/guides/choosing-{topic}", _title(f"how to choose {topic}")) for topic in topics],
        Role.ARTICLE: [
            (f"/blog/{dept}/{article}", f'{_words(dept).capitalize()}: "{_words(article)}" | {_SHOP} blog')
            for dept in DEPARTMENTS
            for article in _ARTICLES
        ],
        Role.BLOG: [("/blog", f"Blog | {_SHOP}")],
        Role.SUPPORT: [
            ("/support", _title("support")),
            *((f"/support/{help}", _title(help)) for help in _HELP),
        ],
        Role.ACCOUNT: [(f"/account{part}", _title(f"my account {part[1:]}".strip())) for part in _ACCOUNT],
        Role.LOGIN: [("/account/login", _title("log in"))],
        Role.SEARCH: [(f"/search?q={term.replace(' ', '+')}", _title("search results")) for term in _TERMS],
        Role.CART: [("/cart", _title("your cart"))],
        Role.CHECKOUT: [("/checkout/address", _title("checkout: address"))],
        Role.PAYMENT: [("/checkout/payment", _title("checkout: payment"))],
        Role.CONFIRMATION: [("/ordercompleted", _title("thank you for your order"))],
        Role.STORE: [("/stores", _title("stores")), *((f"/stores/{city}", _title(city)) for city in _CITIES)],
        Role.ABOUT: [(f"/{part}", _title(part)) for part in _ABOUT],
    }
    return pages[role]


def _plural(kind: str) -> str:
    return f"{kind}es" if kind.endswith(("s", "x")) else f"{kind}s"


def _words(slug: str) -> str:
    return slug.replace("-", " ")


def _title(slug: str) -> str:
    return f"{_words(slug).capitalize()} | {_SHOP}"


@dataclass(frozen=True)
class Segment:
    """A kind of visitor: the weights and probabilities by which its visits are drawn.

    Args:
        name: Name in the truth file.
        share: Weight among all visitors.
        landing: Role of a session's first page → weight.
        taste: Role → factor on every link that leads there.
        departments: Department → weight of being the favourite; the others weigh 1.
        one_page: Probability that a visitor has a single page view.
        length: Factor on the number of page views of the other visitors.
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
    """Probabilities of :data:`SEGMENTS` as float64 arrays for :func:`draw`; the first axis is the segment.

    Args:
        share: Cumulative over segments, shape (n_segments,).
        landing: Cumulative over roles, shape (n_segments, n_roles).
        step: Cumulative over the next role, shape (n_segments, n_roles, n_roles).
        department: Cumulative over departments, shape (n_segments, n_departments).
    """

    share: np.ndarray
    landing: np.ndarray
    step: np.ndarray
    department: np.ndarray


def chances() -> Chances:
    """Turn the weights of all segments into cumulative probabilities."""
    landing = np.array([[segment.landing.get(role, 0.0) for role in Role] for segment in SEGMENTS])
    links = np.array([[_LINKS[role].get(to, 0.0) for to in Role] for role in Role])
    taste = np.array([[segment.taste.get(role, 1.0) for role in Role] for segment in SEGMENTS])
    department = [[segment.departments.get(name, 1.0) for name in DEPARTMENTS] for segment in SEGMENTS]
    return Chances(
        share=cumulative(np.array([segment.share for segment in SEGMENTS])),
        landing=cumulative(landing),
        step=cumulative(links[None, :, :] * taste[:, None, :]),
        department=cumulative(np.array(department)),
    )


def cumulative(weights: np.ndarray) -> np.ndarray:
    """Turn weights into cumulative probabilities over the last axis; the last one is exactly 1."""
    sums = np.cumsum(weights, axis=-1)
    cumulated: np.ndarray = sums / sums[..., -1:]
    return cumulated


def draw(rng: np.random.Generator, cumulative_rows: np.ndarray) -> np.ndarray:
    """Draw one index a row of cumulative probabilities, shape (n, m) → (n,)."""
    chosen: np.ndarray = (rng.random((len(cumulative_rows), 1)) >= cumulative_rows).sum(axis=1)
    return chosen


def per_segment(name: str) -> np.ndarray:
    """Return an attribute of every segment by name, float64 of shape (n_segments,)."""
    return np.array([getattr(segment, name) for segment in SEGMENTS], dtype=float)
