"""Mask the parts of pages and titles that belong to single users.

First personal places, which merges the pages of all users there; then the titles of these pages, both also by
comparing addresses with titles (``page_text.py``); then the names found so far, wherever else few users saw
them (``rare_text.py``).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Final
from urllib.parse import unquote

from core.ingest.clean.audience import FEW, MIN_OWNERS, PUBLIC, UNLIKELY, Audience, merged, merged_by
from core.ingest.clean.masking import Masking
from core.ingest.clean.page_text import (
    GAP,
    SUBJECT,
    USUAL,
    Part,
    SiteContext,
    Values,
    folder_of,
    forms_of,
    mask_words,
    names_among,
    parts_of,
    rare_is_usual,
    shaped,
    subject,
    title_form,
    words_not_shared,
    words_of,
)
from core.ingest.clean.personal_data import mask, mask_url
from core.ingest.clean.rare_text import known_names, looks_issued, looks_random, mask_names
from core.storage.receipt import Decision

_SEARCHES: Final = frozenset(
    ("q", "query", "search", "s", "k", "ssearch", "search_query", "keyword", "keywords", "term", "text")
)
"""Query parameters that hold what a user typed."""
_SEARCH_FOLDERS: Final = frozenset(
    (
        *("search", "suche", "suchen", "recherche", "buscar", "busqueda", "busca", "pesquisa", "ricerca"),
        *("cerca", "zoeken", "szukaj", "sok", "arama", "hledat", "haku"),
    )
)
"""Folders of a path that are followed by what a user typed."""
_ACCOUNT: Final = frozenset(
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
"""Words in addresses above personal values, in several languages; also with a final ``s``."""
_ISSUED_ODDS, _RANDOM_ODDS, _ACCOUNT_ODDS = 0.5, 2.5, 2.5
"""Log odds added if most values look issued by a program, look random, or stand below an account word."""
_FORM_TITLE, _OWN_TITLE = 0.8, 0.2
"""Shares of personal places whose pages share a title, and whose pages have separate titles."""
_MOST: Final = 0.9
"""Least share of the rare values at a place whose common beginning belongs to the place."""
_OFFERED: Final = 2
"""Fewest owners of an unshared place that is offered to the analyst, though too few for a verdict."""

_HANDLES: Final = "@~"
"""Characters before the name of a user."""
_LEAD: Final = re.compile(r"[@~]|[^\W_]+[-_.+~]+")
_NUMBERS: Final = re.compile(r"^[\d._-]+$")
"""Numeric values (days, orders, page numbers), which stay, but whose subpages are judged together."""


def mask_places(pages: Values, masking: Masking, site: SiteContext) -> dict[str, str]:
    """Find the personal places in the addresses of a site, and mask their values.

    Args:
        pages: Audience of every canonical page.
        masking: Statistics and the analyst's decisions; records the places that are found.
        site: Words, titles and shapes of pages of the site.

    Returns:
        Changed page → masked page.
    """
    split = {page: parts_of(page) for page in pages}
    changed: set[str] = set()
    nodes: list[tuple[list[str], int, str]] = [(list(pages), 0, "")]
    while nodes:
        rows, depth, prefix = nodes.pop()
        for slot, children in _children(rows, depth, split).items():
            audiences = {value: merged(pages[row] for row in below) for value, below in children.items()}
            renamed = _renamed(prefix, slot, audiences, masking, site, children)
            groups: dict[str, list[str]] = defaultdict(list)
            is_kept = prefix + slot + GAP in masking.keep
            for value, below in children.items():
                groups[GAP if is_kept else _NUMBERS.sub("{n}", renamed.get(value, value))] += below
            nodes += [(below, depth + 1, prefix + slot + value) for value, below in groups.items()]
            for value, new in renamed.items():
                changed.update(children[value])
                for row in children[value]:
                    split[row][depth] = slot, new
    return {page: "".join(slot + value for slot, value in split[page]) for page in changed}


def _children(
    rows: Iterable[str], depth: int, split: Mapping[str, list[Part]]
) -> dict[str, dict[str, list[str]]]:
    """Separator after a node → value there → pages below it."""
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
    masking: Masking,
    site: SiteContext,
    children: Mapping[str, Collection[str]],
) -> dict[str, str]:
    """Return the masked form of the values of a node that belong to single users, or to a few."""
    renamed = _by_audiences(prefix, slot, values, masking, site, children)
    if not prefix or _is_search(prefix, slot) or not masking.can_tell:
        return renamed
    return renamed | _by_titles(prefix + slot, values, renamed, masking, site, children)


def _by_titles(
    prefix: str,
    values: Values,
    renamed: Mapping[str, str],
    masking: Masking,
    site: SiteContext,
    children: Mapping[str, Collection[str]],
) -> dict[str, str]:
    """Mask values that few users saw and no title repeats, where rare values are not usual."""
    if GAP not in prefix and rare_is_usual(values.values()):
        return {}
    popular = sum(audience.users >= masking.public for audience in values.values()) >= USUAL
    new: dict[str, str] = {}
    for value, audience in values.items():
        text = renamed.get(value, value)
        published = (popular or value.isalpha()) and _leads_to_named(prefix + value, children[value], site)
        if audience.users >= masking.public or GAP in text or value.startswith("{") or published:
            continue
        titles = site.called(children[value])
        own_title = site.forms.isdisjoint(map(title_form, titles))
        if own_title and _NUMBERS.match(text) and not _is_account(prefix):
            continue
        words = words_not_shared(text, titles, site.public)
        name = audience.rare or GAP in prefix or len(words) >= SUBJECT or not all(map(str.isalpha, words))
        if words and name:
            new[value] = mask_words(text, words)
    return {value: new[value] for value in masking.decide(prefix + GAP, values, new) if value in new}


def _leads_to_named(folder: str, pages: Iterable[str], site: SiteContext) -> bool:
    """Whether a folder holds a page whose title repeats its address."""
    return any(page in site.named and len(page) > len(folder) for page in pages)


def _by_audiences(
    prefix: str,
    slot: str,
    values: Values,
    masking: Masking,
    site: SiteContext,
    children: Mapping[str, Collection[str]],
) -> dict[str, str]:
    name = prefix + slot + GAP
    values = {value: audience for value, audience in values.items() if value and not value.startswith("{")}
    rare = [value for value, audience in values.items() if audience.rare]
    if not (rare or name in masking.mask) or not (masking.can_tell or masking.mask):
        return {}
    if _is_search(prefix, slot):
        return masking.decide(
            name, values, [value for value in rare if not words_of(value).issubset(site.public)]
        )
    renamed = _owned(prefix + slot, values, masking, site, children)
    values = {value: audience for value, audience in values.items() if value not in renamed}
    drawn = [value for value in values if looks_random(value)]
    if all(values[value].alone for value in drawn) and name not in masking.keep:
        renamed |= masking.masked(name, values, drawn)
    if name not in masking.keep or name not in masking.places:
        _offer(name, values, masking)
    if name in masking.keep:
        return renamed
    rare = [value for value in rare if value not in renamed]
    unusual = (value for value in rare if not all(map(site.is_published, children[value])))
    lone = {
        value: masked for value in unusual if (masked := masking.mask_rare(value, values[value])) != value
    }
    return renamed | lone


def _owned(
    prefix: str, values: Values, masking: Masking, site: SiteContext, children: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """Return the masked form of the values after a prefix, where they belong to single users."""
    renamed: dict[str, str] = {}
    is_kept = prefix + GAP in masking.keep
    groups = [(prefix, values)] if is_kept else _groups(prefix, values, masking.mask)
    for front, group in groups:
        left = {value: audience for value, audience in group.items() if value not in renamed}
        odds = masking.tail.log_odds(left.values())
        if math.isfinite(odds):
            odds += _evidence(front, left, children, site)
            odds -= math.log(len(groups)) * (len(group) < len(values))
        if front + GAP in masking.mask or odds > UNLIKELY:
            few = [value for value, audience in left.items() if audience.users <= FEW]
            renamed |= masking.masked(front + GAP, left, few, front.removeprefix(prefix) + GAP)
    return renamed


def _groups(prefix: str, values: Values, mask: Collection[str]) -> list[tuple[str, Values]]:
    """Group values to be judged together, each group with its prefix: all, same beginning, or issued.

    The group of all comes first, unless nearly all rare values begin alike. With more groups, a difference by
    chance is more likely.
    """
    leads: dict[str, dict[str, Audience]] = defaultdict(dict)
    for value, audience in values.items():
        if match := _LEAD.match(value):
            leads[match[0]][value] = audience
    most = max(MIN_OWNERS, _MOST * sum(audience.rare for audience in values.values()))
    groups: list[tuple[str, Values]] = [(prefix, values)]
    for lead, group in leads.items():
        rare = sum(audience.rare for audience in group.values())
        if rare >= MIN_OWNERS or prefix + lead + GAP in mask:
            groups.insert(0 if rare >= most else len(groups), (prefix + lead, group))
    issued = {value: audience for value, audience in values.items() if looks_issued(value)}
    return [*groups, (prefix, issued)] if len(issued) >= MIN_OWNERS else groups


def _is_account(prefix: str) -> bool:
    """Whether a prefix has a word of an account area, or ends with the sign of a handle."""
    words = words_of(prefix)
    return prefix[-1:] in _HANDLES or not _ACCOUNT.isdisjoint(
        words | {word.removesuffix("s") for word in words}
    )


def _evidence(
    prefix: str, values: Values, children: Mapping[str, Collection[str]], site: SiteContext
) -> float:
    """Log odds that values are personal, by their form, their prefix, and the titles of their pages."""
    few = [value for value, audience in values.items() if audience.users <= FEW]
    odds = _ACCOUNT_ODDS * _is_account(prefix)
    for drawn, more in ((looks_issued, _ISSUED_ODDS), (looks_random, _RANDOM_ODDS - _ISSUED_ODDS)):
        odds += more * (2 * sum(map(drawn, few)) > len(few))
    titles = [title for value in few for title in site.called(children[value])]
    if not titles:
        return odds
    alike = sum(title_form(title) in site.forms for title in titles) / len(titles)
    one, own = math.log(_FORM_TITLE / site.alike), math.log(_OWN_TITLE / (1 - site.alike))
    return odds + alike * one + (1 - alike) * own


def _is_search(prefix: str, slot: str) -> bool:
    return slot[1:-1] in _SEARCHES or (slot == "/" and prefix.rpartition("/")[2] in _SEARCH_FOLDERS)


def _offer(name: str, values: Values, masking: Masking) -> None:
    owned = all(audience.alone for audience in values.values())
    if owned and len({audience.first for audience in values.values()}) >= _OFFERED:
        decision = Decision.KEPT if name in masking.keep else Decision.UNDECIDED
        masking.note(name, values, decision)


_MOSTLY: Final = 1 / 3
"""Least share of a page's views of a title that belongs to the page and not to a reader."""
_VERSIONS: Final = 5
"""Most titles of a page that several users saw and that all belong to the page: languages, wordings."""
_COMMON: Final = 0.6
"""Least share of a page's views of a word that belongs to the form of its titles."""
_TOKENS: Final = re.compile(r"\w(?:[\w'’.·-]*\w)?|\s+|[^\w\s]")
_GAPS: Final = re.compile(rf"{re.escape(GAP)}(?:[^\w{{}}]{{0,3}}{re.escape(GAP)})+")


