"""Labels of users and names of events: the same verdict, and what cannot be judged only in outline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from core.ingest.clean.crowds import Crowd
from core.ingest.clean.found import Found
from core.ingest.clean.personal_data import mask_url

_BUCKETS: Final = 64
_OUTLINED: Final = re.compile(r"\{[a-z]+\}|[^\W\d_]{2,}|\d(?:[ ./()-]{0,2}\d){4,}")
"""Placeholders, words, and five digits or more, in groups or not."""
_TIME: Final = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ][\d:.,+Z -]*)?|\d{1,2}:[\d:.,]*|\d{0,4}"
    r"|\d{8}|1\d{9,18}(?:\.\d+)?|\d[\d.]*e[+-]?\d+",
    re.IGNORECASE,
)
"""Dates, times of day, seconds or microseconds since 1970; other long numbers may be somebody's."""


def mask_labels(column: str, labels: Sequence[str], users: np.ndarray, found: Found) -> list[str]:
    """Mask labels of which each user has one or a few.

    Args:
        column: Name of the place.
        labels: Different labels.
        users: int64 of shape (len(labels),), users of each.
        found: How to judge; takes the place if it is personal.
    """
    if found.labels is not None:
        return [found.labels[column][label] for label in labels]
    masked = [mask_url(label).text for label in labels]
    crowds = {
        label: _crowd(number, int(count))
        for number, (label, count) in enumerate(zip(masked, users, strict=True))
    }
    own = [label for label, crowd in crowds.items() if crowd.rare and not label.startswith("{")]
    personal = found.tail.differs(crowds.values()) or column in found.mask
    renamed = found.decide(column, crowds, own) if personal else {}
    return [renamed.get(label) or found.lone(label, crowds[label]) for label in masked]


def outline(value: str) -> str:
    """Show of a value that could not be read what it looks like: who wrote it is not known, nor what it is.

    Times and short numbers stay, of words and long numbers the first character.
    """
    text = mask_url(value).text
    if _TIME.fullmatch(text):
        return text
    return _OUTLINED.sub(lambda match: match[0] if match[0][0] == "{" else f"{match[0][0]}…", text)


def _crowd(number: int, users: int) -> Crowd:
    """A crowd of so many users, none of whom is in another one."""
    return Crowd(users, number, number + (users > 1), (1 << min(users, _BUCKETS)) - 1)
