"""Which place says which model to ask: for the screen, without any key."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.llm.llm_settings import (
    AZURE_KEY_VARIABLE,
    AZURE_URL_VARIABLE,
    CONFIG_FILE,
    KEY_VARIABLE,
    MODEL_VARIABLES,
    NO_KEY,
    SECRETS_FILE,
    URL_VARIABLE,
    LlmSettings,
    Variables,
    read_env_file,
    read_secrets,
)

TYPED: Final = "typed here"
ENVIRONMENT: Final = "the environment"
KEYS: Final = (KEY_VARIABLE, AZURE_KEY_VARIABLE)
SERVERS: Final = (URL_VARIABLE, AZURE_URL_VARIABLE, *KEYS)
"""A key alone names a server too: OpenAI's."""


@dataclass(frozen=True)
class Origins:
    """Where the settings come from, in words.

    Args:
        model: Place of the model's name.
        server: Place of the server's address.
        key: Place of the key; empty where there is none.
    """

    model: str
    server: str
    key: str

    @property
    def typed(self) -> bool:
        """Whether the analyst typed any of them."""
        return TYPED in (self.model, self.server, self.key)


def places(
    typed: Variables, environment: Mapping[str, str] = os.environ, folder: Path = Path()
) -> dict[str, Variables]:
    """The places that are asked, the first that has something wins.

    Args:
        typed: What the analyst typed, by the names of the environment's variables.
        environment: Asked next.
        folder: Where the two files are looked for.

    Raises:
        ResourceError: If a file cannot be read.
    """
    return {
        TYPED: typed,
        ENVIRONMENT: environment,
        SECRETS_FILE.as_posix(): read_secrets(folder / SECRETS_FILE),
        CONFIG_FILE.as_posix(): read_env_file(folder / CONFIG_FILE),
    }


def origins(asked: Mapping[str, Variables], settings: LlmSettings) -> Origins:
    """Where settings that were made from some places come from."""
    secret = settings.api_key.get_secret_value()
    holders = {name: [source.get(key, "").strip() for key in KEYS] for name, source in asked.items()}
    key = next((name for name, keys in holders.items() if secret in keys), "") if secret != NO_KEY else ""
    return Origins(_first(asked, MODEL_VARIABLES), _first(asked, SERVERS), key)


def _first(asked: Mapping[str, Variables], names: Sequence[str]) -> str:
    return next(
        (place for place, source in asked.items() if any(source.get(name, "").strip() for name in names)), ""
    )
