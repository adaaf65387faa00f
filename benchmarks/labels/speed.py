"""How many pages a rung decides in a second, alone, in a process of its own: theme and type of each.

Cold: nothing decided before; loading the network is told apart. Warm: once more, with what the first run has
left (models: their decisions in the cache on disk, by a classifier made anew). On a busy machine the clock on
the wall says little, so a second figure divides by the processor time of all cores.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from benchmarks.labels.sets import FOLDER, SETS, read_table
from benchmarks.tables import markdown
from core.base.schema import View
from core.labels.cascade import AT_ONCE, AT_ONCE_OF
from core.labels.label_cache import SIZE_LIMIT
from core.labels.label_settings import LabelMode, LabelSettings, Override
from core.labels.label_types import Classifier, Document, Subject
from core.storage.json_cache import JsonCache

EDITIONS: Final = ("amber", "birch", "cedar", "delta", "ember", "fjord")
"""Each labelled page is there once with each of these words, so that no two have the same text."""
PRODUCT: Final = Document(json_ld_types=("Product",), breadcrumbs=("Home", "Shoes", "Boots"))


def speed_of(name: str, most: int | None = None) -> dict[str, str]:
    """Measure one of :data:`RUNGS` on so many pages: a row of the report; run it in a child process."""
    make, pages = RUNGS[name], subjects()[: most or MOST.get(name)]
    with tempfile.TemporaryDirectory() as folder, JsonCache(Path(folder, "cache"), SIZE_LIMIT) as cache:
        start = _clocks()
        rung = make(Path(folder), cache)
        _decide(rung, pages[:1])
        loaded = _clocks()
        _decide(rung, pages[1:])
        cold = _clocks()
        _decide(make(Path(folder), cache), pages)
        warm = _clocks()
    return {
        "rung": name,
        "pages": f"{len(pages):,}",
        "loading, CPU s": f"{loaded[1] - start[1]:.1f}",
        "cold, pages/s": f"{(len(pages) - 1) / (cold[0] - loaded[0]):,.0f}",
        "cold, pages/CPU s": f"{(len(pages) - 1) / max(cold[1] - loaded[1], 1e-3):,.0f}",
        "warm, pages/s": f"{len(pages) / (warm[0] - cold[0]):,.0f}",
        "warm, pages/CPU s": f"{len(pages) / max(warm[1] - cold[1], 1e-3):,.0f}",
    }


def _clocks() -> tuple[float, float]:
    """Seconds by the clock, and of processor time of all cores."""
    return time.perf_counter(), time.process_time()


def report(rows: Sequence[dict[str, str]]) -> str:
    """The speeds as a table."""
    load = f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.0f}"
    return f"### Pages a second, {load}\n\n{markdown([*rows[0]], [[*row.values()] for row in rows])}"


def subjects() -> list[Subject]:
    """Pages like those of the labelled sets, each a subject, with events and fetched markup."""
    tables = pd.concat([read_table(FOLDER / f"{name}.csv") for name in SETS])
    return [
        Subject(
            template=f"{url}-{edition}",
            urls=(f"{url}-{edition}",),
            titles=(f"{title} {edition}",),
            views=20,
            users=20,
            title_users=(20,),
            events={"view_item": 19, "add_to_cart": 3},
            documents=(PRODUCT,),
        )
        for edition in EDITIONS
        for url, title in zip(tables["url"], tables["title"], strict=True)
    ]


def _decide(rung: Classifier, pages: Sequence[Subject]) -> None:
    step = AT_ONCE_OF.get(rung.rung, AT_ONCE)
    for view in (View.TYPE, View.THEME):
        for start in range(0, len(pages), step):
            rung.classify(pages[start : start + step], view)


def _corrections(folder: Path, cache: JsonCache) -> Classifier:
    from core.labels.override_classifier import OverrideClassifier

    targets = dict.fromkeys(f"{page.template.rpartition('/')[0]}/:slug" for page in subjects())
    overrides = [Override(view=View.TYPE, target=target, value="Product") for target in targets]
    return OverrideClassifier(overrides, LabelSettings().taxonomy)


def _events(folder: Path, cache: JsonCache) -> Classifier:
    from core.labels.event_classifier import EventClassifier

    return EventClassifier(LabelSettings().taxonomy)


def _markup(folder: Path, cache: JsonCache) -> Classifier:
    from core.labels.cascade import MarkupClassifier
    from core.labels.rule_classifier import RuleClassifier

    taxonomy = LabelSettings().taxonomy
    return MarkupClassifier(taxonomy, RuleClassifier(taxonomy).theme_of)


def _rules(folder: Path, cache: JsonCache) -> Classifier:
    from core.labels.rule_classifier import RuleClassifier

    return RuleClassifier(LabelSettings().taxonomy)


def _embedding(folder: Path, cache: JsonCache) -> Classifier:
    from core.labels import embedding_classifier

    return embedding_classifier.load(LabelSettings(), cache)


def _entailment(folder: Path, cache: JsonCache) -> Classifier:
    from benchmarks.labels.tiny_nli import save_entailment_model
    from core.labels import nli_classifier

    model = folder / "nli"
    if not model.exists():
        model.mkdir()
        save_entailment_model(model, (title for page in subjects() for title in page.titles))
    return nli_classifier.load(LabelSettings(mode=LabelMode.NLI, nli_model=str(model)), cache)


PLUMBING: Final = "entailment (plumbing: tiny random model)"
RUNGS: Final[dict[str, Callable[[Path, JsonCache], Classifier]]] = {
    "corrections": _corrections,
    "events": _events,
    "markup of fetched pages": _markup,
    "rules": _rules,
    "sentence embedding": _embedding,
    PLUMBING: _entailment,
}
MOST: Final = {PLUMBING: 250}
"""Rung that is slow → pages that it gets, at most."""
