"""Comparisons of segments that a language model wrote, kept with the segments they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from core.desk import conversations, kept_words
from core.desk.conversations import Message
from core.desk.errand import Writing
from core.desk.kept_words import KeptWords
from core.desk.saved_work import STAGE
from core.storage.json_file import JsonFile
from core.storage.store import Store
from core.writing import Assistant
from core.writing.privacy import Payload

Rows: TypeAlias = tuple[()] | tuple[str, str]
"""Keys of two rows, or none where all segments are meant."""


def load(store: Store, model: str, digest: str) -> dict[str, Message]:
    """Comparison by the name of its rows; none where the segments have changed since.

    Args:
        store: Where they are kept.
        model: Content key of the trained model.
        digest: Names the data set and its segments.

    Raises:
        ResourceError: If the disk refuses.
    """
    return kept_words.about(_file(store, model).read(), digest)


def save(store: Store, model: str, digest: str, told: Mapping[str, Message]) -> None:
    """Keep comparisons, in place of those before.

    Raises:
        ResourceError: If the disk is full.
    """
    _file(store, model).write(KeptWords(digest, dict(told)))


def forget(store: Store, model: str, digest: str, rows: Rows) -> None:
    """Delete one of them."""
    told = load(store, model, digest)
    if told.pop(name_of(rows), None) is not None:
        save(store, model, digest, told)


def name_of(rows: Rows) -> str:
    """What a comparison is kept under."""
    return " ".join(rows) or "all"


@dataclass(eq=False)
class Comparing(Writing):
    """One comparison on its way.

    Args:
        store: Where it will be kept.
        model: Content key of the trained model.
        digest: Names the data set and its segments.
        rows: That are compared.
    """

    store: Store
    model: str
    digest: str
    rows: Rows

    def preview(self, assistant: Assistant) -> tuple[Payload, ...]:
        """See :class:`Errand`."""
        return (assistant.preview_comparison(*self.rows),)

    def work(self, assistant: Assistant) -> None:
        """See :class:`Errand`."""
        first, second = self.rows or (None, None)
        answer = assistant.compare(first, second, on_text=self.show, should_stop=self.should_stop)
        if self.should_stop():
            return
        if answer.reason:
            self.problem = f"Compared without the model. {answer.reason}"
            return
        told = load(self.store, self.model, self.digest)
        told[name_of(self.rows)] = conversations.to_message(answer, assistant.context.names)
        save(self.store, self.model, self.digest, told)

    def without(self, reason: str) -> None:
        """See :class:`Errand`."""
        self.problem = "" if self.should_stop() else reason


def _file(store: Store, model: str) -> JsonFile[KeptWords[str, Message]]:
    return JsonFile(store.root / STAGE / f"{model}.comparisons.json", KeptWords[str, Message])
