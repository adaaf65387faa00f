"""The rungs of a mode, the surest first, and the climb: each sees only what the ones before left open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from core.errors import ResourceError
from core.labels.cache import Labels
from core.labels.contract import Classifier, Label, Rung, Subject
from core.labels.events import EventClassifier
from core.labels.markup import MarkupClassifier
from core.labels.overrides import OverrideClassifier
from core.labels.rule_file import RuleFile
from core.labels.rules import RuleClassifier
from core.labels.settings import LabelMode, LabelSettings
from core.progress import Progress
from core.schema import View

STAGE: Final = "label"
AT_ONCE: Final = 2_048
"""Subjects a rung gets between two reports."""
AT_ONCE_MODEL: Final = 60
"""The same for rungs that ask a model: two questions to a language model, or about a second."""
_MODELS: Final = {Rung.EMBEDDING, Rung.NLI, Rung.LLM}


@dataclass(frozen=True)
class Ladder:
    """What decides.

    Args:
        sure: Overrides, events, markup, rules: they abstain unless they know.
        judging: Models, which judge what is left.
        overrides: The first of ``sure``, which also knows single pages.
        notes: What was left out, and why.
    """

    sure: tuple[Classifier, ...]
    judging: tuple[Classifier, ...]
    overrides: OverrideClassifier
    notes: tuple[str, ...] = ()


def build(settings: LabelSettings, cache: Labels, rules: RuleFile | None = None) -> Ladder:
    """Put up the rungs of a mode.

    Sentence embeddings are left out with a note where their weights are missing; a model that was asked for
    by name must be there.

    Args:
        settings: Mode, taxonomy, corrections.
        cache: Where models' decisions are kept.
        rules: The rules that come with the tool by default.

    Raises:
        SettingsError: If a correction names a label that the taxonomy does not have.
        ResourceError: If the model of mode ``nli`` or ``llm`` cannot be used.
    """
    overrides, ruled = OverrideClassifier(settings), RuleClassifier(settings.taxonomy, rules)
    markup = MarkupClassifier(settings.taxonomy, ruled.theme_of)
    notes = [_skipped(ruled.skipped)] if ruled.skipped else []
    judging: list[Classifier] = []
    if settings.mode in (LabelMode.AUTO, LabelMode.NLI, LabelMode.LLM):
        _add_embedding(settings, cache, judging, notes)
    if settings.mode in _NAMED:
        judging.append(_NAMED[settings.mode](settings, cache))
    sure = (overrides, EventClassifier(settings.taxonomy), markup, ruled)
    return Ladder(sure, tuple(judging), overrides, tuple(notes))


def decide(
    classifiers: Sequence[Classifier], subjects: Sequence[Subject], view: View, progress: Progress
) -> list[Label | None]:
    """Ask rung after rung.

    Args:
        classifiers: The surest first.
        subjects: What to decide.
        view: Themes or types.
        progress: Told after every batch; may raise Cancelled.

    Returns:
        One label a subject; None where no rung decided.
    """
    labels: list[Label | None] = [None] * len(subjects)
    for classifier in classifiers:
        open_ones = [number for number, label in enumerate(labels) if label is None]
        step = AT_ONCE_MODEL if classifier.rung in _MODELS else AT_ONCE
        for start in range(0, len(open_ones), step):
            part = open_ones[start : start + step]
            found = classifier.classify([subjects[number] for number in part], view)
            for number, label in zip(part, found, strict=True):
                labels[number] = label
            message = f"{view}s by {classifier.rung}"
            progress(STAGE, (start + len(part)) / len(open_ones), message, left=float(labels.count(None)))
    return labels


def _add_embedding(settings: LabelSettings, cache: Labels, rungs: list[Classifier], notes: list[str]) -> None:
    from core.labels import embedding

    try:
        rungs.append(embedding.load(settings, cache))
    except ResourceError as error:
        notes.append(f"Sentence embeddings left out: {error}")


def _nli(settings: LabelSettings, cache: Labels) -> Classifier:
    from core.labels import nli

    return nli.load(settings, cache)


def _llm(settings: LabelSettings, cache: Labels) -> Classifier:
    from core.labels import llm

    return llm.load(settings, cache)


_NAMED: Final[dict[LabelMode, Callable[[LabelSettings, Labels], Classifier]]] = {
    LabelMode.NLI: _nli,
    LabelMode.LLM: _llm,
}


def _skipped(labels: frozenset[str]) -> str:
    count = f"{len(labels)} labels" if len(labels) > 1 else "a label"
    return f"Rules for {count} that the taxonomy lacks do nothing: {', '.join(sorted(labels))}"
