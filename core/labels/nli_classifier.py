"""The classifier that asks an entailment model whether a page's text entails "This page is about …".

Zero-shot classification by natural language inference (Yin, Hay and Roth 2019, *Benchmarking zero-shot text
classification*), with the pipeline of ``transformers``. Opt-in, since every page is read once a class; so the
sentence embedding, where it is installed, first narrows the themes down.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from core.base.errors import ResourceError
from core.base.schema import View
from core.labels import embedding_classifier
from core.labels.embedding_classifier import EmbeddingClassifier, checksum
from core.labels.label_cache import CachedClassifier
from core.labels.label_settings import LabelClass, LabelSettings, Taxonomy
from core.labels.label_types import Classifier, Label, Rung, Subject
from core.labels.texts import ABOUT, subject_text
from core.storage.json_cache import JsonCache

_TASK: Final = "zero-shot-classification"
CANDIDATES: Final = 5
"""Themes that the embedding leaves for the entailment model."""
MIN_SCORE: Final = 0.4
MIN_MARGIN: Final = 0.15
"""Least score and margin of a decision, as shares of a softmax over the classes."""
_FILES: Final = ["*.json", "*.txt", "*.model", "*.safetensors"]
"""Files that are downloaded of a model on the hub: no code, no pickle."""
_WEIGHTS: Final = "*.safetensors"
_BATCH: Final = 32


def load(settings: LabelSettings, cache: JsonCache) -> Classifier:
    """Build the entailment classifier for a taxonomy; its network is loaded at the first decision.

    Raises:
        ResourceError: If the model is missing or is not an entailment model.
    """
    folder = _found(settings.nli_model)
    _require_entailment(settings.nli_model, folder)
    try:
        ranker: EmbeddingClassifier | None = embedding_classifier.ranker(settings.taxonomy)
    except ResourceError:  # without the embedding every theme is a candidate, which is only slower
        ranker = None
    inner = NliClassifier(settings.taxonomy, folder, ranker)
    identity = f"{_weights_hash(folder)} of {CANDIDATES if ranker else 'all'}"
    return CachedClassifier(inner, identity, settings.taxonomy, cache, subject_text)


def require(model: str) -> None:
    """Make sure that a model is on this machine: download it if it is not.

    Raises:
        ResourceError: If it cannot be found or is not an entailment model.
    """
    _require_entailment(model, _found(model))


def weights_hash(model: str) -> str:
    """SHA-256 of a model's weights; empty if it is not on this machine. Nothing is downloaded."""
    folder = _local(model)
    return _weights_hash(folder) if folder else ""


@dataclass(frozen=True)
class NliClassifier:
    """Labels a page with the class that its text entails most, or abstains.

    Args:
        taxonomy: The classes.
        folder: Configuration, tokenizer and safetensors.
        ranker: Narrows the themes down; without one, all are asked.
    """

    taxonomy: Taxonomy
    folder: Path
    ranker: EmbeddingClassifier | None = None
    rung = Rung.NLI

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Label subjects of which one class is clearly more entailed than the others.

        Raises:
            ResourceError: If the model cannot be loaded.
        """
        classes = {_phrase(one): one for one in self.taxonomy.classes(view)}
        texts = [subject_text(subject) for subject in subjects]
        results = self._ask(texts, self._candidates(subjects, view))
        return [_decide(result, classes) if result else None for result in results]

    def _candidates(self, subjects: Sequence[Subject], view: View) -> list[tuple[str, ...]]:
        """Phrases to try for each subject."""
        phrases = {one.name: _phrase(one) for one in self.taxonomy.classes(view)}
        if self.ranker is None or view is not View.THEME:
            return [tuple(phrases.values())] * len(subjects)
        nearest = self.ranker.nearest(subjects, view, CANDIDATES)
        return [tuple(phrases[name] for name in names) for names in nearest]

    def _ask(
        self, texts: Sequence[str], candidates: Sequence[tuple[str, ...]]
    ) -> list[Mapping[str, Any] | None]:
        """The pipeline's answer for each text that is not empty, in batches of equal candidates."""
        groups: dict[tuple[str, ...], list[int]] = {}
        for index, (text, phrases) in enumerate(zip(texts, candidates, strict=True)):
            if text:
                groups.setdefault(phrases, []).append(index)
        results: list[Mapping[str, Any] | None] = [None] * len(texts)
        for phrases, indices in groups.items():
            asked = self._pipeline(
                [texts[index] for index in indices],
                candidate_labels=list(phrases),
                hypothesis_template=ABOUT,
                batch_size=_BATCH,
            )
            for index, result in zip(indices, asked, strict=True):
                results[index] = result
        return results

    @cached_property
    def _pipeline(self) -> Any:  # noqa: ANN401 - the pipeline's own type says nothing
        import transformers  # loads PyTorch

        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call] # of transformers
        try:
            return transformers.pipeline(
                _TASK,
                model=str(self.folder),
                device="cpu",
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            raise _unusable(str(self.folder), error) from error


def _phrase(one: LabelClass) -> str:
    return f"{one.name}, that is {one.descriptions[0]}"


def _decide(result: Mapping[str, Any], classes: Mapping[str, LabelClass]) -> Label | None:
    names = [classes[phrase].name for phrase in result["labels"]]  # best first
    score, second = (float(value) for value in result["scores"][:2])
    if score < MIN_SCORE or score - second < MIN_MARGIN:
        return None
    evidence = f"{names[0]!r} is entailed ({score:.2f}), then {names[1]!r} ({second:.2f})"
    return Label(names[0], Rung.NLI, score, score - second, evidence)


def _found(model: str) -> Path:
    """Folder of a model, given by path or hub id; downloaded if it is not on this machine.

    Raises:
        ResourceError: If there is no such model.
    """
    if folder := _local(model):
        return folder
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, allow_patterns=_FILES))
    except (OSError, ValueError, RuntimeError) as error:
        raise _unusable(model, error) from error


def _local(model: str) -> Path | None:
    """Folder of a model, or None if it is not on this machine."""
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(model, allow_patterns=_FILES, local_files_only=True))
    except (OSError, ValueError):
        return None
    return folder if any(folder.glob(_WEIGHTS)) else None


def _require_entailment(model: str, folder: Path) -> None:
    """Check that a model has a label for entailment.

    Raises:
        ResourceError: If it has none.
    """
    try:
        names = json.loads((folder / "config.json").read_bytes()).get("id2label", {}).values()
    except (OSError, ValueError, AttributeError) as error:
        raise _unusable(model, error) from error
    labels = [str(name) for name in names]
    if not any(label.lower().startswith("entail") for label in labels):
        raise ResourceError(
            f"The model {model!r} does not tell entailment: its labels are {', '.join(labels) or 'none'}",
            remedy="Choose a sequence classifier trained on MNLI, such as facebook/bart-large-mnli",
        )


def _weights_hash(folder: Path) -> str:
    return " ".join(checksum(path) for path in sorted(folder.glob(_WEIGHTS)))


def _unusable(model: str, error: BaseException) -> ResourceError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ResourceError(
        f"The entailment model {model!r} cannot be loaded: {reason}",
        allowed="a folder with config.json, tokenizer and safetensors, or a hub id while online",
        remedy="Download it once and set its folder, or choose another way to label",
    )
