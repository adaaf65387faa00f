"""Schema of the editable file of rules and theme words (``rules.yaml``), with its checks and its loading."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Self

import yaml
from pydantic import Field, field_validator, model_validator

from core.base.errors import InputError, SettingsError
from core.base.schema import View
from core.base.settings import Settings
from core.base.small_file import read_small_file
from core.labels.words import fold

RULES_FILE: Final = Path(__file__).parent / "rules.yaml"
_PATTERN_CHARACTERS: Final = 3_000
_REPEAT: Final = re.compile(r"[*+]|\{\d*,\}")
"""A repeat without an upper limit in a regular expression."""
_ESCAPED: Final = re.compile(r"\\.", re.DOTALL)
_CLASS: Final = re.compile(r"\[\^?\]?[^\]]*\]")

Word = Annotated[str, Field(min_length=1, max_length=80)]
Words = tuple[Word, ...]


class Rule(Settings):
    """A rule that gives a page a type or a theme; its conditions are explained in ``rules.yaml``."""

    label: Annotated[str, Field(min_length=1, max_length=60)]
    why: Annotated[str, Field(min_length=1, max_length=200)]
    view: View = View.TYPE
    page: Words = ()
    section: Words = ()
    top: Words = ()
    url: str = ""
    title: str = ""
    unless: Annotated[str, Field(alias="not")] = ""
    priority: Annotated[int, Field(ge=0, le=9)] = 0

    @field_validator("view")
    @classmethod
    def _can_be_told(cls, view: View) -> View:
        if view is View.URL:
            raise ValueError("a rule tells a theme or a type")
        return view

    @field_validator("url", "title", "unless")
    @classmethod
    def _is_safe(cls, pattern: str) -> str:
        compiled(pattern)
        return pattern

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not (self.page or self.section or self.top or self.url or self.title):
            raise ValueError("a rule needs at least one of page, section, top, url and title")
        return self


class ThemeWords(Settings):
    """Words that give a page one theme."""

    label: Annotated[str, Field(min_length=1, max_length=60)]
    words: Annotated[Words, Field(min_length=1)]


class RuleFile(Settings):
    """The rules and theme words of a file."""

    rules: tuple[Rule, ...] = ()
    words: tuple[ThemeWords, ...] = ()

    @model_validator(mode="after")
    def _words_tell_one_theme(self) -> Self:
        owner: dict[str, str] = {}
        for theme in self.words:
            for word in {fold(one) for one in theme.words}:
                if owner.setdefault(word, theme.label) != theme.label:
                    raise ValueError(f"the word {word!r} tells both {owner[word]!r} and {theme.label!r}")
        return self


@cache
def default_rules() -> RuleFile:
    """Load the built-in rules, once a process."""
    return load_rules(RULES_FILE)


def load_rules(path: Path) -> RuleFile:
    """Read and check a file of rules.

    Raises:
        InputError: If it cannot be read, or is not YAML.
        SettingsError: If a rule is invalid; the message names it.
    """
    try:
        content = yaml.safe_load(read_small_file(path).decode())
    except (UnicodeError, yaml.YAMLError, RecursionError) as error:
        raise InputError(f"The rules in {path} cannot be read: {error}", remedy="Correct the file") from error
    content = {} if content is None else content
    if not isinstance(content, dict):
        raise SettingsError(f"{path} holds a {type(content).__name__}", allowed="the keys rules and words")
    return RuleFile.checked(**{str(key): value for key, value in content.items()})


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a rule's regular expression.

    Raises:
        ValueError: If it is not one, or could take exponential time on a hostile text.
    """
    if len(pattern) > _PATTERN_CHARACTERS:
        raise ValueError(f"an expression of {len(pattern)} characters; at most {_PATTERN_CHARACTERS}")
    try:
        found = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if _repeats_a_repeat(pattern):
        raise ValueError("a repeat within a repeated group, such as (a+)+, can take for ever")
    return found


def _repeats_a_repeat(pattern: str) -> bool:
    r"""Whether a repeated group holds a repeat, without a ``/`` at its start or end that parts the rounds.

    ``(?:[\w-]+/)*`` is fine: each round ends in a slash, which the repeat in it should not match.
    """
    plain = _CLASS.sub("w", _ESCAPED.sub("w", pattern))
    starts: list[int] = []
    for at, character in enumerate(plain):
        if character == "(":
            starts.append(at)
        elif character == ")" and starts:
            inside = plain[starts.pop() + 1 : at].removeprefix("?:")
            apart = inside.startswith("/") or inside.endswith("/")
            if _REPEAT.match(plain, at + 1) and _REPEAT.search(inside) and not apart:
                return True
    return False
