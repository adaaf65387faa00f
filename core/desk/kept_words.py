"""What a language model wrote of segments, kept with the segments it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.storage.json_file import JsonFile

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Words(Generic[K, V]):
    """What the file holds.

    Args:
        digest: Names the data set and its segments.
        told: The texts by name.
    """

    digest: str
    told: dict[K, V]


@dataclass(frozen=True)
class KeptWords(Generic[K, V]):
    """Texts of a model's segments by name; they hold for these very segments only.

    Args:
        file: Where they are kept.
        digest: Names the data set and its segments.
    """

    file: JsonFile[Words[K, V]]
    digest: str

    def load(self) -> dict[K, V]:
        """The texts; none where the segments have changed since.

        Raises:
            ResourceError: If the disk refuses.
        """
        held = self.file.read()
        return held.told if held is not None and held.digest == self.digest else {}

    def save(self, told: Mapping[K, V]) -> None:
        """Keep texts, in place of those before.

        Raises:
            ResourceError: If the disk is full.
        """
        self.file.write(Words(self.digest, dict(told)))
