"""What the analyst decided about labels: taxonomy, corrections, how far up the ladder to go.

One file for all exports (``label_settings.json`` in the cache), so that a correction survives the next
export of the same site, and beside it the latest edits, to be taken back. Sessions change them in turn; a
file that cannot be read is kept aside and never written over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from pydantic import TypeAdapter, ValidationError

from core.base.schema import View
from core.base.settings import Settings
from core.labels.settings import LabelSettings, Override
from core.storage.disk import disk_errors, write_text_atomic
from pages.ui.shell import state

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
_EDITS: Final = TypeAdapter(tuple[Edit, ...])


def load() -> LabelSettings:
    """The settings as they are now; the defaults where none were saved.

    Raises:
        ResourceError: If the file cannot be opened.
    """
    try:
        return _read()
    except ValidationError:
        with state.store().in_turn():
            return _readable()


def save(settings: LabelSettings) -> None:
    """Write the settings, in place of the ones before.

    Raises:
        ResourceError: If the disk is full; the old ones are still there.
    """
    with state.store().in_turn():
        _write(settings)


def change(**changes: object) -> None:
    """Change other settings than corrections.

    Raises:
        SettingsError: If a value is outside its limits.
        ResourceError: If the disk is full.
    """
    with state.store().in_turn():
        _write(LabelSettings.checked(**{**dict(_readable()), **changes}))


def correct(corrections: Iterable[Override]) -> bool:
    """Take corrections as one edit, each in the place of the one with its view and target.

    Returns:
        Whether anything is different now; a correction that is in force already changes nothing.

    Raises:
        ResourceError: If the disk is full.
    """
    return _edit({(one.view, one.target): one.value for one in corrections})


def remove(targets: Iterable[Target]) -> bool:
    """Delete corrections, as one edit.

    Returns:
        Whether anything is different now.

    Raises:
        ResourceError: If the disk is full.
    """
    return _edit(dict.fromkeys(targets))


def latest() -> Edit:
    """What the edit did that :func:`undo` takes back; empty where there is none."""
    return (_edits() or [()])[-1]


def undo() -> bool:
    """Take the latest edit back, all of it.

    Returns:
        Whether there was one.

    Raises:
        ResourceError: If the disk is full.
    """
    with state.store().in_turn():
        if not (edits := _edits()):
            return False
        *older, last = edits
        _put({(one.view, one.target): one.before for one in last})
        _write_edits(older)
    return True


def version() -> int:
    """Differs after each change, also after one that is taken back."""
    try:
        return _path(FILE).stat().st_mtime_ns
    except OSError:
        return 0


def set_aside() -> list[Path]:
    """Files that could not be read, oldest first; what was in force has been the defaults since."""
    return sorted(_path(FILE).parent.glob(f"{Path(FILE).stem}.broken-*.json"))


def _edit(wanted: Mapping[Target, str | None]) -> bool:
    with state.store().in_turn():
        now = _corrections(_readable())
        changes = tuple(
            Change(view=target[0], target=target[1], before=now.get(target), after=value)
            for target, value in wanted.items()
            if now.get(target) != value
        )
        if changes:
            _put(wanted)
            _write_edits([*_edits(), changes])
    return bool(changes)


def _put(wanted: Mapping[Target, str | None]) -> None:
    settings = _readable()
    values = {target: value for target, value in {**_corrections(settings), **wanted}.items() if value}
    overrides = tuple(
        Override(view=view, target=target, value=value) for (view, target), value in values.items()
    )
    _write(settings.model_copy(update={"overrides": overrides}))


def _corrections(settings: LabelSettings) -> dict[Target, str | None]:
    return {(one.view, one.target): one.value for one in settings.overrides}


def _read() -> LabelSettings:
    with disk_errors():
        try:
            return LabelSettings.model_validate_json(_path(FILE).read_bytes())
        except FileNotFoundError:
            return LabelSettings()


def _readable() -> LabelSettings:
    """The settings; those that cannot be read make room for the defaults."""
    try:
        return _read()
    except ValidationError:
        made = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        with disk_errors():
            _path(FILE).rename(_path(f"{Path(FILE).stem}.broken-{made}.json"))
        return LabelSettings()


def _edits() -> list[Edit]:
    try:
        return list(_EDITS.validate_json(_path(EDITS).read_bytes()))
    except (OSError, ValidationError):  # there is nothing to take back; the corrections are all there
        return []


def _write(settings: LabelSettings) -> None:
    write_text_atomic(_path(FILE), settings.model_dump_json(indent=1))


def _write_edits(edits: list[Edit]) -> None:
    write_text_atomic(_path(EDITS), _EDITS.dump_json(tuple(edits[-HISTORY:])).decode())


def _path(name: str) -> Path:
    return state.store().root / name
