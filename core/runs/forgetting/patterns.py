"""Search for many ids in bytes at once (Aho-Corasick), in every spelling of text.

A trace is a whole token: the id with no letter, digit or ``_`` beside it, so that ``12`` does not stand in
``3124``.
"""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html.entities import html5
from typing import Final, NamedTuple

import numpy as np
from ahocorasick_rs import BytesAhoCorasick

from core.base.safe_text import MIN_LENGTH
from core.ingest.sources.sniffing import HEAD_BYTES, utf16_codec
from core.ingest.sources.text import from_windows, is_utf8

FORGOTTEN: Final = "[forgotten]"
"""Text in place of an id, in files that stay."""
_WORD: Final = np.array([chr(byte).isalnum() or byte == 95 or byte > 127 for byte in range(256)])
_WORD_BYTE: Final = re.compile(rb"[0-9A-Za-z_\x80-\xff]")
_BARE: Final = "|".join(sorted((name for name in html5 if name[-1] != ";"), reverse=True)).encode()
"""Names of characters that HTML takes without a semicolon too."""
_ESCAPE: Final = re.compile(
    rb"[\\%%&\"+\x80-\xff](?:"  # known by its first byte, which is what makes the search fast
    rb"(?P<units>(?<=[\\%%])u(?:[dD][89abAB]%(hex)b{2}[\\%%]u[dD][c-fC-F]%(hex)b{2}|%(hex)b{4}))"
    rb"|(?P<point>(?<=\\)(?:U%(hex)b{8}|u\{%(hex)b{1,6}\}))"
    rb"|(?P<octets>(?:(?<=%%)|(?<=\\)x)(?:[c-fC-F]%(hex)b(?:(?:%%|\\x)[89abAB]%(hex)b)+|%(hex)b{2}))"
    rb"|(?P<char>(?<=\\).)"
    rb"|(?P<markup>(?<=&)(?:#(?:[0-9]{1,7}|[xX]%(hex)b{1,6});?|[0-9A-Za-z]{2,31};|%(bare)b))"
    rb"|(?P<quotes>(?<=\")\")"
    rb"|(?P<beyond>(?<=[\x80-\xff])[\x80-\xff]*)"
    rb"|(?P<blank>(?<=\+)))" % {b"hex": b"[0-9a-fA-F]", b"bare": _BARE},
    re.DOTALL,
)
"""One character as JSON, JavaScript, Python, addresses, HTML, CSV, Windows-1252 or forms spell it."""
_TEXT: Final = bytes({0, 9, 10, 13, *range(32, 256)})
_BINARY: Final = 0.05
"""Share of control characters from which on bytes are no text."""
LAYERS: Final = 8
"""Most layers of escapes that are undone, such as percent-encoding in JSON in a quoted cell."""
_CONTROL: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


class Trace(NamedTuple):
    """An id in some bytes: ``[start:end]`` is the id as it is, or its escaped form."""

    start: int
    end: int
    id: str


class Traces(NamedTuple):
    """Ids found in some bytes; there may be others where escapes are ``too_deep``: over :data:`LAYERS`."""

    places: list[Trace]
    too_deep: bool


class Layer(NamedTuple):
    """A text with some layers of escapes undone.

    Args:
        data: The text.
        spans: For each undone layer int64 of shape (4, n): begin and end of each change in the text after
            it, then begin and end in the text before.
    """

    data: bytes
    spans: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, eq=False)