def choose_titles(
    titles: Mapping[str, Values], masking: Masking, site: SiteContext | None = None
) -> dict[str, tuple[str, Audience]]:
    """Choose a masked title for every page, and return it with its audience.

    Args:
        titles: Page → title → its audience.
        masking: Statistics and the analyst's decisions; records the pages whose titles are personal.
        site: Words, titles and shapes of pages of the site.
    """
    site = site or SiteContext()
    chosen = {}
    folders: dict[str, list[Audience]] = defaultdict(list)
    for page, of_page in titles.items():
        folders[folder_of(page)].append(merged(of_page.values()))
    usual = {folder for folder, audiences in folders.items() if rare_is_usual(audiences)}
    for page, of_page in titles.items():
        title = _title(page, of_page, masking)
        audience = of_page.get(title) or merged(of_page.values())
        title = site.beside_end(page, title, partial(masking.mask_rare, audience=audience))
        if folder_of(page) not in usual and f"title of {page}" not in masking.keep:
            title = _echoed(page, title, audience, masking, site.public)
        chosen[page] = (title, audience)
    return chosen


def _echoed(page: str, title: str, audience: Audience, masking: Masking, public: Collection[str]) -> str:
    """Mask the words of a title that the page's address does not repeat, if only few users saw it."""
    if audience.users >= masking.public or not masking.can_tell:
        return title
    common = subject(page, [title], public)
    if sum(map(str.isalpha, common)) >= SUBJECT:
        return title
    plain = unquote(title)
    words = words_not_shared(plain, [page], public)
    if common:
        words = names_among(plain, words)
    masking.kinds["name"] += audience.views * bool(words)
    return mask_words(plain, words) if words else title


