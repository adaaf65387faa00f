"""Turn raw page locations into canonical pages, and count what each rule changed.

``page_location`` comes from a browser, so the WHATWG parser (ada) splits it into scheme, host and path; text
that is not a URL stays. For each URL:

1. scheme and host in lower case, no default port, no user name; ``www.``/``shop.`` dropped to merge hosts
2. path decoded and in lower case (``/Google+Redesign`` = ``/google%2Bredesign`` = ``/google%20redesign``)
3. no ``;jsessionid=``, no ``index.html``, no trailing slash, no trailing ``?``
4. no tracking parameter, no parameter but those that make another page, these sorted by name
5. no ``#fragment``, unless it is a route of a single-page app (``#/…``)
6. personal data masked (``core/ingest/clean/personal_data.py``)

and then over all of them: ids collapsed where they shatter a pattern (:func:`collapse`), and
the analyst's URL rules. A canonical page does not change when it is cleaned again.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote, unquote_to_bytes

import ada_url

from core.base.errors import SettingsError
from core.base.settings import UrlRule, UrlSettings
from core.ingest.clean.audience import PUBLIC, Audience, merged_by
from core.ingest.clean.personal_data import mask, mask_param, mask_url

SIBLINGS: Final = 20
"""Fewest rare pages with the same template that are a pattern, not pages made by hand."""
RARE_VIEWS: Final = 5
"""Fewest views of a page that can be learnt separately."""
_MOSTLY: Final = 0.95
"""Least share of rare pages in a template of visits (orders, sessions), not of contents."""
ACCIDENT_VIEWS: Final = 100
"""Fewest views of a page in such a template that stays, as users go there on purpose."""

_DATE_PATH: Final = re.compile(r"(?<=/)(?:19|20)\d\d/(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])(?=/|$)")
_SEGMENT_KINDS: Final = tuple(
    (placeholder, re.compile(pattern, re.IGNORECASE))
    for placeholder, pattern in (
        ("{date}", r"(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])"),
        ("{uuid}", r"\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?"),
        ("{id}", r"[0-9]+"),
        ("{key}", r"(?=[a-f]*\d)[0-9a-f]{16,}"),  # long hex
        ("{key}", r"(?=(?:[^\d/]*\d+[a-z_-]){4})[\w-]{20,}={0,2}"),  # base64 and the like: digits all over
    )
)
_DIGIT: Final = re.compile(r"[0-9]")
_SUFFIX: Final = re.compile(r"(.+?)(\.(?:html?|php|aspx?|jsp|pdf))", re.IGNORECASE)


def collapse(pages: Sequence[str], views: Sequence[int], audiences: Sequence[Audience] = ()) -> list[str]:
    """Replace ids by placeholders where they split a page into many rare ones.

    Args:
        pages: Canonical pages; the same page may occur several times.
        views: Number of page views of each.
        audiences: Audience of each, if known.

    Returns:
        The new page for each of ``pages``.
    """
    total: Counter[str] = Counter()
    for page, count in zip(pages, views, strict=True):
        total[page] += count
    families: dict[str, list[str]] = defaultdict(list)
    for page in total:
        pattern = template(page)
        if pattern != page:
            families[pattern].append(page)
    alike = {page for family in families.values() if len(family) >= SIBLINGS for page in family}
    seen = merged_by(
        (page, audience) for page, audience in zip(pages, audiences, strict=False) if page in alike
    )
    for page, audience in seen.items():  # however often one user loads their own
        total[page] = min(total[page], RARE_VIEWS - 1) if audience.rare else total[page]
    renamed = {page: name for name, family in families.items() for page in _shattered(family, total)}
    public = {page for page in renamed if page in seen and seen[page].users >= PUBLIC}
    return [page if page in public else renamed.get(page, page) for page in pages] if renamed else list(pages)


def with_templates(chosen: Collection[str], pages: Iterable[str]) -> tuple[str, ...]:
    """Replace chosen pages by their template if all pages of the template are chosen; the order stays.

    Leaving out a template also leaves out the pages that new users add to it.
    """
    other_templates = {template(page) for page in pages if page not in chosen}
    return tuple(
        dict.fromkeys(page if (name := template(page)) in other_templates else name for page in chosen)
    )


def template(page: str) -> str:
    """Return the path template of a page: placeholders for all parts that look like an id or a date."""
    path, mark, query = page.partition("?")
    if _DIGIT.search(path) is None:
        return page
    start = path.find("/", path.find("//") + 2) if "//" in path else 0
    if start < 0:
        return page
    front, path = path[:start], _DATE_PATH.sub("{date}", path[start:])
    return front + "/".join(map(_segment, path.split("/"))) + mark + query


def _segment(text: str) -> str:
    if _DIGIT.search(text) is None:
        return text
    stem, suffix = text, ""
    if match := _SUFFIX.fullmatch(text):
        stem, suffix = match[1], match[2]
    for placeholder, pattern in _SEGMENT_KINDS:
        if pattern.fullmatch(stem):
            return placeholder + suffix
    return text


def _shattered(family: Sequence[str], views: Mapping[str, int]) -> list[str]:
    """Return the pages of a template that are too rare to stay separate pages."""
    rare = [page for page in family if views[page] < RARE_VIEWS]
    if len(rare) < SIBLINGS:
        return []
    if len(rare) >= _MOSTLY * len(family):
        return [page for page in family if views[page] < ACCIDENT_VIEWS]
    return rare


_TRACKING: Final = re.compile(
    r"utm_[^=]*|mc_[^=]*|hsa_[^=]*|pk_[^=]*|mtm_[^=]*|_hs[^=]*|gad_[^=]*|aspsessionid[^=]*"
    r"|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|ttclid|twclid|yclid|igshid|srsltid|li_fat_id|epik"
    r"|_ga|_gl|_gac|_kx|_ke|mkt_tok|s_kwcid|ef_id|irclickid|vero_id|wickedid"
    r"|sid|sessionid|session_id|phpsessid|jsessionid|oscsid|zenid|cfid|cftoken",
    re.IGNORECASE,
)
"""Names of tracking parameters, which identify the origin or user of a visit and never the page: a regular
expression that must match the whole name, in any case."""

HOST, MERGED, PATH = "host and scheme", "merged hosts", "path decoded"
INDEX, SLASH = "index page", "trailing slash"
TRACKED, PARAMS, QUESTION, FRAGMENT = "tracking parameters", "other parameters", "trailing ?", "fragment"
MASKED, COLLAPSED, _NOT_A_URL = "personal data masked", "ids collapsed", "not a URL"
REWRITTEN = "ports, user names, dot segments and the like"

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

_Notes: TypeAlias = list[str]


@dataclass(frozen=True)
class Canonical:
    """The canonical pages of raw locations, and counts of changes.

    Args:
        pages: Canonical page of each raw location, in order.
        by_rule: Rule → number of page views whose location it changed, in the order of the rules.
    """

    pages: list[str]
    by_rule: dict[str, int]


def canonicalise(
    urls: Sequence[str], settings: UrlSettings, views: Sequence[int] = (), audiences: Sequence[Audience] = ()
) -> Canonical:
    """Turn raw locations into canonical pages.

    Args:
        urls: Raw locations; any text.
        settings: Which rules apply.
        views: Page views of each location, all 1 by default: decides which ids collapse, and weights the
            counts.
        audiences: Audience of each location, if known.

    Raises:
        SettingsError: If a URL rule of the analyst cannot be applied.
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
    """Whether a query parameter of this name is for tracking: origin or user of a visit, never the page."""
    return _TRACKING.fullmatch(name) is not None


