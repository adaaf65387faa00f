"""The rungs of a mode, the surest first, and the climb: each sees only what the ones before left open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from core.base.errors import ResourceError
from core.base.progress import Progress, SubProgress
from core.base.schema import View
from core.labels.event_classifier import EventClassifier
from core.labels.label_cache import Labels
from core.labels.label_settings import LabelMode, LabelSettings
from core.labels.label_types import Classifier, Label, Rung, Subject
from core.labels.markup_classifier import MarkupClassifier
from core.labels.override_classifier import OverrideClassifier
from core.labels.rule_classifier import RuleClassifier, literal_segments
from core.labels.rule_file import RuleFile
from core.llm import CallLog

STAGE: Final = "label"
AT_ONCE: Final = 2_048
"""Subjects a rung gets between two reports; what models decided of them is kept even if the next fail."""
AT_ONCE_OF: Final = {Rung.EMBEDDING: 256, Rung.NLI: 64, Rung.LLM: 400}
"""The same for models: about a second's work, and a square of batches for a language model."""


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


def build(
    settings: LabelSettings,
    cache: Labels,
    rules: RuleFile | None = None,
    templates: Collection[str] = (),
    beat: Callable[[], object] = lambda: None,
    *,
    log: CallLog | None = None,
    user_ids: Collection[str] = (),
) -> Ladder:
    """Put up the rungs of a mode.

    Sentence embeddings are left out with a note where their weights are missing; a model that was asked for
    by name must be there.

    Args:
        settings: Mode, taxonomy, corrections.
        cache: Where models' decisions are kept.
        rules: The rules that come with the tool by default.
        templates: Of this export.
        beat: Called between two questions to a language model; may raise Cancelled.
        log: Gets every call to a language model.
        user_ids: All ids of the data set; a language model gets none of them.

    Raises:
        ResourceError: If the model of mode ``nli`` or ``llm`` cannot be used.
    """
    ruled = RuleClassifier(settings.taxonomy, rules)
    markup = MarkupClassifier(settings.taxonomy, ruled.theme_of)
    overrides = OverrideClassifier(settings.overrides, settings.taxonomy, templates, literal_segments(rules))
    notes = [note for note in (overrides.note(), _skipped(ruled.skipped)) if note]
    judging: list[Classifier] = []
    if settings.mode in (LabelMode.AUTO, LabelMode.NLI, LabelMode.LLM):
        _add_embedding(settings, cache, judging, notes)
    if settings.mode is LabelMode.NLI:
        judging.append(_nli(settings, cache))
    if settings.mode is LabelMode.LLM:
        judging.append(_llm(settings, cache, beat, log, user_ids))
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
        progress: Told after every batch, from 0 to 1 over all rungs; may raise Cancelled.

    Returns:
        One label a subject; None where no rung decided.
    """
    labels: list[Label | None] = [None] * len(subjects)
    for at, classifier in enumerate(classifiers):
        part_of_all = SubProgress(progress, at / len(classifiers), (at + 1) / len(classifiers))
        open_ones = [number for number, label in enumerate(labels) if label is None]
        step = AT_ONCE_OF.get(classifier.rung, AT_ONCE)
        for start in range(0, len(open_ones), step):
            part = open_ones[start : start + step]
            found = classifier.classify([subjects[number] for number in part], view)
            for number, label in zip(part, found, strict=True):
                labels[number] = label
            message = f"{view}s by {classifier.rung}"
            part_of_all(STAGE, (start + len(part)) / len(open_ones), message, left=float(labels.count(None)))
    return labels


def _add_embedding(settings: LabelSettings, cache: Labels, rungs: list[Classifier], notes: list[str]) -> None:
    from core.labels import embedding_classifier

    try:
        rungs.append(embedding_classifier.load(settings, cache))
    except ResourceError as error:
        notes.append(f"Sentence embeddings left out: {error}")


def _nli(settings: LabelSettings, cache: Labels) -> Classifier:
    from core.labels import nli_classifier

    return nli_classifier.load(settings, cache)


def _llm(
    settings: LabelSettings,
    cache: Labels,
    beat: Callable[[], object],
    log: CallLog | None,
    user_ids: Collection[str],
) -> Classifier:
    from core.labels import llm_classifier

    return llm_classifier.load(settings, cache, beat=beat, log=log, user_ids=user_ids)


def _skipped(labels: frozenset[str]) -> str:
    if not labels:
        return ""
    count = f"{len(labels)} labels" if len(labels) > 1 else "a label"
    return f"Rules for {count} that the taxonomy lacks do nothing: {', '.join(sorted(labels))}"
