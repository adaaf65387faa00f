"""Rung 1: the classifier that decides by the GA4 events that fire on pages: types, and themes by their items.

That an event fires says little: ``add_to_cart`` fires on products and on lists, ``view_item_list`` wherever
products are recommended, ``login`` on the page after it. So an event counts only from a rate per page view
that no other kind of page reaches, and where two types are possible, nothing is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.base.schema import ITEM_CATEGORY, View
from core.labels.label_settings import NAME_CHARACTERS, Taxonomy
from core.labels.label_types import Label, Rung, Subject
from core.labels.page_address import read_address
from core.labels.texts import normalise_text

MIN_VIEWS: Final = 10
"""Page views from which on events per view decide (5 of 10 is 24 to 76 % at 95 %)."""
_MIN_EVENTS: Final = 5
"""Fewest events of a name that count; a handful may be a test by the site's owner."""
_MOST: Final = 0.5
"""Least rate per page view of ``view_item`` or ``view_search_results``: 1 in theory, less what late scripts
and missing consent lose. Where most views have one, most views are of such pages."""
_IMPRESSIONS: Final = 1.5
"""Most ``view_item`` per page view of a product page; more are items of a list, counted when shown."""
_CHECKOUT: Final = 0.3
"""Least rate per page view of the strongest checkout event: some leave before it. A small cart that opens
on any page, or a "buy now" on a product, stays far below."""
_SIGN_IN: Final = 0.2
"""Fewest ``login`` or ``sign_up`` per page view: many who see the login page do not log in, and those who do
are sent to pages that are seen much more often."""
_LIST: Final = 0.5
"""Least rate per page view of ``view_item_list`` on a list, as :data:`_MOST`."""
_SELECT: Final = 0.15
"""Fewest ``select_item`` per page view of a list, where people choose; a carousel of the start page or an
article gets clicks on few views."""
_CLEAR: Final = 2.0
"""Factor by which the rate of the strongest type must exceed the next; so ``view_item`` wins over carts."""

_CHECKOUT_EVENTS: Final = (
    "view_cart", "begin_checkout", "add_shipping_info", "add_payment_info", "purchase",
)  # fmt: skip


@dataclass(frozen=True)
class _Kind:
    """A page type, its events, and the test of their rate per page view."""

    label: str
    events: tuple[str, ...]
    tells: Callable[[float], bool]


_KINDS: Final = (
    _Kind("Product", ("view_item",), lambda share: _MOST <= share <= _IMPRESSIONS),
    _Kind("Search", ("view_search_results",), lambda share: share >= _MOST),
    _Kind("Cart & checkout", _CHECKOUT_EVENTS, lambda share: share >= _CHECKOUT),
    _Kind("Account", ("login", "sign_up"), lambda share: share >= _SIGN_IN),
)


class EventClassifier:
    """Decides page types by the rates of GA4 events, and themes by the shop's categories of their items.

    Args:
        taxonomy: Only its labels are decided.
    """

    rung = Rung.EVENTS

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._names = {one.name for one in taxonomy.types}
        self._themes = {one.name.casefold(): one.name for one in taxonomy.themes}

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Label subjects whose events are of one type alone, or of items in one category, often enough."""
        if view is not View.TYPE:
            return [_theme(subject, self._themes) for subject in subjects]
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
    if label not in names or share < _CLEAR * second:
        return None
    return _label(label, share, second, _evidence(subject, event))


def categories_of(subject: Subject) -> dict[str, int]:
    """Category of items → events on the subject's pages with such items, most first."""
    found = {
        normalise_text(name.removeprefix(ITEM_CATEGORY))[:NAME_CHARACTERS].strip(): events
        for name, events in subject.events.items()
        if name.startswith(ITEM_CATEGORY)
    }
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _theme(subject: Subject, themes: Mapping[str, str]) -> Label | None:
    """The category that most of the events have, if it is a theme."""
    categories = categories_of(subject)
    total = sum(categories.values())
    if total < _MIN_EVENTS:
        return None
    name, events = next(iter(categories.items()))
    if 2 * events <= total or name.casefold() not in themes:
        return None
    evidence = f"items in {name} in {events:,} of {total:,} events"
    return Label(themes[name.casefold()], Rung.EVENTS, events / total, 2 * events / total - 1, evidence)


def _category(subject: Subject) -> Label | None:
    shown, chosen = _share(subject, "view_item_list"), _share(subject, "select_item")
    other = _share(subject, "view_item")
    # a start page shows lists of products as well
    if (
        shown < _LIST
        or chosen < _SELECT
        or chosen < _CLEAR * other
        or not read_address(subject.urls[0]).stems
    ):
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
    """Events per page view; 0 when there are fewer than :data:`_MIN_EVENTS`."""
    count = subject.events.get(event, 0)
    return count / subject.views if count >= _MIN_EVENTS else 0.0


def _evidence(subject: Subject, event: str) -> str:
    return f"{event} {subject.events.get(event, 0):,} times on {subject.views:,} page views"
