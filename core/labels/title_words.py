"""Which words of a site can name something, judged by how its titles use them, in any language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.base.wording import common_suffix
from core.labels.page_address import after_host
from core.labels.texts import url_words
from core.labels.words import root_of, roots, stem_of, words_of

_MIN_TITLES: Final = 5
"""Fewest titles of a site from which brand words and title words are counted."""
_ENDED: Final = 3
"""Fewest different parts of addresses or titles that end with a word for it to be a kind of thing."""
PARTS: Final = re.compile(r"\s+[-–—|·•›»]\s+|[|:]\s*")
"""Separators within a title: dashes, bars and the like."""
_HOST: Final = re.compile(r"(?:\w+://)?([^/?#:]+)")


@dataclass(frozen=True)
class TitleWords:
    """Words of a site by their role in titles and addresses, in the form of :func:`core.labels.words.roots`.

    Args:
        hosts: Its domains without subdomain, ending and hyphens, such as ``myshop``.
        brand: Words that the titles of most pages have, or end with.
        names: Words that alone are a whole part of a title or address: not ``best``, nor ``united`` of
            United States.
        ends: ``names``, and words that end three different parts: ``beds`` of ottoman beds.
        titled: All words of titles; None if too few pages have a distinct title, or addresses use other
            words.
    """

    hosts: frozenset[str]
    brand: frozenset[str]
    names: frozenset[str]
    ends: frozenset[str]
    titled: frozenset[str] | None

    @classmethod
    def of(cls, addresses: Sequence[str], titles: Sequence[str]) -> TitleWords:
        """Count the words of all addresses and of the titles that exist."""
        hosts = frozenset(filter(None, map(_domain, set(map(_host, addresses)))))
        brand = roots([common_suffix(titles)])
        parts = {part for text in _parts(addresses, titles) if (part := _roots_in_order(text))}
        names = frozenset(part[0] for part in parts if len(part) == 1)
        ends = names.union(word for word, n in Counter(part[-1] for part in parts).items() if n >= _ENDED)
        if len(titles) < _MIN_TITLES:
            return cls(hosts, brand, names, ends, None)
        times = Counter(word for title in titles for word in roots([title]))
        brand |= {word for word, n in times.items() if 2 * n > len(titles)}
        alike = sum(not roots([url_words(address)]).isdisjoint(times) for address in addresses)
        own = 2 * min(len(set(titles)), alike) > len(addresses)
        return cls(hosts, brand, names, ends, frozenset(times) if own else None)

    def is_brand(self, text: str) -> bool:
        """Whether a text is the site's name."""
        words = roots([text])
        return bool(words) and (words <= self.brand or "".join(words_of(text)) in self.hosts)

    def is_titled(self, text: str) -> bool:
        """Whether a title has a word of the text; no title has those of folders such as ``/pages/``."""
        return self.titled is None or not roots([text]).isdisjoint(self.titled)

    def is_name(self, word: str) -> bool:
        """Whether the word alone is a whole part of a title or address."""
        return roots([word]) <= self.names

    def is_kind(self, word: str) -> bool:
        """Whether the word is a name, or ends several names and so says what kind of thing they are."""
        return roots([word]) <= self.ends


def _parts(addresses: Sequence[str], titles: Sequence[str]) -> Iterator[str]:
    """Segments of addresses, and parts of titles between dashes, bars and the like."""
    for address in addresses:
        yield from map(stem_of, after_host(address).partition("?")[0].split("/"))
    for title in titles:
        yield from PARTS.split(title)


def _roots_in_order(text: str) -> tuple[str, ...]:
    """Roots of a part's words in order, without numbers, such as the count in "24 beds"."""
    return tuple(root_of(word) for word in words_of(text) if not any(map(str.isdigit, word)))


def _host(address: str) -> str:
    found = _HOST.match(address)
    return found.group(1) if found and after_host(address) != address else ""


def _domain(host: str) -> str:
    """Domain of a host: the longest part before the ending, ``www.my-shop.co.uk`` → ``myshop``."""
    return max(host.split(".")[:-1], key=len, default="").replace("-", "").casefold()
