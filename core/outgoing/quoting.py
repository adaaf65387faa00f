"""Text of strangers on its way to a language model: cleaned, short, as data, and by number where possible.

Titles, URLs, labels and names of segments came from a website or from somebody else's file. None of them is
ever part of an instruction: the model gets ``P17`` or ``S2`` and a table of what these are called, and the
app puts the names back in afterwards.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

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
