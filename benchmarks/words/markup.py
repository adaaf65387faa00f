"""What a Markdown renderer would make of a text, found by a parser that shares nothing with the app."""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

AUTOLINK: Final = re.compile(r"https?://|www\.[\w-]|[\w.+-]+@[\w-]+\.\w", re.IGNORECASE)
"""What GFM turns into a link outside code."""
ALIVE: Final = frozenset({"link_open", "image", "html_block", "html_inline", "fence"})


def tokens(text: str) -> list[Token]:
    """Everything that a renderer would make, nested parts included."""
    parsed = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").parse(text)
    return [child for one in parsed for child in (one, *(one.children or ()))]


def loads_or_links(text: str) -> list[str]:
    """Whatever a renderer would load, link to, or take as HTML."""
    made = tokens(text)
    links = [one.content for one in made if one.type == "text" and AUTOLINK.search(one.content)]
    return [one.type for one in made if one.type in ALIVE] + links
