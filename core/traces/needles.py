"""Many ids, looked for in bytes at once.

A trace is a whole token: the id with no letter, digit or ``_`` beside it, so that ``12`` does not stand in
``3124``. Bytes are cut into runs of such characters, each run gets a polynomial hash from sums over the
whole piece, and a run whose hash is that of an id's longest run is compared byte by byte. So the time hardly
depends on the number of ids.
"""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np

from core.ingest.sources.sniffing import HEAD_BYTES, utf16_codec
from core.ingest.sources.text import from_windows, is_utf8
from core.outgoing.user_ids import SHORTEST

FORGOTTEN: Final = "[forgotten]"
"""Stands where an id was, in text that stays."""
_BASE: Final = 0x9E3779B97F4A7C15
_WORD: Final = np.array([chr(byte).isalnum() or byte == 95 or byte > 127 for byte in range(256)])
_IS_WORD: Final = _WORD.astype(np.uint8).tobytes()
_RUN: Final = re.compile(rb"[0-9A-Za-z_\x80-\xff]+")
_ESCAPE: Final = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_MARKUP: Final = re.compile(rb"&(?:#|amp;|lt;|gt;|quot;)")
_TEXT: Final = bytes({0, 9, 10, 13, *range(32, 256)})
_BINARY, _WIDE = 0.05, 0.2
"""Share of control characters from which on bytes are no text; of zeros from which on they may be UTF-16."""
_CONTROL: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


class Trace(NamedTuple):
    """Where an id stands in some bytes."""

    start: int
    end: int
    id: str


@dataclass(frozen=True, eq=False)
class Needles:
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
    _by_hash: dict[int, list[tuple[bytes, int, str]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        texts = [one.encode() for one in self.long | self.others]
        runs = [max(_RUN.finditer(text), key=lambda match: len(match[0])) for text in texts]
        joined = b"\n".join(run[0] for run in runs)
        by_hash = defaultdict(list)
        for value, text, run in zip(_hashes(joined, *_runs(joined)).tolist(), texts, runs, strict=True):
            by_hash[value].append((text, run.start(), text.decode()))
        object.__setattr__(self, "_by_hash", dict(by_hash))

    @cached_property
    def long(self) -> frozenset[str]:
        """Those that can be told from other words and numbers wherever they stand."""
        return frozenset(one for one in self.ids if len(one) >= SHORTEST and _RUN.search(one.encode()))

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
    def _inside(self) -> dict[str, list[Trace]]:
        """Id of another → where in it one of the ids stands."""
        alone = Needles(self.ids)
        return {one: alone.find(one.encode()) for one in self.others}

    @cached_property
    def _known(self) -> np.ndarray:
        return np.array(sorted(self._by_hash), dtype=np.uint64)

    @cached_property
    def _lengths(self) -> np.ndarray:
        """Whether an id's longest run has so many bytes, bool; the last stands for all beyond."""
        runs = [max(map(len, _RUN.findall(text))) for ids in self._by_hash.values() for text, *_ in ids]
        fits = np.zeros(max(runs, default=0) + 2, bool)
        fits[runs] = True
        return fits

    def find(self, data: bytes, *, first: bool = True, last: bool = True) -> list[Trace]:
        """Every whole token of the bytes that is one of the long ids, in order.

        Args:
            data: Some bytes of a text, or of anything.
            first: Whether nothing comes before them; else what begins with them may be cut off.
            last: Whether nothing follows them.
        """
        if not len(self._known) or not data:
            return []
        starts, ends = _runs(data)
        fits = self._lengths[np.minimum(ends - starts, len(self._lengths) - 1)]
        starts, ends = starts[fits], ends[fits]
        if not len(starts):
            return []
        hashes = _hashes(data, starts, ends)
        place = np.minimum(np.searchsorted(self._known, hashes), len(self._known) - 1)
        found = np.flatnonzero(self._known[place] == hashes)
        maybe = zip(starts[found].tolist(), hashes[found].tolist(), strict=True)
        traces = dict.fromkeys(trace for start, value in maybe for trace in self._at(data, start, value))
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

    def _at(self, data: bytes, start: int, value: int) -> Iterator[Trace]:
        for text, offset, one in self._by_hash[value]:
            begin = start - offset
            end = begin + len(text)
            if begin >= 0 and data[begin:end] == text and not (_joined(data, begin) or _joined(data, end)):
                yield Trace(begin, end, one)

    def find_spelt(self, data: bytes, *, first: bool = True, last: bool = True) -> list[Trace]:
        """As :meth:`find`, in the spelling in which most are found: as it is, escaped, encoded.

        Positions are those of that spelling.
        """
        found = [self.find(one, first=first, last=last) for one in (data, *spellings(data))]
        return max(found, key=len)

    def without(self, data: bytes) -> bytes:
        """The bytes with :data:`FORGOTTEN` in place of every id that stands in them as it is."""
        pieces, at = [], 0
        for trace in self.find(data):
            pieces += [data[at : trace.start], FORGOTTEN.encode()]
            at = max(at, trace.end)
        return b"".join([*pieces, data[at:]])


def spellings(data: bytes) -> Iterator[bytes]:
    """What text says where it is UTF-16 or Windows-1252, composed otherwise, encoded or escaped."""
    if len(data.translate(None, _TEXT)) > _BINARY * len(data):
        return
    yield from _encoded(data)
    if b"%" in data:
        yield (once := unquote_to_bytes(data))
        if b"%25" in data:
            yield unquote_to_bytes(once)
    if b"\\" in data:
        yield _ESCAPE.sub(_unescaped, data)
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
    if data.count(0) > _WIDE * len(data):
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
    if match[1]:
        return chr(int(match[1], 16)).encode("utf-8", "replace")
    return _CONTROL.get(match[2], match[2])


def _joined(data: bytes, at: int) -> bool:
    """Whether a token goes on over a place."""
    return 0 < at < len(data) and bool(_WORD[data[at - 1]] and _WORD[data[at]])


def _runs(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where the runs of letters and digits begin and end."""
    inside = np.frombuffer(b"\0" + data.translate(_IS_WORD) + b"\0", np.int8)
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    return edges[0::2], edges[1::2]


def _hashes(data: bytes, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """A polynomial in 64 bits over each run, uint64; that of an equal run elsewhere is equal."""
    array = np.frombuffer(data, np.uint8)
    size = 1 << max(16, len(array).bit_length())
    powers, inverse = _powers(_BASE, size), _powers(pow(_BASE, -1, 1 << 64), size)
    sums = np.zeros(len(array) + 1, np.uint64)
    np.cumsum(array * powers[: len(array)], out=sums[1:])
    found: np.ndarray = (sums[ends] - sums[starts]) * inverse[starts]
    return found


@lru_cache(maxsize=4)
def _powers(base: int, size: int) -> np.ndarray:
    powers = np.full(size, base, np.uint64)
    powers[0] = 1
    return np.cumprod(powers)
