"""What a language model wrote of segments, kept with the segments it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class KeptWords(Generic[K, V]):
    """A file of texts.

    Args:
        digest: Names the data set and its segments.
        told: The texts by name.
    """

    digest: str
    told: dict[K, V]


def about(kept: KeptWords[K, V] | None, digest: str) -> dict[K, V]:
    """The texts about these segments; none where the segments have changed since."""
    return kept.told if kept is not None and kept.digest == digest else {}
