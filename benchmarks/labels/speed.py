"""How many pages a rung decides in a second, alone, in a process of its own: theme and type of each.

Cold: nothing decided before; loading the network is told apart. Warm: once more, with what the first run has
left (models: their decisions in the cache on disk, by a classifier made anew). On a busy machine the clock on
the wall says little, so a second figure divides by the processor time of all cores.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from benchmarks.labels.sets import FOLDER, SETS, read_table
from core.base.schema import View
from core.labels.label_cache import SIZE_LIMIT
from core.labels.label_settings import LabelMode, LabelSettings, Override
from core.labels.label_types import Classifier, Document, Subject
from core.labels.ladder import AT_ONCE, AT_ONCE_OF
from core.storage.json_cache import JsonCache

EDITIONS: Final = ("amber", "birch", "cedar", "delta", "ember", "fjord")
"""Each labelled page is there once with each of these words, so that no two have the same text."""
PRODUCT: Final = Document(json_ld_types=("Product",), breadcrumbs=("Home", "Shoes", "Boots"))
VIEWS: Final = (View.TYPE, View.THEME)


@dataclass(frozen=True)
class Took:
    """Seconds on the wall, and of all cores together."""

    wall_s: float
    cpu_s: float

    def rates(self, pages: int) -> str:
        """Pages a second by either, as two cells."""
        return f"{pages / self.wall_s:,.0f} | {pages / max(self.cpu_s, 1e-3):,.0f}"


@dataclass(frozen=True)
class Speed:
    """What one rung takes.

    Args:
        name: The rung, in words.
        pages: How many.
        load: To the first decision.
        cold: For all pages but the first.
        warm: For all pages, once more.
    """

    name: str
    pages: int
    load: Took
    cold: Took
    warm: Took


def measure(names: Sequence[str]) -> Iterator[Speed]:
    """Measure rungs of :data:`RUNGS`, one after the other."""
    for name in names:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as own_process:
            yield own_process.submit(measure_here, name).result()


def measure_here(name: str, most: int | None = None) -> Speed:
    """Measure one rung on so many pages, in this process."""
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
    return Speed(name, len(pages), _between(start, loaded), _between(loaded, cold), _between(cold, warm))


def _clocks() -> Took:
    return Took(time.perf_counter(), time.process_time())


def _between(start: Took, end: Took) -> Took:
    return Took(end.wall_s - start.wall_s, end.cpu_s - start.cpu_s)


def markdown(speeds: Sequence[Speed]) -> str:
    """The speeds as a table."""
    rows = [
        f"### Pages a second, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.0f}\n",
        "| rung | pages | loading, CPU s | cold, a second | a CPU second | warm, a second | a CPU second |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in speeds:
        cold, warm = one.cold.rates(one.pages - 1), one.warm.rates(one.pages)
        rows.append(f"| {one.name} | {one.pages:,} | {one.load.cpu_s:.1f} | {cold} | {warm} |")
    return "\n".join(rows)


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
    for view in VIEWS:
        for start in range(0, len(pages), step):
            rung.classify(pages[start : start + step], view)


def _corrections(folder: Path, cache: JsonCache) -> Classifier:
    from core.labels.override_classifier import OverrideClassifier

    targets = dict.fromkeys(f"{one.template.rpartition('/')[0]}/:slug" for one in subjects())
    overrides = [Override(view=View.TYPE, target=target, value="Product") for target in targets]
    return OverrideClassifier(overrides, LabelSettings().taxonomy)


def _events(folder: Path, cache: JsonCache) -> Classifier:
    from core.labels.event_classifier import EventClassifier

    return EventClassifier(LabelSettings().taxonomy)


def _markup(folder: Path, cache: JsonCache) -> Classifier:
    from core.labels.markup_classifier import MarkupClassifier
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
        save_entailment_model(model, (title for one in subjects() for title in one.titles))
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
"""Pages of a rung that is slow."""
