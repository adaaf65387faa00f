"""The parts of a model's JSON that are whole: while it is being written, cut off, or wrapped in words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[\s,]*")
LONGEST: Final = 60_000
"""Characters that are read; an answer is a few hundred."""


@dataclass(frozen=True)
class Listed:
    """A list within a text.

    Args:
        parts: Its whole parts, in order.
        end: Where in the text the list ends; 0 while it does not.
        is_broken: Whether something follows that is no whole part.
    """

    parts: tuple[object, ...] = ()
    end: int = 0
    is_broken: bool = False


def listed(text: str, field: str) -> Listed:
    """The list that a field of an object holds; nothing if there is none (yet).

    Args:
        text: JSON, perhaps in a fence or after some words.
        field: Name of the field.
    """
    text = text[:LONGEST]
    start = re.search(rf'"{field}"\s*:\s*\[', text)
    if start is None:
        return Listed()
    place, parts = start.end(), list[object]()
    while True:
        place = _SPACE.match(text, place).end()  # type: ignore[union-attr]  # it matches nothing, too
        if text[place : place + 1] == "]":
            return Listed(tuple(parts), place + 1)
        try:
            part, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            return Listed(tuple(parts), is_broken=place < len(text))
        parts.append(part)


def string(text: str, field: str) -> str:
    """The text that a field of an object holds; empty if there is none."""
    start = re.search(rf'"{field}"\s*:\s*(?=")', text[:LONGEST])
    try:
        return str(_DECODER.raw_decode(text, start.end())[0]) if start else ""
    except ValueError:
        return ""
