"""The cache of models' labels, so that a second run asks no model again.

The key of a decision holds everything it depends on: what the model was shown of the page, the classes of the
view with their descriptions, the classifier and its weights. So a changed description invalidates the
decisions of that view, and no others. Abstentions are cached as well; errors never are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from core.base.schema import View
from core.labels.label_settings import Taxonomy
from core.labels.label_types import Classifier, Label, Rung, Subject
from core.storage.json_cache import JsonCache

VERSION: Final = 4
"""Version of the classifiers' texts, prompts and limits; raising it invalidates all cached decisions."""
SIZE_LIMIT: Final = 256 * 2**20
"""Size of the cache in bytes; the oldest decisions are removed first."""
_ABSTAINED: Final = "abstained"

_Entry = dict[str, Any]
"""A cached decision as a JSON object."""


class CachedClassifier:
    """A classifier whose decisions are cached.

    Args:
        inner: The classifier that decides what is not in the cache.
        identity: Text that names its model and weights.
        taxonomy: The classes it decides between.
        cache: Where decisions are kept.
        reads: Subject → what the model is shown of it, as JSON; equal ones are decided once.
    """

    def __init__(
        self,
        inner: Classifier,
        identity: str,
        taxonomy: Taxonomy,
        cache: JsonCache,
        reads: Callable[[Subject], object],
    ) -> None:
        self.rung = inner.rung
        self._inner, self._cache, self._reads = inner, cache, reads
        self._identity, self._taxonomy = identity, taxonomy

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Label subjects, from the cache where they were decided before."""
        asked = _question(self.rung, self._identity, self._taxonomy, view)
        keys = [_decision_key(asked, self._reads(subject)) for subject in subjects]
        entries = {key: entry for key in dict.fromkeys(keys) if (entry := self._kept(key)) is not None}
        missing = {key: one for key, one in zip(keys, subjects, strict=True) if key not in entries}
        entries |= self._ask(missing, view)
        return [_to_label(entries[key], self.rung) for key in keys]

    def _ask(self, missing: Mapping[str, Subject], view: View) -> dict[str, _Entry]:
        if not missing:
            return {}
        labels = self._inner.classify(list(missing.values()), view)
        entries = {key: _to_entry(label) for key, label in zip(missing, labels, strict=True)}
        self._cache.put(entries)
        return entries

    def _kept(self, key: str) -> _Entry | None:
        entry = self._cache.get(key)
        return entry if isinstance(entry, dict) and _is_whole(entry) else None


def _question(rung: Rung, identity: str, taxonomy: Taxonomy, view: View) -> str:
    """The part of a cache key that all pages of a view share: classifier, model, and the view's classes."""
    classes = [(one.name, *one.descriptions, *one.folders, *one.words) for one in taxonomy.classes(view)]
    return json.dumps([VERSION, rung, identity, view, classes])


def _decision_key(question: str, read: object) -> str:
    """Cache key of a decision: SHA-256 over the question and what was read of the page."""
    return hashlib.sha256(f"{question}\n{json.dumps(read, sort_keys=True)}".encode()).hexdigest()


def _to_entry(label: Label | None) -> _Entry:
    if label is None:
        return {_ABSTAINED: True}
    return {"value": label.value, "score": label.score, "margin": label.margin, "evidence": label.evidence}


def _is_whole(entry: _Entry) -> bool:
    if entry.get(_ABSTAINED) is True:
        return True
    texts = (entry.get("value"), entry.get("evidence"))
    numbers = (entry.get("score"), entry.get("margin"))
    return all(isinstance(text, str) for text in texts) and all(isinstance(n, float) for n in numbers)


def _to_label(entry: _Entry, rung: Rung) -> Label | None:
    if _ABSTAINED in entry:
        return None
    return Label(entry["value"], rung, entry["score"], entry["margin"], entry["evidence"])
