"""What stands at the root for contributors: its links, commands and version are those of the repository."""

from __future__ import annotations

import re

import pytest
import yaml

from core.base.places import VERSION
from tests.docs.conftest import ROOT

PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "llms.txt")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
MAKE = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = LINK.findall((ROOT / page).read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert links


@pytest.mark.parametrize("page", [*PAGES, ".github/workflows/tests.yml", ".github/workflows/release.yml"])
def test_what_make_is_asked_for_is_a_target(page: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = MAKE.findall((ROOT / page).read_text().replace("run: make", "make").replace("- make", "`make"))
    assert set(asked) <= set(targets)


def test_the_citation_is_of_this_version() -> None:
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == VERSION
