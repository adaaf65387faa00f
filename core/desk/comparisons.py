"""Comparisons of segments that a language model wrote, kept with the segments they are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from core.desk.errand import Writing
from core.desk.kept_words import KeptWords, Words
from core.desk.saved_work import STAGE
from core.facts.answer import Answer
from core.storage.json_file import JsonFile
from core.storage.store import Store
from core.writing import Assistant
from core.writing.privacy import Payload

Rows: TypeAlias = tuple[()] | tuple[str, str]
"""Keys of two rows, or none where all segments are meant."""


def kept(store: Store, model: str, digest: str) -> KeptWords[str, Answer]:
    """Comparison by the name of its rows.

    Args:
        store: Where they are kept.
        model: Content key of the trained model.
        digest: Names the data set and its segments.
    """
    path = store.root / STAGE / f"{model}.comparisons.json"
    return KeptWords(JsonFile(path, Words[str, Answer]), digest)


def forget(words: KeptWords[str, Answer], rows: Rows) -> None:
    """Delete one of them.

    Raises:
        ResourceError: If the disk refuses.
    """
    words.save({name: text for name, text in words.load().items() if name != name_of(rows)})


def name_of(rows: Rows) -> str:
    """What a comparison is kept under."""
    return " ".join(rows) or "all"


@dataclass(eq=False)
class Comparing(Writing):
    """One comparison on its way.

    Args:
        kept: Where it will be kept.
        rows: That are compared.
    """

    kept: KeptWords[str, Answer]
    rows: Rows

    def preview(self, assistant: Assistant) -> tuple[Payload, ...]:
        """See :class:`Errand`."""
        return (assistant.preview_comparison(*self.rows),)

    def work(self, assistant: Assistant) -> None:
        """See :class:`Errand`."""
        answer = assistant.compare(*self.rows, on_blocks=self.show, should_stop=self.should_stop)
        if self.should_stop():
            return
        if answer.reason:
            self.problem = f"Compared without the model. {answer.reason}"
            return
        self.kept.save(self.kept.load() | {name_of(self.rows): answer})

    def without(self, reason: str) -> None:
        """See :class:`Errand`."""
        self.problem = "" if self.should_stop() else reason
