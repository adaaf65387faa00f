"""Decisions kept between runs, so that a second run asks no model.

A decision is kept under everything it was made from: the page's words, the classes with their descriptions,
who decided and with which weights. So one changed description decides anew, and nothing else does.
Abstentions are kept as well; errors never are.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Protocol, Self

import diskcache

from core.errors import ResourceError
from core.labels.contract import Classifier, Label, Rung, Subject
from core.labels.settings import Taxonomy
from core.schema import View
from core.store import disk_errors

VERSION: Final = 1
"""Raised when the rungs' texts, prompts or limits change, so that kept decisions no longer hold."""
AT_ONCE: Final = 1_024
"""Subjects between two writes: what is decided is kept even if what follows fails."""
SIZE_LIMIT: Final = 256 * 2**20
"""Bytes; the oldest decisions go first."""
_PRIVATE: Final = 0o700
_ABSTAINED: Final = "abstained"

Entry = dict[str, Any]
"""A JSON object."""


class Labels(Protocol):
    """Kept decisions by key."""

    def get(self, key: str) -> Entry | None:
        """One entry, or None."""

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Keep these."""


class MemoryCache:
    """Decisions of this process only."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def get(self, key: str) -> Entry | None:
        """One entry, or None."""
        return self._entries.get(key)

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Keep these."""
        self._entries.update(entries)


class _JsonOnly(diskcache.JSONDisk):  # type: ignore[misc]
    """JSON that also refuses to open what somebody else put there in Python's own unsafe format."""

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:  # noqa: ANN401
        if mode == diskcache.core.MODE_PICKLE:
            raise ValueError("not JSON")
        return super().fetch(mode, filename, value, read)


class LabelCache:
    """Decisions in a folder that only its owner can open.

    Raises:
        ResourceError: If the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with disk_errors():
            folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
            folder.chmod(_PRIVATE)
        with self._usable():
            self._disk = diskcache.Cache(str(folder), disk=_JsonOnly, size_limit=SIZE_LIMIT)

    def get(self, key: str) -> Entry | None:
        """One entry, or None if there is none or it is damaged.

        Raises:
            ResourceError: If the folder cannot be used.
        """
        try:
            with self._usable():
                entry = self._disk.get(key)
        except (ValueError, TypeError, zlib.error):  # damaged, or put there by something else
            return None
        return entry if isinstance(entry, dict) else None

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Keep these, all or none.

        Raises:
            ResourceError: If the folder cannot be used, or the disk is full.
        """
        with self._usable(), self._disk.transact():
            for key, entry in entries.items():
                self._disk.set(key, entry)

    def close(self) -> None:
        """Let go of the files."""
        self._disk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            with disk_errors():
                yield
        except (sqlite3.Error, diskcache.Timeout) as error:
            raise ResourceError(
                f"The kept labels in {self._folder} cannot be used: {error or 'busy for a minute'}",
                remedy="Delete that folder; labels are then decided anew",
            ) from error


def cached(
    classifier: Classifier, identity: str, taxonomy: Taxonomy, cache: Labels, *, at_once: int = AT_ONCE
) -> CachedClassifier:
    """A rung that asks only what it was not asked before.

    Args:
        classifier: Asked for the rest.
        identity: Which model with which weights.
        taxonomy: What the classifier was made for.
        cache: Where decisions are kept.
        at_once: Subjects the classifier gets at a time.
    """
    return CachedClassifier(classifier, identity, taxonomy, cache, at_once)


class CachedClassifier:
    """See :func:`cached`."""

    def __init__(
        self, inner: Classifier, identity: str, taxonomy: Taxonomy, cache: Labels, at_once: int
    ) -> None:
        self.rung = inner.rung
        self._inner, self._cache, self._at_once = inner, cache, at_once
        self._identity, self._taxonomy = identity, taxonomy

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Decide, or abstain; what was decided before is not decided again."""
        keys = self._keys(subjects, view)
        entries = {key: entry for key in dict.fromkeys(keys) if (entry := self._kept(key)) is not None}
        missing = {key: one for key, one in zip(keys, subjects, strict=True) if key not in entries}
        entries |= self._ask(missing, view)
        return [_to_label(entries[key], self.rung) for key in keys]

    def missing(self, subjects: Sequence[Subject], view: View) -> list[Subject]:
        """Those that the model would be asked about."""
        keys = self._keys(subjects, view)
        return list(
            {key: one for key, one in zip(keys, subjects, strict=True) if self._kept(key) is None}.values()
        )

    def _ask(self, missing: Mapping[str, Subject], view: View) -> dict[str, Entry]:
        keys, asked = list(missing), dict[str, Entry]()
        for start in range(0, len(keys), self._at_once):
            part = keys[start : start + self._at_once]
            labels = self._inner.classify([missing[key] for key in part], view)
            entries = {key: _to_entry(label) for key, label in zip(part, labels, strict=True)}
            self._cache.put(entries)
            asked |= entries
        return asked

    def _kept(self, key: str) -> Entry | None:
        entry = self._cache.get(key)
        return entry if entry is not None and _is_whole(entry) else None

    def _keys(self, subjects: Sequence[Subject], view: View) -> list[str]:
        fixed = question(self.rung, self._identity, self._taxonomy, view)
        return [subject_key(subject, fixed) for subject in subjects]


def question(rung: Rung, identity: str, taxonomy: Taxonomy, view: View) -> str:
    """Everything but the page that a decision rests on: the other view's classes are no part of it."""
    classes = [(one.name, *one.descriptions) for one in taxonomy.classes(view)]
    return json.dumps([VERSION, rung, identity, view, classes])


def subject_key(subject: Subject, question: str) -> str:
    """Name of a decision: SHA-256 over the question and what the page says of itself."""
    documents = [asdict(document) for document in subject.documents]
    page = json.dumps([subject.template, subject.urls, subject.titles, documents], sort_keys=True)
    return hashlib.sha256(f"{question}\n{page}".encode()).hexdigest()


def _to_entry(label: Label | None) -> Entry:
    if label is None:
        return {_ABSTAINED: True}
    return {"value": label.value, "score": label.score, "margin": label.margin, "evidence": label.evidence}


def _is_whole(entry: Entry) -> bool:
    if entry.get(_ABSTAINED) is True:
        return True
    texts = (entry.get("value"), entry.get("evidence"))
    numbers = (entry.get("score"), entry.get("margin"))
    return all(isinstance(text, str) for text in texts) and all(isinstance(n, float) for n in numbers)


def _to_label(entry: Entry, rung: Rung) -> Label | None:
    if _ABSTAINED in entry:
        return None
    return Label(entry["value"], rung, entry["score"], entry["margin"], entry["evidence"])
