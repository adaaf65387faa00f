"""Personal places in page addresses: positions whose values belong to one user each.

A place is what stands between the same neighbours: a segment below ``/account``, the value of a parameter,
the rest of a segment after ``user-``, a part of a hash route. Pages are read from the left as a tree; where
the children of a node are a personal place (:mod:`core.ingest.clean.crowds`) those of one owner become
``{…}``, and what is below them is looked at together: ``/account/7f3a/orders`` of everybody is one page. What
users type into a search is theirs as well, unless others typed it or all of its words are the site's own.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from core.data.receipt import Decision
from core.ingest.clean.crowds import FEW, FEWEST_OWNERS, UNLIKELY, Crowd, merged
from core.ingest.clean.echoes import (
    SUBJECT,
    USUAL,
    SiteContext,
    rare_is_usual,
    title_form,
    unechoed,
    with_gaps,
)
from core.ingest.clean.found import Found
from core.ingest.clean.page_parts import GAP, Part, Values, parts_of, words_of
from core.ingest.clean.randomness import looks_issued, looks_random

SEARCHES: Final = frozenset(
    ("q", "query", "search", "s", "k", "ssearch", "search_query", "keyword", "keywords", "term", "text")
)
"""Parameters that hold what a user typed."""
SEARCH_FOLDERS: Final = frozenset(
    (
        *("search", "suche", "suchen", "recherche", "buscar", "busqueda", "busca", "pesquisa", "ricerca"),
        *("cerca", "zoeken", "szukaj", "sok", "arama", "hledat", "haku"),
    )
)
"""Folders of a path after which is what a user typed."""
ACCOUNT: Final = frozenset(
    (
        *("account", "my", "me", "user", "customer", "member", "subscriber", "profile", "order", "invoice"),
        *("billing", "payment", "checkout", "booking", "reservation", "return", "rma", "refund", "ticket"),
        *("track", "tracking", "shipment", "redeem", "wishlist", "verify", "verification", "confirm"),
        *("confirmation", "activate", "reset", "password", "login", "invite", "unsubscribe", "token"),
        *("session", "message", "inbox", "draft", "application", "konto", "kunde", "bestellung", "rechnung"),
        *("buchung", "compte", "client", "commande", "facture", "paiement", "cuenta", "cliente", "pedido"),
        *("factura", "pago", "reserva", "conto", "ordine", "fattura", "conta", "bestelling", "factuur"),
    )
)
"""Words above what is somebody's, in a few languages; with an ``s`` as well."""
ISSUED_ODDS, RANDOM_ODDS, ACCOUNT_ODDS = 0.5, 2.5, 2.5
"""Log odds that most values were issued by a program, were drawn by chance, stand below an account's word."""
FORM_TITLE, OWN_TITLE = 0.8, 0.2
"""Shares of personal places whose pages have one title, or titles of their own."""
MOST: Final = 0.9
"""Share of the rare values at a place from which on what they begin with belongs to the place."""
OFFERED: Final = 2
"""Owners from which on a place that nobody shares is offered to the analyst, though too few for a verdict."""

_HANDLES: Final = "@~"
"""Signs before the name of a user."""
_LEAD: Final = re.compile(r"[@~]|[^\W_]+[-_.+~]+")
_NUMBERS: Final = re.compile(r"^[\d._-]+$")
"""Values below which everything is looked at together, though they stay: days, orders, numbers of pages."""


