"""Split a page's address for the rules; nothing here raises, whatever text an export has as an address."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from core.labels.templates import is_locale
from core.labels.words import TEXT_CHARACTERS, fold, stem_of

ADDRESS_CHARACTERS: Final = 2_000
_ENTRIES: Final = ("index.php", "#", "#!")
"""First segments that are left out, since they only name the program behind the page."""


@dataclass(frozen=True)
class Address:
    """The part of an address after the host.

    Args:
        text: Path and query, for regular expressions; at most :data:`core.labels.words.TEXT_CHARACTERS`.
        stems: Path segments in the form of rules (:func:`core.labels.words.stem_of`).
    """

    text: str
    stems: tuple[str, ...]

    @property
    def page(self) -> str:
        """The last segment; empty at the root."""
        return self.stems[-1] if self.stems else ""

    @property
    def top(self) -> str:
        """The first segment; empty at the root."""
        return self.stems[0] if self.stems else ""


@lru_cache(maxsize=1 << 14)
def read_address(url: str) -> Address:
    """Parse an address as rules read it: without host and locale, in lower case, without accents."""
    path, asked, query = after_host(url[:ADDRESS_CHARACTERS]).partition("?")
    segments = [segment for segment in path.split("/") if segment]
    while segments and (segments[0] in _ENTRIES or is_locale(segments[0])):
        segments.pop(0)
    text = "/" + "/".join(fold(unquote(segment)) for segment in segments)
    text += f"?{fold(unquote(query))}" if asked else ""
    return Address(text[:TEXT_CHARACTERS], tuple(map(stem_of, segments)))


def after_host(url: str) -> str:
    """Path and query of a page or template, such as ``/products/:slug?id=7``; the whole text without a host.

    ``urllib.parse`` refuses hosts such as ``[foo`` and ``a]b``, which exports do contain.
    """
    scheme, mark, rest = url.partition("://")
    if not mark or "/" in scheme or "?" in scheme:
        return url
    start = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    return rest[start:]
