"""Format numbers, shares, times and addresses as text, alike on the pages, in answers and in the report."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final

from core.base.local_clock import LocalClock

ABSENT: Final = "–"

_ORIGIN: Final = re.compile(r"(?:[a-z][a-z0-9+.\-]*://)?[^/?#]+", re.IGNORECASE)
_ENDING: Final = re.compile(r"\s[|·–—-]\s[^|·–—]{1,60}$")


def printable(text: object) -> str:
    """Escape control and invisible characters of a text, so that none takes effect in a terminal."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in str(text))


def capitalised(text: str) -> str:
    """Capitalise the first letter of a text, as at the start of a sentence."""
    return text[:1].upper() + text[1:]


def uncapitalised(text: str) -> str:
    """Lower the first letter of a text, as within a sentence."""
    return text[:1].lower() + text[1:]


def number(value: float | None, digits: int = 0) -> str:
    """Format a number as ``1,204`` or ``5.3``; a dash for an absent value."""
    return ABSENT if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def percent(share: float | None, digits: int = 1, n: float | None = None) -> str:
    """Format a share of 0 to 1 as a percentage, with no more digits than ``n`` allows; a dash if absent."""
    if share is None or math.isnan(share):
        return ABSENT
    return f"{share:.{digits if n is None else share_digits(n, digits)}%}"


def share_digits(n: float, most: int) -> int:
    """Decimals for a percentage of ``n``: none below 100, one below 1,000, …; ``most`` where ``n`` is 0."""
    return max(0, min(most, len(str(int(n))) - 2)) if n else most


def lift(value: float | None) -> str:
    """Format a lift as ``3.2×`` or ``0.016×``; an infinite one (nobody else) as ``only here``."""
    if value is None or math.isnan(value):
        return ABSENT
    if math.isinf(value):
        return "only here"
    if 0 < value < 0.095:  # two significant digits: 0.0× would be a ratio to something else
        return f"{value:.{1 - math.floor(math.log10(value))}f}×"
    return f"{value:,.0f}×" if value >= 10 else f"{value:.1f}×"


def duration(seconds: float | None) -> str:
    """Format seconds as ``8 s``, ``2 min 5 s``, ``3 h 20 min`` or ``4 days``; a dash for an absent value."""
    if seconds is None or math.isnan(seconds):
        return ABSENT
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    if whole < 86_400:
        minutes = whole % 3_600 // 60
        return f"{whole // 3_600} h {minutes} min" if minutes else f"{whole // 3_600} h"
    return pluralise(round(whole / 86_400), "day")


def day(microseconds: int, at: LocalClock) -> str:
    """Format the local day of a moment (microseconds UTC): ``3 Nov 2025``."""
    moment = at.moment(microseconds)
    return f"{moment.day} {moment:%b %Y}"


def days(found: Sequence[date]) -> str:
    """List days, consecutive ones as a range: ``3 Nov 2025, 5 Nov 2025 to 7 Nov 2025``.

    Args:
        found: Ascending.
    """
    parts: list[list[date]] = []
    for one in found:
        if parts and (one - parts[-1][-1]).days == 1:
            parts[-1].append(one)
        else:
            parts.append([one])
    ends = (dict.fromkeys(f"{end.day} {end:%b %Y}" for end in (part[0], part[-1])) for part in parts)
    return ", ".join(" to ".join(part) for part in ends)


def minute(microseconds: int, at: LocalClock) -> str:
    """Format a moment (microseconds UTC) to the minute, in local time: ``3 Nov 2025, 20:14``."""
    return f"{day(microseconds, at)}, {at.moment(microseconds):%H:%M}"


def pluralise(n: int, thing: str, things: str = "") -> str:
    """Format a count with its noun: ``1 user``, ``1,204 users``."""
    return f"{n:,} {thing if n == 1 else things or f'{thing}s'}"


def common_origin(addresses: Sequence[str]) -> str:
    """Return the scheme and host that all addresses share, to leave out of a list; empty if they differ."""
    origins = {match.group() if (match := _ORIGIN.match(address)) else "" for address in addresses}
    return origins.pop() if len(origins) == 1 else ""


def short_address(address: str, origin: str) -> str:
    """Remove a shared origin (:func:`common_origin`) from an address."""
    return address.removeprefix(origin) or address


def shortened(address: str, letters: int) -> str:
    """Shorten a long address from the left, at a folder if one ends there: ``…/tents/vela-2``."""
    if len(address) <= letters:
        return address
    end = address[1 - letters :]
    return f"…{end[max(0, end[:-1].find('/')) :]}"


def common_suffix(titles: Sequence[str]) -> str:
    """Return the ending of most titles, such as `` | Shop``; empty unless more than half share it."""
    found = Counter(match.group() for title in titles if (match := _ENDING.search(title)))
    ending, times = next(iter(found.most_common(1)), ("", 0))
    return ending if 2 * times > len(titles) else ""
