"""The parts of a model's JSON that are whole: while it is being written, cut off, or wrapped in words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[\s,]*")
_BARE: Final = re.compile(r'(?<!:)(?<!: )\[(?=\s*[{"])|\{(?=\s*"kind")')
"""Where an answer begins that is a list, or a block, without an object around it."""
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
    """The last list that a field holds and that is not empty; else a list, or a block, by itself.

    Args:
        text: JSON, perhaps in a fence or after some words.
        field: Name of the field.
    """
    text = text[:LONGEST]
    starts = [match.end() for match in re.finditer(rf'"{field}"\s*:\s*(?=[\[{{])', text)]
    if not starts and (bare := _BARE.search(text)):
        starts = [bare.start()]
    found = [_parts(text, start) for start in starts]
    return next((one for one in reversed(found) if one.parts), found[-1] if found else Listed())


def _parts(text: str, place: int) -> Listed:
    """Of a list that begins there; an object stands for a list of one."""
    is_list, parts = text[place] == "[", list[object]()
    place += is_list
    while True:
        place = _SPACE.match(text, place).end()  # type: ignore[union-attr]  # it matches nothing, too
        if is_list and text[place : place + 1] == "]":
            return Listed(tuple(parts), place + 1)
        try:
            part, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            return Listed(tuple(parts), is_broken=place < len(text))
        parts.append(part)
        if not is_list:
            return Listed(tuple(parts), place)


def string(text: str, field: str) -> str:
    """The text that a field of an object holds; empty if there is none."""
    start = re.search(rf'"{field}"\s*:\s*(?=")', text[:LONGEST])
    try:
        return str(_DECODER.raw_decode(text, start.end())[0]) if start else ""
    except ValueError:
        return ""
