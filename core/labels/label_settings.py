"""Settings of page labelling: mode, taxonomy, source of the themes, and the analyst's corrections."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Self

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from core.base.schema import RESERVED, View
from core.base.settings import Settings
from core.labels.texts import normalise_text
from core.labels.words import fold

SEVERAL: Final = "(several)"
"""Label of a template whose pages have different labels."""
NAME_CHARACTERS: Final = 60
_TARGET_CHARACTERS: Final = 10_000
"""Most characters of a corrected page: more than browsers and servers allow in an address."""
_TAXONOMY_FILE: Final = Path(__file__).parent / "taxonomy.yaml"


class LabelMode(StrEnum):
    """Which classifiers of the cascade are used."""

    OFF = "off"
    RULES = "rules"
    """Corrections, GA4 events, markup of fetched pages, rules, and site structure; no models."""
    AUTO = "auto"
    """As ``rules``, then sentence embeddings, where their weights are installed."""
    NLI = "nli"
    """As ``auto``, then a zero-shot entailment model."""
    LLM = "llm"
    """As ``auto``, then a language model."""


class ThemeSource(StrEnum):
    """Where the themes come from."""

    AUTO = "auto"
    """Mined from the site, where these separate its pages better than the built-in shop themes."""
    MINED = "mined"
    """Always mined from the site, where it has any."""
    TAXONOMY = "taxonomy"
    """The themes of the taxonomy in the settings."""


def _tidied(value: object) -> object:
    return normalise_text(value) if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS), BeforeValidator(_tidied)]
"""Name of a class: one line without invisible characters, so that names that look equal are equal."""
Description = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_tidied)]


Term = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(fold)]
"""A folder or word of addresses and titles, in lower case and without accents."""


class LabelClass(Settings):
    """A class of the taxonomy: a theme or a type."""

    name: Name
    descriptions: Annotated[tuple[Description, ...], Field(min_length=1, max_length=3)]
    """Short texts that complete "This page is about …", with which models compare a page."""
    folders: tuple[Term, ...] = ()
    """For a theme: folders of addresses below which pages are about it (:mod:`core.labels.page_terms`)."""
    words: tuple[Term, ...] = ()
    """For a theme: words of titles and addresses of its pages, single ones or two in a row."""
    functional: bool = False
    """For a type: whether its pages serve a function and so have no theme."""


class Taxonomy(Settings):
    """The themes and types that a page can get."""

    themes: Annotated[tuple[LabelClass, ...], Field(min_length=2, max_length=60)]
    types: Annotated[tuple[LabelClass, ...], Field(min_length=2, max_length=60)]

    @model_validator(mode="after")
    def _names_are_one_each(self) -> Self:
        for kind, classes in (("themes", self.themes), ("types", self.types)):
            names = [one.name.casefold() for one in classes]
            doubled = sorted({name for name in names if names.count(name) > 1})
            if doubled:
                raise ValueError(f"two {kind} are named {doubled[0]!r}; each needs a name of its own")
            taken = {one.casefold() for one in RESERVED}
            if reserved := sorted(taken.intersection(names)):
                raise ValueError(f"{reserved[0]!r} is what a page without a label is called")
            if SEVERAL in names:
                raise ValueError(f"{SEVERAL!r} is what a template with several labels is called")
        return self

    def classes(self, view: View) -> tuple[LabelClass, ...]:
        """The classes of a view: the themes or the types."""
        return {View.THEME: self.themes, View.TYPE: self.types}[view]


class Override(Settings):
    """A correction by the analyst: the label of a page or of a path template."""

    view: View
    target: Annotated[str, Field(min_length=1, max_length=_TARGET_CHARACTERS)]
    """A canonical page, or a path template."""
    value: Name
    """A name of the taxonomy, or :data:`UNKNOWN` or :data:`NO_THEME`."""

    @field_validator("view")
    @classmethod
    def _can_be_corrected(cls, view: View) -> View:
        if view is View.URL:
            raise ValueError("a correction is of a theme or a type")
        return view


@cache
def default_taxonomy() -> Taxonomy:
    """Read the built-in shop taxonomy."""
    return Taxonomy.checked(**yaml.safe_load(_TAXONOMY_FILE.read_text(encoding="utf-8")))


class LabelSettings(Settings):
    """Settings of how pages get their labels."""

    mode: LabelMode = LabelMode.AUTO
    taxonomy: Taxonomy = Field(default_factory=default_taxonomy)
    themes: ThemeSource = ThemeSource.AUTO
    """Where themes come from; ``AUTO`` works with the built-in taxonomy only."""
    overrides: tuple[Override, ...] = ()
    """Corrections, the oldest first: the latest wins; an exact page wins over a template."""
    nli_model: Annotated[str, Field(min_length=1)] = "facebook/bart-large-mnli"
    """Folder or hub id of a sequence classifier with an entailment label."""
