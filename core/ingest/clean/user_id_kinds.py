"""What the chosen user ids look like."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import pyarrow as pa

from core.data.receipt import ranked

LOOKED_AT: Final = 5_000
"""Ids that are looked at, evenly spread."""
NEARLY_ALL: Final = 0.95
EMAIL: Final = "email address"

_KINDS: Final = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("client id", r"(?:GA\d\.\d\.)?\d+\.\d+"),
        ("number", r"\d+"),
        (EMAIL, r"[^@\s]+@[^@\s]+\.[^@\s]+"),
        ("UUID", r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?"),
        ("hexadecimal", r"(?=.*\d)[0-9a-f]{8,}"),
    )
)


def kinds_of_ids(user_ids: pa.Array) -> Counter[str]:
    """Kind → ids of it, over a sample."""
    step = max(1, len(user_ids) // LOOKED_AT)
    return Counter(_kind(text) for text in user_ids.take(pa.array(range(0, len(user_ids), step))).to_pylist())


def describe_ids(kinds: Counter[str]) -> str:
    """The kind of nearly all ids, or a mixture."""
    found = ranked(kinds)
    for kind, count in found.items():
        if count >= NEARLY_ALL * kinds.total():
            return kind
    return "mixed: " + ", ".join(f"{kind} {count / kinds.total():.0%}" for kind, count in found.items())


def _kind(text: str) -> str:
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(text)), "text")
