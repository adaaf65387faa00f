"""Which words of a site would name something for its owner, by what its titles say, in any language."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.base.wording import common_ending
from core.labels.page_address import after_host
from core.labels.texts import url_words
from core.labels.words import root_of, roots, words_of

FEWEST_TITLES: Final = 5
"""From which on the titles of a site tell what it says on most pages, and what on none."""
FOLLOWED_BY: Final = 3
"""Different words, said elsewhere too, after one that only ever begins what pages are called: best, buy."""
COMMON: Final = 0.25
"""Share of titles that have those words: what much of a site has tells nothing apart."""
_PART: Final = re.compile(r"\s+[-–—|·•›»]\s+|[|:]\s*")
_HOST: Final = re.compile(r"(?:\w+://)?([^/?#:]+)")


@dataclass(frozen=True)
class TitleWords:
    """What of a site's words says nothing about one of its pages.

    Args:
        hosts: Its domains without subdomain, ending and hyphens, such as ``myshop``.
        brand: Words that the titles of most pages have, or end with.
        openers: Words that only ever begin what pages are called, before different others, and are no part
            of an address by themselves: ``best``, ``buy``.
        titled: All words of titles; None where too few pages have a title of their own, or addresses say
            other words.
    """

    hosts: frozenset[str]
    brand: frozenset[str]
    openers: frozenset[str]
    titled: frozenset[str] | None

    @classmethod
    def of(cls, addresses: Sequence[str], titles: Sequence[str]) -> TitleWords:
        """Of all pages, and of those titles that there are."""
        hosts = frozenset(filter(None, map(_domain, set(map(_host, addresses)))))
        brand = roots([common_ending(titles)])
        if len(titles) < FEWEST_TITLES:
            return cls(hosts, brand, frozenset(), None)
        times = Counter(word for title in titles for word in roots([title]))
        brand |= {word for word, n in times.items() if 2 * n > len(titles)}
        alike = sum(not roots([url_words(address)]).isdisjoint(times) for address in addresses)
        own = 2 * min(len(set(titles)), alike) > len(addresses)
        return cls(hosts, brand, _openers(addresses, titles), frozenset(times) if own else None)

    def is_brand(self, text: str) -> bool:
        """Whether these words are the site's own name."""
        words = roots([text])
        return bool(words) and (words <= self.brand or "".join(words_of(text)) in self.hosts)

    def is_titled(self, text: str) -> bool:
        """Whether a title says one of these words, as none does of folders such as ``/pages/``."""
        return self.titled is None or not roots([text]).isdisjoint(self.titled)

    def is_praise(self, text: str) -> bool:
        """Whether these words do not say of what they are said: ``best``, ``buy``."""
        words = roots([text])
        return bool(words) and words <= self.openers


def _openers(addresses: Sequence[str], titles: Sequence[str]) -> frozenset[str]:
    begins, times = Counter[str](), Counter[str]()
    segments = {part for address in addresses for part in after_host(address).partition("?")[0].split("/")}
    ends = {root_of(words[0]) for words in map(words_of, segments) if len(words) == 1}
    followed: dict[str, Counter[str]] = defaultdict(Counter)
    for words in _parts(titles):
        times.update(words)
        begins[words[0]] += 1
        ends.add(words[-1])
        followed[words[0]].update(words[1:2])
    found = set()
    for word in {word for word in followed if word not in ends and 2 * begins[word] > times[word]}:
        elsewhere = [times[other] for other, n in followed[word].items() if times[other] > n]
        if len(elsewhere) >= FOLLOWED_BY and sum(elsewhere) >= COMMON * len(titles):
            found.add(word)
    return frozenset(found)


def _parts(titles: Sequence[str]) -> Iterator[list[str]]:
    """Words of each part of each title, without numbers and words of grammar."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    for part in (part for title in titles for part in _PART.split(title)):
        plain = [word for word in words_of(part) if word.isalpha() and word not in ENGLISH_STOP_WORDS]
        if plain:
            yield list(map(root_of, plain))


def _host(address: str) -> str:
    found = _HOST.match(address)
    return found.group(1) if found and after_host(address) != address else ""


def _domain(host: str) -> str:
    """``www.my-shop.co.uk`` → ``myshop``: the longest part but the ending."""
    return max(host.split(".")[:-1], key=len, default="").replace("-", "").casefold()
