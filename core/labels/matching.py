"""Which templates a page is one of, whatever the export that they were mined from.

Mining depends on the data: ``/lookbook/amber`` is itself where it has few siblings and ``/lookbook/:slug``
where it has many; ``/en/…`` becomes ``/:locale/…`` when a second language comes. A template that somebody has
written down outlives that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from core.labels.templates import parse, spellings

_END: Final = ""
"""Key of the template that ends at a node; a segment's key starts with a slash."""


class Templates:
    """Templates by their segments, as a trie.

    Args:
        templates: To look pages up in; a page without placeholders is one too.
        literal: Segments that no placeholder stands for (:func:`core.labels.templates.mine`).
    """

    def __init__(self, templates: Iterable[str], literal: Collection[str] = frozenset()) -> None:
        self._literal = literal
        self._roots: dict[tuple[str, str], dict[str, Any]] = {}
        for template in templates:
            parts = parse(template)
            node = self._roots.setdefault((parts.front, parts.query), {})
            for segment in parts.segments:
                node = node.setdefault(f"/{segment}", {})
            node[_END] = template

    def of(self, page: str) -> list[str]:
        """The templates of a page, or those that cover a template."""
        parts = parse(page)
        nodes = [self._roots.get((parts.front, parts.query), {})]
        for segment in parts.segments:
            names = sorted(spellings(segment, self._literal))
            nodes = [node[f"/{name}"] for node in nodes for name in names if f"/{name}" in node]
        return [node[_END] for node in nodes if _END in node]
