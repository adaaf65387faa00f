"""The cascade: which classifiers a mode uses, and how they give each page one type and one theme.

First the classifier of rung 1 for fetched pages, which decides by their markup (schema.org, Open Graph,
breadcrumbs); then the cascade, asked from the most reliable classifier to the least.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from core.base.errors import ResourceError
from core.base.progress import Progress, SubProgress, silent
from core.base.schema import NO_THEME, View
from core.labels import embedding_classifier, llm_classifier, nli_classifier
from core.labels.event_classifier import EventClassifier
from core.labels.label_settings import LabelMode, LabelSettings, Taxonomy
from core.labels.label_types import Classifier, Document, Label, Rung, Subject
from core.labels.override_classifier import OverrideClassifier
from core.labels.pages import LabelPages, Subjects, group, theme_subjects
from core.labels.rule_classifier import RuleClassifier, literal_segments
from core.labels.structure import structure_types
from core.llm import CallLog
from core.storage.json_cache import JsonCache

_PAGE_TYPES: Final[Mapping[str, str]] = {
    "ItemPage": "Product", "CollectionPage": "Category", "SearchResultsPage": "Search",
    "CheckoutPage": "Cart & checkout", "ContactPage": "Service", "FAQPage": "Service", "AboutPage": "Company",
}  # fmt: skip
"""schema.org subtype of ``WebPage`` → page type: the page declares what it is."""
_THING_TYPES: Final[Mapping[str, str]] = {
    "Product": "Product", "ProductGroup": "Product", "ItemList": "Category", "OfferCatalog": "Category",
    "Article": "Blog", "BlogPosting": "Blog", "NewsArticle": "Blog", "Recipe": "Blog", "HowTo": "Blog",
    "Blog": "Blog", "JobPosting": "Company",
}  # fmt: skip
"""schema.org type of what a page shows → page type; decides only if all are of one type (a product beside a
list of others is not)."""
_BESIDE: Final = frozenset({"FAQPage"})
"""JSON-LD types that product and list pages have besides their own: they count only where no other does."""
_OG_TYPES: Final[Mapping[str, str]] = {
    "product": "Product", "product.item": "Product", "og:product": "Product", "product.group": "Category",
    "article": "Blog",
}  # fmt: skip
"""``og:type`` → page type; ``website`` says nothing."""

LabelledText = tuple[str, str]
"""A label and its evidence."""


class MarkupClassifier:
    """Decides by the markup of fetched pages: types by what they declare, themes by their breadcrumbs.

    Args:
        taxonomy: Only its labels are decided.
        theme_of: The theme of some texts, or None (``RuleClassifier.theme_of``).
    """

    rung = Rung.MARKUP

    def __init__(self, taxonomy: Taxonomy, theme_of: Callable[[Sequence[str]], Label | None]) -> None:
        self._types = {one.name for one in taxonomy.types}
        self._theme_of = theme_of

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Label subjects whose fetched pages agree; pages without usable markup do not count."""
        tell = self._theme if view is View.THEME else self._type
        return [_agreed([told for one in subject.documents if (told := tell(one))]) for subject in subjects]

    def _type(self, document: Document) -> LabelledText | None:
        told = type_of(document)
        return told if told and told[0] in self._types else None

    def _theme(self, document: Document) -> LabelledText | None:
        """Theme by the deepest breadcrumb that has one; the first is the site, the last often the page."""
        for name in reversed(document.breadcrumbs[1:]):
            label = self._theme_of([name])
            if label is not None:
                return label.value, f"breadcrumb: {label.evidence}"
        return None


def type_of(document: Document) -> LabelledText | None:
    """(page type of the default taxonomy, evidence) that a page's markup declares; None if unclear."""
    declared = set(document.json_ld_types)
    pages, things = _told(declared - _BESIDE, _PAGE_TYPES), _told(declared, _THING_TYPES)
    if pages:  # a CollectionPage of articles is a blog's archive: unclear
        return _only(pages + [told for told in things if told[0] == "Blog"])
    if things:
        return _only(things)
    if beside := _told(declared & _BESIDE, _PAGE_TYPES):
        return _only(beside)
    return _open_graph(document)


def _open_graph(document: Document) -> LabelledText | None:
    """Page type by ``og:type``; ``article`` beside JSON-LD without one is a content system's default."""
    og_type = document.og_type.strip().lower()
    if og_type not in _OG_TYPES or (og_type == "article" and document.json_ld_types):
        return None
    return _OG_TYPES[og_type], f"og:type {og_type}"


def _told(declared: set[str], names: Mapping[str, str]) -> list[LabelledText]:
    return [(names[one], f"JSON-LD {one}") for one in sorted(declared) if one in names]


