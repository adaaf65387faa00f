"""Names, learnt from the places where users see their own, and found again elsewhere.

Who is greeted in a title, or has a profile, turns up in a search, in the name of a file, on the guest list of
somebody else. Two such words beside each other, in a text that hardly anybody saw, are a name. A word of a
text that many saw is none, whoever is called so.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from core.ingest.clean.personal_data import Masked

SHORTEST: Final = 3
"""Letters of a word that can be a name."""
TOGETHER: Final = 2
"""Words beside each other that are a name."""

_WORD: Final = re.compile(r"\{[^{}]*\}|[^\W\d_]+")
_BESIDE: Final = re.compile(r"[^\w{}/?&=#]{0,3}|[_+]|\s[/&]\s")


def known_names(words: Collection[str], public: Collection[str]) -> frozenset[str]:
    """Words of personal places that can be names, without case."""
    parts = (part for word in words for part in _WORD.findall(word))
    return frozenset(part for part in parts if len(part) >= SHORTEST) - frozenset(public)


def mask_names(text: str, names: Collection[str]) -> Masked:
    """Mask every name of two words or more in a text."""
    runs: list[list[tuple[int, int]]] = []
    for match in _WORD.finditer(text):
        if match[0].casefold() not in names:
            continue
        if runs and _BESIDE.fullmatch(text, runs[-1][-1][1], match.start()):
            runs[-1].append(match.span())
        else:
            runs.append([match.span()])
    found = [run for run in runs if len(run) >= TOGETHER]
    for run in reversed(found):
        text = text[: run[0][0]] + "{name}" + text[run[-1][1] :]
    return Masked(text, ("name",) * len(found))
