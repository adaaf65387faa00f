from pathlib import Path

import pytest

from core.base.errors import Beha2VecError, InputError, SettingsError
from core.labels.label_settings import default_taxonomy
from core.labels.rule_file import compiled, default_rules, load_rules
from core.labels.words import stem_of


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    load_rules(path)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("{label: X, why: y, url: '(a'}", "not a regular expression"),
        ("{label: X, why: y, url: '(a+)+$'}", "can take for ever"),
        ("{label: X, why: y, title: a, view: shape}", "view"),
        ("{label: X, why: y, title: a, view: url}", "a theme or a type"),
        ("{label: X, why: y}", "at least one of"),
        ("{label: X, title: a}", "why"),
        ("{label: X, why: y, titel: a}", "titel"),
        ("{label: X, why: y, title: a, priority: 10}", "priority"),
        ("just text", "rules.0"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, rule: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load(tmp_path, f"rules:\n  - {rule}")


def test_a_word_tells_one_theme(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'bag' tells both 'A' and 'B'"):
        load(tmp_path, "words: [{label: A, words: [bag]}, {label: B, words: [Bag]}]")


@pytest.mark.parametrize("text", ["rules: [", "\tx", "- 1", "a: &a [*a", "!!python/object:os.system {}"])
def test_what_is_no_file_of_rules(tmp_path: Path, text: str) -> None:
    with pytest.raises(Beha2VecError):
        load(tmp_path, text)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_rules(tmp_path / "none.yaml")


def test_an_empty_file_holds_no_rules(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("")
    assert load_rules(path).rules == ()


@pytest.mark.parametrize(
    "pattern", ["(a+)+", "(?:a*)*", "([ab]+c*)+", "(x+x+)+y", r"(\w+\s?)*$", "a" * 5_000]
)
def test_expressions_that_could_take_for_ever(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"for ever|characters"):
        compiled(pattern)


@pytest.mark.parametrize(
    "pattern", [r"^/(?:[\w-]+/)*x$", r"(?:/[^/]+)+", "(a|b)+", r"(?:\.html?)?$", r"\(a+\)+"]
)
def test_expressions_that_cannot(pattern: str) -> None:
    assert compiled(pattern).pattern == pattern


def test_the_rules_that_come_with_the_tool_fit_its_taxonomy() -> None:
    file, taxonomy = default_rules(), default_taxonomy()
    assert {rule.label for rule in file.rules} == {one.name for one in taxonomy.types}
    assert {theme.label for theme in file.words} == {one.name for one in taxonomy.themes}


def test_their_words_are_written_as_segments_are() -> None:
    words = {word for rule in default_rules().rules for word in (*rule.page, *rule.section, *rule.top)}
    assert {word for word in words if stem_of(word) != word} == set()
