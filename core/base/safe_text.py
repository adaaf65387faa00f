"""Make text safe to send to a language model: clean it, quote it by number, and detect user ids in it.

Titles, URLs, labels and names of segments came from a website or from somebody else's file. None of them is
ever part of an instruction: the model gets ``P17`` or ``S2`` and a table of what these are called, and the
app puts the names back in afterwards. User ids are detected however they are spelt
(:func:`contains_user_id`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

MAX_LENGTH: Final = 80
"""Most characters of a quoted text."""
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Invisible letters and marks that Unicode does not class as format characters."""


def without_invisible(text: str) -> str:
    """Remove invisible characters: control, bidirectional, zero-width and tag characters.

    Line ends stay; other control characters become blanks.
    """
    kept = (
        char if char == "\n" else " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in _UNSEEN.sub("", text)
        if unicodedata.category(char) not in ("Cf", "Cs", "Co", "Cn")
    )
    return "".join(kept)


def clean(text: str, longest: int = MAX_LENGTH) -> str:
    """Reduce a text to one line of Unicode NFKC without invisible characters, cut to a length."""
    plain = without_invisible(unicodedata.normalize("NFKC", text[: 4 * longest]))
    line = " ".join(unicodedata.normalize("NFKC", plain).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


class Quotes:
    """Assigns numbers to quoted texts: ``P1``, ``P2``, … for pages, ``S1``, … for segments."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], str] = {}
        self._texts: dict[str, str] = {}

    def id_of(self, kind: str, text: str) -> str:
        """Return the number of a text, assigning the next one to a new text.

        Args:
            kind: One capital letter, such as ``P`` for a page.
            text: Any text, not cleaned; :meth:`data` cleans it.
        """
        key = (kind, text)
        if key not in self._ids:
            number = sum(letter == kind for letter, _ in self._ids) + 1
            self._ids[key] = f"{kind}{number}"
            self._texts[self._ids[key]] = text
        return self._ids[key]

    def set(self, name: str, text: str) -> str:
        """Give a text a chosen number, such as ``S2`` for the name of segment 2, and return the number."""
        self._ids[(name[0], text)] = name
        self._texts[name] = text
        return name

    def data(self) -> dict[str, str]:
        """Return number → cleaned text, for the data part of a message."""
        return {name: clean(text) for name, text in self._texts.items()}

    @property
    def texts(self) -> Mapping[str, str]:
        """Number → original text, not cleaned."""
        return dict(self._texts)


MIN_LENGTH: Final = 6
"""Fewest characters of an id that is searched within texts; a shorter one must be the whole text."""
_RUN: Final = re.compile(r"[^\W_]+")
"""Letters and digits; an id within a text begins and ends with such a run."""


def contains_user_id(text: str, user_ids: Collection[str]) -> bool:
    """Whether a text holds a user id, also between other characters, percent-encoded or in other case.

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
    """User ids in normalised spelling.

    Args:
        short: Ids that only match a whole text.
        long: All other ids, from the first run of letters and digits to the last.
        runs: Most runs in a long id.
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
        if len(core) >= MIN_LENGTH:
            long.add(core)
            most = max(most, len(runs))
        else:
            short.add(one)
    return _Ids(frozenset(short), frozenset(long), most)


def _runs(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _RUN.finditer(text)]


def _folded(text: str) -> str:
    """Normalise a text like :func:`clean`, and remove percent-encoding and case."""
    if "%" in text:
        text = unquote(unquote(text))
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFKC", without_invisible(unicodedata.normalize("NFKC", text)))
    return " ".join(text.casefold().split())
