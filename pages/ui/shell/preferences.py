"""What the analyst chose once for all data sets, kept beside the results; a key is never part of it.

Fields on the Settings page start from here and write here at once, so they need no memory of their own:
they survive page switches, F5 and a restart.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import field_validator

from core.base.errors import SettingsError
from core.llm import LlmSettings
from core.storage.disk import write_text_atomic
from core.storage.store import Store
from core.writing.contract import AssistantSettings

FILE: Final = "preferences.json"


class Preferences(AssistantSettings):
    """All of them, with what holds until they are changed."""

    base_url: str = ""
    """Of the server; empty where environment or files say."""
    model: str = ""
    """Its name; empty where environment or files say."""
    api_version: str = ""
    """Of Azure; empty for every other server."""
    expert_sql: bool = False
    unshown = frozenset({"base_url"})

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        """Checked before it is written: a key that was typed into it is kept nowhere."""
        if value:
            LlmSettings.checked(model="any", base_url=value)
        return value


def load(store: Store) -> Preferences:
    """Read them; what holds by default where there are none, or damaged ones."""
    try:
        return Preferences.checked(**json.loads(_path(store).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, SettingsError):
        return Preferences()


def change(store: Store, **values: Any) -> Preferences:  # noqa: ANN401 - checked by the settings
    """Change some of them and keep all.

    Raises:
        SettingsError: If a value is not possible; nothing is changed.
        ResourceError: If the disk is full; nothing is changed.
    """
    with store.in_turn():
        changed = Preferences.checked(**{**load(store).model_dump(), **values})
        write_text_atomic(_path(store), changed.model_dump_json(indent=1, exclude_defaults=True))
    return changed


def _path(store: Store) -> Path:
    return store.root / FILE
