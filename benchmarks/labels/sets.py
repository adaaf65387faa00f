"""The labelled sets of pages: read, checked, and turned into what a classifier sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
import yaml

from core.ingest.urls import canonicalise
from core.labels.contract import Subject
from core.labels.pages import clean_title, host_of
from core.labels.settings import Taxonomy, default_taxonomy
from core.labels.site_names import strip_site_name
from core.settings import UrlSettings

FOLDER: Final = Path(__file__).parent
SETS: Final = ("merch", "news", "shops")
COLUMNS: Final = ("url", "title", "theme", "type", "events", "language")
_TAXONOMIES: Final = {"news": FOLDER / "news_taxonomy.yaml"}


@dataclass(frozen=True)
class LabelledSet:
    """Pages with the labels that a person gave them.

    Args:
        name: Of the file, without its ending.
        taxonomy: What its labels are names of.
        subjects: One a page, as the ladder sees it: canonical URL, title without the site's name.
        themes: One a page: a name of the taxonomy, ``No theme``, or ``Unknown`` where a person cannot tell.
        types: One a page: a name of the taxonomy.
        languages: One a page: ISO 639-1.
    """

    name: str
    taxonomy: Taxonomy
    subjects: tuple[Subject, ...]
    themes: tuple[str, ...]
    types: tuple[str, ...]
    languages: tuple[str, ...]


def load(name: str) -> LabelledSet:
    """One of :data:`SETS`."""
    return from_table(name, read_table(FOLDER / f"{name}.csv"), taxonomy_of(name))


def read_table(path: Path) -> pd.DataFrame:
    """The set as it is written: text columns :data:`COLUMNS`, nothing turned into a missing value."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def taxonomy_of(name: str) -> Taxonomy:
    """The taxonomy of a set: the shop's by default."""
    if name not in _TAXONOMIES:
        return default_taxonomy()
    return Taxonomy.checked(**yaml.safe_load(_TAXONOMIES[name].read_text(encoding="utf-8")))


def from_table(name: str, table: pd.DataFrame, taxonomy: Taxonomy) -> LabelledSet:
    """A set from its table; each page is a subject of its own, since it stands for a template of its own."""
    pages = canonicalise(table["url"].tolist(), UrlSettings()).pages
    titles = strip_site_name(
        [clean_title(title) for title in table["title"]], [host_of(page) for page in pages]
    )
    subjects = tuple(
        Subject(
            template=page, urls=(page,), titles=(title,) if title else (), views=1, events=_events(events)
        )
        for page, title, events in zip(pages, titles, table["events"], strict=True)
    )
    return LabelledSet(
        name, taxonomy, subjects, tuple(table["theme"]), tuple(table["type"]), tuple(table["language"])
    )


def _events(text: str) -> Mapping[str, int]:
    """``view_item:120;add_to_cart:7`` → counts by name."""
    pairs = (part.split(":") for part in text.split(";") if part)
    return {name: int(count) for name, count in pairs}