def _only(told: Sequence[LabelledText]) -> LabelledText | None:
    return told[0] if len({value for value, _ in told}) == 1 else None


def _agreed(told: Sequence[LabelledText]) -> Label | None:
    one = _only(told) if told else None
    return Label(one[0], Rung.MARKUP, evidence=f"{one[1]} on {len(told)} fetched") if one else None


STAGE: Final = "label"
AT_ONCE: Final = 2_048
"""Subjects decided between two progress reports; models' labels of them are cached even if the next fail."""
AT_ONCE_OF: Final = {Rung.EMBEDDING: 256, Rung.NLI: 64, Rung.LLM: 400}
"""As :data:`AT_ONCE`, for models: about a second's work; for a language model a square of batches."""

PageDecisions = list[Label | None]
"""A label for each page, by page index; None where no classifier decided."""


@dataclass(frozen=True)
class Cascade:
    """The classifiers of a mode, in the order in which they are asked.

    Args:
        sure: Classifiers by overrides, events, markup and rules: they abstain unless they are certain.
        judging: Classifiers that are models, which decide what is left.
        overrides: The first of ``sure``, which is also asked about single pages.
        worded: Themes that rules have words for.
        notes: Sentences on what is not used, and why.
    """

    sure: tuple[Classifier, ...]
    judging: tuple[Classifier, ...]
    overrides: OverrideClassifier
    worded: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def build(
    settings: LabelSettings,
    cache: JsonCache,
    templates: Collection[str] = (),
    beat: Callable[[], object] = lambda: None,
    *,
    log: CallLog | None = None,
    user_ids: Collection[str] = (),
) -> Cascade:
    """Make the classifiers of a mode, in the order in which they are asked.

    Sentence embeddings without weights are left out with a note; the model of mode ``nli`` or ``llm`` must
    be usable.

    Args:
        settings: Mode, taxonomy, corrections.
        cache: Where models' decisions are kept.
        templates: Path templates of this export.
        beat: Called before each question to a language model; may raise Cancelled.
        log: Gets every call to a language model.
        user_ids: All ids of the data set; a language model gets none of them.

    Raises:
        ResourceError: If the model of mode ``nli`` or ``llm`` cannot be used.
    """
    cascade = sure_rungs(settings, templates)
    notes, judging = list(cascade.notes), list(cascade.judging)
    if settings.mode in (LabelMode.AUTO, LabelMode.NLI, LabelMode.LLM):
        try:
            judging.append(embedding_classifier.load(settings, cache))
        except ResourceError as error:
            notes.append(f"Sentence embeddings left out: {error}")
    if settings.mode is LabelMode.NLI:
        judging.append(nli_classifier.load(settings, cache))
    if settings.mode is LabelMode.LLM:
        judging.append(llm_classifier.load(settings, cache, beat=beat, log=log, user_ids=user_ids))
    return replace(cascade, judging=tuple(judging), notes=tuple(notes))


def sure_rungs(settings: LabelSettings, templates: Collection[str] = ()) -> Cascade:
    """Make the classifiers that need no model, which every mode has.

    Args:
        settings: Taxonomy and corrections.
        templates: Path templates of this export.
    """
    ruled = RuleClassifier(settings.taxonomy)
    markup = MarkupClassifier(settings.taxonomy, ruled.theme_of)
    overrides = OverrideClassifier(settings.overrides, settings.taxonomy, templates, literal_segments())
    notes = [note for note in (overrides.note(), _skipped(ruled.skipped)) if note]
    sure = (overrides, EventClassifier(settings.taxonomy), markup, ruled)
    return Cascade(sure, (), overrides, ruled.worded, tuple(notes))


def decide(
    classifiers: Sequence[Classifier], subjects: Sequence[Subject], view: View, progress: Progress
) -> list[Label | None]:
    """Ask classifier after classifier about the subjects that are still without a label.

    Args:
        classifiers: The most reliable first.
        subjects: What to decide.
        view: Themes or types.
        progress: Called after every batch, from 0 to 1 over all classifiers; may raise Cancelled.

    Returns:
        A label for each subject; None where no classifier decided.
    """
    labels: list[Label | None] = [None] * len(subjects)
    message = f"{view.capitalize()}s of the pages"
    for at, classifier in enumerate(classifiers):
        part_of_all = SubProgress(progress, at / len(classifiers), (at + 1) / len(classifiers))
        open_ones = [number for number, label in enumerate(labels) if label is None]
        step = AT_ONCE_OF.get(classifier.rung, AT_ONCE)
        for start in range(0, len(open_ones), step):
            part = open_ones[start : start + step]
            found = classifier.classify([subjects[number] for number in part], view)
            for number, label in zip(part, found, strict=True):
                labels[number] = label
            left = float(labels.count(None))
            part_of_all(STAGE, (start + len(part)) / len(open_ones), message, left=left)
    return labels