def mask_places(pages: Values, found: Found, site: SiteContext) -> dict[str, str]:
    """Find the personal places of a site.

    Args:
        pages: The crowd of every canonical page.
        found: Takes the places.
        site: What is known of it.

    Returns:
        The pages that change, and what they become.
    """
    split = {page: parts_of(page) for page in pages}
    changed: set[str] = set()
    nodes: list[tuple[list[str], int, str]] = [(list(pages), 0, "")]
    while nodes:
        rows, depth, prefix = nodes.pop()
        for slot, children in _children(rows, depth, split).items():
            crowds = {value: merged(pages[row] for row in below) for value, below in children.items()}
            renamed = _renamed(prefix, slot, crowds, found, site, children)
            groups: dict[str, list[str]] = defaultdict(list)
            kept = prefix + slot + GAP in found.keep
            for value, below in children.items():
                groups[GAP if kept else _NUMBERS.sub("{n}", renamed.get(value, value))] += below
            nodes += [(below, depth + 1, prefix + slot + value) for value, below in groups.items()]
            for value, new in renamed.items():
                changed.update(children[value])
                for row in children[value]:
                    split[row][depth] = slot, new
    return {page: "".join(slot + value for slot, value in split[page]) for page in changed}


def _children(
    rows: Iterable[str], depth: int, split: Mapping[str, list[Part]]
) -> dict[str, dict[str, list[str]]]:
    """What leads further → the values there → the pages below each."""
    slots: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if depth < len(split[row]):
            slot, value = split[row][depth]
            slots[slot][value].append(row)
    return slots


def _renamed(
    prefix: str,
    slot: str,
    values: Values,
    found: Found,
    site: SiteContext,
    children: Mapping[str, Collection[str]],
) -> dict[str, str]:
    """What becomes of the values of one node that belong to one user each, or to a few."""
    renamed = _by_crowds(prefix, slot, values, found, site, children)
    if not prefix or _is_search(prefix, slot) or not found.can_tell:
        return renamed
    return renamed | _by_titles(prefix + slot, values, renamed, found, site, children)


def _by_titles(
    prefix: str,
    values: Values,
    renamed: Mapping[str, str],
    found: Found,
    site: SiteContext,
    children: Mapping[str, Collection[str]],
) -> dict[str, str]:
    """What becomes of the values of a few that no title has, where rare ones are not usual."""
    if GAP not in prefix and rare_is_usual(values.values()):
        return {}
    popular = sum(crowd.users >= found.public for crowd in values.values()) >= USUAL
    new: dict[str, str] = {}
    for value, crowd in values.items():
        text = renamed.get(value, value)
        published = (popular or value.isalpha()) and _leads_to_named(prefix + value, children[value], site)
        if crowd.users >= found.public or GAP in text or value.startswith("{") or published:
            continue
        titles = site.called(children[value])
        own_title = site.forms.isdisjoint(map(title_form, titles))
        if own_title and _NUMBERS.match(text) and not _is_account(prefix):
            continue
        words = unechoed(text, titles, site.public)
        name = crowd.rare or GAP in prefix or len(words) >= SUBJECT or not all(map(str.isalpha, words))
        if words and name:
            new[value] = with_gaps(text, words)
    return {value: new[value] for value in found.decide(prefix + GAP, values, new) if value in new}


def _leads_to_named(folder: str, pages: Iterable[str], site: SiteContext) -> bool:
    """Whether a value is above a page that names itself."""
    return any(page in site.named and len(page) > len(folder) for page in pages)


def _by_crowds(
    prefix: str,
    slot: str,
    values: Values,
    found: Found,
    site: SiteContext,
    children: Mapping[str, Collection[str]],
) -> dict[str, str]:
    name = prefix + slot + GAP
    values = {value: crowd for value, crowd in values.items() if value and not value.startswith("{")}
    rare = [value for value, crowd in values.items() if crowd.rare]
    if not (rare or name in found.mask) or not (found.can_tell or found.mask):
        return {}
    if _is_search(prefix, slot):
        return found.decide(
            name, values, [value for value in rare if not words_of(value).issubset(site.public)]
        )
    renamed = _owned(prefix + slot, values, found, site, children)
    values = {value: crowd for value, crowd in values.items() if value not in renamed}
    drawn = [value for value in values if looks_random(value)]
    if all(values[value].alone for value in drawn) and name not in found.keep:
        renamed |= found.masked(name, values, drawn)
    if name not in found.keep or name not in found.places:
        _offer(name, values, found)
    if name in found.keep:
        return renamed
    rare = [value for value in rare if value not in renamed]
    unusual = (value for value in rare if not all(map(site.is_published, children[value])))
    lone = {value: masked for value in unusual if (masked := found.lone(value, values[value])) != value}
    return renamed | lone


