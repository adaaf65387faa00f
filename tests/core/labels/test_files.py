from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.labels.files import (
    corrections_from_yaml,
    corrections_to_yaml,
    read_taxonomy,
    taxonomy_from_yaml,
    taxonomy_to_yaml,
)
from core.labels.settings import Override, default_taxonomy
from core.schema import View

ONE = "descriptions: [shoes]"


def test_what_is_exported_can_be_brought_back() -> None:
    assert taxonomy_from_yaml(taxonomy_to_yaml(default_taxonomy()), "x") == default_taxonomy()
    corrections = (
        Override(view=View.TYPE, target="https://a.example/p/:slug", value="Product"),
        Override(view=View.THEME, target="https://a.example/ä?q=1&b=2", value="No theme"),
    )
    assert corrections_from_yaml(corrections_to_yaml(corrections), "x") == corrections


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("themes: [{name: A, descriptions: [a]}]\ntypes: []", "at least 2"),
        ("themes: [{name: A, descriptions: [a]}, {name: a, descriptions: [b]}]", "name of its own"),
        ("themes: [{name: A, descriptions: ['']}, {name: B, descriptions: [b]}]", "at least 1 character"),
        ("themes: [{name: A, descriptions: []}, {name: B, descriptions: [b]}]", "at least 1 item"),
        ("themes: [{name: Unknown, descriptions: [a]}, {name: B, descriptions: [b]}]", "without a label"),
        ("just text", "holds no themes"),
        ("[1, 2", "is not YAML"),
        ("!!python/object/apply:os.system [ls]", "is not YAML"),
        ("colours: []", "Field required"),
    ],
)
def test_a_taxonomy_that_cannot_be_used_is_said_in_words(text: str, problem: str) -> None:
    types = "\ntypes: [{name: P, descriptions: [p]}, {name: Q, descriptions: [q]}]"
    with pytest.raises(InputError, match=problem) as caught:
        taxonomy_from_yaml(text if "types" in text or "themes" not in text else text + types, "mine.yaml")
    assert "mine.yaml" in str(caught.value)


@pytest.mark.parametrize("text", ["corrections: 3", "corrections: [1]", "a: b", "corrections: [{view: url}]"])
def test_corrections_that_cannot_be_used_are_said_in_words(text: str) -> None:
    with pytest.raises(InputError, match=r"mine\.yaml"):
        corrections_from_yaml(text, "mine.yaml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.yaml cannot be read"):
        read_taxonomy(tmp_path / "absent.yaml")
