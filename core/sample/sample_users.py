"""The visitors themselves: ids, devices, countries, where they first came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from core.sample.segments import SEGMENTS, cumulative, draw, per_segment

DEVICES: Final = ("desktop", "mobile", "tablet")
BROWSERS: Final[dict[str, dict[str, float]]] = {
    "desktop": {"Chrome": 60, "Safari": 14, "Edge": 14, "Firefox": 10, "Opera": 2},
    "mobile": {"Chrome": 47, "Safari": 40, "Samsung Internet": 9, "Firefox": 3, "Android Webview": 1},
    "tablet": {"Safari": 62, "Chrome": 34, "Samsung Internet": 4},
}
COUNTRIES: Final[dict[str, float]] = {
    "Germany": 31, "United Kingdom": 16, "Netherlands": 10, "United States": 9, "Austria": 8,
    "Switzerland": 6, "France": 6, "Sweden": 4, "Norway": 3, "Denmark": 2.5, "Italy": 2,
    "Poland": 1.5, "(not set)": 1,
}  # fmt: skip


@dataclass(frozen=True)
class TrafficSource:
    """One way in: what GA4 calls it, and what the browser sends along."""

    source: str
    medium: str
    campaign: str
    referrer: str | None
    query: str
    weight: float


# "{gclid}" is replaced by a click id of the session's own.
SOURCES: Final[dict[str, TrafficSource]] = {
    "google organic": TrafficSource("google", "organic", "(organic)", "https://www.google.com/", "", 33),
    "(direct)": TrafficSource("(direct)", "(none)", "(direct)", None, "", 20),
    "google cpc": TrafficSource(
        "google", "cpc", "brand-search", "https://www.google.com/",
        "utm_source=google&utm_medium=cpc&utm_campaign=brand-search&gclid={gclid}", 24,
    ),
    "newsletter": TrafficSource(
        "newsletter", "email", "november-mail", None,
        "utm_source=newsletter&utm_medium=email&utm_campaign=november-mail", 6,
    ),
    "facebook": TrafficSource(
        "facebook", "paid-social", "autumn-reels", "https://l.facebook.com/",
        "utm_source=facebook&utm_medium=paid-social&utm_campaign=autumn-reels&fbclid={gclid}", 5,
    ),
    "instagram": TrafficSource(
        "instagram", "social", "(referral)", "https://l.instagram.com/",
        "utm_source=instagram&utm_medium=social", 4,
    ),
    "bing": TrafficSource("bing", "organic", "(organic)", "https://www.bing.com/", "", 4),
    "partner": TrafficSource(
        "hikers-forum.example", "referral", "(referral)", "https://hikers-forum.example/thread", "", 3
    ),
    "other": TrafficSource("<Other>", "<Other>", "<Other>", None, "", 1),
}  # fmt: skip
SOURCE_NAMES: Final = tuple(SOURCES)

ROBOT, STAFF, TESTER = "bot", "internal", "debug"
"""Names in the truth file of ids that belong to no segment."""


@dataclass(frozen=True, eq=False)
class SampleUsers:
    """Visitors of one chunk; all arrays of shape (n_users,).

    Args:
        user_id: Text, null where consent was denied.
        customer: Text, the shop's own id of a visitor.
        label: What the truth file says.
        device: Index into :data:`DEVICES`.
        browser: Text.
        country: Text.
        source: Index into :data:`SOURCE_NAMES`, the first touch.
        returning: Whether the first visit lies before the export.
        kind: ``ROBOT``, ``STAFF``, ``TESTER`` or empty.
    """

    user_id: pa.Array
    customer: pa.Array
    label: np.ndarray
    device: np.ndarray
    browser: np.ndarray
    country: np.ndarray
    source: np.ndarray
    returning: np.ndarray
    kind: np.ndarray


def make_people(
    rng: np.random.Generator, segment: np.ndarray, first_number: int, denied: int, seed: int
) -> SampleUsers:
    """Give visitors their attributes; the last ``denied`` of them did not consent and have no id.

    Args:
        rng: Where chance comes from.
        segment: int64 of shape (n_users,).
        first_number: Number of the first visitor in the whole export; ids are unique over it.
        denied: How many refuse.
        seed: Seed of the export.
    """
    n = len(segment)
    numbers = np.arange(first_number, first_number + n)
    ids = _ids(rng, numbers, seed)
    kind = np.full(n, "", dtype="<U8")
    kind[rng.random(n) < 0.002] = STAFF
    kind[rng.random(n) < 0.001] = TESTER
    named = np.array([one.name for one in SEGMENTS], dtype="<U20")[segment]
    device = _device(rng, segment)
    refused = np.arange(n) >= n - denied
    return SampleUsers(
        user_id=pa.array(ids, mask=refused, type=pa.string()),
        customer=pa.array([f"C{number + 100_000}" for number in numbers.tolist()], type=pa.string()),
        label=np.where(kind == "", named, kind),
        device=device,
        browser=_browser(rng, device),
        country=_any(rng, COUNTRIES, n),
        source=_source(rng, segment),
        returning=rng.random(n) < 0.17,
        kind=kind,
    )


def robots(rng: np.random.Generator, n: int, first_number: int, seed: int) -> SampleUsers:
    """A few crawlers that call themselves Chrome."""
    return SampleUsers(
        user_id=pa.array(_ids(rng, np.arange(first_number, first_number + n), seed), type=pa.string()),
        customer=pa.nulls(n, pa.string()),
        label=np.full(n, ROBOT),
        device=np.zeros(n, dtype=np.int64),
        browser=np.full(n, "Chrome"),
        country=np.full(n, "United States"),
        source=np.full(n, SOURCE_NAMES.index("(direct)")),
        returning=np.zeros(n, dtype=bool),
        kind=np.full(n, ROBOT),
    )


def _ids(rng: np.random.Generator, numbers: np.ndarray, seed: int) -> list[str]:
    """Ids as GA4 has them: digits, a point, digits. Read as a number, nearly every one would change."""
    n = len(numbers)
    front = rng.integers(1_000_000, 2_147_483_647, n)
    # An odd multiplier that 5 does not divide permutes 0..10^10-1: unique, and it does not look counted.
    back = (numbers * 7_368_787 + seed % 10_000 * 104_729 + 858_862_293) % 10**10
    tail = np.where(rng.random(n) < 0.01, rng.integers(10**7, 10**8, n), -1)
    return [
        f"{a}.{b:010d}" if c < 0 else f"{a}.{b:010d}{c}"
        for a, b, c in zip(front.tolist(), back.tolist(), tail.tolist(), strict=True)
    ]


def _device(rng: np.random.Generator, segment: np.ndarray) -> np.ndarray:
    mobile = per_segment("mobile")[segment]
    drawn = rng.random(len(segment))
    return np.where(drawn < mobile, 1, np.where(drawn < mobile + 0.05, 2, 0))


def _browser(rng: np.random.Generator, device: np.ndarray) -> np.ndarray:
    return np.choose(device, [_any(rng, BROWSERS[name], len(device)) for name in DEVICES])


def _source(rng: np.random.Generator, segment: np.ndarray) -> np.ndarray:
    weights = [[way.weight * one.sources.get(name, 1) for name, way in SOURCES.items()] for one in SEGMENTS]
    return draw(rng, cumulative(np.array(weights))[segment])


def _any(rng: np.random.Generator, weights: dict[str, float], n: int) -> np.ndarray:
    """Draw n of the keys by weight."""
    odds = np.array(list(weights.values()))
    return rng.choice(np.array(list(weights)), n, p=odds / odds.sum())
