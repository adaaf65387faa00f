"""The rung below the rules: what a site's own tree and flow say its pages are for.

Where many pages lie side by side below a page that leads to them, they are its items and it is their list: a
product and its category in a shop, an article and its section elsewhere. Nothing is read but which address
lies below which, the form of its name, and who went from where to where, so it needs no words of any
language. It abstains where a site is flat, where items and lists lie side by side under names of one form,
where people reach the pages from elsewhere, and on a whole site where surer rungs speak against it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeAlias

import numpy as np

from core.labels.label_settings import Taxonomy
from core.labels.label_types import Label, Rung
from core.labels.page_address import read_address
from core.labels.pages import LabelPages, host_of
from core.labels.templates import SLUGS, is_made

STEPS: Final = 20
"""Fewer steps say nothing of a way; then the tree alone decides."""
_REACHED: Final = 0.1
"""Share of the steps to items that come from the lists above them. Who compares goes from item to item, who
searches comes from the search; pages of which not one in ten is reached from its list are not its items."""
_LEADS: Final = 0.5
"""Share of the steps from a list that lead to products; from an article or a search fewer do."""
_STRANGERS: Final = 0.1
"""Share of pages beside each other that surer rungs know to be neither item nor list, from which on they are
no items: help, policies."""
_AGREES: Final = 0.95
"""Of a site's pages that surer rungs know and structure would decide too, so many must be decided alike."""
KNOWN: Final = 5
"""With fewer such pages nothing is held against it."""
CLEAR: Final = 2.0
"""So many times as often as from other pages (carts and lists left out) people must go to the cart from what
is for sale: a shop tells of events, too."""
_BUYING: Final = "Cart & checkout"
_SELLING, TELLING = ("Product", "Category"), ("Article", "Section")
"""Item and list of a site that sells, and of one that does not."""

_Node: TypeAlias = tuple[str, ...]
"""The host, then segments as rules name them."""
_Decided: TypeAlias = Sequence[Label | None]


@dataclass(frozen=True)
class _Site:
    """The pages of one host as a tree.

    Args:
        pages: Node → its pages (several by language or query); a folder nobody saw has none.
        names: Node → names directly below it.
    """

    pages: Mapping[_Node, Sequence[int]]
    names: Mapping[_Node, Sequence[str]]

    def is_list(self, node: _Node) -> bool:
        """Say whether several pages lie below: one alone is a part of the page."""
        return len(self.names.get(node, ())) > 1

    def above(self, node: _Node) -> list[_Node]:
        """The pages above a node, the nearest first, without the start page."""
        return [node[:depth] for depth in range(len(node) - 1, 1, -1) if node[:depth] in self.pages]

    def groups(self) -> Iterator[list[_Node]]:
        """Items at one depth of one section of the site, where they are as many as make a pattern.

        A name that comes again under other folders (``/…/reviews``) is a part of a page, no item.
        """
        levels: dict[tuple[_Node, int], list[_Node]] = defaultdict(list)
        for node in self.pages:
            levels[node[1:2], len(node)].append(node)
        for level in levels.values():
            lists = [node for node in level if self.is_list(node)]
            times = Counter(node[-1] for node in level)
            items = [
                node
                for node in level
                if times[node[-1]] == 1
                and not self.is_list(node)
                and (is_made(node[-1]) or not lists)
                and self.above(node)
            ]
            if len(items) >= SLUGS and not any(is_made(node[-1]) for node in lists):
                yield items


def structure_types(pages: LabelPages, decided: _Decided, taxonomy: Taxonomy) -> list[Label | None]:
    """Decide what the surer rungs left open.

    Args:
        pages: With steps, where people's ways are known.
        decided: One a page, of the surer rungs.
        taxonomy: Types it does not have are not decided.

    Returns:
        One a page; None where it abstains, and where ``decided`` has a label.
    """
    names = {one.name for one in taxonomy.types}
    found: list[Label | None] = [None] * len(pages)
    for site in _sites(pages.urls):
        told: dict[int, Label] = {}
        for items in site.groups():
            told |= _told(items, site, pages, decided, names)
        if _agrees(told, decided):
            for page, label in told.items():
                found[page] = label
    if _SELLING[1] in names:
        for page, label in _leading(pages, decided).items():
            found[page] = found[page] or label
    return [None if known else label for known, label in zip(decided, found, strict=True)]


