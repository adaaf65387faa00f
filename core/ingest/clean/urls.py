"""Raw page locations → canonical pages, with a count of what each rule changed.

``page_location`` comes from a browser, so the WHATWG parser (ada) says what its scheme, host and path are;
what is not a URL at all keeps its text. Per URL:

1. scheme and host in lower case, no default port, no user name; ``www.``/``shop.`` dropped to merge hosts
2. path decoded and in lower case (``/Google+Redesign`` = ``/google%2Bredesign`` = ``/google%20redesign``)
3. no ``;jsessionid=``, no ``index.html``, no trailing slash, no trailing ``?``
4. no tracking parameter, no parameter but those that make another page, these sorted by name
5. no ``#fragment``, unless it is a route of a single-page app (``#/…``)
6. personal data masked (``core/ingest/clean/personal_data.py``)

and then over all of them: ids collapsed where they shatter a pattern (``core/ingest/clean/grouping.py``), and
the analyst's own rules. A canonical page is its own canonical page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote, unquote_to_bytes

import ada_url

from core.base.errors import SettingsError
from core.base.settings import UrlRule, UrlSettings
from core.ingest.clean.audience import Audience
from core.ingest.clean.grouping import collapse
from core.ingest.clean.personal_data import mask, mask_param, mask_url

TRACKING: Final = (
    r"utm_[^=]*|mc_[^=]*|hsa_[^=]*|pk_[^=]*|mtm_[^=]*|_hs[^=]*|gad_[^=]*|aspsessionid[^=]*"
    r"|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|ttclid|twclid|yclid|igshid|srsltid|li_fat_id|epik"
    r"|_ga|_gl|_gac|_kx|_ke|mkt_tok|s_kwcid|ef_id|irclickid|vero_id|wickedid"
    r"|sid|sessionid|session_id|phpsessid|jsessionid|oscsid|zenid|cfid|cftoken"
)
"""Names of parameters that say where a visit came from or whose it is, never which page: a regular
expression without case that must match the whole name."""

HOST, MERGED, PATH = "host and scheme", "merged hosts", "path decoded"
INDEX, SLASH = "index page", "trailing slash"
TRACKED, PARAMS, QUESTION, FRAGMENT = "tracking parameters", "other parameters", "trailing ?", "fragment"
MASKED, COLLAPSED, NOT_A_URL = "personal data masked", "ids collapsed", "not a URL"
REWRITTEN = "ports, user names, dot segments and the like"

_TRACKING: Final = re.compile(TRACKING, re.IGNORECASE)
_BASE: Final = "https://relative.invalid"
_EDGES: Final = "".join(map(chr, range(0x21)))  # C0 controls and space: what a browser strips
_END: Final = "?"  # where a query follows, spaces before it belong to the path
_DRIVE: Final = re.compile(r"^/([A-Za-z])%7[Cc](?=/|$)")
_BYTE: Final = re.compile("%[89A-F]")
_SMALL_CODE: Final = re.compile("%(?:[a-f][0-9a-fA-F]|[0-9a-fA-F][a-f])")
_BREAKS: Final = re.compile(r"[\t\n\r]")
# Where the parser would leave the path as it is, unless it has dot segments: only the host needs a look.
_PLAIN: Final = re.compile(r"(https?://[a-z0-9.-]+)((?:/[!$&'()*+,./0-9:;=@A-Z_a-z~|\[\]-]*)?)")
_PATH_SESSION: Final = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;]*", re.IGNORECASE)
_INDEX: Final = re.compile(r"/index\.(?:html?|php)$", re.IGNORECASE)
_KEEP_IN_PATH: Final = re.compile(r"[/?#%;\\\x00-\x1f\x7f\udc80-\udcff]")
_KEEP_IN_VALUE: Final = re.compile(r"[&#%+\x00-\x1f\x7f\udc80-\udcff]")
_MERGED_FRONT: Final = re.compile(r"//(?:(?:www|shop)\.)+")
_MERGEABLE: Final = re.compile(
    r"(?:www|shop)\.(?=[^.]+\.[^.])(?!(?:com?|org|net|gov|edu|ac|or|ne)\.[a-z]{2}(?::|$))"
)

Notes: TypeAlias = list[str]


@dataclass(frozen=True)
class Canonical:
    """Canonical pages of a list of raw locations.

    Args:
        pages: One a raw location, in its order.
        by_rule: Rule → page views whose location it changed, in the order of the rules.
    """

    pages: list[str]
    by_rule: dict[str, int]


def canonicalise(
    urls: Sequence[str], settings: UrlSettings, views: Sequence[int] = (), audiences: Sequence[Audience] = ()
) -> Canonical:
    """Make every location canonical.

    Args:
        urls: Raw locations; any text.
        settings: Which rules apply.
        views: Page views of each location, all 1 by default: decides which ids are accidents, and weighs
            the counts.
        audiences: Who saw each location, where that is known.

    Raises:
        SettingsError: If a rule of the analyst's own cannot be applied.
    """
    weights = list(views) or [1] * len(urls)
    by_rule: Counter[str] = Counter()
    cleaned = list(map(_Cleaner(settings), urls))
    pages = [page for page, _ in cleaned]
    for (_, notes), weight in zip(cleaned, weights, strict=True):
        by_rule.update(dict.fromkeys(notes, weight))
    steps: list[tuple[str, Callable[[list[str]], list[str]]]] = []
    if settings.collapse_ids:
        steps.append((COLLAPSED, lambda before: collapse(before, weights, audiences)))
    steps += [(f"rule {rule.pattern}", _applier(rule)) for rule in settings.rules]
    for name, step in steps:
        after = step(pages)
        by_rule[name] += sum(w for old, new, w in zip(pages, after, weights, strict=True) if old != new)
        pages = after
    return Canonical(pages, {name: count for name, count in by_rule.items() if count})


def is_tracking(name: str) -> bool:
    """Say whether a query parameter of this name only tells where a visit came from, or whose it is."""
    return _TRACKING.fullmatch(name) is not None


def dropped_by_name(query: str | None, settings: UrlSettings) -> list[str]:
    """Name the rules that shorten a query whose values have been taken out already (``q=v&gclid=v``)."""
    notes: Notes = []
    if query is not None:
        _Cleaner(settings)._query(query, notes)
    return [note for note in notes if note != MASKED]


class _Cleaner:
    """The rules that look at one location at a time."""

    def __init__(self, settings: UrlSettings) -> None:
        self._settings = settings
        self._keep = {name.lower() for name in settings.keep_params}
        self._fronts: dict[str, tuple[str, Notes] | None] = {}

    def __call__(self, raw: str) -> tuple[str, Notes]:
        notes: Notes = []
        text = _BREAKS.sub("", raw.strip(_EDGES)).encode("utf-8", "replace").decode()
        text, _, fragment = text.partition("#")
        base, asked, query = text.partition("?")
        if ";" in base and _PATH_SESSION.search(base):
            base = _PATH_SESSION.sub("", base)
            notes.append(TRACKED)
        front, path = self._parsed(base, notes)
        written = base.replace("\\", "/")
        if front + path != written and _plainly(front + path) != _plainly(written):
            notes.append(REWRITTEN)
        page = front + self._path(path, notes)
        if asked:
            page += self._query(query, notes)
        if fragment:
            page += self._fragment(fragment, notes)
        if "%" in page and _BYTE.search(page) and _SMALL_CODE.search(raw):
            notes.append(REWRITTEN)
        return page or "/", notes

    def _parsed(self, base: str, notes: Notes) -> tuple[str, str]:
        """Split into everything before the path, and the path; only the path of a relative location."""
        plain = _PLAIN.fullmatch(base)
        if plain and "/." not in plain[2] and (known := self._plain_front(plain[1])):
            notes += known[1]
            return known[0], plain[2] or "/"
        try:
            url = ada_url.URL(base if base[-1:] > " " else base + _END)
        except ValueError:
            return self._parsed_relative(base, notes)
        if not url.host and url.protocol != "file:":
            return self._without_host(url.protocol, url.pathname, base, notes)
        path = _DRIVE.sub("/\\1:", url.pathname) if url.protocol == "file:" else url.pathname
        return self._front(url.protocol, url.host, base, notes), path

    def _plain_front(self, base: str) -> tuple[str, Notes] | None:
        """Clean scheme and host of a plain location, cached; None if there is no such host."""
        if base not in self._fronts:
            notes: Notes = []
            try:
                url = ada_url.URL(base)
                self._fronts[base] = self._front(url.protocol, url.host, base, notes), notes
            except ValueError:
                self._fronts[base] = None
        return self._fronts[base]

    def _parsed_relative(self, base: str, notes: Notes) -> tuple[str, str]:
        try:
            url = ada_url.URL(base if base[-1:] > " " else base + _END, _BASE)
        except ValueError:
            notes += [NOT_A_URL] if NOT_A_URL not in notes else []
            plain = mask_url(" ".join(base.split()), numbers=False).text
            return (plain, "") if plain == base else self._parsed(plain, notes)  # it may be one now
        if url.host == _BASE.removeprefix("https://"):
            return "", "/" + url.pathname.lstrip("/")
        return self._front(url.protocol, url.host, base, notes), url.pathname

    def _without_host(self, scheme: str, path: str, base: str, notes: Notes) -> tuple[str, str]:
        """Handle ``about:blank``, ``mailto:…``: the text after the scheme is no path."""
        if path.startswith("/"):
            return scheme, "/" + path.lstrip("/")
        masked = mask_url(scheme + path.strip(), numbers=False)
        notes += [MASKED] if masked.kinds else []
        notes += [REWRITTEN] if {*" %;\\"} & {*base} else []  # of any other text these would be decoded
        return masked.text, ""

    def _front(self, scheme: str, host: str, base: str, notes: Notes) -> str:
        front = f"{scheme}//{host}"
        if not base.startswith(front) or base[len(front) : len(front) + 1] not in ("", "/"):
            notes.append(HOST)
        while self._settings.merge_hosts and _MERGEABLE.match(host):
            host = host.partition(".")[2]
            notes += [MERGED] if MERGED not in notes else []
        return f"{scheme}//{host}"

    def _path(self, path: str, notes: Notes) -> str:
        if not path:
            return ""
        return self._masked(_trimmed(self._decoded(path, notes), notes), notes)

    def _decoded(self, path: str, notes: Notes) -> str:
        """Decode and lower-case a path, but for characters that would then mean something else."""
        lower = self._settings.lower_path
        decoded = path
        if "%" in path or ";" in path:
            decoded = "/".join(_decode(part, lower, _KEEP_IN_PATH) for part in path.split("/"))
        elif lower:
            decoded = path.lower()
        if decoded != path:
            notes.append(PATH)
        return decoded

    def _query(self, query: str, notes: Notes) -> str:
        """The parameters that make another page, sorted."""
        kept = []
        for part in query.split("&"):
            name, _, value = part.partition("=")
            name = _decode(name, True, _KEEP_IN_VALUE)
            if is_tracking(name):
                notes += [TRACKED] if TRACKED not in notes else []
            elif name in self._keep and value:
                kept.append(f"{name}={self._value(name, value, notes)}")
            elif part:
                notes += [PARAMS] if PARAMS not in notes else []
        if not query:
            notes.append(QUESTION)
        return "?" + "&".join(sorted(set(kept))) if kept else ""

    def _value(self, name: str, value: str, notes: Notes) -> str:
        plain = unquote_to_bytes(value.replace("+", " ")).decode("utf-8", "surrogateescape")
        masked = mask_param(name, plain, numbers=False)
        notes += [MASKED] if masked.kinds and MASKED not in notes else []
        return _escape(masked.text, _KEEP_IN_VALUE)

    def _fragment(self, fragment: str, notes: Notes) -> str:
        """Keep the route of a single-page app, and any other fragment only when asked to."""
        if not fragment.startswith(("/", "!/")) and not self._settings.keep_fragment:
            notes.append(FRAGMENT)
            return ""
        route, asked, query = fragment.partition("?")
        parts = (_decode(part, self._settings.lower_path, _KEEP_IN_PATH) for part in route.split("/"))
        route = self._masked("/".join(parts), notes).rstrip("/")
        query = self._query(query, notes) if asked else ""
        return f"#{route}{query}" if route.strip("!") or query else ""

    def _masked(self, text: str, notes: Notes) -> str:
        masked = mask(text, numbers=False)
        notes += [MASKED] if masked.kinds and MASKED not in notes else []
        return masked.text


def _plainly(base: str) -> str:
    """What does not change where only letters are written in another way, or hosts merged."""
    return _MERGED_FRONT.sub("//", unquote(base).lower().rstrip("/"), count=1)


def _trimmed(path: str, notes: Notes) -> str:
    """Drop index pages and trailing slashes, whichever come last, until the path ends otherwise."""
    while path != "/":
        if path.endswith("/"):
            shorter, note = path.rstrip("/") or "/", SLASH
        elif _INDEX.search(path):
            shorter, note = _INDEX.sub("", path) or "/", INDEX
        else:
            break
        path = shorter
        notes += [note] if note not in notes else []
    return path


def _decode(part: str, lower: bool, keep: re.Pattern[str]) -> str:
    """Percent-decode, but for ``%2F`` and the like and bytes that are no UTF-8; space becomes ``+``."""
    text = unquote_to_bytes(part).decode("utf-8", "surrogateescape") if "%" in part else part
    return _escape(text.lower() if lower else text, keep)


def _escape(text: str, keep: re.Pattern[str]) -> str:
    text = keep.sub(
        lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape")), text
    )
    return text.replace(" ", "+")


def _applier(rule: UrlRule) -> Callable[[list[str]], list[str]]:
    pattern = re.compile(rule.pattern)

    def apply(pages: list[str]) -> list[str]:
        try:
            return [pattern.sub(rule.replacement, page) or "/" for page in pages]
        except (re.error, IndexError) as error:
            raise SettingsError(
                f"The URL rule {rule.pattern!r} → {rule.replacement!r} cannot be applied: {error}",
                allowed="\\1, \\2, … for the groups that the pattern has",
                remedy="Change the rule or remove it",
            ) from error

    return apply
