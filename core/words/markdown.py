"""A model's answer on its way to the screen: text, bold, lists and tables, and nothing that loads or links.

A Markdown image is a request to a server, with whatever its address holds; a link is one click away from it.
So everything that could start one is made plain: brackets, angle brackets and entities are escaped,
back-ticks go, and what a renderer turns into a link by itself (``https://…``, ``www.…``, an e-mail address)
becomes code.
"""

from __future__ import annotations

import re
from typing import Final

from core.words.quoting import visible

_LINKED: Final = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}:)?//[^\s`|<>\"\[\]()]+"
    r"|\b(?:https?|ftp|file|mailto|data|javascript|vbscript|xmpp|tel|blob):[^\s`|<>\"\[\]()]+"
    r"|\bwww\.[^\s`|<>\"\[\]()]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    re.IGNORECASE,
)
_IMAGE: Final = re.compile(r"!(?=\s*\[)")
_ESCAPED: Final = str.maketrans({
    "\\": "\\\\", "[": "\\[", "]": "\\]", "<": "&lt;", ">": "&gt;", "&": "&amp;", "$": "\\$", "`": "",
})  # fmt: skip


def safe_markdown(text: str) -> str:
    """Markdown in which no image, link, HTML, formula or code of the given text is left.

    Args:
        text: What a model wrote, names and values filled in.
    """
    plain = _IMAGE.sub("", visible(text).replace("`", ""))
    parts, last = [], 0
    for match in _LINKED.finditer(plain):
        parts += [plain[last : match.start()].translate(_ESCAPED), f"`{match[0]}`"]
        last = match.end()
    return "".join([*parts, plain[last:].translate(_ESCAPED)])
