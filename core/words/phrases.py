"""What sentences call the measures, all users, and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.words.measures import MEASURES

METRIC_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    measure.key: (measure.label, *measure.words) for measure in MEASURES
}
EXTRA_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": (
        "larger", "largest", "bigger", "biggest", "smaller", "smallest", "sized", "populous", "number",
        "numbers", "numbering", "people", "visitors",
        "members", "customers", "persons", "individuals"),
    "share": (
        "share", "of all users", "of all visitors", "of the users overall", "of everyone",
        "of the whole audience", "of the data set", "share of everyone", "of the total audience",
        "of the user base",
    ),
    "outcome_rate": (
        "buy", "buys", "buying", "purchase", "purchases", "purchasing", "converting", "conversions",
        "made a purchase", "make a purchase", "end in a purchase", "conversion rates", "likely to convert",
        "likely to buy", "completed a purchase", "complete a purchase", "bought", "converted", "purchased",
        "into buyers", "into customers",
    ),
    "outcome_users": (
        "made a purchase", "make a purchase", "users converting", "conversions", "purchases",
        "number of buyers", "completed a purchase", "complete a purchase",
    ),
    "pages_per_session": ("pages each session", "views each session", "pages per visit"),
    "page_views_mean": ("pages each", "page views each", "views each", "pages apiece"),
    "page_views": ("pages",),
    "sessions_mean": (
        "sessions each", "visits each", "sessions apiece", "times each", "returns", "come back", "comes back",
        "came back", "return",
    ),
    "engagement_s_mean": (
        "spend", "spends", "stay", "stays", "engaged for", "on the site", "longer", "longest",
    ),
    "revenue_per_user": (
        "spend per head", "per head", "revenue each", "revenue apiece", "worth per user", "spends",
        "brings in", "bring in", "earns", "earn", "earned",
    ),
    "moved": ("changed their segment", "changed segment", "moved"),
    "moved_share": ("changed their segment", "changed segment", "moved"),
    "distance": ("distance",),
    "lift": ("likely to see", "likely to visit", "likely to view", "as likely", "over-represented"),
}  # fmt: skip
"""What sentences say beside the words that questions are asked in."""
ALL_WORDS: Final = (
    "all users", "all visitors", "the overall",
    "everyone", "the whole data set", "the entire data set", "the data set",
    "the whole site", "the site as a whole", "site-wide", "sitewide", "across the site", "the whole audience",
    "overall", "in total", "altogether", "the average user", "the total",
    "site", "the site", "total site", "site average", "the site average",
)  # fmt: skip
WEAK: Final = frozenset({
    "overall", "in total", "altogether", "the total", "site", "the site", "total site", "site average",
    "the site average",
})  # fmt: skip
"""Words for all users only where no segment is named."""
REST_WORDS: Final = (
    "the rest", "other segments", "the other segments", "all other segments", "any other segment",
    "other users", "the other users", "everyone else", "the others", "other clustered users",
    "other visitors", "the other clustered users", "the remaining users", "users elsewhere",
)  # fmt: skip
PER_USER: Final = {
    "revenue": "revenue_per_user", "sessions": "sessions_mean", "page_views": "page_views_mean",
}  # fmt: skip
"""Measure → the same a user."""
PER_SESSION: Final = {"page_views": "pages_per_session"}
"""Measure → the same a session."""
