"""What sentences call the measures, all users, and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.facts.measures import MEASURES

METRIC_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    measure.key: (measure.label, *measure.words) for measure in MEASURES
}
OTHER: Final = "other"
"""Key of measures that we do not count."""
EXTRA_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": (
        "larger", "largest", "bigger", "biggest", "smaller", "smallest", "large", "big", "small", "sized",
        "populous", "number", "numbers", "numbering", "people", "visitors", "members",
        "customers", "persons", "individuals", "shoppers", "u", "n", "strong", "audience", "reach",
        "user base", "heads", "traffic", "volume", "crowd", "of them in",
    ),
    "share": (
        "share", "of all users", "of all visitors", "of the users overall", "of everyone", "of everybody",
        "of the whole audience", "of the data set", "share of everyone", "of the total audience",
        "of the user base", "of all", "of the total", "of the audience", "proportion", "of our audience",
        "of the whole", "of the base", "of our users", "of the site", "of total", "of the customer base",
    ),
    "outcome_rate": (
        "buy", "buys", "buying", "purchase", "purchases", "purchasing", "converting", "conversions", "conv",
        "made a purchase", "make a purchase", "end in a purchase", "conversion rates", "likely to convert",
        "likely to buy", "completed a purchase", "complete a purchase", "bought", "converted", "purchased",
        "into buyers", "into customers", "rate", "rates", "outcomes", "cr", "order", "ordered", "orders",
        "become buyers", "become customers", "became buyers", "became customers", "placed an order",
        "place an order", "go on to buy", "closing", "buyers", "pay", "pays", "paid", "spend money",
        "spent money", "check out", "checked out", "complete checkout", "completed checkout",
    ),
    "outcome_users": (
        "made a purchase", "make a purchase", "users converting", "conversions", "purchases",
        "number of buyers", "completed a purchase", "complete a purchase", "buyer", "outcomes",
        "ordered", "orders", "purchased", "converter", "became buyers", "became customers", "placed an order",
        "place an order", "paying users",
    ),
    "sessions": ("session", "visit"),
    "pages_per_session": (
        "pages long", "pages deep", "pages each session", "views each session", "depth",
        "deep", "deeper", "deepest",
    ),
    "page_views_mean": ("pages each", "page views each", "views each", "pages apiece", "pv"),
    "page_views": ("pages", "page", "view"),
    "sessions_mean": (
        "sessions each", "visits each", "sessions apiece", "times", "times each", "returns", "come back",
        "comes back", "came back", "coming back", "come by", "comes by", "came by", "return", "drop by",
        "drops by", "dropped by", "frequency", "often", "per-user sessions",
    ),
    "engagement_s_mean": (
        "spend", "spends", "spending", "spent", "stay", "stays", "stayed", "staying", "linger", "lingers",
        "duration", "engaged for", "on the site", "on site", "longer", "longest", "long", "shorter",
        "shortest", "time", "attention", "dwell", "dwell time", "remain", "remains",
    ),
    "revenue_per_user": (
        "spend per head", "per head", "revenue each", "revenue apiece", "worth", "spends", "spend", "spent",
        "brings in", "bring in", "earns", "earn", "earned", "earning", "yields", "yield", "rpu",
        "money", "monetization", "valuable", "spending", "leaves", "leave",
        "out of each user", "till",
    ),
    OTHER: (
        "bounce rate", "bounces", "bounced", "bounce count", "churn", "churn rate", "retention",
        "retention rate", "return rate", "click-through", "click-through rate", "click rate", "ctr", "clicks",
        "impressions", "exit rate", "abandonment", "abandonment rate", "average order value", "aov",
        "order value", "margin", "profit", "open rate", "growth rate", "unsubscribe rate", "scroll depth",
        "add-to-cart rate",
    ),
    "moved": ("changed their segment", "changed segment", "moved"),
    "moved_share": ("changed their segment", "changed segment", "moved"),
    "distance": ("distance",),
    "different_pages_mean": ("of them different", "of which different", "of these different"),
    "share_clustered": (
        "of the clustered users", "of clustered users", "of all clustered users", "of users in segments",
        "of the segmented users", "once one-page users are left out", "without one-page users",
        "leaving out one-page users", "excluding one-page users", "if one-page users are left out",
        "of those that were clustered", "of those clustered", "of the users that were clustered",
    ),
    "engagement_users": (
        "have an engagement time", "have engagement time", "have a known engagement time",
        "with a known engagement time", "users with a measured engagement time",
    ),
    "engagement_none_share": (
        "have no engagement time", "without engagement", "no engagement time",
    ),
    "lift": ("likely to see", "likely to visit", "likely to view", "as likely", "over-represented"),
}  # fmt: skip
"""What sentences say beside the words that questions are asked in."""
ALL_WORDS: Final = (
    "all users", "all visitors", "the overall", "everyone", "everybody", "the whole data set",
    "the entire data set", "the data set", "the whole site", "the site as a whole", "site-wide", "sitewide",
    "across the site", "the whole audience", "overall", "in total", "altogether", "the average user",
    "the total", "a total", "total", "site", "the site", "total site", "site average", "the site average",
    "the average", "on the whole", "taken together", "across the board", "baseline", "the mean",
)  # fmt: skip
WEAK: Final = frozenset({
    "overall", "in total", "altogether", "the total", "a total", "total", "site", "the site", "total site",
    "site average", "the site average", "the average", "on the whole", "taken together", "across the board",
    "baseline", "the mean", "the data set",
})  # fmt: skip
"""Words for all users only where no segment is named."""
ONE_PAGE: Final = "group:one_page"
ONE_PAGE_WORDS: Final = (
    "viewed a single page",
    "viewed one page",
    "viewed only one page",
    "saw a single page",
    "saw only one page",
    "left after one page",
    "a single page",
    "only one page",
    "just one page",
    "one page only",
    "looked at one page",
    "single-page users",
    "one-page visitors",
    "single-page visitors",
)
"""What else says that somebody viewed one page."""
REST_WORDS: Final = (
    "the rest", "other segments", "the other segments", "all other segments", "any other segment",
    "other users", "the other users", "everyone else", "the others", "other clustered users",
    "other visitors", "the other clustered users", "the remaining users", "users elsewhere",
)  # fmt: skip
READ_AS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": ("share", "share_clustered"), "share": ("share_clustered", "users"),
    "sessions": ("sessions_mean",),
    "outcome_users": ("outcome_rate", "outcome_sessions"),
    "outcome_rate": ("outcome_users", "session_rate", "outcome_sessions"),
    "page_views": ("page_views_mean",), "revenue": ("revenue_per_user",),
}  # fmt: skip
"""Measure → what else its name may stand for: how a value is written says which (``12 % of users``)."""
MEDIANS: Final = {
    "page_views": "page_views_median", "page_views_mean": "page_views_median",
    "engagement_s_mean": "engagement_s_median",
}  # fmt: skip
"""Measure → that of the middle user."""
PER_SESSION: Final = {"page_views": "pages_per_session"}
"""Measure → the same a session."""
