"""Mask personal data in text that hardly anybody saw, where a hint is enough: random keys, patterns, names.

A text that many users saw is published, whatever it looks like: a hotline, an author, the street of a shop. A
text that a single user saw may be a rare page; if it also looks like a telephone number, an address, a
greeting or a key, it is personal. Words are separated by blanks in titles and by ``-``, ``_`` or ``+`` in
addresses.

Names are learnt from personal places and masked elsewhere: a user greeted in a title, or with a profile,
occurs in a search, in the name of a file, on a guest list. Two such words next to each other, in a text that
hardly anybody saw, are a name. A word that many users saw is not part of a name.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Final

import phonenumbers
from babel import Locale
from phonenumbers import Leniency, PhoneNumberMatcher

from core.ingest.clean.personal_data import Masked, Match, mask

_MIN_CODE_LENGTH: Final = 12
"""Fewest characters of a random key; a shorter one may be a product code."""
_SWITCHES: Final = 4
"""Fewest changes between letters, digits and case in a random key; words with numbers have fewer."""

_MIXED: Final = 3
"""Fewest runs of letters or digits in an issued code, and most characters per run on average."""

_NUMBER: Final = re.compile(r"\d{4}")
_SEPARATED: Final = re.compile(r"[-_.~=:+]+")
_RUNS: Final = re.compile(r"[a-z]+|[A-Z]+|[0-9]+")
_UUID: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def looks_issued(text: str) -> bool:
    """Whether a value looks issued by a program: a number of at least four digits, a code, a key.

    A single code may be the number of a model; if all values of a place look like codes, they are issued.
    """
    parts = [(part, len(_RUNS.findall(part))) for part in _SEPARATED.split(text)]
    mixed = any(runs >= _MIXED and len(part) <= _MIXED * runs for part, runs in parts)
    return mixed or _NUMBER.search(text) is not None


def looks_random(text: str) -> bool:
    """Whether a text holds a part that looks random, such as a UUID or a key."""
    if len(text) < _MIN_CODE_LENGTH:
        return False
    if _UUID.search(text):
        return True
    return any(_is_random(part) for part in _SEPARATED.split(text) if len(part) >= _MIN_CODE_LENGTH)


def _is_random(part: str) -> bool:
    """Whether letters and digits alternate as in ``k3j9x2m1pq7a``, unlike in ``iphone15promax256gb``."""
    if not part.isascii() or not part.isalnum():
        return False
    runs = _RUNS.findall(part)
    digits = [run for run in runs if run.isdigit()]
    return len(digits) >= 2 and len(runs) - 1 >= _SWITCHES and len(part) / len(runs) < 3.2


_GAP: Final = r"[\s+_,.-]{1,3}"
_NAME: Final = r"[^\W\d_]{2,30}(?:['’-][^\W\d_]{1,30}){0,2}"
_SALUTATION: Final = re.compile(
    r"(?<![^\W_])(?:herrn?|frau|mrs?|ms|miss|sra?|srta|señora?|do[ñn]a|don|mme|mlle|monsieur|madame|mademoiselle"
    rf"|signora?|sig|dhr|mevr|mevrouw|meneer|pan|pani|pana|panie){_GAP}"
    rf"(?P<name>{_NAME}(?:{_GAP}{_NAME}){{0,3}})",
    re.IGNORECASE,
)
_STREET: Final = re.compile(
    rf"(?:{_NAME}{_GAP}){{0,2}}{_NAME}(?:str(?:aße|asse|\.)?|weg|platz|allee|gasse|ring|damm|ufer|straat|laan|gatan|vej)"
    rf"{_GAP}\d{{1,4}}(?:\s?[a-z])?(?![^\W_])"
    r"|(?<![^\W_])(?:calle|c/|avenida|avda|av|plaza|paseo|rua|praça|travessa|rue|avenue|boulevard|bd|chemin|impasse"
    rf"|allée|quai|via|viale|piazza|corso|ul|ulica|aleja|al|os|plac){_GAP}(?:{_NAME}{_GAP}){{1,5}}\d{{1,4}}\w?(?![^\W_])"
    rf"|(?<!\d)\d{{1,4}}(?:\s?bis|\s?ter)?,?{_GAP}(?:rue|avenue|boulevard|bd|chemin|impasse|allée|place|quai|route)"
    rf"{_GAP}{_NAME}(?:{_GAP}{_NAME}){{0,4}}"
    rf"|(?<!\d)(?!1[6-9]\d\d|20\d\d)\d{{1,4}}{_GAP}(?:{_NAME}{_GAP}){{1,3}}(?:street|st|road|rd|avenue|ave|lane|ln|drive|court|way|close)"
    r"(?![^\W_])",
    re.IGNORECASE,
)
_POSTCODE: Final = re.compile(
    rf"(?<=address}})(?:{_GAP}[a-z]{{1,3}}\.?{_GAP}?\d{{1,4}})?{_GAP}(?:\d{{2}}-\d{{3}}|\d{{4}}-\d{{3}}|\d{{4,5}})(?:{_GAP}{_NAME}){{0,2}}",
    re.IGNORECASE,
)
_BORN: Final = re.compile(
    r"(?<![\d.])(?:(?:0?[1-9]|[12]\d|3[01])[-./+](?:0?[1-9]|1[0-2])[-./+](?:19[2-9]\d|200\d|201[0-2])"
    r"|(?:19[2-9]\d|200\d|201[0-2])[-./+](?:0?[1-9]|1[0-2])[-./+](?:0?[1-9]|[12]\d|3[01]))(?![\d.])"
)
_SPELLED: Final = re.compile(
    r"[\w.+-]{2,64}[\s+_-]{0,3}(?:[\[({<][\s+_-]?(?:at|ät|@|arroba|chez|chiocciola|kukac|małpa)[\s+_-]?[\])}>]"
    r"|(?<=[\s+_-])(?:at|ät|@|arroba|chez|chiocciola|kukac|małpa)(?=[\s+_-]))[\s+_-]{0,3}"
    r"[^\W_][\w-]{1,60}[\s+_-]{0,3}(?:[\[({<][\s+_-]?(?:dot|punkt|punto|point|ponto|kropka|\.)[\s+_-]?[\])}>]"
    r"|(?<=[\s+_-])(?:dot|punkt|punto|point|ponto|kropka|\.)(?=[\s+_-]))[\s+_-]{0,3}[^\W\d_]{2,10}(?![^\W_])",
    re.IGNORECASE,
)
_NET: Final = re.compile(
    r"(?<![\w.-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.-])"
    r"|(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])"
    r"|(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?![\w:])",
    re.IGNORECASE,
)
_DEVICE: Final = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}", re.IGNORECASE)
_OWN_NET: Final = ipaddress.ip_network("10.0.0.0/8")
_ENCODED: Final = re.compile(r"(?<![\w+/-])[\w+/-]{12,200}={0,2}")
_DIALLED: Final = re.compile(r"\d(?:[^\d\n]{0,3}\d){7,}")
_UNCLEAR: Final = re.compile(r"(?:don|pan|pani|pana|panie|sig|mme|miss)\b", re.IGNORECASE)
"""Words that are a salutation only before a capitalised first name and surname."""
_TWO_WORDS: Final = 3
_DIGITS: Final = 7
_CODE: Final = 2
_CODE_ALONE: Final = re.compile(r"(?![0+])[a-z]{0,3}[-_]?\d+[a-z]?(?:\.\w{2,5})?", re.IGNORECASE)


def mask_rare(text: str, regions: Sequence[str] = ()) -> Masked:
    """Mask hints of personal data in a text that hardly anybody saw.

    A text that is only a number or a code names a page as often as a person, and stays.

    Args:
        text: A title, or a decoded part of an address.
        regions: Countries (ISO 3166, two letters) whose telephone numbers are written without a prefix.
    """
    found: list[str] = []
    if _CODE_ALONE.fullmatch(text):
        return Masked(text, ())

    def put(kind: str) -> str:
        found.append(kind)
        return f"{{{kind}}}"

    text = _SPELLED.sub(lambda _: put("email"), text)
    text = _ENCODED.sub(lambda match: put("email") if _encodes_email(match[0]) else match[0], text)
    text = _NET.sub(lambda match: put("ip") if _is_address(match[0]) else match[0], text)
    text = _SALUTATION.sub(lambda match: _without_name(match, put), text)
    text = _STREET.sub(lambda _: put("address"), text)
    text = _POSTCODE.sub("", text)
    text = _BORN.sub(lambda _: put("birthdate"), text)
    if _DIALLED.search(text):
        text = _without_phones(text, tuple(regions), put)
    if " " in text:
        words = re.split(r"(\s+)", text)
        text = "".join(put("token") if looks_random(word) and "{" not in word else word for word in words)
    return Masked(text, tuple(found))


def _encodes_email(text: str) -> bool:
    """Whether a text is an e-mail address in base64."""
    padded = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        plain = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode("ascii")
    except ValueError:
        return False
    return "@" in plain and bool(mask(plain).kinds)


def _is_address(text: str) -> bool:
    """Whether a text is a network address: IPv4, IPv6, or the MAC address of a device."""
    if _DEVICE.fullmatch(text):
        return True
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address not in _OWN_NET and not address.is_loopback  # versions of programs look like these


def _without_name(match: Match, put: Callable[[str], str]) -> str:
    """Mask the name after a salutation, up to the first word without a capital if there are capitals."""
    start = match.start("name") - match.start()
    words = re.split(rf"({_GAP})", match["name"])
    if not match["name"].islower():
        words = list(takewhile(lambda word: not word[0].isalpha() or word[0].isupper(), words))
    if _UNCLEAR.match(match[0]) and (match["name"].islower() or len(words) < _TWO_WORDS):
        return match[0]
    name = "".join(words).rstrip(" +_,.-")
    return match[0][:start] + put("name") + match["name"][len(name) :] if name else match[0]


def _without_phones(text: str, regions: tuple[str, ...], put: Callable[[str], str]) -> str:
    plain = text.replace("+", " ").replace("_", " ") if " " not in text else text
    for start, end in sorted(_phones(plain, regions), reverse=True):
        text = text[:start] + put("phone") + text[end:]
    return text


@lru_cache(maxsize=4096)
def _phones(text: str, regions: tuple[str, ...]) -> frozenset[tuple[int, int]]:
    """Find the start and end of telephone numbers that are valid in one of the countries."""
    spans: list[tuple[int, int]] = []
    for region in regions or (None,):
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID):
            dialled = match.raw_string
            if dialled.isdigit() and not dialled.startswith("0"):
                continue  # an id of that many digits
            if len(str(match.number.national_number)) < _DIGITS:
                continue  # a model number
            if all(match.end <= start or end <= match.start for start, end in spans):
                spans.append((match.start, match.end))
    return frozenset(spans)


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """English name of a country, as GA4 writes it → ISO 3166 code."""
    return {name.casefold(): code for code, name in Locale("en").territories.items() if len(code) == _CODE}


def regions_of(hosts: Sequence[str], countries: Sequence[str]) -> tuple[str, ...]:
    """Return the ISO codes of countries whose telephone numbers a site may write without a prefix.

    Args:
        hosts: Hosts of the site; their last label may be a country.
        countries: Countries of its users, as GA4 names them.
    """
    tops = (host.rpartition(".")[2].upper() for host in hosts)
    named = (_codes().get(country.casefold(), "") for country in countries)
    known = set(phonenumbers.SUPPORTED_REGIONS)
    return tuple(dict.fromkeys(code for code in (*tops, *named) if code in known))


_MIN_NAME_LENGTH: Final = 3
"""Fewest letters of a word in a name."""
_TOGETHER: Final = 2
"""Fewest adjacent words of a name."""

_WORD: Final = re.compile(r"\{[^{}]*\}|[^\W\d_]+")
_BESIDE: Final = re.compile(r"[^\w{}/?&=#]{0,3}|[_+]|\s[/&]\s")


def known_names(words: Collection[str], public: Collection[str]) -> frozenset[str]:
    """Return the words of personal places that can be names, without public words."""
    parts = (part for word in words for part in _WORD.findall(word))
    return frozenset(part for part in parts if len(part) >= _MIN_NAME_LENGTH) - frozenset(public)


def mask_names(text: str, names: Collection[str]) -> Masked:
    """Replace every run of two or more known names (case-folded) in a text by ``{name}``."""
    runs: list[list[tuple[int, int]]] = []
    for match in _WORD.finditer(text):
        if match[0].casefold() not in names:
            continue
        if runs and _BESIDE.fullmatch(text, runs[-1][-1][1], match.start()):
            runs[-1].append(match.span())
        else:
            runs.append([match.span()])
    found = [run for run in runs if len(run) >= _TOGETHER]
    for run in reversed(found):
        text = text[: run[0][0]] + "{name}" + text[run[-1][1] :]
    return Masked(text, ("name",) * len(found))
