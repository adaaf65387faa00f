"""Pages as SQL and GA4 find them in a raw export: the address there is not the one that cleaning made of it.

SQL repeats on every address what cleaning does (``rule_sql.py``), by the regular expressions that stand here;
:func:`key_of` brings a canonical page to the same text, so that both meet. What cleaning merged (``{id}``,
``{…}``) is a pattern, without the pages that fit it and were left alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from core.base.settings import UrlSettings
from core.base.wording import common_origin
from core.labels.page_address import after_host
from core.rules.conditions import RuleCondition, RuleField

EDGES: Final = r"^[\x00-\x20]+|[\t\n\r]|[\x00-\x20]+$"
"""What a browser takes out of an address."""
SESSION: Final = r"(?i);(jsessionid|phpsessid|sid)=[^/;]*"
TAIL: Final = r"(?i)(/(index[.](html?|php))?)+$"
"""What cleaning cuts off a path."""
MERGED_HOST: Final = r"^([a-z]+://)((www|shop)[.])+"
CODES: Final = (
    "(?i)(?:%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}"
    "|%f[0-4](?:%[89ab][0-9a-f]){3})+|%|[^%]+"
)
"""Parts of a text: codes that are letters together, and what stands between them."""
ALIKE: Final = {"\u03c2": "\u03c3", "\u0307": ""}
"""What lower case makes of a letter in Python and not in every database → what stands for both."""
GAP: Final = r"[^/?&#]+"
"""What stands where cleaning merged pages, …"""
_DATE: Final = r"([0-9]{4}(/[0-9]{1,2}){2}|[^/?&#]+)"
_TYPED: Final = "[^&#]+"
"""… where it is a date, and in a query."""
_MERGED: Final = re.compile(
    r"\{(?:…|n|id|date|uuid|key|address|birthdate|card|email|iban|ip|name|phone|token)\}"
)
_SLUG: Final = re.compile(r":[a-z]+|\{[^{}/]*\}")
_SENT_CODED: Final = re.compile("[^\x00-\x7f]+|[\"'<>`{}^|\\\\+]")


@dataclass(frozen=True)
class PageTest:
    """How the pages of a condition are told from all others, by their keys.

    Args:
        keys: Keys of single pages.
        patterns: Regular expressions (RE2) of which a key may match one instead.
        but: Keys that match a pattern and are other pages.
        merged: Pages that stand for several addresses.
        alike: Pages that differ from others only by what is encoded.
    """

    keys: tuple[str, ...]
    patterns: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()


def key_of(page: str, settings: UrlSettings) -> str:
    """What a canonical page and the raw addresses that became it have in common.

    Args:
        page: Canonical address.
        settings: How addresses were cleaned.
    """
    page, route_mark, route = page.partition("#")
    page = re.sub(MERGED_HOST, r"\1", page) if settings.merge_hosts else page
    path, query = _halves(page, settings)
    route, asked = _halves(route, settings)
    return re.sub(TAIL, "", path) + query + route_mark + route.rstrip("/") + asked


def _halves(text: str, settings: UrlSettings) -> tuple[str, str]:
    path, mark, query = text.partition("?")
    path = _decoded(path)
    if settings.lower_path:
        path = path.lower()
        for letter, alike in ALIKE.items():
            path = path.replace(letter, alike)
    return path, mark + "&".join(sorted(map(_decoded, query.split("&"))))


def _decoded(text: str) -> str:
    return re.sub(CODES, lambda match: unquote(match[0]), text)


def parameters(pages: Iterable[str]) -> list[str]:
    """Names of query parameters that canonical pages have; a path may hold ``&`` and ``=``, too."""
    queries = (part.partition("?")[2] for page in pages for part in page.split("#"))
    return sorted({part.partition("=")[0] for query in queries for part in query.split("&")} - {""})


def as_sent(text: str) -> str:
    """A regular expression for a text, whether a browser encoded its signs or not."""
    found, place = "", 0
    for match in _SENT_CODED.finditer(text):
        coded = "%20|%2B" if match[0] == "+" else quote(match[0], safe="")
        found += f"{re.escape(text[place : match.start()])}({re.escape(match[0])}|{coded})"
        place = match.end()
    return found + re.escape(text[place:])


def page_test(
    pages: Sequence[str],
    known: Sequence[str],
    settings: UrlSettings,
    *,
    condition: RuleCondition | None = None,
    literal: Callable[[str], str] = re.escape,
) -> PageTest:
    """How to tell some pages from all others.

    Args:
        pages: Those, by canonical address.
        known: Key of each page of the data.
        settings: How addresses were cleaned.
        condition: What they have in common, if that is it.
        literal: Makes a regular expression of a text.
    """
    own = {page: key_of(page, settings) for page in pages}
    pattern = _pattern(condition, pages, settings, literal) if condition else ""
    if pattern and {key for key in known if re.search(pattern, key)} == set(own.values()):
        return PageTest((), (pattern,))
    merged = {page: key for page, key in own.items() if _MERGED.search(key)}
    wide = tuple(_widened(key, literal) for key in merged.values())
    either = re.compile("|".join(wide) or "(?!)")
    others = {key for key in known if either.search(key) and not _MERGED.search(key)} - set(own.values())
    single = sorted(set(own.values()) - set(merged.values()))
    pages_of, known_of = Counter(own.values()), Counter(known)
    alike = tuple(page for page, key in own.items() if known_of[key] > pages_of[key])
    return PageTest(tuple(single), wide, tuple(sorted(others)), tuple(merged), alike)


def _pattern(
    condition: RuleCondition, pages: Sequence[str], settings: UrlSettings, literal: Callable[[str], str]
) -> str:
    """What the addresses of a folder or a template have in common; to be checked against all pages."""
    origin = common_origin(pages)
    host = f"^{literal(key_of(origin, settings))}" if origin else "^[a-z]+://[^/]+"
    if condition.field is RuleField.FOLDER:
        return host + literal(key_of(f"{condition.value}.", settings).removesuffix("."))
    if condition.field is RuleField.TEMPLATE:
        path = key_of(after_host(condition.value).partition(" (")[0], settings)
        return host + GAP.join(map(literal, _SLUG.split(path))) + "$"
    return ""


def _widened(key: str, literal: Callable[[str], str]) -> str:
    """The pattern of the addresses that cleaning merged into one."""
    queries = key.find("?") % (len(key) + 1)
    found, place = "", 0
    for match in _MERGED.finditer(key):
        gap = _TYPED if match.start() > queries else _DATE if match[0] == "{date}" else GAP
        found += literal(key[place : match.start()]) + gap
        place = match.end()
    return f"^{found}{literal(key[place:])}$"
