from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.base.errors import InputError
from core.base.schema import View
from core.labels.label_settings import Override, default_taxonomy
from core.labels.label_yaml import (
    corrections_from_yaml,
    corrections_to_yaml,
    read_taxonomy,
    taxonomy_from_yaml,
    taxonomy_to_yaml,
)

TYPES = "types: [{name: P, descriptions: [p]}, {name: Q, descriptions: [q]}]"


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
        (
            "themes: [{name: A, descriptions: []}, {name: B, descriptions: [b]}]",
            "at least 1 of descriptions is needed, not 0",
        ),
        ("themes: [{name: Unknown, descriptions: [a]}, {name: B, descriptions: [b]}]", "without a label"),
        ("just text", "holds no themes"),
        ("[1, 2", "is not YAML"),
        ("!!python/object/apply:os.system [ls]", "is not YAML"),
        ("colours: []", "Field required"),
    ],
)
def test_a_taxonomy_that_cannot_be_used_is_said_in_words(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        whole = "types" in text or "themes" not in text
        taxonomy_from_yaml(text if whole else f"{text}\n{TYPES}", "mine.yaml")
    assert "mine.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["corrections: 3", "corrections: [1]", "a: b", "corrections: [{view: url, target: x, value: y}]"]
)
def test_corrections_that_cannot_be_used_are_said_in_words(text: str) -> None:
    with pytest.raises(InputError, match=r"mine\.yaml"):
        corrections_from_yaml(text, "mine.yaml")


@pytest.mark.parametrize(
    "pair",
    [
        ("Shoes", "shoes"),
        ("Shoes", "Shoes "),
        ("Home living", "Home  living"),
        ("Home living", "Home\u00a0living"),
        ("Café", "Cafe\u0301"),
        ("Shoes", "\uff33hoes"),
        ("Shoes", "Sho\u200bes"),
        ("Home living", "Home\nliving"),
    ],
)
def test_two_names_that_look_the_same_are_refused(pair: tuple[str, str]) -> None:
    themes = ", ".join(f"{{name: {json.dumps(name)}, descriptions: [x]}}" for name in pair)
    with pytest.raises(InputError, match="a name of its own"):
        taxonomy_from_yaml(f"themes: [{themes}]\n{TYPES}", "mine.yaml")


@pytest.mark.parametrize(
    ("theme", "problem"),
    [
        ({"name": " ", "descriptions": ["x"]}, "at least 1 character"),
        ({"name": "\u200b", "descriptions": ["x"]}, "at least 1 character"),
        ({"name": "A", "descriptions": [" \n"]}, "at least 1 character"),
        ({"name": "(Several)", "descriptions": ["x"]}, "several labels"),
        ({"name": "Unknown\u200b", "descriptions": ["x"]}, "without a label"),
    ],
)
def test_names_and_descriptions_that_say_nothing_or_something_else_are_refused(
    theme: dict[str, object], problem: str
) -> None:
    text = f"themes: [{json.dumps(theme)}, {{name: B, descriptions: [b]}}]\n{TYPES}"
    with pytest.raises(InputError, match=problem):
        taxonomy_from_yaml(text, "mine.yaml")


def test_names_are_kept_as_one_line() -> None:
    odd = json.dumps({"name": " Home  living", "descriptions": [" a\nb "]})
    read = taxonomy_from_yaml(f"themes: [{odd}, {{name: B, descriptions: [b]}}]\n{TYPES}", "x")
    assert (read.themes[0].name, read.themes[0].descriptions) == ("Home living", ("a b",))


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{BOMB}themes: *a8\ntypes: *a8", "an alias"),
        ("themes: &a [*a, *a]\ntypes: []", "an alias"),
        ("[" * 30 + "]" * 30, "lists in each other"),
        ("[" * 5_000, "flow level"),
        ("{a: " * 20_000, "lists in each other"),
        ("x" * 5_000_000, "at most 4,000,000"),
        ("corrections:\n" + "- {view: type, target: x, value: y}\n" * 57_000, "10,000 entries"),
    ],
)
def test_a_file_that_would_cost_time_is_refused_in_few_words(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        (corrections_from_yaml if text.startswith("corr") else taxonomy_from_yaml)(text, "mine.yaml")
    assert len(str(caught.value)) < 500


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(InputError) as caught:
        taxonomy_from_yaml(f"themes: [{{name: {'x' * 100_000}, descriptions: [x]}}]\n{TYPES}", "mine.yaml")
    assert len(str(caught.value)) < 500


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.yaml cannot be read"):
        read_taxonomy(tmp_path / "absent.yaml")