def _title(page: str, titles: Values, masking: Masking) -> str:
    whole = merged(titles.values())
    best = max(titles, key=lambda title: (not titles[title].alone, titles[title].views, title))
    name = f"title of {page}"
    several = sum(not audience.alone for audience in titles.values())
    mostly = titles[best].views >= _MOSTLY * whole.views
    usual = not titles[best].alone and (mostly or several <= _VERSIONS)
    if masking.tail.differs(titles.values()) or whole.users > FEW:
        usual = not titles[best].rare and (mostly or several <= _VERSIONS)
    if (whole.alone or usual) and name not in masking.mask:
        return best
    titles_seen = [title for title, audience in titles.items() if audience.alone] or list(titles)
    if not masking.decide(name, titles, titles_seen):
        return best
    form, words = _form(titles, whole)
    masking.names.update(words)
    return form


def _form(titles: Values, whole: Audience) -> tuple[str, set[str]]:
    """Return the common form of a page's titles, with gaps, and the words that fill the gaps."""
    readers: dict[str, list[Audience]] = defaultdict(list)
    for title, audience in titles.items():
        for word in set(_TOKENS.findall(title)):
            readers[word].append(audience)
    common = {
        word for word, audiences in readers.items()
        if not (audience := merged(audiences)).alone and audience.views >= _COMMON * whole.views
    }  # fmt: skip
    forms: dict[str, int] = defaultdict(int)
    for title, audience in titles.items():
        forms[_with_gaps(title, common)] += audience.views
    filled = {
        word
        for title in titles
        for token in _TOKENS.findall(title)
        if token not in common
        for word in words_of(token)
    }
    return max(forms, key=lambda form: (forms[form], form)), filled


