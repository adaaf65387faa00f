"""How well types and templates come out on whole made-up sites (benchmarks/sites), with people's ways.

Each site is labelled with the types that its author gave it, by all rungs that need no model.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pandas as pd

from benchmarks.labels.evaluate import evaluate, percent, summary
from benchmarks.labels.sets import LabelledSet
from benchmarks.sites.write import write_site
from core.base.progress import silent
from core.base.schema import UNKNOWN, View
from core.base.settings import IngestSettings
from core.labels.cascade import build
from core.labels.label_cache import SIZE_LIMIT
from core.labels.label_settings import LabelClass, LabelMode, LabelSettings, default_taxonomy
from core.labels.label_types import Rung
from core.labels.labelling import label_pages
from core.labels.page_address import after_host
from core.labels.rule_classifier import literal_segments
from core.labels.templates import mine
from core.runs.pipeline import preprocess
from core.storage.json_cache import JsonCache
from core.storage.store import Store

UNPLANNED = "Not in the plan"
"""Addresses of personal pages as the cleaning has made them: no type is right."""


def load_site(name: str, folder: Path) -> LabelledSet:
    """Write a made-up site, and read its pages as the label stage sees them; all themes are ``Unknown``."""
    files = write_site(name, folder)
    truth = pd.read_csv(files.pages, dtype=str, keep_default_na=False)
    known = {one.name: one for one in default_taxonomy().types}
    types = [
        known.get(name) or LabelClass(name=name, descriptions=(name.lower(),))
        for name in truth["type"].unique()
    ]
    taxonomy = default_taxonomy().model_copy(update={"types": tuple(types)})
    dataset = preprocess(Store(folder / "store"), [files.csv], IngestSettings(), silent)
    pages = label_pages(dataset, LabelSettings(taxonomy=taxonomy))
    gold = dict(zip(truth["path"], truth["type"], strict=True))
    own = [gold.get(unquote(after_host(url).partition("?")[0]), UNPLANNED) for url in pages.urls]
    return LabelledSet(name, taxonomy, pages, (UNKNOWN,) * len(pages), tuple(own))


def site_row(site: LabelledSet, folder: Path) -> dict[str, str]:
    """A row of the report: types without and with structure, and how pure templates are."""
    with JsonCache(folder / "kept", SIZE_LIMIT) as cache:
        cascade = build(LabelSettings(mode=LabelMode.RULES, taxonomy=site.taxonomy), cache)
        types = evaluate(site, cascade)[View.TYPE]
    by_structure = types["rung"] == Rung.STRUCTURE
    before, after = summary(types.assign(said=types["said"].mask(by_structure, UNKNOWN))), summary(types)
    right = (types["said"] == types["gold"])[by_structure]
    return {
        "site": site.name,
        "pages": str(len(types)),
        "coverage without structure": before["coverage"],
        "with": after["coverage"],
        "precision": after["precision on decided"],
        "right by structure": f"{right.sum()} of {len(right)}",
        "views in pure templates, by address": _pure(site, mine(site.pages.urls, literal_segments())),
        "split": _pure(site, site.pages.templates),
    }


def _pure(site: LabelledSet, templates: list[str] | tuple[str, ...]) -> str:
    """Share of the page views that are of the most viewed type of their template."""
    frame = pd.DataFrame({"template": list(templates), "type": site.types, "views": site.pages.views})
    by_type = frame.groupby(["template", "type"])["views"].sum()
    return percent(by_type.groupby("template").max().sum() / site.pages.views.sum())
