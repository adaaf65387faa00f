"""Read a page's main text, JSON-LD types, ``og:type`` and breadcrumbs; runs in the child process.

Pages may be hostile: everything is limited in number and length, and walked without recursion.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Final

import trafilatura
from selectolax.lexbor import LexborHTMLParser
from trafilatura.utils import decode_file

from core.labels.label_types import Document

TEXT_CHARS: Final = 4_000
NAME_CHARS: Final = 100
_MAX_TYPES: Final = 20
_MAX_CRUMBS: Final = 12
_MAX_SCRIPTS: Final = 40
_SCRIPT_CHARS: Final = 500_000
_MAX_NODES: Final = 5_000
"""Most JSON-LD objects and lists that are read."""
_NESTED: Final = ("@graph", "mainEntity", "mainEntityOfPage", "breadcrumb")
"""Keys under which JSON-LD describes the page itself, unlike its offers, brands and reviews."""


def read(html: bytes, charset: str = "") -> Document:
    """Read the document of an HTML page.

    Args:
        html: The fetched bytes.
        charset: Charset of the header; empty to detect it.
    """
    text = decoded(html, charset)
    tree = LexborHTMLParser(text)
    objects = list(_objects(_json_ld(tree)))
    og = tree.css_first("meta[property='og:type']")
    return Document(
        text=clean(trafilatura.extract(text, include_comments=False) or "", TEXT_CHARS),
        json_ld_types=_types(objects),
        og_type=clean((og.attributes.get("content") or "") if og else "", NAME_CHARS),
        breadcrumbs=_breadcrumbs(objects) or _microdata_breadcrumbs(tree),
    )


def decoded(html: bytes, charset: str) -> str:
    """Decode bytes by the server's charset, else as trafilatura detects it; never fails."""
    try:
        if charset:
            return html.decode(charset)
    except (LookupError, ValueError):
        pass
    return str(decode_file(html))


def clean(text: str, limit: int) -> str:
    """Reduce a text to one line of visible characters, without control and format characters."""
    cut = text[: 4 * limit]
    visible = "".join(" " if char.isspace() else char for char in cut if not _hidden(char))
    return " ".join(visible.split())[:limit].rstrip()


def _hidden(char: str) -> bool:
    return unicodedata.category(char)[0] == "C" and not char.isspace()


def _json_ld(tree: LexborHTMLParser) -> Iterator[Any]:
    for node in tree.css("script[type*='ld+json']")[:_MAX_SCRIPTS]:
        text = node.text(deep=True)
        if len(text) > _SCRIPT_CHARS:
            continue
        try:
            yield json.loads(text, strict=False)
        except (ValueError, RecursionError):  # not JSON, or nested to make the parser fall over
            continue


def _objects(roots: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """JSON-LD objects that describe the page, in the order of the document."""
    waiting = list(roots)[::-1]
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node[:_MAX_NODES][::-1])
        elif isinstance(node, dict):
            yield node
            waiting.extend(node[key] for key in reversed(_NESTED) if key in node)


def _types(objects: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    found = (name for node in objects for name in _texts(node.get("@type")))
    plain = (clean(name, 4 * NAME_CHARS).rstrip("/#").rsplit("/", 1)[-1].rsplit(":", 1)[-1] for name in found)
    return tuple(dict.fromkeys(name[:NAME_CHARS] for name in plain if name))[:_MAX_TYPES]


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values[:_MAX_TYPES] if isinstance(text, str)]


def _breadcrumbs(objects: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    for node in objects:
        items = node.get("itemListElement")
        if "BreadcrumbList" in _types([node]) and isinstance(items, list):
            steps = [item for item in items[: 4 * _MAX_CRUMBS] if isinstance(item, dict)]
            names = (_name(step) for step in sorted(steps, key=_position))
            return tuple(name for name in names if name)[:_MAX_CRUMBS]
    return ()


def _position(step: dict[str, Any]) -> float:
    """Position of a breadcrumb, which may be written as text; infinite (so last) without one."""
    try:
        return float(step["position"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return float("inf")


def _name(step: dict[str, Any]) -> str:
    item = step.get("item")
    name = step.get("name") or (item.get("name") if isinstance(item, dict) else "")
    return clean(name, NAME_CHARS) if isinstance(name, str) else ""


def _microdata_breadcrumbs(tree: LexborHTMLParser) -> tuple[str, ...]:
    nodes = tree.css("[itemtype*='BreadcrumbList'] [itemprop='name']")[:_MAX_CRUMBS]
    return tuple(name for node in nodes if (name := clean(node.text(deep=True), NAME_CHARS)))
