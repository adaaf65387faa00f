"""Rung 1: GA4 events that fire on the pages of a template → what the pages are for.

Only how often an event fires for each page view tells: ``add_to_cart`` fires on products and on lists,
``view_item_list`` wherever products are recommended, ``login`` on the page after it. So an event counts from
a share on that only the page it is meant for reaches, and where two kinds of page could be meant, nothing is
decided.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from core.base.schema import View
from core.labels.label_settings import Taxonomy
from core.labels.label_types import Label, Rung, Subject
from core.labels.page_address import read_address

MIN_VIEWS: Final = 10
"""With fewer page views a share says little (5 of 10 is 24 to 76 % at 95 %)."""
_MIN_EVENTS: Final = 5
"""A handful of events are somebody's test."""
MOST: Final = 0.5
"""``view_item``, ``view_search_results``: one a view by definition, less what late scripts and consent lose.
Where most views have one, most views are of such pages."""
_IMPRESSIONS: Final = 1.5
"""More ``view_item`` than this for a view are items of a list that were counted as they were shown."""
CHECKOUT: Final = 0.3
"""The strongest checkout event: some leave before it fires. A small cart that opens on any page, or a "buy
now" on a product, stays far below."""
_SIGN_IN: Final = 0.2
"""Many who see the login page do not log in; those who do are sent to pages that are seen much more often."""
LIST: Final = 0.5
"""``view_item_list``, for the same reason as :data:`MOST`."""
SELECT: Final = 0.15
"""``select_item`` beside ``view_item_list``: on a list people choose; a carousel of the start page or an
article gets clicks on few views."""
CLEAR: Final = 2.0
"""The strongest kind must be so many times the next; ``view_item`` wins over small carts in that way."""

_CHECKOUT_EVENTS: Final = (
    "view_cart", "begin_checkout", "add_shipping_info", "add_payment_info", "purchase",
)  # fmt: skip


@dataclass(frozen=True)
class _Kind:
    """A type, the events that tell it, and when they do."""

    label: str
    events: tuple[str, ...]
    tells: Callable[[float], bool]


_KINDS: Final = (
    _Kind("Product", ("view_item",), lambda share: MOST <= share <= _IMPRESSIONS),
    _Kind("Search", ("view_search_results",), lambda share: share >= MOST),
    _Kind("Cart & checkout", _CHECKOUT_EVENTS, lambda share: share >= CHECKOUT),
    _Kind("Account", ("login", "sign_up"), lambda share: share >= _SIGN_IN),
)


class EventClassifier:
    """Decides types by the events of GA4; never themes.

    Args:
        taxonomy: Types it does not have are not decided.
    """

    rung = Rung.EVENTS

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._names = {one.name for one in taxonomy.types}

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Decide what fires often enough on one kind of page alone."""
        if view is not View.TYPE:
            return [None] * len(subjects)
        return [_decide(subject, self._names) for subject in subjects]


def _decide(subject: Subject, names: Collection[str]) -> Label | None:
    if subject.views < MIN_VIEWS or not subject.events:
        return None
    found = []
    for kind in _KINDS:
        event = max(kind.events, key=lambda name: subject.events.get(name, 0))
        share = _share(subject, event)
        if kind.tells(share):
            found.append((share, event, kind.label))
    if not found:
        return _category(subject) if "Category" in names else None
    found.sort(reverse=True)
    (share, event, label), second = found[0], found[1][0] if len(found) > 1 else 0.0
    if label not in names or share < CLEAR * second:
        return None
    return _label(label, share, second, _evidence(subject, event))


def _category(subject: Subject) -> Label | None:
    shown, chosen = _share(subject, "view_item_list"), _share(subject, "select_item")
    other = _share(subject, "view_item")
    # a start page shows lists of products as well
    if shown < LIST or chosen < SELECT or chosen < CLEAR * other or not read_address(subject.urls[0]).stems:
        return None
    return _label(
        "Category",
        shown,
        other,
        f"{_evidence(subject, 'view_item_list')}; {_evidence(subject, 'select_item')}",
    )


def _label(value: str, share: float, second: float, evidence: str) -> Label:
    score = min(share, 1.0)
    return Label(value, Rung.EVENTS, score, max(score - min(second, 1.0), 0.0), evidence)


def _share(subject: Subject, event: str) -> float:
    """Events for each page view; 0 when there are too few to tell."""
    count = subject.events.get(event, 0)
    return count / subject.views if count >= _MIN_EVENTS else 0.0


def _evidence(subject: Subject, event: str) -> str:
    return f"{event} {subject.events.get(event, 0):,} times on {subject.views:,} page views"