class IdPatterns:
    """Ids to look for.

    Args:
        ids: As they stand in the export.
        others: Longer ids, of others, in which one of them stands, as ``u-100001`` in ``u-100001-2``: there
            it is no trace.
        keys: Normalised names of the columns that identify users in the data sets made of a file; empty
            where there is none.
    """

    ids: frozenset[str]
    others: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()

    @cached_property
    def long(self) -> frozenset[str]:
        """Ids of at least :data:`MIN_LENGTH` characters, which are searched in all text."""
        return frozenset(one for one in self.ids if _is_long(one.encode()))

    @cached_property
    def short(self) -> frozenset[str]:
        """All other ids, which look like any word: searched only as whole values of columns of ids."""
        return self.ids - self.long

    @cached_property
    def numbers(self) -> np.ndarray:
        """Long ids that are whole numbers of at most 18 digits: int64, ascending."""
        plain = (one for one in self.long if one.isascii() and one.isdecimal() and one[0] != "0")
        return np.array(sorted(int(one) for one in plain if len(one) <= 18), dtype=np.int64)

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest id, with those of others."""
        return max((len(one.encode()) for one in self.ids | self.others), default=0)

    @cached_property
    def _blanks(self) -> bool:
        return any(" " in one for one in self.long)

    @cached_property
    def _words(self) -> dict[bytes, str]:
        """Bytes to look for → their id: ids as they are, and without the escapes that they hold themselves.

        Every layer is undone as a whole, with them. Where ids of others look the same, they are meant.
        """
        ids = sorted(self.long), sorted(self.others)
        plain = [{self._plain(one.encode()): one for one in some} for some in ids]
        as_is = [{one.encode(): one for one in some} for some in ids]
        words = plain[0] | as_is[0] | plain[1] | as_is[1]
        return {word: one for word, one in words.items() if _is_long(word)}

    def _plain(self, data: bytes) -> bytes:
        return [layer.data for layer in _rounds(Layer(data), self._blanks)][-1]

    @cached_property
    def _inside(self) -> dict[bytes, list[Trace]]:
        """Longer id of another user → where in it, as it is and without escapes, one of the ids stands."""
        alone = IdPatterns(self.ids)
        return {word: alone.find(word) for word, one in self._words.items() if one in self.others}

    @cached_property
    def _automaton(self) -> tuple[list[bytes], BytesAhoCorasick]:
        """The words, and the automaton that finds them by their position."""
        words = list(self._words)
        return words, BytesAhoCorasick(words)

    def find(self, data: bytes, *, first: bool = True, last: bool = True) -> list[Trace]:
        """Find the long ids that stand in some bytes as whole words, unescaped.

        Args:
            data: A text or any other bytes.
            first: Whether they begin here; else an id at their start is left out: its word may begin before.
            last: Whether they end here; else an id at their end is left out.
        """
        words, automaton = self._automaton
        hits = automaton.find_matches_as_indexes(data, overlapping=True)
        hits = [one for one in hits if not (_joined(data, one[1]) or _joined(data, one[2]))]
        theirs = {
            Trace(start + inner.start, start + inner.end, inner.id)
            for which, start, _ in hits
            for inner in self._inside.get(words[which], ())
        }
        traces = [Trace(start, end, self._words[words[which]]) for which, start, end in hits]
        return [
            one
            for one in traces
            if (first or one.start) and (last or one.end < len(data))
            if one.id not in self.others and one not in theirs
        ]

    def find_spelt(self, data: bytes, *, first: bool = True, last: bool = True) -> Traces:
        """Find ids as :meth:`find` does, also escaped or encoded, in up to :data:`LAYERS` layers; in order.

        Positions are those in ``data``; an id that several layers show at one position is counted once.
        """
        places, deepest = list[Trace](), 0
        for layer in layers(data, plus=self._blanks):
            places += _before(layer.spans, self.find(layer.data, first=first, last=last))
            deepest = max(deepest, len(layer.spans))
        return Traces(_apart(places), deepest > LAYERS)

    def holds(self, data: bytes) -> bool:
        """Whether a long id stands in the bytes, also escaped, or they are escaped too deeply to tell."""
        traces = self.find_spelt(data)
        return bool(traces.places) or traces.too_deep

    def without(self, data: bytes) -> bytes:
        """Return the bytes with :data:`FORGOTTEN` in place of every long id that stands in them unescaped."""
        pieces, at = [], 0
        for trace in sorted(self.find(data)):
            pieces += [data[at : trace.start], FORGOTTEN.encode()] if trace.start >= at else []
            at = max(at, trace.end)
        return b"".join([*pieces, data[at:]])


def layers(data: bytes, *, plus: bool = False) -> Iterator[Layer]:
    """Yield a text as it is, then with one more layer of escapes undone each time, until nothing changes.

    Each round undoes one escape of every kind wherever it stands, so that mixed layers need no order. After
    :data:`LAYERS` rounds one more tells that there are others. It is also read as UTF-16 where it may be.

    Args:
        data: The text; of binary data only the bytes as they are come back.
        plus: Whether ``+`` may be a blank, as forms send it.
    """
    if len(data.translate(None, _TEXT)) > _BINARY * len(data):
        yield Layer(data)
        return
    yield from _rounds(Layer(data), plus)
    for codec, high in (("utf-16-le", 1), ("utf-16-be", 0)):
        for offset in (0, 1):
            if b"\0" in data[high ^ offset :: 2]:  # some character below U+0100, if only a blank
                yield from _rounds(_utf16(data, codec, offset), plus)


def _rounds(layer: Layer, plus: bool) -> Iterator[Layer]:
    yield layer
    while len(layer.spans) <= LAYERS:
        pieces, spans, done, here = list[bytes](), array("q", bytes(32)), 0, 0
        for match in _ESCAPE.finditer(layer.data):
            begin, end = match.span()
            plain = _undone(match.lastgroup or "", match[0])
            if plain != match[0] and (plus or match[0] != b"+"):
                pieces += [layer.data[done:begin], plain]
                here, done = here + begin - done, end
                spans.extend((here, here + len(plain), begin, end))
                here += len(plain)
        if not pieces:
            return
        data = b"".join([*pieces, layer.data[done:]])
        changed = np.frombuffer(spans, np.int64).reshape(-1, 4)
        layer = Layer(data, (*layer.spans, np.ascontiguousarray(changed.T)))
        yield layer


def _undone(kind: str, spelt: bytes) -> bytes:
    """Bytes that one escape stands for."""
    if kind == "beyond":  # decomposed, so that no letter before it takes part
        return unicodedata.normalize("NFD", _utf8(spelt).decode()).encode()
    return _character(kind, spelt)


@lru_cache(maxsize=1 << 14)
def _character(kind: str, spelt: bytes) -> bytes:
    match kind:
        case "units":
            units = spelt.translate(None, b"\\%u").decode()
            return bytes.fromhex(units).decode("utf-16-be", "replace").encode()
        case "point":
            return chr(min(int(spelt.translate(None, b"\\Uu{}"), 16), 0x10FFFF)).encode("utf-8", "replace")
        case "octets":
            return _utf8(bytes.fromhex(spelt.translate(None, b"\\%x").decode()))
        case "markup":
            return html.unescape(spelt.decode()).encode("utf-8", "replace")
        case "char":
            return _CONTROL.get(spelt[1:], spelt[1:])
    return {"quotes": b'"', "blank": b" "}[kind]


def _utf8(data: bytes) -> bytes:
    return data if is_utf8(data) else from_windows(data)


def _utf16(data: bytes, codec: str, offset: int) -> Layer:
    text = data[offset:].decode(codec, "replace").encode()
    octets = np.frombuffer(text, np.uint8)
    here = np.append(np.flatnonzero(octets & 0xC0 != 0x80), len(text))
    ends = offset + np.cumsum(np.where(octets[here[:-1]] < 0xF0, 2, 4))
    spans = np.stack([here[:-1], here[1:], np.append(offset, ends)[:-1], ends])
    return Layer(text, (spans,))


def _before(spans: Iterable[np.ndarray], traces: list[Trace]) -> list[Trace]:
    """Traces in a layer, at the positions of the bytes that it was made of."""
    first = np.array([one.start for one in traces], np.int64)
    last = np.array([one.end for one in traces], np.int64) - 1
    for changed in reversed(tuple(spans)) if traces else ():
        first, last = _origin(changed, first)[0], _origin(changed, last)[1] - 1
    places = zip(first.tolist(), (last + 1).tolist(), traces, strict=True)
    return [Trace(start, end, one.id) for start, end, one in places]


def _origin(spans: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Begin and end of what some bytes of a layer come from in the layer before."""
    here, stop, begin, end = spans
    which = np.searchsorted(here, at, "right") - 1
    inside, same = at < stop[which], at - stop[which] + end[which]
    return np.where(inside, begin[which], same), np.where(inside, end[which], same + 1)


