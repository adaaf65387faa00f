"""Comparisons of segments that a language model wrote, kept with the segments they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

from core.storage.store import Store
from core.writing import Assistant
from core.writing.privacy import Payload
from pages.ui.chat import conversations, kept_words
from pages.ui.chat.conversations import Message
from pages.ui.chat.errands import Writing
from pages.ui.segments import saved_work

Rows: TypeAlias = tuple[()] | tuple[str, str]
"""Keys of two rows, or none where all segments are meant."""


def load(store: Store, model: str, digest: str) -> dict[str, Message]:
    """Comparison by the name of its rows; none where the segments have changed since.

    Args:
        store: Where they are kept.
        model: Content key of the trained model.
        digest: Names the data set and its segments.
    """
    told = kept_words.read(_path(store, model), digest)
    try:
        return {name: conversations.message_from(one) for name, one in told.items()}
    except (ValueError, KeyError, TypeError, AttributeError):  # of another version
        return {}


def save(store: Store, model: str, digest: str, told: Mapping[str, Message]) -> None:
    """Keep comparisons, in place of those before.

    Raises:
        ResourceError: If the disk is full.
    """
    kept_words.write(_path(store, model), digest, {name: asdict(one) for name, one in told.items()})


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


def _path(store: Store, model: str) -> Path:
    return store.root / saved_work.STAGE / f"{model}.comparisons.json"
