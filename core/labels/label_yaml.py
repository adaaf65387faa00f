"""Taxonomies and corrections as YAML that a person can read, edit and send.

A file may come from anybody: only plain data is read, and what makes a small file large (aliases) or a deep
one endless is refused before anything is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from core.base.errors import InputError, SettingsError
from core.base.settings import Settings
from core.labels.label_settings import Override, Taxonomy

EXPORT_ONE: Final = "Export one from the Labels page and edit that"
MOST_BYTES: Final = 4_000_000
MOST_ENTRIES: Final = 10_000
"""Themes, types or corrections."""
DEEPEST: Final = 20
"""Lists and mappings within each other; four are needed."""

_Kind = TypeVar("_Kind", bound=Settings)


def taxonomy_from_yaml(text: str | bytes, name: str) -> Taxonomy:
    """Read a taxonomy: ``themes`` and ``types``, each a list of ``name``, ``descriptions``, ``functional``.

    Args:
        text: The YAML.
        name: Of the file, for messages.

    Raises:
        InputError: If it is not YAML, or not of that form.
    """
    return _checked(Taxonomy, _mapping(text, name, "themes and types"), name)


def taxonomy_to_yaml(taxonomy: Taxonomy) -> str:
    """Write a taxonomy; ``functional`` only where it is true."""
    return _dump(taxonomy.model_dump(mode="json", exclude_defaults=True))


def corrections_from_yaml(text: str | bytes, name: str) -> tuple[Override, ...]:
    """Read corrections: ``corrections``, a list of ``view``, ``target`` and ``value``.

    Raises:
        InputError: If it is not YAML, or not of that form.
    """
    found = _mapping(text, name, "corrections").get("corrections")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InputError(
            f"{name} holds no list of corrections", allowed="corrections: [{view, target, value}, …]"
        )
    return tuple(_checked(Override, one, name) for one in found)


def corrections_to_yaml(overrides: Sequence[Override]) -> str:
    """Write corrections, the oldest first."""
    return _dump({"corrections": [override.model_dump(mode="json") for override in overrides]})


def read_taxonomy(path: Path) -> Taxonomy:
    """Read a taxonomy file.

    Raises:
        InputError: If it cannot be read or is not a taxonomy.
    """
    return taxonomy_from_yaml(_read(path), str(path))


def read_corrections(path: Path) -> tuple[Override, ...]:
    """Read a file of corrections.

    Raises:
        InputError: If it cannot be read or holds none.
    """
    return corrections_from_yaml(_read(path), str(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", remedy="Check the path") from error


def _mapping(text: str | bytes, name: str, holds: str) -> dict[str, Any]:
    if len(text) > MOST_BYTES:
        raise InputError(f"{name} has {len(text):,} characters", allowed=f"at most {MOST_BYTES:,}")
    try:
        _refuse_bombs(text, name)
        data = yaml.load(text, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InputError(f"{name} is not YAML: {reason}", remedy=EXPORT_ONE) from error
    if not isinstance(data, dict):
        raise InputError(f"{name} holds no {holds}", remedy=EXPORT_ONE)
    return data


def _refuse_bombs(text: str | bytes, name: str) -> None:
    depth = entries = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise InputError(f"{name} holds an alias, *{str(event.anchor)[:40]}", remedy="Write it out")
        if depth > DEEPEST:
            raise InputError(f"{name} holds more than {DEEPEST} lists in each other", remedy=EXPORT_ONE)
        entries += isinstance(event, yaml.MappingStartEvent)
        if entries > MOST_ENTRIES:
            remedy = "Correct path templates instead of single pages"
            raise InputError(f"{name} holds too much", allowed=f"{MOST_ENTRIES:,} entries", remedy=remedy)


def _checked(kind: type[_Kind], data: dict[str, Any], name: str) -> _Kind:
    try:
        return kind.checked(**data)
    except (SettingsError, TypeError) as error:
        raise InputError(f"{name}: {error}", remedy="Correct the file") from error


def _dump(data: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110)
    return text
