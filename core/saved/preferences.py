"""Preferences of the analyst for all data sets, kept beside the results; a key is never part of them.

Fields on the Settings page start from here and write here at once, so they need no memory of their own:
they survive page switches, F5 and a restart.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from pydantic import field_validator

from core.base.errors import ResourceError
from core.llm import LlmSettings
from core.storage.json_cache import JsonFile
from core.storage.store import Store
from core.writing.payload import AssistantSettings

FILE: Final = "preferences.json"


class Preferences(AssistantSettings):
    """Preferences of the analyst, with their defaults."""

    base_url: str = ""
    """Address of the server; empty where environment or files say."""
    model: str = ""
    """Name of the model; empty where environment or files say."""
    api_version: str = ""
    """Version of Azure's API; empty for every other server."""
    expert_sql: bool = False
    unshown = frozenset({"base_url"})

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        """Check the address before it is written: a key that was typed into it is kept nowhere."""
        if value:
            LlmSettings.checked(model="any", base_url=value)
        return value


def load(store: Store) -> Preferences:
    """Read the preferences; the defaults where there are none, or none that can be read."""
    with suppress(ResourceError):
        return _file(store).read() or Preferences()
    return Preferences()


def change(store: Store, **values: Any) -> Preferences:  # noqa: ANN401 - checked by the settings
    """Change some preferences and keep all.

    Raises:
        SettingsError: If a value is not possible; nothing is changed.
        ResourceError: If the disk refuses; nothing is changed.
    """
    with store.in_turn():
        before = _file(store).read() or Preferences()
        changed = Preferences.checked(**{**before.model_dump(), **values})
        _file(store).write(changed)
    return changed


def _file(store: Store) -> JsonFile[Preferences]:
    return JsonFile(store.root / FILE, Preferences, sparse=True)