def _with_gaps(title: str, common: Collection[str]) -> str:
    tokens = _TOKENS.findall(title)
    text = "".join(token if token in common or not words_of(token) else GAP for token in tokens)
    return _GAPS.sub(GAP, text)


def public_words(texts: Iterable[tuple[str, Audience]], users: int) -> set[str]:
    """Return the words of texts that at least ``users`` users saw."""
    return {word for text, audience in texts if audience.users >= users for word in words_of(text)}


def mask_pages(
    pages: Values, titles: Mapping[str, Values], masking: Masking, known: Collection[str] = frozenset()
) -> tuple[dict[str, str], dict[str, str]]:
    """Mask the values in pages and titles that belong to single users.

    Args:
        pages: Canonical page → its audience.
        titles: Page → title as it was sent → its audience.
        masking: Statistics of the export; receives the places that are found.
        known: Pages that were public in training; numbers in them stay.

    Returns:
        Canonical page → masked page, and masked page → its title, where one was sent.
    """
    usual = shaped(pages, masking.public)
    few = {page for page, audience in pages.items() if audience.users < masking.public} - usual - set(known)
    numbered = {page: mask(page).text if page in few else page for page in pages}
    audiences = merged_by((numbered[page], audience) for page, audience in pages.items())
    plain = _by_page(_masked(titles, SiteContext(shaped=usual), masking), numbered)
    site = _site(audiences, plain, usual, masking)
    renamed = mask_places(audiences, masking, site)
    first = {page: renamed.get(new, new) for page, new in numbered.items()}
    audiences = merged_by((first[page], audience) for page, audience in pages.items())
    plain = _by_page(plain, {new: renamed.get(new, new) for new in plain})
    chosen = choose_titles(plain, masking, site)
    names = known_names(masking.names, site.public)
    second = {page: _without_names(page, audience, names, masking) for page, audience in audiences.items()}
    best: dict[str, tuple[int, str]] = {}
    for page, (title, audience) in chosen.items():
        text = _without_names(title, audience, names, masking)
        best[second[page]] = max(best.get(second[page], (0, "")), (audiences[page].views, text))
    masking.hide(names)
    return {page: second[new] for page, new in first.items()}, {page: best[page][1] for page in best}


