"""Text that a program drew by chance: keys, tokens, hashes, ids of sessions. Nobody reads or types it."""

from __future__ import annotations

import re
from typing import Final

SHORTEST: Final = 12
"""Characters below which a product code looks the same."""
SWITCHES: Final = 4
"""Changes between letters, digits and case, beyond what words with numbers have."""

MIXED: Final = 3
"""Runs of letters or digits that a code has at least, and characters that each has on average at most."""

_NUMBER: Final = re.compile(r"\d{4}")
_SEPARATED: Final = re.compile(r"[-_.~=:+]+")
_RUNS: Final = re.compile(r"[a-z]+|[A-Z]+|[0-9]+")
_UUID: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def looks_issued(text: str) -> bool:
    """Say whether a program issued a value: a number of at least four digits, a code, a key.

    In one value a code looks like the number of a model; where all values of a place do, they are issued.
    """
    parts = [(part, len(_RUNS.findall(part))) for part in _SEPARATED.split(text)]
    mixed = any(runs >= MIXED and len(part) <= MIXED * runs for part, runs in parts)
    return mixed or _NUMBER.search(text) is not None


def looks_random(text: str) -> bool:
    """Say whether a text holds a part that was drawn by chance."""
    if len(text) < SHORTEST:
        return False
    if _UUID.search(text):
        return True
    return any(_is_random(part) for part in _SEPARATED.split(text) if len(part) >= SHORTEST)


def _is_random(part: str) -> bool:
    """Letters and digits in turns: ``k3j9x2m1pq7a``; not ``iphone15promax256gb`` and no word."""
    if not part.isascii() or not part.isalnum():
        return False
    runs = _RUNS.findall(part)
    digits = [run for run in runs if run.isdigit()]
    return len(digits) >= 2 and len(runs) - 1 >= SWITCHES and len(part) / len(runs) < 3.2
