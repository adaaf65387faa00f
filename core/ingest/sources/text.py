"""Read a text file of any encoding as UTF-8 bytes; the encoding is detected once, from a sample."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import methodcaller
from typing import Final

from core.ingest.sources.input_files import ByteReader
from core.ingest.sources.sniffing import HEAD_BYTES, utf16_codec

_SAMPLE_BYTES: Final = 1 << 22
_WINDOWS: Final = "windows-1252"
_NO_TEXT: Final = b"\xff"

_BOM_8: Final = b"\xef\xbb\xbf"
_BOMS_16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
# The WHATWG reading of windows-1252: its five undefined bytes are the control characters of latin-1.
_WINDOWS_EXTRA: Final = {
    byte: bytes([byte]).decode("cp1252")
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_WINDOWS_BYTES: Final = {ord(char): byte for byte, char in _WINDOWS_EXTRA.items()}
_UTF8_RUN = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


@dataclass
class DecodedText:
    r"""The content of a file as UTF-8, to be read once.

    Args:
        encoding: Encoding of the file.
        chunks: Its bytes as UTF-8, cut anywhere, without a byte order mark, lines ending in ``\n``.
        notes: Assumptions; complete once the chunks have been read.
        mark: Its byte order mark.
        line_end: CR if that alone ends its lines, else a line feed.
    """

    encoding: str
    chunks: Iterator[bytes]
    notes: list[str] = field(default_factory=list)
    mark: bytes = b""
    line_end: bytes = b"\n"

    def encoded(self, data: bytes) -> bytes:
        """Convert bytes of the chunks back to the encoding and line ends of the file."""
        data = data.replace(b"\n", self.line_end)
        if self.encoding.startswith("utf-8"):
            return data
        if self.encoding == _WINDOWS:
            return data.decode().translate(_WINDOWS_BYTES).encode("latin-1")
        return (
            data.replace(_NO_TEXT, b"")
            .decode("utf-8", "surrogatepass")
            .encode(self.encoding, "surrogatepass")
        )


def open_text(file: ByteReader, chunk_bytes: int) -> DecodedText:
    """Detect the encoding of a file, and start reading it as UTF-8."""
    sample = _read_full(file, min(_SAMPLE_BYTES, chunk_bytes))
    whole = len(sample) < min(_SAMPLE_BYTES, chunk_bytes)
    encoding, mark = detect_encoding(sample, whole)
    text = DecodedText(encoding, iter(()), mark=sample[:mark])
    raw = _chunks(file, sample[mark:], chunk_bytes)
    text.chunks = _one_line_end(_decoded(raw, text), text)
    return text


def detect_encoding(sample: bytes, whole: bool) -> tuple[str, int]:
    """Detect the encoding from the start of a file.

    Windows-1252 is assumed only if the sample has lines that are not UTF-8 and no line that is UTF-8 beyond
    ASCII; otherwise lines that are not UTF-8 count as broken.

    Args:
        sample: First bytes of the file.
        whole: Whether the sample is the whole file.

    Returns:
        Name of the encoding, and the length of the byte order mark.
    """
    if sample.startswith(_BOM_8):
        return "utf-8-sig", len(_BOM_8)
    if sample[:2] in _BOMS_16:
        return _BOMS_16[sample[:2]], 2
    if codec := utf16_codec(sample[:HEAD_BYTES]):
        return codec, 0
    lines = (sample if whole else sample[: sample.rfind(b"\n") + 1]).split(b"\n")
    foreign = [line for line in lines if not line.isascii()]
    broken = [line for line in foreign if not is_utf8(line)]
    return (_WINDOWS if broken and len(broken) == len(foreign) else "utf-8"), 0


def from_windows(data: bytes) -> bytes:
    """Convert Windows-1252 to UTF-8; every byte stands for a character."""
    return data.decode("latin-1").translate(_WINDOWS_EXTRA).encode()


def is_utf8(data: bytes) -> bool:
    """Whether bytes are valid UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read_full(file: ByteReader, size: int) -> bytes:
    """Read ``size`` bytes, or all there are: a packed file may give less at a time."""
    pieces, missing = [], size
    while missing and (piece := file.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _chunks(file: ByteReader, first: bytes, size: int) -> Iterator[bytes]:
    chunk = first + _read_full(file, size - len(first))
    while chunk:
        yield chunk
        chunk = _read_full(file, size)


def _decoded(chunks: Iterator[bytes], text: DecodedText) -> Iterator[bytes]:
    if text.encoding.startswith("utf-8"):
        return chunks
    if text.encoding == _WINDOWS:
        return _from_windows(chunks, text)
    text.notes.append(f"Read as {text.encoding}")
    return _from_utf16(chunks, text.encoding)


def _from_windows(chunks: Iterator[bytes], text: DecodedText) -> Iterator[bytes]:
    text.notes.append("Not UTF-8: read as windows-1252")
    mixed = 0
    for chunk in chunks:
        mixed += len(_UTF8_RUN.findall(chunk))
        yield from_windows(chunk)
    if mixed:
        text.notes.append(f"{mixed} characters look like UTF-8 all the same: check names with accents")


def _from_utf16(chunks: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """Convert UTF-16 to UTF-8; invalid characters stay invalid, so that only their line is rejected."""
    decoder = codecs.getincrementaldecoder(codec)("surrogatepass")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:  # half a character at the end
        yield _NO_TEXT


def _one_line_end(chunks: Iterator[bytes], text: DecodedText) -> Iterator[bytes]:
    """Replace old Macintosh line ends (a lone CR throughout) by line feeds."""
    change: Callable[[bytes], bytes] = bytes
    for number, chunk in enumerate(chunks):
        if number == 0 and b"\r" in chunk and b"\n" not in chunk:
            text.notes.append("Lines end in CR alone")
            text.line_end = b"\r"
            change = methodcaller("replace", b"\r", b"\n")
        yield change(chunk)