def _site(
    pages: Values, titles: Mapping[str, Values], usual: Collection[str], masking: Masking
) -> SiteContext:
    texts = ((title, audience) for of_page in titles.values() for title, audience in of_page.items())
    paths = ((page.partition("?")[0], audience) for page, audience in pages.items())
    public = public_words([*merged_by(texts).items(), *paths], masking.public)
    rare = (page for page, audience in pages.items() if audience.users < masking.public)
    named = {page for page in rare if subject(page, titles.get(page, ()), public)}
    popular = [page for page, audience in pages.items() if audience.users >= PUBLIC]
    return SiteContext(public, titles, named, usual, *forms_of(titles, popular))


def _masked(
    titles: Mapping[str, Values], site: SiteContext, masking: Masking
) -> dict[str, dict[str, Audience]]:
    """Mask patterns of personal data in titles, which are normalised to Unicode NFC."""
    seen = merged_by((title, audience) for of_page in titles.values() for title, audience in of_page.items())
    normal = {title: unicodedata.normalize("NFC", title) for title in seen}
    mask = {title: partial(_plain, audience=audience, masking=masking) for title, audience in seen.items()}
    return {
        page: merged_by(
            (site.beside_end(page, normal[title], mask[title]), audience)
            for title, audience in of_page.items()
        )
        for page, of_page in titles.items()
    }


def _plain(text: str, audience: Audience, masking: Masking) -> str:
    """Mask patterns of personal data in a text; numbers that many users saw stay."""
    return mask_url(text, numbers=audience.users < masking.public).text


def _by_page(titles: Mapping[str, Values], names: Mapping[str, str]) -> dict[str, dict[str, Audience]]:
    pages: defaultdict[str, list[tuple[str, Audience]]] = defaultdict(list)
    for page, of_page in titles.items():
        pages[names[page]] += of_page.items()
    return {page: merged_by(of_page) for page, of_page in pages.items()}


def _without_names(text: str, audience: Audience, names: frozenset[str], masking: Masking) -> str:
    if audience.users >= masking.public or not names:
        return text
    masked = mask_names(text, names)
    masking.kinds["name"] += len(masked.kinds) * audience.views
    return masked.text
