"""Read and write taxonomies and corrections as YAML files that people can edit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from core.base import small_file
from core.base.errors import InputError, SettingsError
from core.base.settings import Settings
from core.base.small_file import read_small_file
from core.labels.label_settings import Override, Taxonomy

_EXPORT_ONE: Final = "Export one from Data, Labels, and edit that"
_FEWER: Final = "Correct path templates instead of single pages"

_Kind = TypeVar("_Kind", bound=Settings)


def taxonomy_from_yaml(text: str | bytes, name: str) -> Taxonomy:
    """Read a taxonomy: ``themes`` and ``types``, each a list of ``name``, ``descriptions``, ``functional``.

    Args:
        text: The YAML.
        name: Name of the file, for error messages.

    Raises:
        InputError: If it is not YAML, or not of that form.
    """
    return _checked(Taxonomy, small_file.parse_mapping(text, name, "themes and types", _EXPORT_ONE), name)


def taxonomy_to_yaml(taxonomy: Taxonomy) -> str:
    """Format a taxonomy as YAML for :func:`taxonomy_from_yaml`."""
    return _dump(taxonomy.model_dump(mode="json", exclude_defaults=True))


def corrections_from_yaml(text: str | bytes, name: str) -> tuple[Override, ...]:
    """Read corrections: ``corrections``, a list of ``view``, ``target`` and ``value``.

    Raises:
        InputError: If it is not YAML, or not of that form.
    """
    found = small_file.parse_mapping(text, name, "corrections", _EXPORT_ONE, _FEWER).get("corrections")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InputError(
            f"{name} holds no list of corrections", allowed="corrections: [{view, target, value}, …]"
        )
    return tuple(_checked(Override, one, name) for one in found)


def corrections_to_yaml(overrides: Sequence[Override]) -> str:
    """Format corrections as YAML for :func:`corrections_from_yaml`, in the given order."""
    return _dump({"corrections": [override.model_dump(mode="json") for override in overrides]})


def read_taxonomy(path: Path) -> Taxonomy:
    """Read a taxonomy file.

    Raises:
        InputError: If it cannot be read or is not a taxonomy.
    """
    return taxonomy_from_yaml(read_small_file(path), str(path))


def read_corrections(path: Path) -> tuple[Override, ...]:
    """Read a file of corrections.

    Raises:
        InputError: If it cannot be read or holds none.
    """
    return corrections_from_yaml(read_small_file(path), str(path))


def _checked(kind: type[_Kind], data: dict[str, Any], name: str) -> _Kind:
    try:
        return kind.checked(**data)
    except (SettingsError, TypeError) as error:
        raise InputError(f"{name}: {error}", remedy="Correct the file") from error


def _dump(data: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110)
    return text
