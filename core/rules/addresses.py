"""Pages as SQL and GA4 find them in a raw export: the address there is not the one that cleaning made of it.

What cleaning does to nearly every address can be repeated by one regular expression (:data:`TAIL`) and lower
case; :func:`key_of` does the same to a canonical page, so that both meet. What cleaning merged (``{id}``,
``{…}``) is a pattern, without the pages that fit it and were left alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from core.base.wording import common_origin
from core.labels.page_address import after_host
from core.rules.conditions import RuleCondition, RuleField
from core.rules.features import RuleFeatures

TAIL: Final = r"(?is)(/(index\.(html?|php))?)*(;(jsessionid|phpsessid|sid)=[^/;]*)?([?#].*)?$"
"""What cleaning cuts off an address: index pages, slashes, session ids, query and fragment."""
GAP: Final = r"[^/?&#]+"
"""What stands where cleaning merged pages."""
_MERGED: Final = re.compile(r"\{[^{}/]*\}")
_PARAMETER: Final = re.compile(r"[?&]([^=&#]+)=")
_SLUG: Final = re.compile(r":[a-z]+|\{[^{}/]*\}")
_PLAIN: Final = "/:?&=+#!"
_ESCAPE: Final = re.compile(r"%[0-9A-F]{2}")


@dataclass(frozen=True)
class PageTest:
    """How the pages of a condition are told from all others, by their keys.

    Args:
        keys: Keys of single pages, as they may be written.
        pattern: Regular expression (RE2) that a key may match instead; empty where there is none.
        but: Keys that match the pattern and are other pages.
        merged: Pages that stand for several addresses.
    """

    keys: tuple[str, ...]
    pattern: str = ""
    but: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()


def key_of(page: str, *, lower: bool = True) -> str:
    """What a canonical page and the raw addresses that became it have in common.

    Args:
        page: Canonical address.
        lower: Whether cleaning lower-cases paths.
    """
    base, asked, query = page.partition("?")
    if "#" in base:
        base, _, route = base.partition("#")
        return f"{key_of(base, lower=lower)}#{route.lower() if lower else route}"
    base = re.sub(TAIL, "", base)
    return (base.lower() if lower else base) + asked + query


def spellings(key: str) -> list[str]:
    """A key as exports write it: decoded, and percent-encoded where that differs."""
    found = [key]
    for safe in ("'()*,;@~[]|$-._", "-._~"):
        base, asked, query = quote(key, safe=f"{_PLAIN}%{safe}").partition("?")
        found.append(_ESCAPE.sub(lambda match: match[0].lower(), base) + asked + query)
    return list(dict.fromkeys(found))


def parameters(pages: Sequence[str]) -> list[str]:
    """Names of query parameters that canonical pages have."""
    return sorted({name for page in pages for name in _PARAMETER.findall(page.partition("#")[0])})


def test_of(condition: RuleCondition, features: RuleFeatures, *, lower: bool = True) -> PageTest:
    """How to tell the pages that a condition counts.

    Args:
        condition: Of a field that counts page views.
        features: The pages, and which belong to the condition.
        lower: Whether cleaning lower-cases paths.

    Raises:
        InputError: If the data have no such page.
    """
    pages = [features.pages[page] for page in features.pages_of(condition)]
    every = {page: key_of(page, lower=lower) for page in features.pages}
    keys = {every[page] for page in pages}
    pattern = _pattern(condition, pages, lower)
    if pattern and {key for key in every.values() if re.search(pattern, key)} == keys:
        return PageTest((), pattern)
    merged = tuple(page for page in pages if _MERGED.search(page))
    single = sorted({every[page] for page in pages if page not in merged})
    wide = "|".join(f"^{_widened(every[page])}$" for page in merged)
    others = set(every.values()) - keys
    but = sorted(key for key in others if wide and re.search(wide, key) and not _MERGED.search(key))
    return PageTest(_spelt(single), wide, _spelt(but), merged)


def _pattern(condition: RuleCondition, pages: Sequence[str], lower: bool) -> str:
    """What the addresses of a folder or a template have in common, to be checked against all pages."""
    origin = common_origin(pages)
    host = re.escape(origin) if origin else "^[a-z]+://[^/]+"
    if condition.field is RuleField.FOLDER:
        folder = condition.value.lower() if lower else condition.value
        return ("^" if origin else "") + host + re.escape(folder)
    if condition.field is RuleField.TEMPLATE:
        path = after_host(condition.value).partition(" (")[0]
        parts = _SLUG.split(key_of(path, lower=lower))
        return ("^" if origin else "") + host + GAP.join(map(re.escape, parts)) + "$"
    return ""


def _widened(key: str) -> str:
    return GAP.join(map(re.escape, _MERGED.split(key)))


def _spelt(keys: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spelt for key in keys for spelt in spellings(key)))
