"""Ids of users in text that is about to leave the machine, however they are spelt there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from core.outgoing.quoting import visible

SHORTEST: Final = 6
"""Characters; a shorter id is looked for as a whole value only: it could be any number or word."""
_RUN: Final = re.compile(r"[^\W_]+")
"""Letters and digits; an id within a text begins and ends with such a run."""


def holds_id(text: str, user_ids: Collection[str]) -> bool:
    """Whether a user id stands in a text: between other characters, percent-encoded, in other case.

    Args:
        text: Before it is cut: half an id would not be found.
        user_ids: All ids of the data set; fastest as a frozenset.
    """
    ids, text = _known(frozenset(user_ids)), _folded(text)
    runs = _runs(text)
    return text in ids.short or any(
        text[start:end] in ids.long
        for at, (start, _) in enumerate(runs)
        for _, end in runs[at : at + ids.runs]
    )


@dataclass(frozen=True)
class _Ids:
    """Ids in one spelling.

    Args:
        short: Those that are looked for as a whole value only.
        long: The others, from their first run to their last.
        runs: Most runs in one of them.
    """

    short: frozenset[str]
    long: frozenset[str]
    runs: int


@lru_cache(maxsize=2)
def _known(user_ids: frozenset[str]) -> _Ids:
    short, long, most = set[str](), set[str](), 0
    for one in map(_folded, user_ids):
        runs = _runs(one)
        core = one[runs[0][0] : runs[-1][1]] if runs else ""
        if len(core) >= SHORTEST:
            long.add(core)
            most = max(most, len(runs))
        else:
            short.add(one)
    return _Ids(frozenset(short), frozenset(long), most)


def _runs(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _RUN.finditer(text)]


def _folded(text: str) -> str:
    """In one spelling, as :func:`core.outgoing.quoting.clean` shows it, without percent-encoding and case."""
    if "%" in text:
        text = unquote(unquote(text))
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFKC", visible(unicodedata.normalize("NFKC", text)))
    return " ".join(text.casefold().split())
