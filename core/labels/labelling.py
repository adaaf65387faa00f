"""The label stage: give every page of a data set a theme and a type, and write who decided and why.

First, path templates with pages of different types are split. Addresses alone do not distinguish these: on a
flat site an article, a list and every product are ``/:slug``. Each page is typed by its own events, words and
place in the flow; the most frequent type keeps the template, the others get it with their type:
``/:slug (Category)``. Corrections play no part in this, so that a correction of a template finds it again.

Then :func:`label_dataset` and what belongs to it: what its result depends on (:func:`fingerprints`), the
opt-in fetch of pages, and what a language model would cost.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

import ada_url
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from core.base.errors import ArtifactError, Beha2VecError, SettingsError
from core.base.progress import Progress, SubProgress
from core.base.schema import UNKNOWN, PageLabels, Pages, Users, View
from core.labels import embedding_classifier, label_cache, llm_classifier, nli_classifier
from core.labels.cascade import STAGE, Cascade, PageDecisions, build, decide_themes, decide_types
from core.labels.event_classifier import MIN_VIEWS, EventClassifier
from core.labels.fetching.fetch_outcomes import FetchOutcome, OutcomeTally
from core.labels.fetching.fetching import fetch
from core.labels.fetching.guard import host_name
from core.labels.fetching.page_store import Stored, known
from core.labels.label_settings import LabelMode, LabelSettings, Taxonomy, ThemeSource
from core.labels.label_types import Document, Label, Rung
from core.labels.llm_classifier import Estimate
from core.labels.pages import LabelPages, group, host_of, page_steps, read_pages, theme_subjects
from core.labels.review import RUNG
from core.labels.rule_classifier import RuleClassifier, literal_segments
from core.labels.rule_file import RULES_FILE
from core.labels.structure import structure_types
from core.labels.theme_choice import ThemeChoice, choose_themes
from core.llm import CallLog
from core.storage.dataset import Dataset
from core.storage.disk import disk_errors
from core.storage.json_cache import JsonCache
from core.storage.page_labels import LABELS, SCHEMA, LabelledPages
from core.storage.store import file_checksum

_OTHER: Final = "other"
"""Stands for the type of pages that neither events nor words nor structure decide."""


def split_templates(pages: LabelPages, taxonomy: Taxonomy) -> LabelPages:
    """Split each template whose pages have different types into a template per type.

    Args:
        pages: The pages, with templates mined from addresses.
        taxonomy: Only its types are decided.
    """
    labels = _by_page(pages, taxonomy)
    members: dict[str, list[int]] = defaultdict(list)
    for page, template in enumerate(pages.templates):
        members[template].append(page)
    templates = list(pages.templates)
    for members_of in members.values():
        kinds = _kinds([labels[page] for page in members_of], [int(pages.views[page]) for page in members_of])
        usual = Counter(kinds).most_common(1)[0][0]
        for page, kind in zip(members_of, kinds, strict=True):
            templates[page] += f" ({kind})" if kind != usual else ""
    return replace(pages, templates=tuple(templates))


def _by_page(pages: LabelPages, taxonomy: Taxonomy) -> list[Label | None]:
    """Type of each page by its own events, else by rules on its words, else by site structure."""
    single = group(pages, pages.urls)
    rungs = (EventClassifier(taxonomy), RuleClassifier(taxonomy))
    events, rules = (rung.classify(single.subjects, View.TYPE) for rung in rungs)
    labels = [events[at] or rules[at] for at in single.of_page.tolist()]
    return [
        label or other for label, other in zip(labels, structure_types(pages, labels, taxonomy), strict=True)
    ]


def _kinds(labels: list[Label | None], views: list[int]) -> list[str]:
    """Type of each page of a template, or :data:`_OTHER` where none was decided.

    Where events decided types, a page without one must have been seen often enough for events to fire;
    otherwise it counts to the most frequent type.
    """
    enough = MIN_VIEWS if any(label and label.rung is Rung.EVENTS for label in labels) else 0
    kinds = [
        label.value if label else _OTHER if seen >= enough else None
        for label, seen in zip(labels, views, strict=True)
    ]
    usual = Counter(kind for kind in kinds if kind).most_common(1)[0][0]
    return [kind or usual for kind in kinds]


_SUMMARY: Final = "summary.json"
_MISSING: Final = "missing"
_SHOWN_HOSTS: Final = 10
_DECISIONS, FETCHED = "decisions", "fetched"
"""Folders of the label cache."""
_DECIDED: Final = 2
"""Raised when rules or themes decide otherwise on the same pages; cached answers of models stay."""
_WITHOUT_MODELS: Final = (LabelMode.OFF, LabelMode.RULES)
_KEPT: Final = "the label with which the model was trained"


class LabelSummary(BaseModel):
    """Summary of a data set's labels, as ``summary.json``."""

    model_config = ConfigDict(frozen=True)

    mode: LabelMode
    pages: int
    templates: int
    page_views: int
    unknown: Mapping[View, float]
    """View → share of the page views on pages without a theme, or a type (``No theme`` is a decision)."""
    notes: tuple[str, ...]
    """Models, rules and corrections that were not used, and why."""
    choice: ThemeChoice | None = None
    """The taxonomy in use and the themes mined from the site; None for labels of an earlier version."""


