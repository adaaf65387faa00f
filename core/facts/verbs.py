"""How each measure is said: what a row has, and what it does more or less than another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.differences.user_items import Family
from core.facts.items import ItemMetric
from core.profiles.profile_columns import Col

RULE_USERS, PRECISION, RECALL = "rule_users", "rule_precision", "rule_recall"
"""Measures of a rule, of which the item is the rule."""
FUNNEL_USERS, FUNNEL_SHARE, FUNNEL_LOST = "funnel_users", "funnel_share", "funnel_lost"
"""Measures of a funnel, of which the item is the way so far."""
LIKE, LIKE_IN = "look_alikes", "look_alikes_in"
"""Users who are like those of a row, in all and by where they are."""
WHEN_DAY, WHEN_HOUR, CAME, AGAIN = "when:weekday", "when:hour", "came", "again"
"""Measures over the data, of which the item is a weekday, an hour, or a day or week."""
NOT: Final = "not_"
"""What a measure begins with that counts who did *not* see an item, or have it."""
HAS: Final = {
    Col.SHARE: "{} of all users",
    Col.SHARE_CLUSTERED: "{} of the clustered users",
    Col.PAGE_VIEWS_MEDIAN: "a median of {} page views",
    Col.ENGAGEMENT_NONE_SHARE: "no engagement time for {} of the users",
    Col.ENGAGEMENT_MEAN: "an engagement time of {} a user",
    Col.ENGAGEMENT_MEDIAN: "a median engagement time of {}",
    Col.OUTCOME_RATE: "an outcome rate of {}",
    Col.SESSION_RATE: "an outcome rate of {} of the sessions",
    Col.REVENUE: "gross revenue of {}",
    Col.NET_REVENUE: "net revenue of {}",
    Col.REVENUE_PER_USER: "gross revenue of {} a user",
    "segments": "{} segments",
    LIKE: "{} look-alikes among the other clustered users",
    "moved": "{} users that changed their segment",
    "moved_share": "{} of the clustered users that changed",
}
"""Measure → what a row has; the value stands at ``{}``. What is counted is said by its label."""

MORE: Final = {
    Col.USERS: ("count", "more users", "fewer users"),
    Col.PAGE_VIEWS_MEAN: ("view", "more pages a user", "fewer pages a user"),
    Col.PAGE_VIEWS_MEDIAN: ("have", "a higher median of page views", "a lower median of page views"),
    Col.SESSIONS_MEAN: ("come", "back more often", "back less often"),
    Col.PAGES_PER_SESSION: ("view", "more pages a session", "fewer pages a session"),
    Col.DIFFERENT_PAGES_MEAN: ("see", "more different pages a user", "fewer different pages a user"),
    Col.ENGAGEMENT_MEAN: ("spend", "more time on the site", "less time on the site"),
    Col.OUTCOME_RATE: ("convert", "more often", "less often"),
    Col.SESSION_RATE: ("convert", "in more of the sessions", "in fewer of the sessions"),
    Col.REVENUE: ("bring", "in more gross revenue", "in less gross revenue"),
    Col.NET_REVENUE: ("bring", "in more net revenue", "in less net revenue"),
    Col.REVENUE_PER_USER: ("bring", "in more gross revenue a user", "in less gross revenue a user"),
}  # fmt: skip
"""Measure → verb of several, and what follows it where the first is higher or lower; then ``than``."""

DO: Final[Mapping[str, str]] = {
    Family.PAGE: "saw", Family.FOLDER: "saw a page in", Family.WORD: "saw a page about",
    Family.TEMPLATE: "saw a page like", Family.THEME: "saw the theme", Family.TYPE: "saw the page type",
    Family.ENTRY: "began a session with", Family.EXIT: "ended a session with", Family.BROWSER: "mostly use",
    Family.DEVICE: "are mostly on", Family.COUNTRY: "are mostly from", Family.SOURCE: "first came from",
    Family.HOUR: "first came, by UTC, at",
    Family.WEEKDAY: "first came, by UTC, on a", Family.OUTCOME: "had the outcome",
    Family.INTEREST: "mostly saw", Family.STAGE: "got as far as", Family.RHYTHM: "are", Family.LEVEL: "are",
}  # fmt: skip
"""What users do with an item; a user has one device, browser and country: the one of most events."""

DO_NOT: Final[Mapping[str, str]] = {
    Family.PAGE: "did not see", Family.THEME: "did not see the theme",
    Family.TYPE: "did not see the page type", Family.BROWSER: "do not mostly use",
    Family.DEVICE: "are not mostly on", Family.COUNTRY: "are not mostly from",
    Family.SOURCE: "did not first come from",
}  # fmt: skip
"""What the others do not."""

OF: Final[Mapping[str, str]] = {Family.THEME: "the theme ", Family.TYPE: "the page type "}
"""What stands before an item that page views are of."""

LISTED: Final[dict[str, str]] = {
    ItemMetric.USERS: "{items} of {row} with most users",
    ItemMetric.SHARE: "{items} of {row}, by share of users",
    ItemMetric.LIFT: "{items} that set {row} apart (times the others' share of users)",
    ItemMetric.VIEWS: "{items} that {row} viewed most, by page views",
    ItemMetric.VIEW_SHARE: "{items} that {row} viewed most, by share of page views",
    ItemMetric.VIEW_LIFT: "{items} that set {row} apart (times the others' share of page views)",
    "not_users": "{items} of {row}, by number of users without them",
    "not_share": "{items} of {row}, by share of users without them",
}
"""What stands before a list of items."""


def verb(word: str, *, plural: bool) -> str:
    """``have`` or ``has``, ``convert`` or ``converts``."""
    if plural:
        return word
    return "has" if word == "have" else f"{word}s"