def decide_types(
    pages: LabelPages, taxonomy: Taxonomy, cascade: Cascade, progress: Progress
) -> PageDecisions:
    """Decide a type for each page: by its template, else alone, else by site structure, else by models.

    A root with products, articles and terms side by side has one template: rules that cannot decide all of
    them can often decide a single page.
    """
    labels: PageDecisions = [None] * len(pages)
    for keys, part in (
        (pages.templates, SubProgress(progress, 0.0, 0.3)),
        (pages.urls, SubProgress(progress, 0.3, 0.6)),
    ):
        subjects = group(pages, keys, _undecided(labels))
        _fill(labels, decide(cascade.sure, subjects.subjects, View.TYPE, part), subjects)
    by_place = structure_types(pages, labels, taxonomy)
    labels = [label or other for label, other in zip(labels, by_place, strict=True)]
    subjects = group(pages, pages.templates, _undecided(labels))
    _fill(
        labels,
        decide(cascade.judging, subjects.subjects, View.TYPE, SubProgress(progress, 0.6, 1.0)),
        subjects,
    )
    _correct(labels, pages, cascade, View.TYPE)
    return labels


def decide_themes(
    pages: LabelPages, types: PageDecisions, taxonomy: Taxonomy, cascade: Cascade, progress: Progress
) -> PageDecisions:
    """Decide a theme for each page; those whose type serves a function (a cart) get :data:`NO_THEME`."""
    functional = {one.name for one in taxonomy.types if one.functional}
    labels: PageDecisions = [_no_theme(kind, functional) for kind in types]
    subjects = theme_subjects(pages, _undecided(labels))
    found = decide((*cascade.sure, *cascade.judging), subjects.subjects, View.THEME, progress)
    _fill(labels, _met(found, cascade.worded), subjects)
    _correct(labels, pages, cascade, View.THEME)
    return labels


def decide_each(
    pages: LabelPages, taxonomy: Taxonomy, cascade: Cascade
) -> tuple[PageDecisions, PageDecisions]:
    """Decide themes and types of unrelated pages, each by itself and without models.

    Returns:
        (themes, types), as from :func:`decide_themes` and :func:`decide_types` if each were the only
        page.
    """
    functional = {one.name for one in taxonomy.types if one.functional}
    types: PageDecisions = [None] * len(pages)
    _decide_each(types, pages, cascade, View.TYPE)
    themes = [_no_theme(kind, functional) for kind in types]
    _decide_each(themes, pages, cascade, View.THEME)
    return themes, types


def _decide_each(labels: PageDecisions, pages: LabelPages, cascade: Cascade, view: View) -> None:
    subjects = group(pages, range(len(pages)), _undecided(labels))
    _fill(labels, decide(cascade.sure, subjects.subjects, view, silent), subjects)
    _correct(labels, pages, cascade, view)


def _met(found: Sequence[Label | None], worded: Collection[str]) -> PageDecisions:
    """Drop embedding labels of themes that have words, where no page got the theme by another classifier.

    A mattress shop has no footwear, whatever a title is close to. A theme without words is kept as decided.
    """
    met = {label.value for label in found if label and label.rung is not Rung.EMBEDDING}
    return [
        None
        if label and label.rung is Rung.EMBEDDING and label.value in worded and label.value not in met
        else label
        for label in found
    ]


def _no_theme(kind: Label | None, functional: Collection[str]) -> Label | None:
    if kind is None or kind.value not in functional:
        return None
    evidence = f"pages of type {kind.value} serve a function and have no theme"
    return Label(NO_THEME, kind.rung, kind.score, kind.margin, evidence)


def _correct(labels: PageDecisions, pages: LabelPages, cascade: Cascade, view: View) -> None:
    """Replace labels by the analyst's corrections of the page, else of its template."""
    for index, (url, template) in enumerate(zip(pages.urls, pages.templates, strict=True)):
        label = cascade.overrides.of(url, template, view)
        labels[index] = label or labels[index]


def _fill(labels: PageDecisions, found: Sequence[Label | None], subjects: Subjects) -> None:
    """Give each page without a label the label of its subject."""
    for index, number in enumerate(subjects.of_page.tolist()):
        if labels[index] is None and number >= 0:
            labels[index] = found[number]


def _undecided(labels: PageDecisions) -> np.ndarray:
    return np.array([label is None for label in labels], dtype=bool)


def _skipped(labels: frozenset[str]) -> str:
    if not labels:
        return ""
    count = f"{len(labels)} labels" if len(labels) > 1 else "a label"
    return f"Rules for {count} that the taxonomy lacks do nothing: {', '.join(sorted(labels))}"