def _leading(pages: LabelPages, decided: _Decided) -> dict[int, Label]:
    """Lists on a flat site, where events tell the products: pages that lead to many of them."""
    told = (Rung.EVENTS, _SELLING[0])
    shown = np.array([label is not None and (label.rung, label.value) == told for label in decided], bool)
    if pages.steps is None or not shown.any():
        return {}
    out, to = pages.steps.sum(axis=1), pages.steps[:, shown]
    share, fan = to.sum(axis=1) / np.maximum(out, 1), np.diff(to.tocsr().indptr)
    found = {}
    for page in np.flatnonzero((out >= STEPS) & (share >= _LEADS) & (fan >= SLUGS)).tolist():
        why = f"{share[page]:.0%} of the steps from it lead to {fan[page]:,} products"
        found[page] = Label(_SELLING[1], Rung.STRUCTURE, evidence=why)
    return found


def _sites(urls: Sequence[str]) -> list[_Site]:
    pages: dict[str, dict[_Node, list[int]]] = defaultdict(lambda: defaultdict(list))
    names: dict[str, dict[_Node, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    for page, url in enumerate(urls):
        node = (host_of(url), *read_address(url).stems)
        pages[node[0]][node].append(page)
        for depth in range(1, len(node)):
            names[node[0]][node[:depth]][node[depth]] = None
    return [
        _Site(dict(own), {node: list(below) for node, below in names[host].items()})
        for host, own in pages.items()
    ]


def _told(
    items: Sequence[_Node], site: _Site, pages: LabelPages, decided: _Decided, names: Collection[str]
) -> dict[int, Label]:
    """What structure says of some items and the lists above them, whatever surer rungs decided."""
    below = Counter(chain.from_iterable(map(site.above, items)))
    own, above = _pages(items, site), _pages(below, site)
    pair = _pair(own, above, site, pages, decided) if _SELLING[0] in names else TELLING
    strangers = sum(label.value not in pair for label in map(decided.__getitem__, own) if label)
    reached = _share(pages, above, own)
    if not pair or strangers > _STRANGERS * len(own) or (reached is not None and reached < _REACHED):
        return {}
    way = "" if reached is None else f"; {reached:.0%} of the steps to such pages come from their lists"
    item, listing = pair
    told = [
        (page, item, f"one of {below[nearest]:,} such pages below {_path(nearest)}{way}")
        for node in items
        for nearest in site.above(node)[:1]
        for page in site.pages[node]
    ]
    told += [
        (page, listing, f"{count:,} pages of one kind lie below it{way}")
        for node, count in below.items()
        for page in site.pages[node]
    ]
    return {page: Label(kind, Rung.STRUCTURE, evidence=why) for page, kind, why in told if kind in names}


def _pair(
    items: Sequence[int], lists: Sequence[int], site: _Site, pages: LabelPages, decided: _Decided
) -> tuple[str, ...]:
    """What items and their lists are: for sale, where one is known to be or they lead to the site's cart.

    What a shop does not sell (events, recipes, clubs) has no name here.
    """
    everything = _pages(site.pages, site)
    buying = [page for page in everything if (label := decided[page]) and label.value == _BUYING]
    if any(label.value == _SELLING[0] for label in map(decided.__getitem__, items) if label):
        return _SELLING
    if not buying:
        return TELLING
    others = sorted({*everything}.difference(items, lists, buying))
    from_items, from_others = (_share_out(pages, start, buying) for start in (items, others))
    if from_items is None or from_others is None:
        return _SELLING
    return _SELLING if 0 < from_items >= CLEAR * from_others else ()


def _share(pages: LabelPages, start: Sequence[int], to: Sequence[int]) -> float | None:
    """Share of the steps to some pages that come from others; None where they are few."""
    if pages.steps is None:
        return None
    into = pages.steps[:, to].sum(axis=1)
    return float(into[start].sum() / into.sum()) if into.sum() >= STEPS else None


def _share_out(pages: LabelPages, start: Sequence[int], to: Sequence[int]) -> float | None:
    """Share of the steps from some pages that lead to others; None where they are few."""
    if pages.steps is None:
        return None
    out = pages.steps[start, :].sum(axis=0)
    return float(out[to].sum() / out.sum()) if out.sum() >= STEPS else None


def _agrees(told: Mapping[int, Label], decided: _Decided) -> bool:
    kinds = {*_SELLING, *TELLING}
    known = [(one.value, label.value) for page, one in told.items() if (label := decided[page])]
    alike = [one == other for one, other in known if other in kinds]
    return len(alike) < KNOWN or sum(alike) >= _AGREES * len(alike)


def _pages(nodes: Iterable[_Node], site: _Site) -> list[int]:
    return [page for node in nodes for page in site.pages[node]]


def _path(node: _Node) -> str:
    return "/" + "/".join(node[1:])
