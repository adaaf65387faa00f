"""A model's answer on its way to the screen: text, bold, lists and tables, and nothing that loads or links.

A Markdown image is a request to a server, with whatever its address holds; a link is one click away from it.
So everything that could start one is made plain: brackets, angle brackets and entities are escaped,
back-ticks go, and what a renderer turns into a link or a picture by itself (``https://…``, ``www.…``, an
e-mail address, ``:material/verified:``) becomes code. Headings and fences stay characters.
"""

from __future__ import annotations

import re
from typing import Final

from core.outgoing.quoting import visible

_LINKED: Final = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}:)?//[^\s`|<>\"\[\]()]+"
    r"|\b(?:https?|ftp|file|mailto|data|javascript|vbscript|xmpp|tel|blob):[^\s`|<>\"\[\]()]+"
    r"|(?<![a-z0-9])www\.[^\s`|<>\"\[\]()]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|:(?:[\w+/-]{0,60}[a-z_][\w+/-]{0,60}|[+-]1|100|1234):",  # Streamlit's icons, and emoji
    re.IGNORECASE,
)
_BLOCK: Final = re.compile(r"(?<!\S)#{1,6}(?=\s|$)|~{3,}|^[ \t]*(?:=+|-+)(?=[ \t]*$)", re.MULTILINE)
"""A heading, by sign or underlined, and a fence."""
_SIGN: Final = re.compile(r"(?<!\S)(?=(?:<->|<-|->|<=|>=)(?!\S))")
"""Streamlit makes one character of it, ``≥`` of ``>=``, unless something invisible stands before it."""
_IMAGE: Final = re.compile(r"!(?=\s*\[)")
_ESCAPED: Final = str.maketrans({
    "\\": "\\\\", "[": "\\[", "]": "\\]", "<": "&lt;", ">": "&gt;", "&": "&amp;", "$": "\\$", "`": "",
})  # fmt: skip


def safe_markdown(text: str) -> str:
    """Markdown in which no image, link, HTML, formula or code of the given text is left.

    Args:
        text: What a model wrote, names and values filled in.
    """
    plain = _SIGN.sub("\u2060", _IMAGE.sub("", visible(text).replace("`", "")))
    parts, last = [], 0
    for match in _LINKED.finditer(plain):
        parts += [_characters(plain[last : match.start()]), f"`{match[0]}`"]
        last = match.end()
    return "".join([*parts, _characters(plain[last:])])


def _characters(text: str) -> str:
    return _BLOCK.sub(lambda match: re.sub(r"(\S)", r"\\\1", match[0]), text.translate(_ESCAPED))
