"""What the analyst decided about labels: taxonomy, corrections, how far up the ladder to go.

One file for all exports (``label_settings.json`` in the cache), so that a correction survives the next
export of the same site.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import streamlit as st
from pydantic import ValidationError

from core.labels.settings import LabelSettings, Override
from core.store import Store, write_text_atomic
from pages.ui import errors, state

FILE: Final = "label_settings.json"


def load() -> LabelSettings:
    """The settings as they are now; the defaults where none were saved, or those saved cannot be read."""
    try:
        return LabelSettings.model_validate_json(_path(state.store()).read_bytes())
    except (OSError, ValidationError):
        return LabelSettings()


def save(settings: LabelSettings) -> None:
    """Write the settings, in place of the ones before.

    Raises:
        ResourceError: If the disk is full; the old ones are still there.
    """
    write_text_atomic(_path(state.store()), settings.model_dump_json(indent=1))


def correct(corrections: Iterable[Override]) -> None:
    """Add corrections (a callback); the latest wins."""
    now = load()
    with errors.shown():
        save(now.model_copy(update={"overrides": (*now.overrides, *corrections)}))


def undo() -> None:
    """Take the latest correction back (a button's callback)."""
    now = load()
    with errors.shown():
        save(now.model_copy(update={"overrides": now.overrides[:-1]}))


def change(**changes: object) -> None:
    """Change other settings.

    Raises:
        SettingsError: If a value is outside its limits.
        ResourceError: If the disk is full.
    """
    save(LabelSettings.checked(**{**dict(load()), **changes}))
    st.session_state.pop("taxonomy-edit", None)


def _path(store: Store) -> Path:
    return store.root / FILE