def dropped_by_name(query: str | None, settings: UrlSettings) -> list[str]:
    """List the rules that drop parameters of a query, which is given without its values: ``q=v&gclid=v``."""
    notes: _Notes = []
    if query is not None:
        _Cleaner(settings)._query(query, notes)
    return [note for note in notes if note != MASKED]


class _Cleaner:
    """Applies the rules that clean a single location."""

    def __init__(self, settings: UrlSettings) -> None:
        self._settings = settings
        self._keep = {name.lower() for name in settings.keep_params}
        self._fronts: dict[str, tuple[str, _Notes] | None] = {}

    def __call__(self, raw: str) -> tuple[str, _Notes]:
        notes: _Notes = []
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

    def _parsed(self, base: str, notes: _Notes) -> tuple[str, str]:
        """Split a location into everything before the path, and the path; a relative one has only a path."""
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

    def _plain_front(self, base: str) -> tuple[str, _Notes] | None:
        """Clean scheme and host of a plain location, cached; None if there is no such host."""
        if base not in self._fronts:
            notes: _Notes = []
            try:
                url = ada_url.URL(base)
                self._fronts[base] = self._front(url.protocol, url.host, base, notes), notes
            except ValueError:
                self._fronts[base] = None
        return self._fronts[base]

    def _parsed_relative(self, base: str, notes: _Notes) -> tuple[str, str]:
        try:
            url = ada_url.URL(base if base[-1:] > " " else base + _END, _BASE)
        except ValueError:
            notes += [_NOT_A_URL] if _NOT_A_URL not in notes else []
            plain = mask_url(" ".join(base.split()), numbers=False).text
            return (plain, "") if plain == base else self._parsed(plain, notes)  # it may be one now
        if url.host == _BASE.removeprefix("https://"):
            return "", "/" + url.pathname.lstrip("/")
        return self._front(url.protocol, url.host, base, notes), url.pathname

    def _without_host(self, scheme: str, path: str, base: str, notes: _Notes) -> tuple[str, str]:
        """Handle ``about:blank``, ``mailto:…``: the text after the scheme is no path."""
        if path.startswith("/"):
            return scheme, "/" + path.lstrip("/")
        masked = mask_url(scheme + path.strip(), numbers=False)
        notes += [MASKED] if masked.kinds else []
        notes += [REWRITTEN] if {*" %;\\"} & {*base} else []  # of any other text these would be decoded
        return masked.text, ""

    def _front(self, scheme: str, host: str, base: str, notes: _Notes) -> str:
        front = f"{scheme}//{host}"
        if not base.startswith(front) or base[len(front) : len(front) + 1] not in ("", "/"):
            notes.append(HOST)
        while self._settings.merge_hosts and _MERGEABLE.match(host):
            host = host.partition(".")[2]
            notes += [MERGED] if MERGED not in notes else []
        return f"{scheme}//{host}"

    def _path(self, path: str, notes: _Notes) -> str:
        if not path:
            return ""
        return self._masked(_trimmed(self._decoded(path, notes), notes), notes)

    def _decoded(self, path: str, notes: _Notes) -> str:
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

    def _query(self, query: str, notes: _Notes) -> str:
        """Return the query with the parameters that make another page, sorted."""
        pairs = []
        for part in query.split("&"):
            name, _, value = part.partition("=")
            name = _decode(name, True, _KEEP_IN_VALUE)
            if is_tracking(name):
                notes += [TRACKED] if TRACKED not in notes else []
            elif name in self._keep and value:
                pairs.append(f"{name}={self._value(name, value, notes)}")
            elif part:
                notes += [PARAMS] if PARAMS not in notes else []
        if not query:
            notes.append(QUESTION)
        return "?" + "&".join(sorted(set(pairs))) if pairs else ""

    def _value(self, name: str, value: str, notes: _Notes) -> str:
        plain = unquote_to_bytes(value.replace("+", " ")).decode("utf-8", "surrogateescape")
        masked = mask_param(name, plain, numbers=False)
        notes += [MASKED] if masked.kinds and MASKED not in notes else []
        return _escape(masked.text, _KEEP_IN_VALUE)

    def _fragment(self, fragment: str, notes: _Notes) -> str:
        """Keep the route of a single-page app, and any other fragment only when asked to."""
        if not fragment.startswith(("/", "!/")) and not self._settings.keep_fragment:
            notes.append(FRAGMENT)
            return ""
        route, asked, query = fragment.partition("?")
        parts = (_decode(part, self._settings.lower_path, _KEEP_IN_PATH) for part in route.split("/"))
        route = self._masked("/".join(parts), notes).rstrip("/")
        query = self._query(query, notes) if asked else ""
        return f"#{route}{query}" if route.strip("!") or query else ""

    def _masked(self, text: str, notes: _Notes) -> str:
        masked = mask(text, numbers=False)
        notes += [MASKED] if masked.kinds and MASKED not in notes else []
        return masked.text


def _plainly(base: str) -> str:
    """Normalise a location so that differences in case, encoding and merged hosts vanish."""
    return _MERGED_FRONT.sub("//", unquote(base).lower().rstrip("/"), count=1)


def _trimmed(path: str, notes: _Notes) -> str:
    """Drop index pages and trailing slashes at the end of a path until neither is left."""
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
    """Percent-decode, except for ``%2F`` and the like and bytes that are not UTF-8; space becomes ``+``."""
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
