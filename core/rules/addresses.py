"""Pages as SQL and GA4 find them in a raw export: the address there is not the one that cleaning made of it.

What cleaning does to nearly every address can be repeated by one regular expression (:data:`TAIL`) and lower
case; :func:`key_of` does the same to a canonical page, so that both meet. What cleaning merged (``{id}``,
``{…}``) is a pattern, without the pages that fit it and were left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from core.base.wording import common_origin
from core.labels.page_address import after_host
from core.rules.conditions import RuleCondition, RuleField

TAIL: Final = r"(?is)(/(index\.(html?|php))?)*(;(jsessionid|phpsessid|sid)=[^/;]*)?([?#].*)?$"
"""What cleaning cuts off an address: index pages, slashes, session ids, query and fragment."""
GAP: Final = r"[^/?&#]+"
"""What stands where cleaning merged pages."""
_MERGED: Final = re.compile(r"\{[^{}/]*\}")
_PARAMETER: Final = re.compile(r"[?&]([^=&#]+)=")
_SLUG: Final = re.compile(r":[a-z]+|\{[^{}/]*\}")
_UNENCODED: Final = (None, "/:?&=+#!%'()*,;@~[]|$-._", "/:?&=+#!%-._~")
"""Ways to write an address: decoded, as a browser sends it, and as programs do."""
_ESCAPE: Final = re.compile(r"%[0-9A-F]{2}")


@dataclass(frozen=True)
class PageTest:
    """How the pages of a condition are told from all others, by their keys.

    Args:
        keys: Keys of single pages, as they may be written.
        patterns: Regular expressions (RE2) of which a key may match one instead.
        but: Keys that match a pattern and are other pages.
        merged: Pages that stand for several addresses.
    """

    keys: tuple[str, ...]
    patterns: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()


def key_of(page: str, *, lower: bool = True) -> str:
    """What a canonical page and the raw addresses that became it have in common.

    Args:
        page: Canonical address.
        lower: Whether cleaning lower-cases paths.
    """
    base, asked, query = page.partition("?")
    base, route_mark, route = base.partition("#")
    path = re.sub(TAIL, "", base) + route_mark + route
    return (path.lower() if lower else path) + asked + query


def spellings(key: str) -> list[str]:
    """A key as exports write it: decoded, and percent-encoded where that differs."""
    plain = key.replace("%3b", ";")  # which cleaning encodes
    return list(dict.fromkeys([key, *(_spelt(plain, signs) for signs in _UNENCODED)]))


def parameters(pages: Iterable[str]) -> list[str]:
    """Names of query parameters that canonical pages have."""
    return sorted({name for page in pages for name in _PARAMETER.findall(page.partition("#")[0])})


def page_test(
    condition: RuleCondition, pages: Sequence[int], keys: Sequence[str], addresses: Sequence[str]
) -> PageTest:
    """How to tell the pages that a condition counts.

    Args:
        condition: Of a field that counts page views.
        pages: Those pages.
        keys: Key of each page of the data, by page index.
        addresses: Canonical address of each.
    """
    own = {keys[page] for page in pages}
    pattern = _pattern(condition, [addresses[page] for page in pages])
    if pattern and {key for key in keys if re.search(pattern, key)} == own:
        return PageTest((), (pattern,))
    merged = [page for page in pages if _MERGED.search(addresses[page])]
    single = sorted(own - {keys[page] for page in merged})
    wide = tuple(alike for page in merged for alike in _widened(keys[page]))
    either = re.compile("|".join(wide) or "(?!)")
    others = {key for key in keys if either.search(key) and not _MERGED.search(key)} - own
    return PageTest(
        tuple(spelt for key in single for spelt in spellings(key)),
        wide,
        tuple(spelt for key in sorted(others) for spelt in spellings(key)),
        tuple(addresses[page] for page in merged),
    )


def _pattern(condition: RuleCondition, pages: Sequence[str]) -> str:
    """What the addresses of a folder or a template have in common; to be checked against all pages."""
    origin = common_origin(pages)
    host = f"^{re.escape(origin)}" if origin else "^[a-z]+://[^/]+"
    if condition.field is RuleField.FOLDER:
        found = host + re.escape(condition.value)
    elif condition.field is RuleField.TEMPLATE:
        path = key_of(after_host(condition.value).partition(" (")[0], lower=False)
        found = host + GAP.join(map(re.escape, _SLUG.split(path))) + "$"
    else:
        return ""
    return found if found.isascii() else ""  # else it may be percent-encoded


def _widened(key: str) -> list[str]:
    """Patterns of the addresses that cleaning merged into one."""
    parts = _MERGED.split(key)
    spelt = ([re.escape(_spelt(part, signs)) for part in parts] for signs in _UNENCODED)
    return list(dict.fromkeys(f"^{GAP.join(parts)}$" for parts in spelt))


def _spelt(text: str, signs: str | None) -> str:
    """Percent-encoded but for letters, digits and these signs; of the path the codes are in lower case."""
    if signs is None:
        return text
    base, asked, query = quote(text, safe=signs).partition("?")
    return _ESCAPE.sub(lambda match: match[0].lower(), base) + asked + query