def label_dataset(
    dataset: Dataset,
    settings: LabelSettings,
    out_dir: Path,
    cache_dir: Path,
    progress: Progress,
    frozen: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    log_dir: Path | None = None,
) -> LabelSummary:
    """Label every page of a data set and write ``labels.parquet`` and ``summary.json``.

    Args:
        dataset: The cleaned export.
        settings: Mode, taxonomy, corrections.
        out_dir: An existing folder.
        cache_dir: Where decisions and fetched pages are kept.
        progress: Called after every batch, with 1 only when all is written; may raise Cancelled.
        frozen: Page → (theme, type) that it keeps, whatever would be decided now.
        log_dir: Where calls of a language model are logged.

    Raises:
        ResourceError: If the model of the mode cannot be used, or the disk is full.
    """
    watched = _Watched(progress)
    watched(STAGE, 0.0, "path templates")
    documents = {index: stored.document for index, stored in _documents(dataset, cache_dir).items()}
    pages = label_pages(dataset, settings, documents)
    asks = settings.mode is LabelMode.LLM
    with JsonCache(cache_dir / _DECISIONS, label_cache.SIZE_LIMIT) as cache:
        cascade_of = partial(
            build, cache=cache, templates=set(pages.templates), beat=watched.again,
            log=CallLog(log_dir) if log_dir and asks else None, user_ids=_user_ids(dataset) if asks else (),
        )  # fmt: skip
        decided, choice, notes = _decided(dataset, pages, settings, cascade_of, watched)
    summary = _written(out_dir, pages, _kept(pages, decided, frozen), settings.mode, notes, choice)
    own = f", {len(choice.own)} themes of the site's own" if choice.mined else ""
    watched(STAGE, 1.0, f"{len(pages):,} pages{own}")
    return summary


def _decided(
    dataset: Dataset,
    pages: LabelPages,
    settings: LabelSettings,
    cascade_of: Callable[[LabelSettings], Cascade],
    progress: Progress,
) -> tuple[dict[View, PageDecisions], ThemeChoice, tuple[str, ...]]:
    """Decide types, choose the themes' taxonomy with them, then decide themes; also return the notes."""
    cascade = cascade_of(settings)
    types = decide_types(pages, settings.taxonomy, cascade, SubProgress(progress, 0.05, 0.5))
    choice = choose_themes(dataset, pages, types, settings)
    if choice.mined:
        cascade = cascade_of(settings.model_copy(update={"taxonomy": choice.taxonomy}))
    themes = decide_themes(pages, types, choice.taxonomy, cascade, SubProgress(progress, 0.5, 0.99))
    return {View.THEME: themes, View.TYPE: types}, choice, cascade.notes


def _written(
    out_dir: Path,
    pages: LabelPages,
    decided: Mapping[View, PageDecisions],
    mode: LabelMode,
    notes: tuple[str, ...],
    choice: ThemeChoice,
) -> LabelSummary:
    summary = LabelSummary(
        mode=mode,
        pages=len(pages),
        templates=len(set(pages.templates)),
        page_views=int(pages.views.sum()),
        unknown={view: _unknown(pages, labels) for view, labels in decided.items()},
        notes=notes,
        choice=choice,
    )
    with disk_errors():
        pq.write_table(_table(pages, decided), out_dir / LABELS)
        (out_dir / _SUMMARY).write_text(summary.model_dump_json(indent=1), encoding="utf-8")
    return summary


