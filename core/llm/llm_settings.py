"""Settings of a language model: which server, which model on it, and where that is written."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, SecretStr, field_validator

from core.base.errors import InputError, ResourceError
from core.base.settings import Settings
from core.base.small_file import read_small_file

DEFAULT_BASE_URL: Final = "https://api.openai.com/v1"
DEFAULT_API_VERSION: Final = "2024-10-21"
"""Version of Azure's API where none is given: the newest that is generally available."""
NO_KEY: Final = "none"
"""Key for a server without keys, as the SDK insists on one."""
MODEL_VARIABLE, URL_VARIABLE, KEY_VARIABLE = "BEHA2VEC_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY"
_MODEL_VARIABLES: Final = (MODEL_VARIABLE, "OPENAI_MODEL", "AZURE_OPENAI_DEPLOYMENT")
AZURE_URL_VARIABLE: Final = "AZURE_OPENAI_ENDPOINT"
AZURE_KEY_VARIABLE: Final = "AZURE_OPENAI_API_KEY"
VERSION_VARIABLES: Final = ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION")
VARIABLES: Final = (
    *_MODEL_VARIABLES, URL_VARIABLE, KEY_VARIABLE, AZURE_URL_VARIABLE, AZURE_KEY_VARIABLE, *VERSION_VARIABLES
)  # fmt: skip
_SECRETS_FILE: Final = Path(".streamlit", "secrets.toml")
_CONFIG_FILE: Final = Path("config.env")

_LINE: Final = re.compile(r"^\s*(?:export\s+)?(?P<name>\w+)\s*=\s*(?P<value>.*?)\s*$")
Variables = Mapping[str, str]
"""Name of an environment variable → value, from one source."""
TYPED: Final = "typed here"
ENVIRONMENT: Final = "the environment"
_KEYS: Final = (KEY_VARIABLE, AZURE_KEY_VARIABLE)
_SERVERS: Final = (URL_VARIABLE, AZURE_URL_VARIABLE, *_KEYS)
"""Variables that name a server; a key alone names OpenAI's."""


class LlmSettings(Settings):
    """Server, model, key and limits of a language model."""

    model_config = ConfigDict(hide_input_in_errors=True)
    unshown: ClassVar[frozenset[str]] = frozenset({"base_url", "api_key"})
    model: Annotated[str, Field(min_length=1, max_length=200)]
    base_url: str = DEFAULT_BASE_URL
    api_key: SecretStr = SecretStr(NO_KEY)
    api_version: str = ""
    """Version of Azure's API; empty for every other server."""
    timeout_s: Annotated[float, Field(ge=1, le=300)] = 45.0
    """Seconds for one attempt; there are up to three."""
    max_output_tokens: Annotated[int, Field(ge=16, le=64_000)] = 2_000
    """Most tokens of one answer; a model that thinks before it answers needs more."""

    @field_validator("base_url")
    @classmethod
    def _is_a_web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a server's address starts with http:// or https://")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("it holds nothing but host and path: a key does not belong into the address")
        return value.rstrip("/")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Settings from environment variables, of which :data:`VARIABLES` count.

        Raises:
            ResourceError: If they name no model, or neither a server nor a key.
            SettingsError: If one of their values is not possible.
        """
        return cls.from_sources([environment])

    @classmethod
    def from_sources(cls, sources: Sequence[Variables]) -> Self:
        """Settings from several sources; the first one that has a value wins.

        Server and key come from one source: a key is never sent to a server that another one names, unless
        both name the same one.

        Raises:
            ResourceError: If none names a model, or a server or a key.
            SettingsError: If one of their values is not possible.
        """
        model = next((name for source in sources if (name := _first(source, _MODEL_VARIABLES))), "")
        servers = [server for source in sources if (server := _server(source))]
        if not model or not servers:
            missing = MODEL_VARIABLE if not model else f"{KEY_VARIABLE} or {URL_VARIABLE}"
            raise ResourceError(
                f"There is no language model to ask: {missing} is not set",
                remedy=f"Set {MODEL_VARIABLE}, and {KEY_VARIABLE} or (a server of your own) {URL_VARIABLE}",
            )
        url, key, version = servers[0]
        same = (other for address, other, _ in servers if other and address.rstrip("/") == url.rstrip("/"))
        secret = SecretStr(key or next(same, NO_KEY))
        return cls.checked(model=model, base_url=url, api_key=secret, api_version=version)

    def as_environment(self) -> dict[str, str]:
        """Environment variables that make a child process ask this server, whatever else is set."""
        azure = bool(self.api_version)
        url, key = (AZURE_URL_VARIABLE, AZURE_KEY_VARIABLE) if azure else (URL_VARIABLE, KEY_VARIABLE)
        own = {MODEL_VARIABLE: self.model, url: self.base_url, key: self.api_key.get_secret_value()}
        return dict.fromkeys(VARIABLES, "") | own | {VERSION_VARIABLES[0]: self.api_version}

    @property
    def identity(self) -> str:
        """Model and address of the server as one text, without the key, such as ``gpt-4o @ https://…``."""
        return f"{self.model} @ {self.base_url}"

    @property
    def host(self) -> str:
        """Host (and port) that text is sent to."""
        return urlsplit(self.base_url).netloc


