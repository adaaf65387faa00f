"""The rung after the rules: decide page types by the tree of a site's addresses and the flow of its users.

Where many pages lie side by side below a page that leads to them, they are its items and it is their list: a
product and its category in a shop, an article and its section elsewhere. Only the tree of addresses, the form
of names and the steps between pages are read, so it needs no words of any language. It abstains where a site
is flat, where items and lists lie side by side under names of one form, where people reach the pages from
elsewhere, and on a whole site where more reliable rungs disagree.
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
from core.labels.templates import SLUGS, is_generated

_STEPS: Final = 20
"""Fewest steps whose shares are used; with fewer, the tree alone decides."""
_REACHED: Final = 0.1
"""Least share of the steps to items that come from the lists above them. Users who compare go from item to
item, others come from the search; pages reached from their list less than this are not its items."""
_LEADS: Final = 0.5
"""Least share of the steps from a list that lead to products; from an article or a search fewer do."""
_STRANGERS: Final = 0.1
"""Most share of items that more reliable rungs decided to be neither item nor list, such as policies."""
_AGREES: Final = 0.95
"""Least share of a site's pages decided by more reliable rungs on which structure must agree."""
_KNOWN: Final = 5
"""Fewest such pages for that check; with fewer, structure is not checked."""
_CLEAR: Final = 2.0
"""Factor by which steps to the cart must be more frequent from items for sale than from other pages (without
carts and lists), since a shop also has pages of, say, events."""
_BUYING: Final = "Cart & checkout"
_SELLING, _TELLING = ("Product", "Category"), ("Article", "Section")
"""Page types of an item and its list on a site that sells, and on other sites."""

_Node: TypeAlias = tuple[str, ...]
"""A node of the tree: the host, then path segments in the form of :func:`core.labels.words.stem_of`."""
_Decided: TypeAlias = Sequence[Label | None]


@dataclass(frozen=True)
class _Site:
    """The pages of one host as a tree.

    Args:
        pages: Node → its pages (several by language or query); a folder that is no page is absent.
        names: Node → names directly below it.
    """

    pages: Mapping[_Node, Sequence[int]]
    names: Mapping[_Node, Sequence[str]]

    def is_list(self, node: _Node) -> bool:
        """Whether several pages lie below a node; a single one is a part of the page."""
        return len(self.names.get(node, ())) > 1

    def above(self, node: _Node) -> list[_Node]:
        """The pages above a node, the nearest first, without the start page."""
        return [node[:depth] for depth in range(len(node) - 1, 1, -1) if node[:depth] in self.pages]

    def groups(self) -> Iterator[list[_Node]]:
        """Groups of items at one depth of one section of the site, each of at least :data:`SLUGS` items.

        A name that recurs under other folders (``/…/reviews``) is a part of a page, no item.
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
                and (is_generated(node[-1]) or not lists)
                and self.above(node)
            ]
            if len(items) >= SLUGS and not any(is_generated(node[-1]) for node in lists):
                yield items


def structure_types(pages: LabelPages, decided: _Decided, taxonomy: Taxonomy) -> list[Label | None]:
    """Decide types of pages that more reliable rungs left undecided.

    Args:
        pages: The pages, with the steps between them if known.
        decided: Label of each page by more reliable rungs.
        taxonomy: Only its types are decided.

    Returns:
        Label of each page; None where it abstains, and where ``decided`` has a label.
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
    """Label lists on a flat site: pages that lead to many products, which are known by events."""
    told = (Rung.EVENTS, _SELLING[0])
    shown = np.array([label is not None and (label.rung, label.value) == told for label in decided], bool)
    if pages.steps is None or not shown.any():
        return {}
    out, to = pages.steps.sum(axis=1), pages.steps[:, shown]
    share, fan = to.sum(axis=1) / np.maximum(out, 1), np.diff(to.tocsr().indptr)
    found = {}
    for page in np.flatnonzero((out >= _STEPS) & (share >= _LEADS) & (fan >= SLUGS)).tolist():
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
    """Labels by structure of some items and the lists above them, whatever other rungs decided."""
    below = Counter(chain.from_iterable(map(site.above, items)))
    own, above = _pages(items, site), _pages(below, site)
    pair = _pair(own, above, site, pages, decided) if _SELLING[0] in names else _TELLING
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
    """Types of items and of their lists: for sale if an item is known to be or they lead to the cart.

    Items that a shop does not sell (events, recipes, clubs) get no type: empty.
    """
    everything = _pages(site.pages, site)
    buying = [page for page in everything if (label := decided[page]) and label.value == _BUYING]
    if any(label.value == _SELLING[0] for label in map(decided.__getitem__, items) if label):
        return _SELLING
    if not buying:
        return _TELLING
    others = sorted({*everything}.difference(items, lists, buying))
    from_items, from_others = (_share_out(pages, start, buying) for start in (items, others))
    if from_items is None or from_others is None:
        return _SELLING
    return _SELLING if 0 < from_items >= _CLEAR * from_others else ()


def _share(pages: LabelPages, start: Sequence[int], to: Sequence[int]) -> float | None:
    """Share of the steps to pages ``to`` that come from ``start``; None with fewer than :data:`_STEPS`."""
    if pages.steps is None:
        return None
    into = pages.steps[:, to].sum(axis=1)
    return float(into[start].sum() / into.sum()) if into.sum() >= _STEPS else None


def _share_out(pages: LabelPages, start: Sequence[int], to: Sequence[int]) -> float | None:
    """Share of the steps from pages ``start`` that lead to ``to``; None with fewer than :data:`_STEPS`."""
    if pages.steps is None:
        return None
    out = pages.steps[start, :].sum(axis=0)
    return float(out[to].sum() / out.sum()) if out.sum() >= _STEPS else None


def _agrees(told: Mapping[int, Label], decided: _Decided) -> bool:
    kinds = {*_SELLING, *_TELLING}
    known = [(one.value, label.value) for page, one in told.items() if (label := decided[page])]
    alike = [one == other for one, other in known if other in kinds]
    return len(alike) < _KNOWN or sum(alike) >= _AGREES * len(alike)


def _pages(nodes: Iterable[_Node], site: _Site) -> list[int]:
    return [page for node in nodes for page in site.pages[node]]


def _path(node: _Node) -> str:
    return "/" + "/".join(node[1:])
