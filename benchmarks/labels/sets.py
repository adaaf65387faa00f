"""The labelled sets of pages: read, checked, and turned into what a classifier sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
import yaml

from core.base.schema import PageEvents, Pages
from core.base.settings import UrlSettings
from core.ingest.clean.urls import canonicalise
from core.labels.label_settings import Taxonomy, default_taxonomy
from core.labels.labelling import split_templates
from core.labels.pages import LabelPages, read_pages
from core.labels.rule_classifier import literal_segments

FOLDER: Final = Path(__file__).parent
SETS: Final = ("merch", "news", "shops")
COLUMNS: Final = ("url", "title", "theme", "type", "events", "language")
_TAXONOMIES: Final = {"news": FOLDER / "news_taxonomy.yaml"}


@dataclass(frozen=True)
class LabelledSet:
    """Pages with the labels that a person gave them.

    Args:
        name: Name of the file, without its ending.
        taxonomy: The themes and types that its labels are names of.
        pages: As the label stage sees them: canonical URLs, titles without the site's name, templates mined
            from the set; one view each.
        themes: One a page: a name of the taxonomy, ``No theme``, or ``Unknown`` where a person cannot tell.
        types: One a page: a name of the taxonomy.
    """

    name: str
    taxonomy: Taxonomy
    pages: LabelPages
    themes: tuple[str, ...]
    types: tuple[str, ...]


def load(name: str) -> LabelledSet:
    """Read a set by its name, one of :data:`SETS`."""
    return from_table(name, read_table(FOLDER / f"{name}.csv"), taxonomy_of(name))


def read_table(path: Path) -> pd.DataFrame:
    """Read the file of a set: text columns :data:`COLUMNS`, nothing turned into a missing value."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def taxonomy_of(name: str) -> Taxonomy:
    """The taxonomy of a set by its name: its own, or the shop's default."""
    if name not in _TAXONOMIES:
        return default_taxonomy()
    return Taxonomy.checked(**yaml.safe_load(_TAXONOMIES[name].read_text(encoding="utf-8")))


def from_table(name: str, table: pd.DataFrame, taxonomy: Taxonomy) -> LabelledSet:
    """Make a set from a table with the columns :data:`COLUMNS`."""
    pages = pd.DataFrame(
        {
            Pages.PAGE_LOCATION: canonicalise(table["url"].tolist(), UrlSettings()).pages,
            Pages.PAGE_TITLE: table["title"],
            Pages.VIEWS: 1,
            Pages.USERS: 1_000,  # public pages: nobody is known by them
        }
    )
    rows = [(page, *event) for page, text in enumerate(table["events"]) for event in _events(text)]
    events = pd.DataFrame(rows, columns=[PageEvents.PAGE, PageEvents.EVENT_NAME, PageEvents.EVENTS])
    read = split_templates(read_pages(pages, events, literal=literal_segments()), taxonomy)
    return LabelledSet(name, taxonomy, read, tuple(table["theme"]), tuple(table["type"]))


def _events(text: str) -> list[tuple[str, int]]:
    """``view_item:120;add_to_cart:7`` → names and counts."""
    pairs = (part.split(":") for part in text.split(";") if part)
    return [(name, int(count)) for name, count in pairs]
