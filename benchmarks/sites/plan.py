"""A site as its YAML plans it (README.md explains the keys)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote
from zlib import crc32

import numpy as np
import yaml

DEV: Final = ("mattress", "saas", "merch", "nordleden")
# looked at once, when all is decided
HELD: Final = ("paper", "campus", "tokyo", "gazette", "tracewell", "jobharbour", "mediatheque")
_TEXTS: Final = ("type", "theme", "path", "title")
_GERMAN: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


class Page(NamedTuple):
    """One page, or one answer of the site's search."""

    group: str
    path: str  # decoded, in lower case, without query and trailing slash
    location: str  # as the browser sends it, percent-encoded
    title: str
    type: str
    theme: str
    words: frozenset[str]  # pages that share a word are near each other
    popularity: float


def read_plan(name: str) -> tuple[dict[str, list[Page]], dict[str, Any]]:
    """Read a site: its pages by group, the same for every seed, and its YAML."""
    site = yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"))
    rng = np.random.default_rng(crc32(name.encode()))
    return {group: list(_pages(group, body, site, rng)) for group, body in site["groups"].items()}, site


def _pages(
    group: str, body: dict[str, Any], site: dict[str, Any], rng: np.random.Generator
) -> Iterator[Page]:
    """One page for each way to fill the group's texts: the fields of one block are crossed."""
    for block in body.get("fill", [{}]):
        text = {key: block.get(key, body.get(key, "")) for key in _TEXTS}
        fields = sorted(block.keys() - set(_TEXTS))
        choices = [[block[field]] if isinstance(block[field], str) else block[field] for field in fields]
        for values in product(*choices):
            number = str(rng.integers(10_000, 99_999))
            shown = dict(zip(fields, (value.partition("=")[0] for value in values), strict=True), n=number)
            slugs = dict(zip(fields, map(_slug, values), strict=True), n=number)
            path, _, query = text["path"].format_map(slugs).partition("?")
            title, theme = text["title"].format_map(shown), text["theme"].format_map(shown)
            location = site["host"] + quote(path) + (f"?{quote(query, safe='=&')}" if query else "")
            title = "" if rng.random() < site["untitled"] else site["title"].format(title)
            words, popularity = frozenset({*slugs.values(), theme} - {""}), float(rng.pareto(1.5) + 0.3)
            yield Page(group, path, location, title, text["type"], theme, words, popularity)


def _slug(value: str) -> str:
    """The part of a path that stands for ``Title`` or ``Title=slug``."""
    title, _, slug = value.lower().translate(_GERMAN).partition("=")
    return slug or "-".join("".join(c if c.isalnum() else " " for c in title).split())
