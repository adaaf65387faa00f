"""Descriptions and comparisons that a language model wrote, kept with the segments they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from core.facts.answer import Answer
from core.saved.model_tasks import AnswerTask, ModelTask
from core.saved.saved_work import STAGE
from core.storage.json_cache import JsonFile
from core.storage.store import Store
from core.writing import Assistant, Description
from core.writing.payload import Payload

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class TextsFile(Generic[K, V]):
    """Content of a file of texts about segments.

    Args:
        digest: :attr:`core.facts.context.Tables.digest` of the segments that they are about.
        told: Segment, or name of compared rows → text.
    """

    digest: str
    told: dict[K, V]


@dataclass(frozen=True)
class SegmentTexts(Generic[K, V]):
    """Texts about a model's segments on disk; none are found once the segments have another digest.

    Args:
        file: Where they are kept.
        digest: Digest of the data set and its segments.
    """

    file: JsonFile[TextsFile[K, V]]
    digest: str

    def load(self) -> dict[K, V]:
        """Read the texts by segment or name; empty where the segments have changed since.

        Raises:
            ResourceError: If the disk refuses.
        """
        kept = self.file.read()
        return kept.told if kept is not None and kept.digest == self.digest else {}

    def save(self, told: Mapping[K, V]) -> None:
        """Keep texts, in place of those before.

        Raises:
            ResourceError: If the disk is full.
        """
        self.file.write(TextsFile(self.digest, dict(told)))


def saved_descriptions(store: Store, model: str, digest: str) -> SegmentTexts[int, Description]:
    """Where the descriptions of a model's segments are saved, by segment; nothing is read yet.

    Args:
        store: Where they are kept.
        model: Content key of the trained model.
        digest: Digest of the data set and its segments.
    """
    path = store.root / STAGE / f"{model}.words.json"
    return SegmentTexts(JsonFile(path, TextsFile[int, Description]), digest)


@dataclass(eq=False)
class DescribeTask(ModelTask):
    """Background task that describes segments, one call each; each description is kept at once.

    Args:
        kept: Where they are saved.
        segments: Segment → key of its row.
        found: Descriptions that came so far.
    """

    kept: SegmentTexts[int, Description]
    segments: Mapping[int, str]
    found: dict[int, Description] = field(default_factory=dict, kw_only=True)

    def preview(self, assistant: Assistant) -> tuple[Payload, ...]:
        """The first request for each segment."""
        return tuple(assistant.preview_description(key) for key in self.segments.values())

    def work(self, assistant: Assistant) -> None:
        """Describe segment by segment, and keep each description."""
        for segment, key in self.segments.items():
            names = [one.name for one in self.found.values()]
            made = assistant.describe(key, names, self.should_stop)
            if self.should_stop():
                return
            self.found[segment] = made
            self.kept.save(self.found)

    def without(self, reason: str) -> None:
        """Describe nothing; ``problem`` becomes the reason."""
        self.problem = reason


Rows: TypeAlias = tuple[()] | tuple[str, str]
"""Keys of two rows, or none where all segments are meant."""


def saved_comparisons(store: Store, model: str, digest: str) -> SegmentTexts[str, Answer]:
    """Where the comparisons of a model's segments are saved, by :func:`name_of`; nothing is read yet.

    Args:
        store: Where they are kept.
        model: Content key of the trained model.
        digest: Digest of the data set and its segments.
    """
    path = store.root / STAGE / f"{model}.comparisons.json"
    return SegmentTexts(JsonFile(path, TextsFile[str, Answer]), digest)


def forget(words: SegmentTexts[str, Answer], rows: Rows) -> None:
    """Delete the comparison of some rows.

    Raises:
        ResourceError: If the disk refuses.
    """
    words.save({name: text for name, text in words.load().items() if name != name_of(rows)})


def name_of(rows: Rows) -> str:
    """Name that a comparison is saved under: the keys of its rows, or ``all``."""
    return " ".join(rows) or "all"


@dataclass(eq=False)
class CompareTask(AnswerTask):
    """Background task that compares two rows, or all segments, and saves the answer.

    Args:
        kept: Where it will be saved.
        rows: Keys of two rows, or none for all segments.
    """

    kept: SegmentTexts[str, Answer]
    rows: Rows

    def preview(self, assistant: Assistant) -> tuple[Payload, ...]:
        """The first request of the comparison."""
        return (assistant.preview_comparison(*self.rows),)

    def work(self, assistant: Assistant) -> None:
        """Compare the rows, and keep what the model wrote."""
        answer = assistant.compare(*self.rows, on_blocks=self.show, should_stop=self.should_stop)
        if self.should_stop():
            return
        if answer.reason:
            self.problem = f"Compared without the model. {answer.reason}"
            return
        self.kept.save(self.kept.load() | {name_of(self.rows): answer})

    def without(self, reason: str) -> None:
        """Compare nothing; ``problem`` becomes the reason, unless the analyst stopped the task."""
        self.problem = "" if self.should_stop() else reason
