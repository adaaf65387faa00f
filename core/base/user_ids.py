"""Text of strangers on its way to a language model: cleaned, short, as data, and by number where possible.

Titles, URLs, labels and names of segments came from a website or from somebody else's file. None of them is
ever part of an instruction: the model gets ``P17`` or ``S2`` and a table of what these are called, and the
app puts the names back in afterwards.

Ids of users in text that is about to leave the machine, however they are spelt there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

LONGEST: Final = 80
"""Characters of one quoted text."""
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that show nothing, though Unicode does not call them format characters."""


def visible(text: str) -> str:
    """A text without anything that cannot be seen: control, bidirectional, zero-width, tag characters.

    Line ends stay; other control characters become blanks.
    """
    kept = (
        char if char == "\n" else " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in _UNSEEN.sub("", text)
        if unicodedata.category(char) not in ("Cf", "Cs", "Co", "Cn")
    )
    return "".join(kept)


def clean(text: str, longest: int = LONGEST) -> str:
    """One line in one spelling (Unicode NFKC) without invisible characters, cut to a length."""
    plain = visible(unicodedata.normalize("NFKC", text[: 4 * longest]))
    line = " ".join(unicodedata.normalize("NFKC", plain).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


class Quotes:
    """Gives texts numbers: ``P1``, ``P2``, … for pages, ``S1``, … for segments."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], str] = {}
        self._texts: dict[str, str] = {}

    def id_of(self, kind: str, text: str) -> str:
        """The number of a text, new or known.

        Args:
            kind: One capital letter, such as ``P`` for a page.
            text: As it came.
        """
        key = (kind, text)
        if key not in self._ids:
            number = sum(letter == kind for letter, _ in self._ids) + 1
            self._ids[key] = f"{kind}{number}"
            self._texts[self._ids[key]] = text
        return self._ids[key]

    def set(self, name: str, text: str) -> str:
        """Give a text a chosen number, such as ``S2`` for the name of segment 2."""
        self._ids[(name[0], text)] = name
        self._texts[name] = text
        return name

    def data(self) -> dict[str, str]:
        """Number → cleaned text, for the message's data."""
        return {name: clean(text) for name, text in self._texts.items()}

    @property
    def texts(self) -> Mapping[str, str]:
        """Number → text as it came."""
        return dict(self._texts)


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
    """In one spelling, as :func:`core.base.user_ids.clean` shows it, without percent-encoding and case."""
    if "%" in text:
        text = unquote(unquote(text))
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFKC", visible(unicodedata.normalize("NFKC", text)))
    return " ".join(text.casefold().split())
