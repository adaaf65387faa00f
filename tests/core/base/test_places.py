"""Where data lies and how the program is called, in a checkout and installed (see test_wheel.py)."""

import os
import re
import tomllib
from pathlib import Path

import platformdirs
import pytest

from core.base import places

PROJECT = Path(__file__).resolve().parents[3]


def test_a_checkout_keeps_its_data_beside_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (places.DATA, "BEHA2VEC_CACHE"):
        monkeypatch.delenv(name, raising=False)
    assert (places.INSTALLED, places.PROGRAM) == (False, "python -m core")
    assert (places.data_folder(), places.cache_folder()) == (PROJECT, PROJECT / "cache")


def test_the_installed_program_keeps_data_with_the_user_or_where_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "INSTALLED", True)
    monkeypatch.delenv(places.DATA, raising=False)
    monkeypatch.delenv("BEHA2VEC_CACHE", raising=False)
    assert places.data_folder() == platformdirs.user_data_path("beha2vec", appauthor=False)
    monkeypatch.setenv(places.DATA, os.fspath(tmp_path))
    assert places.cache_folder() == tmp_path / "cache"


def test_a_missing_package_is_installed_by_its_extra_or_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.install_command("mcp", "mcp>=2.3,<3") == "pip install 'mcp>=2.3,<3'"
    monkeypatch.setattr(places, "INSTALLED", True)
    assert places.install_command("mcp", "mcp>=2.3,<3") == "pip install 'beha2vec[mcp]'"


def test_both_ways_to_install_a_package_name_what_the_project_names() -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    text = "".join(path.read_text() for path in (PROJECT / "core").rglob("*.py"))
    said = dict(re.findall(r"install_command\('(\w+)', '([^']+)'\)", text))
    assert {extra: [package] for extra, package in said.items()} == extras
