"""``Rain jackets | Tarn & Trail`` → ``Rain jackets``: the site's name says nothing of one page."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

SHARE: Final = 0.3
"""Share of a host's distinct titles that begin or end with a name, from which on it is the site's: high
enough for no department of a shop, low enough for a site that has a name a language."""
TITLES: Final = 3
"""Distinct titles that must carry it, so that one or two pages do not make a site."""

_SEPARATOR: Final = re.compile(r"\s+(?:[-–—:•»«/]|::)\s+|\s*[|·]\s*")


def strip_site_name(titles: Sequence[str], hosts: Sequence[str]) -> list[str]:
    """Leave out of each title the names that its host puts at the end or the start of many.

    Args:
        titles: Cleaned titles; empty where there is none.
        hosts: The host of each.

    Returns:
        One title for each; empty if it was the site's name alone.
    """
    by_host: dict[str, set[str]] = defaultdict(set)
    for title, host in zip(titles, hosts, strict=True):
        if title:
            by_host[host].add(title)
    names = {host: site_names(own) for host, own in by_host.items()}
    return [_without(title, names.get(host, set())) for title, host in zip(titles, hosts, strict=True)]


def site_names(titles: Iterable[str]) -> set[str]:
    """Names of one host, in lower case, from its distinct titles."""
    distinct = list(titles)
    counted: Counter[str] = Counter()
    for title in distinct:
        counted.update(set(_ends(title)))
    needed = max(TITLES, SHARE * len(distinct))
    return {name for name, count in counted.items() if name and count >= needed}


def _ends(title: str) -> list[str]:
    """What lies before the first and after the last separator, in lower case; nothing if there is none."""
    cuts = list(_SEPARATOR.finditer(title))
    if not cuts:
        return []
    return [title[: cuts[0].start()].casefold(), title[cuts[-1].end() :].casefold()]


def _without(title: str, names: set[str]) -> str:
    if title.casefold() in names:
        return ""
    cuts = list(_SEPARATOR.finditer(title)) if names else []
    if cuts and title[cuts[-1].end() :].casefold() in names:
        title = title[: cuts[-1].start()]
    elif cuts and title[: cuts[0].start()].casefold() in names:
        title = title[cuts[0].end() :]
    return title.strip()