def read_secrets(path: Path) -> dict[str, str]:
    """Those of :data:`VARIABLES` in a TOML file, at its top or one table deep; empty without the file.

    Raises:
        ResourceError: If it cannot be read.
    """
    try:
        found: dict[str, Any] = tomllib.loads(read_small_file(path).decode() if path.exists() else "")
    except (InputError, OSError, ValueError):  # the reason could quote a line, and so a key
        raise ResourceError(f"{path.name} cannot be read", allowed="TOML", remedy="Repair it") from None
    tables = [found, *(value for value in found.values() if isinstance(value, dict))]
    return {
        name: str(table[name])
        for table in reversed(tables)
        for name in VARIABLES
        if isinstance(table.get(name), str)
    }


def read_env_file(path: Path) -> dict[str, str]:
    """Those of :data:`VARIABLES` in lines such as ``OPENAI_API_KEY=…`` of a file; empty without the file.

    Raises:
        ResourceError: If it cannot be read.
    """
    try:
        lines = read_small_file(path).decode().splitlines() if path.exists() else []
    except (InputError, OSError, ValueError):
        raise ResourceError(f"{path.name} cannot be read", allowed="lines NAME=value") from None
    found = (_LINE.match(line) for line in lines if not line.lstrip().startswith("#"))
    return {one["name"]: _unquoted(one["value"]) for one in found if one and one["name"] in VARIABLES}


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.split(" #")[0].rstrip()


def _first(source: Variables, names: Sequence[str]) -> str:
    return next((value for name in names if (value := source.get(name, "").strip())), "")


def _server(source: Variables) -> tuple[str, str, str] | None:
    """Address, key and Azure version that one place gives; None if neither address nor key."""
    azure, url = (source.get(name, "").strip() for name in (AZURE_URL_VARIABLE, URL_VARIABLE))
    if azure and not url:
        key = _first(source, (AZURE_KEY_VARIABLE, KEY_VARIABLE))
        return azure, key, _first(source, VERSION_VARIABLES) or DEFAULT_API_VERSION
    key = source.get(KEY_VARIABLE, "").strip()
    return (url or DEFAULT_BASE_URL, key, "") if url or key else None


@dataclass(frozen=True)
class Origins:
    """Names of the sources (:func:`places`) that the settings come from.

    Args:
        model: Source of the model's name.
        server: Source of the server's address.
        key: Source of the key; empty where there is none.
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
    """Sources of settings: name in words → its variables, the one that wins first.

    Args:
        typed: What the analyst typed, by the names of the environment's variables.
        environment: Variables of the environment.
        folder: Folder that the two files are below.

    Raises:
        ResourceError: If a file cannot be read.
    """
    return {
        TYPED: typed,
        ENVIRONMENT: environment,
        _SECRETS_FILE.as_posix(): read_secrets(folder / _SECRETS_FILE),
        _CONFIG_FILE.as_posix(): read_env_file(folder / _CONFIG_FILE),
    }


def origins(asked: Mapping[str, Variables], settings: LlmSettings) -> Origins:
    """Which of the sources (:func:`places`) some settings were made from."""
    secret = settings.api_key.get_secret_value()
    holders = {name: [source.get(key, "").strip() for key in _KEYS] for name, source in asked.items()}
    key = next((name for name, keys in holders.items() if secret in keys), "") if secret != NO_KEY else ""
    return Origins(_place(asked, _MODEL_VARIABLES), _place(asked, _SERVERS), key)


def _place(asked: Mapping[str, Variables], names: Sequence[str]) -> str:
    return next(
        (place for place, source in asked.items() if any(source.get(name, "").strip() for name in names)), ""
    )
