"""Detect, mask and count personal data in URLs, titles and other text, by parameter names and patterns.

GA4 must not receive personal data, but it does: as ``?email=``, in search terms, in titles, in links that
reset a password. It is replaced by ``{email}``, ``{phone}``, ``{card}``, ``{iban}``, ``{token}``,
``{name}``, ``{address}`` or ``{birthdate}``. Parameters are judged by their name and every text by its
patterns; a number counts as a card or an account only if its check digits agree (Luhn, ISO 7064 mod 97).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import unquote

Match: TypeAlias = "re.Match[str]"


class Masked(NamedTuple):
    """A masked text, and the kinds of personal data that were in it."""

    text: str
    kinds: tuple[str, ...]
    """Kind of each masked value."""


# --- parameters, by name (compared without case, ``-``, ``_``, ``.`` and brackets) -----------------------

_EXACT: Final[dict[str, str]] = {
    **dict.fromkeys(("email", "mail", "emailaddress", "useremail", "em"), "email"),
    **dict.fromkeys(("name", "username", "fullname", "fname", "lname", "realname", "customername"), "name"),
    **dict.fromkeys(("phone", "tel", "mobile", "telephone", "msisdn"), "phone"),
    **dict.fromkeys(("address", "street", "zip", "zipcode", "postcode", "postalcode", "plz"), "address"),
    **dict.fromkeys(("dob", "birthday", "birthdate", "dateofbirth"), "birthdate"),
    **dict.fromkeys(("sid", "auth", "authorization", "pass", "pwd", "passwd", "sessid", "session"), "token"),
    **dict.fromkeys(("signature", "otp", "jwt", "bearer"), "token"),
}
_ENDINGS: Final[dict[str, str]] = {
    "email": "email",
    "firstname": "name",
    "lastname": "name",
    "surname": "name",
    "phone": "phone",
    "phonenumber": "phone",
    "streetaddress": "address",
    "token": "token",
    "password": "token",
    "secret": "token",
    "apikey": "token",
    "sessionid": "token",
    "sessid": "token",
}
_NAME_NOISE: Final = re.compile(r"[-_.\[\]\s]|%5b|%5d|%20", re.IGNORECASE)
_PARAM: Final = re.compile(r"(?P<head>(?:^|[?&;#])(?P<name>[^=&#?;/\s]{1,64})=)(?P<value>[^&#;]+)")

# --- values, by pattern ----------------------------------------------------------------------------------

_SUSPECT: Final = re.compile(
    r"@|%(?:25)*40|eyj|tel:"
    r"|(?<![\w.-])[+(]?\d(?:[ +().-]{0,2}\d){6}"
    r"|(?<![a-z0-9])[a-z]{2}\d\d(?:[ +-]?[a-z0-9]){11}"
    r"|/(?:re-?set|token|verif|confirm|activate|unsubscribe|invite|auth|password)",
    re.IGNORECASE,
)
"""Cheap pre-check: no pattern below can match a text that this does not match."""
SUSPECT_RE2: Final = (
    r"(?i)@|%(?:25)*40|eyj|tel:|://[^/?#]*@"
    r"|(?:^|[^\w.-]|%[0-9a-f]{2})[+(]?[0-9](?:(?:[ +().-]|%[0-9a-f]{2}){0,2}[0-9]){6}"
    r"|(?:^|[^a-z0-9]|%[0-9a-f]{2})[a-z]{2}[0-9]{2}(?:(?:[ +-]|%20)?[a-z0-9]){11}"
    r"|/(?:re-?set|token|verif|confirm|activate|unsubscribe|invite|auth|password)"
    r"|(?:^|[?&;#])[^=&#?;]*(?:mail|name|phone|tel|mobile|msisdn|addr|street|zip|post|plz|dob|birth|sid|auth"
    r"|pass|pwd|sess|sign|otp|jwt|bearer|token|secret|key|em)[^=&#?;]*="
)
"""Pre-check in the database: matches at least every text that :func:`mask_url` changes."""
_JWT: Final = re.compile(r"\beyj[\w-]{15,}\.[\w-]{10,}(?:\.[\w-]*)?", re.IGNORECASE)
_EMAIL: Final = re.compile(
    r"[\w.%+'-]{0,63}[\w+-](?:@|%(?:25)*40)"
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?!(?:png|jpe?g|gif|svg|webp|css|js)\b)[^\W\d_]{2,24}\b",
    re.IGNORECASE,
)
_IBAN: Final = re.compile(r"(?<![a-z0-9])[a-z]{2}\d{2}(?:[ +-]?[a-z0-9]){11,30}(?![a-z0-9])", re.IGNORECASE)
_CARD: Final = re.compile(r"(?<![\w.-])\d(?:[ +-]?\d){12,18}(?![\w-])")
_CARD_ISSUER: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:6011|65|35)\d{12,14}"
)
_CARD_LENGTHS: Final = (16, 15, 14, 13, 19)
_PHONE: Final = re.compile(
    r"(?<![\w+])\+[1-9](?:[ +().-]{0,2}\d){8,14}(?!\d)"  # +49 170 1234567
    r"|(?<![\w-])\(?[2-9]\d{2}\)?[ +.-]{1,2}[2-9]\d{2}[ +.-]\d{4}(?![\w-])"  # (555) 234-5678
    r"|(?<=tel:)\+?\d(?:[ +().-]?\d){5,14}"
)
_SECRET_LINK: Final = re.compile(
    r"(?<=/)((?:re-?set|token|verify|verification|confirm|activate|unsubscribe|invite|auth|password)[\w-]*/)"
    r"(?=[^/?#]*\d)[\w.~=-]{20,}",
    re.IGNORECASE,
)
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/?#\s@]+@")

_IBAN_COUNTRIES: Final = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
}
_IBAN_LENGTHS: Final = {
    country: length for length, countries in _IBAN_COUNTRIES.items() for country in countries.split()
}


@lru_cache(maxsize=4096)
def param_kind(name: str) -> str | None:
    """Return the kind of personal data in a query parameter of this name; None if there is none."""
    plain = _NAME_NOISE.sub("", name).lower()
    if plain in _EXACT:
        return _EXACT[plain]
    return next((kind for ending, kind in _ENDINGS.items() if plain.endswith(ending)), None)


def mask(text: str, *, numbers: bool = True) -> Masked:
    """Mask what looks like personal data in a plain (decoded) text such as a title or a search term.

    Masking a masked text changes nothing.

    Args:
        text: The text.
        numbers: Whether to mask telephone numbers, cards and accounts; a number that many saw is public.
    """
    if _SUSPECT.search(text) is None:
        return Masked(text, ())
    found: list[str] = []
    text = _replace(_SECRET_LINK, "token", text, found, lambda match: f"{match[1]}{{token}}")
    text = _replace(_JWT, "token", text, found)
    if "@" in text or "40" in text:
        text = _replace(_EMAIL, "email", text, found)
    if numbers:
        text = _replace(_IBAN, "iban", text, found, _masked_iban)
        text = _replace(_CARD, "card", text, found, _masked_card)
        text = _replace(_PHONE, "phone", text, found)
    if not found:
        return Masked(text, ())
    again = mask(text, numbers=numbers)  # what stood beside something else shows only now
    return Masked(again.text, (*found, *again.kinds))


def mask_param(name: str, value: str, *, numbers: bool = True) -> Masked:
    """Mask the (decoded) value of a query parameter, by its name or else by its patterns."""
    kind = param_kind(name)
    if kind is None or not value:
        return mask(value, numbers=numbers)
    return Masked(value, ()) if value == f"{{{kind}}}" else Masked(f"{{{kind}}}", (kind,))


def mask_url(url: str, *, numbers: bool = True) -> Masked:
    """Mask credentials, parameters and patterns in a raw URL, or in any text that may hold one.

    A text whose percent-decoded form holds more than its raw form is returned decoded.
    """
    found: list[str] = []
    text = _replace(_CREDENTIALS, "token", url, found, lambda _: "{token}@") if "@" in url else url
    if "=" in text:
        text = _PARAM.sub(lambda match: _masked_param(match, found), text)
    masked = mask(text, numbers=numbers)
    if "%" in masked.text:
        decoded = mask(unquote(masked.text), numbers=numbers)
        if decoded.kinds:
            masked = Masked(decoded.text, masked.kinds + decoded.kinds)
    return Masked(masked.text, (*found, *masked.kinds))


def _replace(
    pattern: re.Pattern[str],
    kind: str,
    text: str,
    found: list[str],
    masked: Callable[[Match], str] | None = None,
) -> str:
    """Replace matches by a placeholder and add its kind to ``found``; a match that ``masked`` keeps stays."""

    def placeholder(match: Match) -> str:
        new = f"{{{kind}}}" if masked is None else masked(match)
        if new != match[0]:
            found.append(kind)
        return new

    return pattern.sub(placeholder, text)


def _masked_param(match: Match, found: list[str]) -> str:
    kind = param_kind(match["name"])
    if kind is None or match["value"].startswith("{"):
        return match[0]
    found.append(kind)
    return f"{match['head']}{{{kind}}}"


def _masked_card(match: Match) -> str:
    for wanted in _CARD_LENGTHS:
        digits, rest = _cut(match[0], wanted)
        if _CARD_ISSUER.fullmatch(digits) and luhn(digits):
            return "{card}" + rest
    return match[0]


def _masked_iban(match: Match) -> str:
    account, rest = _cut(match[0], _IBAN_LENGTHS.get(match[0][:2].upper(), 0))
    return "{iban}" + rest if account and iban_checks(account) else match[0]


def _cut(text: str, wanted: int) -> tuple[str, str]:
    """Split off the first letters and digits: a pattern may have run on into the words that follow.

    Returns:
        The ``wanted`` characters without separators, and the rest; empty if a word would be torn.
    """
    places = [place for place, char in enumerate(text) if char.isalnum()][:wanted]
    end = places[-1] + 1 if places else 0
    if len(places) < wanted or text[end : end + 1].isalnum():
        return "", text
    return "".join(text[place] for place in places), text[end:]


def luhn(digits: str) -> bool:
    """Check the last digit of a card number (ISO/IEC 7812-1, Luhn's algorithm)."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def iban_checks(account: str) -> bool:
    """Check an international bank account number (ISO 13616: rearranged, modulo 97 is 1)."""
    text = (account[4:] + account[:4]).upper()
    return text.isascii() and text.isalnum() and int("".join(str(int(char, 36)) for char in text)) % 97 == 1