def _apart(traces: Iterable[Trace]) -> list[Trace]:
    """Traces in order, without those that overlap another one of the same id."""
    kept = list[Trace]()
    for one in sorted(traces, key=lambda trace: (trace.id, trace)):
        if not kept or kept[-1].id != one.id or kept[-1].end <= one.start:
            kept.append(one)
    return sorted(kept)


def _is_long(word: bytes) -> bool:
    return len(word.decode("utf-8", "replace")) >= MIN_LENGTH and bool(_WORD_BYTE.search(word))


def is_binary(data: bytes) -> bool:
    """Whether some bytes are no text, in whatever encoding."""
    control = len(data.translate(None, _TEXT)) > _BINARY * len(data)
    wide = data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or utf16_codec(data[:HEAD_BYTES])
    return control or (data.count(0) > _BINARY * len(data) and not wide)


def _joined(data: bytes, at: int) -> bool:
    """Whether a token goes on over a position."""
    return 0 < at < len(data) and _in_word(data[max(0, at - 4) : at], -1) and _in_word(data[at : at + 4], 0)


def _in_word(beside: bytes, place: int) -> bool:
    """Whether the first (0) or last (-1) character can stand in a token; a byte that is no UTF-8 can."""
    if beside[place] < 128:
        return bool(_WORD[beside[place]])
    character = beside.decode("utf-8", "surrogateescape")[place]
    return character.isalnum() or "\udc80" <= character <= "\udcff" or bool(unicodedata.combining(character))