def _unknown(pages: LabelPages, labels: PageDecisions) -> float:
    left = np.array([label is None or label.value == UNKNOWN for label in labels], dtype=bool)
    return float(pages.views[left].sum() / max(1, pages.views.sum()))


def label_pages(
    dataset: Dataset, settings: LabelSettings, documents: Mapping[int, Document] = MappingProxyType({})
) -> LabelPages:
    """Lay out the pages of a data set for the classifiers: titles, templates, events, steps.

    Args:
        dataset: The cleaned export.
        settings: Settings whose taxonomy has the types by which templates are split.
        documents: Page index → content of the fetched page.
    """
    steps = page_steps(dataset.sequences, len(dataset.pages))
    pages = read_pages(dataset.pages, dataset.page_events, documents, literal_segments(), steps)
    return split_templates(pages, settings.taxonomy)


def read_summary(folder: Path) -> LabelSummary:
    """Read the summary that :func:`label_dataset` wrote.

    Raises:
        ArtifactError: If it is missing or damaged.
    """
    try:
        return LabelSummary.model_validate_json((folder / _SUMMARY).read_bytes())
    except (OSError, ValidationError) as error:
        raise ArtifactError(f"{folder} holds no summary of labels", remedy="Label the pages again") from error


def in_use(settings: LabelSettings, summary: LabelSummary) -> LabelSettings:
    """Settings by which another export's pages get the same themes: the taxonomy in use, mined or not."""
    if summary.choice is None:
        return settings
    used = {"taxonomy": summary.choice.taxonomy, "themes": ThemeSource.TAXONOMY}
    return settings.model_copy(update=used)


def fingerprints(
    dataset: Dataset, settings: LabelSettings, cache_dir: Path, asked: str = ""
) -> dict[str, str]:
    """Name → fingerprint of what labels depend on besides settings and pages: rules, models, documents.

    Args:
        dataset: The cleaned export.
        settings: Mode, taxonomy, corrections.
        cache_dir: Where decisions and fetched pages are kept.
        asked: Model and server (``LlmSettings.identity``); by default the environment's.
    """
    prints = {"rules": file_checksum(RULES_FILE), "version": f"{label_cache.VERSION}.{_DECIDED}"}
    if settings.mode not in _WITHOUT_MODELS:
        prints["embedding"] = embedding_classifier.SHA256 if embedding_classifier.installed() else _MISSING
    if settings.mode is LabelMode.NLI:
        prints["nli"] = nli_classifier.weights_hash(settings.nli_model) or _MISSING
    if settings.mode is LabelMode.LLM:
        prints["llm"] = asked or _llm_identity()
    documents = _documents(dataset, cache_dir)
    if documents:
        dates = "\n".join(f"{index} {stored.fetched}" for index, stored in sorted(documents.items()))
        prints["documents"] = hashlib.blake2b(dates.encode(), digest_size=16).hexdigest()
    return prints


def require_models(settings: LabelSettings) -> None:
    """Check, before labelling, that the model which the mode needs can be used.

    Raises:
        ResourceError: If a model cannot be found, or the environment names none.
        SettingsError: If the environment's settings of the language model are invalid.
    """
    if settings.mode is LabelMode.NLI:
        nli_classifier.require(settings.nli_model)
    if settings.mode is LabelMode.LLM:
        llm_classifier.identity()


def _llm_identity() -> str:
    try:
        return llm_classifier.identity()
    except Beha2VecError:
        return _MISSING


