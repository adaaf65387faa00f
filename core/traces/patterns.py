"""Many ids, looked for in bytes at once (Aho-Corasick).

A trace is a whole token: the id with no letter, digit or ``_`` beside it, so that ``12`` does not stand in
``3124``.
"""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np
from ahocorasick_rs import BytesAhoCorasick

from core.ingest.sources.sniffing import HEAD_BYTES, utf16_codec
from core.ingest.sources.text import from_windows, is_utf8
from core.outgoing.user_ids import SHORTEST

FORGOTTEN: Final = "[forgotten]"
"""Stands where an id was, in text that stays."""
_WORD: Final = np.array([chr(byte).isalnum() or byte == 95 or byte > 127 for byte in range(256)])
_WORD_BYTE: Final = re.compile(rb"[0-9A-Za-z_\x80-\xff]")
_ESCAPE: Final = re.compile(
    rb"\\(?:u([0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*)|U([0-9a-fA-F]{8})|u\{([0-9a-fA-F]{1,6})\}"
    rb"|x([0-9a-fA-F]{2}(?:\\x[0-9a-fA-F]{2})*)|(.))",
    re.DOTALL,
)
"""JSON, JavaScript and Python: UTF-16 units, code points, bytes or Latin-1, single characters."""
_MARKUP: Final = re.compile(rb"&(?:#|\w{2,31};)")
_TEXT: Final = bytes({0, 9, 10, 13, *range(32, 256)})
_BINARY: Final = 0.05
"""Share of control characters from which on bytes are no text."""
_LAYERS: Final = 4
"""Spellings in one another that are undone, as percent-encoding in JSON in a quoted cell."""
_CONTROL: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


class Trace(NamedTuple):
    """Where an id stands in some bytes."""

    start: int
    end: int
    id: str