def _owned(
    prefix: str, values: Values, found: Found, site: SiteContext, children: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """What becomes of the values after a prefix where these belong to one user each."""
    renamed: dict[str, str] = {}
    kept = prefix + GAP in found.keep
    groups = [(prefix, values)] if kept else _groups(prefix, values, found.mask)
    for front, group in groups:
        left = {value: crowd for value, crowd in group.items() if value not in renamed}
        odds = found.tail.log_odds(left.values())
        if math.isfinite(odds):
            odds += _evidence(front, left, children, site)
            odds -= math.log(len(groups)) * (len(group) < len(values))
        if front + GAP in found.mask or odds > UNLIKELY:
            few = [value for value, crowd in left.items() if crowd.users <= FEW]
            renamed |= found.masked(front + GAP, left, few, front.removeprefix(prefix) + GAP)
    return renamed


def _groups(prefix: str, values: Values, mask: Collection[str]) -> list[tuple[str, Values]]:
    """Values that may be alike, and what stands before them: all, those that begin alike, the issued ones.

    All come first, unless nearly all rare ones begin alike. The more groups, the more one differs by chance.
    """
    leads: dict[str, dict[str, Crowd]] = defaultdict(dict)
    for value, crowd in values.items():
        if match := _LEAD.match(value):
            leads[match[0]][value] = crowd
    most = max(FEWEST_OWNERS, MOST * sum(crowd.rare for crowd in values.values()))
    groups: list[tuple[str, Values]] = [(prefix, values)]
    for lead, group in leads.items():
        rare = sum(crowd.rare for crowd in group.values())
        if rare >= FEWEST_OWNERS or prefix + lead + GAP in mask:
            groups.insert(0 if rare >= most else len(groups), (prefix + lead, group))
    issued = {value: crowd for value, crowd in values.items() if looks_issued(value)}
    return [*groups, (prefix, issued)] if len(issued) >= FEWEST_OWNERS else groups


def _is_account(prefix: str) -> bool:
    """Whether what follows stands below a word of an account, or is called by a handle."""
    words = words_of(prefix)
    return prefix[-1:] in _HANDLES or not ACCOUNT.isdisjoint(
        words | {word.removesuffix("s") for word in words}
    )


def _evidence(
    prefix: str, values: Values, children: Mapping[str, Collection[str]], site: SiteContext
) -> float:
    """Log odds that values are somebody's by their form, what they stand below, and their pages' titles."""
    few = [value for value, crowd in values.items() if crowd.users <= FEW]
    odds = ACCOUNT_ODDS * _is_account(prefix)
    for drawn, more in ((looks_issued, ISSUED_ODDS), (looks_random, RANDOM_ODDS - ISSUED_ODDS)):
        odds += more * (2 * sum(map(drawn, few)) > len(few))
    titles = [title for value in few for title in site.called(children[value])]
    if not titles:
        return odds
    alike = sum(title_form(title) in site.forms for title in titles) / len(titles)
    one, own = math.log(FORM_TITLE / site.alike), math.log(OWN_TITLE / (1 - site.alike))
    return odds + alike * one + (1 - alike) * own


def _is_search(prefix: str, slot: str) -> bool:
    return slot[1:-1] in SEARCHES or (slot == "/" and prefix.rpartition("/")[2] in SEARCH_FOLDERS)


def _offer(name: str, values: Values, found: Found) -> None:
    owned = all(crowd.alone for crowd in values.values())
    if owned and len({crowd.first for crowd in values.values()}) >= OFFERED:
        decision = Decision.KEPT if name in found.keep else Decision.UNDECIDED
        found.note(name, values, decision)
