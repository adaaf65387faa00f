"""What the analyst decided about labels: taxonomy, corrections, how far up the ladder to go.

One file for all exports (``label_settings.json`` in the cache), so that a correction survives the next
export of the same site, and beside it the latest edits, to be taken back. Sessions change them in turn; a
file that cannot be read is kept aside and never written over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from core.base.schema import View
from core.base.settings import Settings
from core.labels.label_settings import LabelSettings, Override
from core.storage.json_file import JsonFile
from core.storage.store import Store

FILE: Final = "label_settings.json"
EDITS: Final = "label_edits.json"
HISTORY: Final = 50
"""Edits that can be taken back."""

Target: TypeAlias = tuple[View, str]
"""What a correction is of: themes or types, and a page or a template; it has one correction at most."""


class Change(Settings):
    """What an edit did to one correction; None where there is none."""

    view: View
    target: str
    before: str | None
    after: str | None


Edit: TypeAlias = tuple[Change, ...]


def load(store: Store) -> LabelSettings:
    """The settings as they are now; the defaults where none were saved.

    Raises:
        ResourceError: If the file cannot be opened.
    """
    return _settings(store).read() or LabelSettings()


def change(store: Store, **changes: object) -> None:
    """Change some of the settings.

    Raises:
        SettingsError: If a value is outside its limits.
        ResourceError: If the disk is full.
    """
    with store.in_turn():
        _settings(store).write(LabelSettings.checked(**{**dict(load(store)), **changes}))


def correct(store: Store, corrections: Iterable[Override]) -> bool:
    """Take corrections as one edit, each in the place of the one with its view and target.

    Returns:
        Whether anything is different now; a correction that is in force already changes nothing.

    Raises:
        ResourceError: If the disk is full.
    """
    return _edit(store, {(one.view, one.target): one.value for one in corrections})


def remove(store: Store, targets: Iterable[Target]) -> bool:
    """Delete corrections, as one edit.

    Returns:
        Whether anything is different now.

    Raises:
        ResourceError: If the disk is full.
    """
    return _edit(store, dict.fromkeys(targets))


def latest(store: Store) -> Edit:
    """What the edit did that :func:`undo` takes back; empty where there is none."""
    edits = _edits(store).read() or ((),)
    return edits[-1]


def undo(store: Store) -> bool:
    """Take the latest edit back, all of it.

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
    """Differs after each change, also after one that is taken back."""
    try:
        return (store.root / FILE).stat().st_mtime_ns
    except OSError:
        return 0


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
            _edits(store).write((*(_edits(store).read() or ()), changes)[-HISTORY:])
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


def _edits(store: Store) -> JsonFile[tuple[Edit, ...]]:
    return JsonFile(store.root / EDITS, tuple[Edit, ...])
