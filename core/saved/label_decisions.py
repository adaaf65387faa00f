"""Decisions of the analyst about labels: taxonomy, corrections, which classifiers of the cascade decide.

One file for all exports (``label_settings.json`` in the cache), so that a correction survives the next
export of the same site, one with the taxonomy of each site (``taxonomies.json``), and the latest edits, to
be taken back. Sessions change them in turn; a file that cannot be read is kept aside and never written over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from core.base.schema import Pages, View
from core.base.settings import Settings
from core.labels.label_settings import LabelSettings, Override, Taxonomy, ThemeSource
from core.labels.pages import host_of
from core.storage.dataset import Dataset
from core.storage.json_cache import JsonFile
from core.storage.store import Store

FILE: Final = "label_settings.json"
_TAXONOMIES: Final = "taxonomies.json"
EDITS: Final = "label_edits.json"
_HISTORY: Final = 50
"""Number of edits that can be taken back."""

Target: TypeAlias = tuple[View, str]
"""View and page (or template) of a correction; each has one correction at most."""


class Change(Settings):
    """The label of a page or template before and after an edit; None where it has no correction."""

    view: View
    target: str
    before: str | None
    after: str | None


Edit: TypeAlias = tuple[Change, ...]


class SiteTaxonomy(Settings):
    """Taxonomy, and where themes come from, as chosen for a site."""

    taxonomy: Taxonomy
    themes: ThemeSource


def load(store: Store, dataset: Dataset | None = None) -> LabelSettings:
    """Read the settings by which pages are labelled; the defaults where none were saved.

    Args:
        store: Where they lie.
        dataset: Data set whose site's own :class:`SiteTaxonomy`, if one was chosen, replaces the general
            taxonomy and source of themes.

    Raises:
        ResourceError: If a file cannot be opened.
    """
    settings = _settings(store).read() or LabelSettings()
    own = None if dataset is None else (_taxonomies(store).read() or {}).get(_site_of(dataset))
    return settings if own is None else settings.model_copy(update=dict(own))


def _site_of(dataset: Dataset) -> str:
    """The host of the most viewed page: exports of one site have one taxonomy."""
    return host_of(str(dataset.pages[Pages.PAGE_LOCATION].iloc[0])) if len(dataset.pages) else ""


def choose(store: Store, dataset: Dataset, taxonomy: Taxonomy, themes: ThemeSource) -> None:
    """Decide what the pages of a data set's site are labelled with, in this export and the next ones.

    Raises:
        ResourceError: If the disk is full.
    """
    with store.in_turn():
        chosen = SiteTaxonomy(taxonomy=taxonomy, themes=themes)
        _taxonomies(store).write((_taxonomies(store).read() or {}) | {_site_of(dataset): chosen})


def change(store: Store, **changes: object) -> None:
    """Change and save fields of :class:`core.labels.label_settings.LabelSettings`.

    Raises:
        SettingsError: If a value is outside its limits.
        ResourceError: If the disk is full.
    """
    with store.in_turn():
        _settings(store).write(LabelSettings.checked(**{**dict(load(store)), **changes}))


def correct(store: Store, corrections: Iterable[Override]) -> bool:
    """Save corrections as one edit; each replaces the one with its view and target.

    Returns:
        Whether anything changed.

    Raises:
        ResourceError: If the disk is full.
    """
    return _edit(store, {(one.view, one.target): one.value for one in corrections})


def remove(store: Store, targets: Iterable[Target]) -> bool:
    """Delete corrections, as one edit.

    Returns:
        Whether anything changed.

    Raises:
        ResourceError: If the disk is full.
    """
    return _edit(store, dict.fromkeys(targets))


def latest(store: Store) -> Edit:
    """Changes of the edit that :func:`undo` takes back; empty where there is none."""
    edits = _edits(store).read() or ((),)
    return edits[-1]


def undo(store: Store) -> bool:
    """Take the latest edit back as a whole.

    Returns:
        Whether there was one.

    Raises:
        ResourceError: If the disk is full.
    """
    with store.in_turn():
        if not (edits := _edits(store).read()):
            return False
        *older, last = edits
        _put(store, {(one.view, one.target): one.before for one in last})
        _edits(store).write(tuple(older))
    return True


def version(store: Store) -> int:
    """A number that differs after each change, also after one that is taken back."""
    files = [store.root / FILE, store.root / _TAXONOMIES]
    return sum(file.stat().st_mtime_ns for file in files if file.exists())


def _edit(store: Store, wanted: Mapping[Target, str | None]) -> bool:
    with store.in_turn():
        now = _corrections(load(store))
        changes = tuple(
            Change(view=target[0], target=target[1], before=now.get(target), after=value)
            for target, value in wanted.items()
            if now.get(target) != value
        )
        if changes:
            _put(store, wanted)
            _edits(store).write((*(_edits(store).read() or ()), changes)[-_HISTORY:])
    return bool(changes)


def _put(store: Store, wanted: Mapping[Target, str | None]) -> None:
    settings = load(store)
    values = {target: value for target, value in {**_corrections(settings), **wanted}.items() if value}
    overrides = tuple(
        Override(view=view, target=target, value=value) for (view, target), value in values.items()
    )
    _settings(store).write(settings.model_copy(update={"overrides": overrides}))


def _corrections(settings: LabelSettings) -> dict[Target, str | None]:
    return {(one.view, one.target): one.value for one in settings.overrides}


def _settings(store: Store) -> JsonFile[LabelSettings]:
    return JsonFile(store.root / FILE, LabelSettings)


def _taxonomies(store: Store) -> JsonFile[dict[str, SiteTaxonomy]]:
    return JsonFile(store.root / _TAXONOMIES, dict[str, SiteTaxonomy])


def _edits(store: Store) -> JsonFile[tuple[Edit, ...]]:
    return JsonFile(store.root / EDITS, tuple[Edit, ...])
