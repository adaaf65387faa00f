"""Which words of a site would name something for its owner, by what its titles say, in any language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.base.wording import common_ending
from core.labels.page_address import after_host
from core.labels.texts import url_words
from core.labels.words import root_of, roots, stem_of, words_of

_FEWEST_TITLES: Final = 5
"""From which on the titles of a site tell what it says on most pages, and what on none."""
ENDED: Final = 3
"""Different parts of addresses or titles that a word ends, from which on it says what they are."""
PARTS: Final = re.compile(r"\s+[-–—|·•›»]\s+|[|:]\s*")
"""What parts a title: dashes, bars and the like."""
_HOST: Final = re.compile(r"(?:\w+://)?([^/?#:]+)")


@dataclass(frozen=True)
class TitleWords:
    """What of a site's words says nothing about one of its pages.

    Args:
        hosts: Its domains without subdomain, ending and hyphens, such as ``myshop``.
        brand: Words that the titles of most pages have, or end with.
        names: Words that by themselves are what something is called, a part of a title or an address: not
            ``best``, nor ``united`` of United States.
        ends: These, and words that end three such parts: ``beds`` of ottoman beds.
        titled: All words of titles; None where too few pages have a title of their own, or addresses say
            other words.
    """

    hosts: frozenset[str]
    brand: frozenset[str]
    names: frozenset[str]
    ends: frozenset[str]
    titled: frozenset[str] | None

    @classmethod
    def of(cls, addresses: Sequence[str], titles: Sequence[str]) -> TitleWords:
        """Of all pages, and of those titles that there are."""
        hosts = frozenset(filter(None, map(_domain, set(map(_host, addresses)))))
        brand = roots([common_ending(titles)])
        parts = {part for text in _parts(addresses, titles) if (part := _roots_in_order(text))}
        names = frozenset(part[0] for part in parts if len(part) == 1)
        ends = names.union(word for word, n in Counter(part[-1] for part in parts).items() if n >= ENDED)
        if len(titles) < _FEWEST_TITLES:
            return cls(hosts, brand, names, ends, None)
        times = Counter(word for title in titles for word in roots([title]))
        brand |= {word for word, n in times.items() if 2 * n > len(titles)}
        alike = sum(not roots([url_words(address)]).isdisjoint(times) for address in addresses)
        own = 2 * min(len(set(titles)), alike) > len(addresses)
        return cls(hosts, brand, names, ends, frozenset(times) if own else None)

    def is_brand(self, text: str) -> bool:
        """Whether these words are the site's own name."""
        words = roots([text])
        return bool(words) and (words <= self.brand or "".join(words_of(text)) in self.hosts)

    def is_titled(self, text: str) -> bool:
        """Whether a title says one of these words, as none does of folders such as ``/pages/``."""
        return self.titled is None or not roots([text]).isdisjoint(self.titled)

    def is_name(self, word: str) -> bool:
        """Whether something on the site is called by this word alone."""
        return roots([word]) <= self.names

    def is_kind(self, word: str) -> bool:
        """Whether it is a name, or says at the end of several what they are."""
        return roots([word]) <= self.ends


def _parts(addresses: Sequence[str], titles: Sequence[str]) -> Iterator[str]:
    """Parts of addresses, and of titles what lies between dashes, bars and the like."""
    for address in addresses:
        yield from map(stem_of, after_host(address).partition("?")[0].split("/"))
    for title in titles:
        yield from PARTS.split(title)


def _roots_in_order(text: str) -> tuple[str, ...]:
    """The words of a part without numbers: that there are 24 beds, or a page 2 of them, is no name."""
    return tuple(root_of(word) for word in words_of(text) if not any(map(str.isdigit, word)))


def _host(address: str) -> str:
    found = _HOST.match(address)
    return found.group(1) if found and after_host(address) != address else ""


def _domain(host: str) -> str:
    """``www.my-shop.co.uk`` → ``myshop``: the longest part but the ending."""
    return max(host.split(".")[:-1], key=len, default="").replace("-", "").casefold()