@dataclass(frozen=True, eq=False)
class IdPatterns:
    """Ids to look for.

    Args:
        ids: As they stand in the export.
        others: Longer ids, of others, in which one of them stands, as ``u-100001`` in ``u-100001-2``: there
            it is no trace.
        keys: Normalised names of the columns by which data sets made of a file tell their users; empty
            where there is none.
    """

    ids: frozenset[str]
    others: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()

    @cached_property
    def long(self) -> frozenset[str]:
        """Those that can be told from other words and numbers wherever they stand."""
        return frozenset(one for one in self.ids if len(one) >= SHORTEST and _WORD_BYTE.search(one.encode()))

    @cached_property
    def short(self) -> frozenset[str]:
        """The others: they are looked for only as whole values of columns of ids."""
        return self.ids - self.long

    @cached_property
    def numbers(self) -> np.ndarray:
        """Those that a column of whole numbers could hold, int64, ascending."""
        plain = (one for one in self.long if one.isascii() and one.isdecimal() and one[0] != "0")
        return np.array(sorted(int(one) for one in plain if len(one) <= 18), dtype=np.int64)

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest one."""
        return max((len(one.encode()) for one in self.ids | self.others), default=0)

    @cached_property
    def _blanks(self) -> bool:
        return any(" " in one for one in self.long)

    @cached_property
    def _inside(self) -> dict[str, list[Trace]]:
        """Id of another → where in it one of the ids stands."""
        alone = IdPatterns(self.ids)
        return {one: alone.find(one.encode()) for one in self.others}

    @cached_property
    def _automaton(self) -> tuple[list[str], BytesAhoCorasick]:
        """The ids, and what finds them, by their position."""
        ids = sorted(self.long | self.others)
        return ids, BytesAhoCorasick([one.encode() for one in ids])

    def find(self, data: bytes, *, first: bool = True, last: bool = True) -> list[Trace]:
        """Every whole token of the bytes that is one of the long ids, in order.

        Args:
            data: Some bytes of a text, or of anything.
            first: Whether nothing comes before them; else what begins with them may be cut off.
            last: Whether nothing follows them.
        """
        ids, automaton = self._automaton
        found = automaton.find_matches_as_indexes(data, overlapping=True)
        traces = [Trace(start, end, ids[which]) for which, start, end in found]
        traces = [one for one in traces if not (_joined(data, one.start) or _joined(data, one.end))]
        theirs = {
            Trace(one.start + inner.start, one.start + inner.end, inner.id)
            for one in traces
            for inner in self._inside.get(one.id, ())
        }
        return [
            one
            for one in traces
            if (first or one.start) and (last or one.end < len(data))
            if one.id not in self.others and one not in theirs
        ]

    def find_spelt(self, data: bytes, *, first: bool = True, last: bool = True) -> list[Trace]:
        """As :meth:`find`, in the spelling in which most are found: as it is, escaped, encoded.

        Positions are those of that spelling.
        """
        found = [
            self.find(one, first=first, last=last) for one in (data, *spellings(data, plus=self._blanks))
        ]
        return max(found, key=len)

    def without(self, data: bytes) -> bytes:
        """The bytes with :data:`FORGOTTEN` in place of every id that stands in them as it is."""
        pieces, at = [], 0
        for trace in self.find(data):
            pieces += [data[at : trace.start], FORGOTTEN.encode()]
            at = max(at, trace.end)
        return b"".join([*pieces, data[at:]])


def spellings(data: bytes, *, plus: bool = False) -> Iterator[bytes]:
    """What text says where it is UTF-16 or Windows-1252, composed otherwise, encoded, escaped, or all of it.

    Args:
        data: The text.
        plus: Whether ``+`` may be a blank, as forms send it.
    """
    if len(data.translate(None, _TEXT)) > _BINARY * len(data):
        return
    seen, layer = {data}, [data]
    for _ in range(_LAYERS):
        layer = list(
            dict.fromkeys(plain for spelt in layer for plain in _undone(spelt, plus) if plain not in seen)
        )
        seen.update(layer)
        yield from layer


def _undone(data: bytes, plus: bool) -> Iterator[bytes]:
    """What text says with one spelling undone."""
    yield from _encoded(data)
    if b"%" in data:
        yield unquote_to_bytes(data)
    if plus and b"+" in data:
        yield data.replace(b"+", b" ")
    if b"\\" in data:
        yield _ESCAPE.sub(_unescaped, data)
    if b"%u" in data:
        yield data.replace(b"%u", b"\\u")
    if _MARKUP.search(data):
        yield html.unescape(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    if b'""' in data:
        yield data.replace(b'""', b'"')


def _encoded(data: bytes) -> Iterator[bytes]:
    if not data.isascii():
        if not is_utf8(data):
            yield from_windows(data)
        text = data.decode("utf-8", "surrogateescape")
        if not unicodedata.is_normalized("NFC", text):
            yield unicodedata.normalize("NFC", text).encode("utf-8", "surrogateescape")
    if b"\0" in data:
        yield data.replace(b"\0", b"")
        yield from (_utf16(data[offset:], codec) for codec in ("utf-16-le", "utf-16-be") for offset in (0, 1))


def is_binary(data: bytes) -> bool:
    """Whether some bytes are no text, in whatever encoding."""
    control = len(data.translate(None, _TEXT)) > _BINARY * len(data)
    wide = data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or utf16_codec(data[:HEAD_BYTES])
    return control or (data.count(0) > _BINARY * len(data) and not wide)


def _utf16(data: bytes, codec: str) -> bytes:
    return data.decode(codec, "ignore").encode("utf-8", "ignore")


def _unescaped(match: re.Match[bytes]) -> bytes:
    units, long, braced, octets, plain = match.groups()
    if units:
        return bytes.fromhex(units.translate(None, b"\\u").decode()).decode("utf-16-be", "replace").encode()
    if point := long or braced:
        return chr(min(int(point, 16), 0x10FFFF)).encode("utf-8", "replace")
    if octets:
        raw = bytes.fromhex(octets.translate(None, b"\\x").decode())
        return raw if is_utf8(raw) else raw.decode("latin-1").encode()
    return _CONTROL.get(plain, plain)


def _joined(data: bytes, at: int) -> bool:
    """Whether a token goes on over a place."""
    return 0 < at < len(data) and _in_word(data[max(0, at - 4) : at], -1) and _in_word(data[at : at + 4], 0)


def _in_word(beside: bytes, place: int) -> bool:
    """Whether the first (0) or last (-1) character can stand in a token; a byte that is no UTF-8 can."""
    if beside[place] < 128:
        return bool(_WORD[beside[place]])
    character = beside.decode("utf-8", "surrogateescape")[place]
    return character.isalnum() or "\udc80" <= character <= "\udcff" or bool(unicodedata.combining(character))
