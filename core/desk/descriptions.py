"""Descriptions of segments that a language model wrote, kept with the segments they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.desk.errand import Errand
from core.desk.kept_words import KeptWords, Words
from core.desk.saved_work import STAGE
from core.storage.json_file import JsonFile
from core.storage.store import Store
from core.writing import Assistant, Description
from core.writing.privacy import Payload


def kept(store: Store, model: str, digest: str) -> KeptWords[int, Description]:
    """Segment → its description.

    Args:
        store: Where they are kept.
        model: Content key of the trained model.
        digest: Names the data set and its segments.
    """
    path = store.root / STAGE / f"{model}.words.json"
    return KeptWords(JsonFile(path, Words[int, Description]), digest)


@dataclass(eq=False)
class Describing(Errand):
    """One call a segment; each description is kept as soon as it is there.

    Args:
        kept: Where they are kept.
        segments: Segment → key of its row.
        found: What came so far.
    """

    kept: KeptWords[int, Description]
    segments: Mapping[int, str]
    found: dict[int, Description] = field(default_factory=dict, kw_only=True)

    def preview(self, assistant: Assistant) -> tuple[Payload, ...]:
        """See :class:`Errand`."""
        return tuple(assistant.preview_description(key) for key in self.segments.values())

    def work(self, assistant: Assistant) -> None:
        """See :class:`Errand`."""
        for segment, key in self.segments.items():
            names = [one.name for one in self.found.values()]
            made = assistant.describe(key, names, self.should_stop)
            if self.should_stop():
                return
            self.found[segment] = made
            self.kept.save(self.found)

    def without(self, reason: str) -> None:
        """See :class:`Errand`."""
        self.problem = reason