def fetch_pages(
    dataset: Dataset, hosts: Sequence[str], cache_dir: Path, progress: Progress
) -> dict[FetchOutcome, OutcomeTally]:
    """Fetch the most viewed pages from hosts that the analyst agreed to, and count the outcomes.

    Raises:
        SettingsError: If one of ``hosts`` is no host, or not in the export.
        Cancelled: If ``progress`` raises it; pages fetched so far are kept.
    """
    by_host: dict[str, list[str]] = {}
    for page in _urls(dataset):  # the most viewed first
        by_host.setdefault(host_of(page), []).append(page)
    agreed = {host_name(host) for host in hosts}
    if strange := sorted(agreed - by_host.keys()):
        raise SettingsError(
            f"No page of this export is on {strange[0]}",
            allowed=", ".join(filter(None, list(by_host)[:_SHOWN_HOSTS])),
        )
    wanted = [page for host, pages in by_host.items() if host in agreed for page in pages]
    return fetch(wanted, agreed, by_host, cache_dir / FETCHED, progress)


def llm_cost(dataset: Dataset, settings: LabelSettings, labels: LabelledPages) -> tuple[Estimate, ...]:
    """Estimate what asking a language model about undecided pages would cost: themes first, then types.

    Args:
        dataset: The cleaned export.
        settings: With the taxonomy to choose from.
        labels: What the other classifiers decided.
    """
    settings = in_use(settings, read_summary(labels.path))
    pages = label_pages(dataset, settings)
    left = {view: labels.table[column].isna().to_numpy() for view, column in RUNG.items()}
    asked = {
        View.THEME: theme_subjects(pages, left[View.THEME]),
        View.TYPE: group(pages, pages.templates, left[View.TYPE]),
    }
    ids = _user_ids(dataset)
    return tuple(
        llm_classifier.estimate(found.subjects, settings.taxonomy, view, ids) for view, found in asked.items()
    )


class _Watched:
    """A progress callback that can repeat its last report while a model takes long to answer."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._last = progress, (STAGE, 0.0, "")

    def __call__(self, stage: str, fraction: float, message: str = "", **figures: float) -> None:
        self._last = (stage, fraction, message)
        self._progress(stage, fraction, message, **figures)

    def again(self) -> None:
        self._progress(*self._last)


def _kept(
    pages: LabelPages, decided: Mapping[View, PageDecisions], frozen: Mapping[str, tuple[str, str]]
) -> dict[View, PageDecisions]:
    """The decided labels, replaced by the frozen ones for pages of the training."""
    before = {url: dict(zip((View.THEME, View.TYPE), pair, strict=True)) for url, pair in frozen.items()}
    return {
        view: [
            _of_training(before[url][view]) if url in before else label
            for url, label in zip(pages.urls, labels, strict=True)
        ]
        for view, labels in decided.items()
    }


def _of_training(value: str) -> Label | None:
    return None if value == UNKNOWN else Label(value, Rung.FROZEN, evidence=_KEPT)


def _table(pages: LabelPages, decided: Mapping[View, PageDecisions]) -> pa.Table:
    columns: dict[str, Sequence[object]] = {
        PageLabels.PAGE: range(len(pages)),
        PageLabels.TEMPLATE: pages.templates,
    }
    for view, labels in decided.items():
        names = (view.value, *(f"{view}_{part}" for part in ("rung", "score", "margin", "evidence")))
        rows = [
            (label.value, label.rung.value, label.score, label.margin, label.evidence)
            if label
            else (UNKNOWN, None, None, None, None)
            for label in labels
        ]
        columns |= (
            dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
        )
    return pa.table(
        {name: pa.array(list(columns[name]), SCHEMA.field(name).type) for name in SCHEMA.names}, SCHEMA
    )


def _user_ids(dataset: Dataset) -> frozenset[str]:
    return frozenset(dataset.users[Users.USER_ID])


def _documents(dataset: Dataset, cache_dir: Path) -> dict[int, Stored]:
    """Page index → content that was fetched of the page."""
    fetched = known(cache_dir / FETCHED)
    if not fetched:
        return {}
    addresses = map(_as_fetched, _urls(dataset))
    return {index: fetched[url] for index, url in enumerate(addresses) if url in fetched}


def _as_fetched(page: str) -> str:
    try:
        url = ada_url.URL(page)
    except ValueError:
        return page
    url.hash = ""
    return str(url.href)


def _urls(dataset: Dataset) -> list[str]:
    urls: list[str] = dataset.pages[Pages.PAGE_LOCATION].tolist()
    return urls
