"""The label stage over a data set: what it is made from, its caches, and the opt-in fetch before it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import ada_url

from core.base.errors import Beha2VecError, SettingsError
from core.base.progress import Progress
from core.base.schema import Pages, Users, View
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages
from core.labels import label_cache, llm_classifier, nli_classifier, weights
from core.labels.fetching.fetching import FetchReport, fetch
from core.labels.fetching.guard import host_name
from core.labels.fetching.page_store import Stored, known
from core.labels.label_cache import LabelCache
from core.labels.label_settings import LabelMode, LabelSettings
from core.labels.labelling import LabelSummary, label
from core.labels.llm_classifier import Estimate
from core.labels.pages import group, host_of, read_pages, theme_subjects
from core.labels.review import RUNG
from core.labels.rule_classifier import literal_segments
from core.labels.rule_file import RULES_FILE
from core.llm import CallLog
from core.storage.store import file_checksum

MISSING: Final = "missing"
SHOWN_HOSTS: Final = 10
DECISIONS, FETCHED = "decisions", "fetched"
"""Folders of the label cache."""
WITHOUT_MODELS: Final = (LabelMode.OFF, LabelMode.RULES)


def label_dataset(
    dataset: Dataset,
    settings: LabelSettings,
    out_dir: Path,
    cache_dir: Path,
    progress: Progress,
    frozen: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    log_dir: Path | None = None,
) -> LabelSummary:
    """Label every page of a data set; see :func:`core.labels.labelling.label`.

    Args:
        dataset: The cleaned export.
        settings: Mode, taxonomy, corrections.
        out_dir: An existing folder.
        cache_dir: Where decisions and fetched pages are kept.
        progress: Where to report.
        frozen: Page → theme and type that it keeps.
        log_dir: Where calls of a language model are written down.
    """
    documents = {index: stored.document for index, stored in _documents(dataset, cache_dir).items()}
    with LabelCache(cache_dir / DECISIONS) as kept:
        return label(
            dataset.pages, dataset.page_events, settings, out_dir, progress, kept, documents, frozen,
            CallLog(log_dir) if log_dir and settings.mode is LabelMode.LLM else None,
            _user_ids(dataset) if settings.mode is LabelMode.LLM else (),
        )  # fmt: skip


def ingredients(
    dataset: Dataset, settings: LabelSettings, cache_dir: Path, asked: str = ""
) -> dict[str, str]:
    """What labels depend on besides settings and pages: rules, models, fetched documents.

    Args:
        dataset: The cleaned export.
        settings: Mode, taxonomy, corrections.
        cache_dir: Where decisions and fetched pages are kept.
        asked: Identity of the language model; by default the environment's.
    """
    found = {"rules": file_checksum(RULES_FILE), "version": str(label_cache.VERSION)}
    if settings.mode not in WITHOUT_MODELS:
        found["embedding"] = weights.SHA256 if weights.installed() else MISSING
    if settings.mode is LabelMode.NLI:
        found["nli"] = nli_classifier.weights_hash(settings.nli_model) or MISSING
    if settings.mode is LabelMode.LLM:
        found["llm"] = asked or _llm_identity()
    documents = _documents(dataset, cache_dir)
    if documents:
        dates = "\n".join(f"{index} {stored.fetched}" for index, stored in sorted(documents.items()))
        found["documents"] = hashlib.blake2b(dates.encode(), digest_size=16).hexdigest()
    return found


def require_models(settings: LabelSettings) -> None:
    """See to it that what a mode asks by name is there, before a result is named after it.

    Raises:
        ResourceError: If a model cannot be found, or the environment names none.
        SettingsError: If what the environment names is not possible.
    """
    if settings.mode is LabelMode.NLI:
        nli_classifier.require(settings.nli_model)
    if settings.mode is LabelMode.LLM:
        llm_classifier.identity()


def _llm_identity() -> str:
    try:
        return llm_classifier.identity()
    except Beha2VecError:
        return MISSING


def fetch_pages(dataset: Dataset, hosts: Sequence[str], cache_dir: Path, progress: Progress) -> FetchReport:
    """Fetch the most viewed pages from hosts that the analyst agreed to.

    Raises:
        SettingsError: If one of ``hosts`` is no host, or none of the export's.
        Cancelled: If ``progress`` says so; what was fetched so far is kept.
    """
    by_host: dict[str, list[str]] = {}
    for page in _urls(dataset):  # the most viewed first
        by_host.setdefault(host_of(page), []).append(page)
    agreed = {host_name(host) for host in hosts}
    if strange := sorted(agreed - by_host.keys()):
        raise SettingsError(
            f"No page of this export is on {strange[0]}",
            allowed=", ".join(filter(None, list(by_host)[:SHOWN_HOSTS])),
        )
    wanted = [page for host, pages in by_host.items() if host in agreed for page in pages]
    return fetch(wanted, agreed, by_host, cache_dir / FETCHED, progress)


def llm_cost(dataset: Dataset, settings: LabelSettings, labels: LabelledPages) -> tuple[Estimate, ...]:
    """What asking a language model about all that is undecided would cost: for themes, and for types.

    Args:
        dataset: The cleaned export.
        settings: With the taxonomy to choose from.
        labels: What the rungs before it decided.
    """
    pages = read_pages(dataset.pages, dataset.page_events, literal=literal_segments())
    left = {view: labels.table[column].isna().to_numpy() for view, column in RUNG.items()}
    asked = {
        View.THEME: theme_subjects(pages, left[View.THEME]),
        View.TYPE: group(pages, pages.templates, left[View.TYPE]),
    }
    ids = _user_ids(dataset)
    return tuple(
        llm_classifier.estimate(found.subjects, settings.taxonomy, view, ids) for view, found in asked.items()
    )


def _user_ids(dataset: Dataset) -> frozenset[str]:
    return frozenset(dataset.users[Users.USER_ID])


def _documents(dataset: Dataset, cache_dir: Path) -> dict[int, Stored]:
    """Page index → what its page said of itself when it was fetched."""
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
