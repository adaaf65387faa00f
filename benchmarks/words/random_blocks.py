"""Random contrasts and rankings, held against what pandas and scipy find in the same tables.

    python -m benchmarks.words.random_blocks --blocks 800 eshop.csv.gz deskdrop.csv.gz

Every figure, direction, order, tie and "not shown to differ" is found a second time by
:class:`benchmarks.words.oracle.Oracle`, which shares no code with the app; then the sentence is read. The
demo shop comes first. Prints what was wrong by kind, and exits with 1 if anything was.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.words import questions
from benchmarks.words.demo import Shop, demo_shop, vectors_of
from benchmarks.words.oracle import Oracle
from core.base.progress import silent
from core.base.schema import Pages, View
from core.base.settings import AnalyzeSettings, ClusterSettings, IngestSettings
from core.facts.answer import BY_KEY, Block, Contrast, Fact, Ranking, Title
from core.facts.context import Basis, Context, Tables
from core.facts.fact_maker import Figures
from core.facts.items import LABELLED, ItemMetric, values
from core.facts.sentences import plain
from core.ingest.ingest import ingest
from core.profiles.data import ProfileData
from core.profiles.metrics import profile
from core.profiles.user_items import Family
from core.segments.clustering import fit
from core.storage.dataset import Dataset, is_clustered

PAGES: Final = 200
"""Number of the most viewed pages that are drawn from."""
CLOSE: Final = 1e-9
WORDS: Final = {
    "higher": (" more ", " higher ", " larger "),
    "lower": (" fewer ", " less ", " lower ", " smaller "),
}
"""Direction → words, one of which a sentence of that direction has."""


def opened(csv: Path, segments: int = 6) -> Shop:
    """Read an export and cut its users into segments by their pages.

    A page's theme is the first folder of its address, and the most frequent event counts as the outcome.
    """
    with tempfile.TemporaryDirectory() as folder:
        data, work = Path(folder, "data"), Path(folder, "work")
        for made in (data, work):
            made.mkdir()
        ingest([csv], IngestSettings(), data, silent, work)
        dataset = Dataset(data, csv.name)
        users, pages, sequences = dataset.users, dataset.pages, dataset.sequences
        counted = ProfileData.from_dataset(dataset)
    outcome = next(iter(dataset.outcomes["event_name"].value_counts().index), None)
    themes = pages[Pages.PAGE_LOCATION].str.extract(r"^https?://[^/]+/([^/]+)/")[0].fillna("Unknown")
    labels = {View.THEME: themes.tolist()}
    vectors = vectors_of(sequences, len(pages))
    partition = fit(vectors, is_clustered(users), ClusterSettings(n_clusters=segments, n_init=1))
    basis = Basis.from_tables(csv.name, counted, pages, sequences, labels)
    profiles = profile(counted, partition.labels, AnalyzeSettings(outcome=outcome))
    context = Context(Tables(basis, profiles, partition), {}, partition)
    return Shop(dataset, labels, partition, vectors, context)


def oracle_of(shop: Shop) -> Oracle:
    """Make an oracle over the tables of a shop, with its outcome."""
    return replace(questions.oracle_of(shop), outcome=shop.context.tables.profiles.outcome or "")


def draw(figures: Figures, count: int, seed: int = 0) -> Iterator[Contrast | Ranking]:
    """Draw contrasts of two rows and rankings of several, by turns, of any measure that these have."""
    rng, context, made = np.random.default_rng(seed), figures.context, 0
    subjects = [*((name, "") for name in BY_KEY), *_items(figures)]
    chances = np.array(
        [0.5 / (len(BY_KEY) if not item else len(subjects) - len(BY_KEY)) for _, item in subjects]
    )
    while made < count:
        measure, item = subjects[rng.choice(len(subjects), p=chances / chances.sum())]
        keys = list(context.keys if made % 2 else context.keys[:-1])  # a total is in no ranking
        chosen = rng.permutation(keys)[: 2 if made % 2 else rng.integers(2, len(keys) + 1)].tolist()
        facts = [fact for key in chosen if (fact := _fact(figures, key, measure, item))]
        if len(facts) < len(chosen):
            continue
        if made % 2:
            yield figures.contrast(facts[0], chosen[1])
        else:
            facts.sort(key=lambda fact: context.place(fact.row))
            yield figures.ranking(facts, most=bool(rng.integers(2)))
        made += 1


def _items(figures: Figures) -> Iterator[tuple[str, str]]:
    context = figures.context
    named = {kind: values(context, kind) for kind in (*LABELLED, *context.tables.basis.data.attributes)}
    for kind, items in (named | {Family.PAGE: context.tables.basis.pages[:PAGES]}).items():
        yield from ((f"{ItemMetric.SHARE}:{kind}", item) for item in items)


def _fact(figures: Figures, key: str, measure: str, item: str) -> Fact | None:
    if not item:
        return figures.measure(key, measure)
    metric, _, dimension = measure.partition(":")
    return figures.item(key, dimension, item, ItemMetric(metric))


def problems(block: Contrast | Ranking, oracle: Oracle, titles: Mapping[str, Title]) -> Iterator[str]:
    """Kinds of what is wrong with a block or its sentence, such as ``value``, ``order`` and ``sentence``."""
    facts = (block.first, block.second) if isinstance(block, Contrast) else block.facts
    rows = [fact.row for fact in facts]
    if "others" in rows:  # of the row that they are held against
        rows = [
            f"others:{other}" if row == "others" else row for row, other in zip(rows, rows[::-1], strict=True)
        ]
    wanted = [oracle.value(fact.measure, fact.item, row) for fact, row in zip(facts, rows, strict=True)]
    if not all(_near(fact.value, value) for fact, value in zip(facts, wanted, strict=True)):
        yield "value"
    verdict, p_value = _verdict(facts, rows, wanted, oracle)
    text = plain([block], titles)
    if isinstance(block, Contrast):
        yield from _of_contrast(block, wanted, verdict, p_value)
        words = WORDS.get(
            verdict, (" not shown to differ ",) if verdict == "unsure" else (" no difference ",)
        )
        others = [word for name in WORDS if name != verdict for word in WORDS[name]]
        if not any(word in text for word in words) or any(word in text for word in others):
            yield "sentence"
        return
    if not _is_ordered(block, wanted, list(titles)):
        yield "order"
    if block.sure is (verdict == "unsure"):
        yield "sure"
    if not _is_in_order([titles[fact.row].label for fact in block.facts], text):
        yield "sentence"


def _of_contrast(block: Contrast, wanted: list[float], verdict: str, p_value: float | None) -> Iterator[str]:
    if block.verdict != verdict:
        yield "not shown to differ" if "unsure" in (block.verdict, verdict) else "direction"
    if (p_value is None) != (block.p_value is None) or not _near(block.p_value or 0, p_value or 0):
        yield "p value"
    first, second = wanted
    ratio = first / second if second else math.inf
    in_points = block.first.unit == "share" and not 2 <= ratio < math.inf
    relation = first - second if in_points else ratio
    if verdict not in WORDS or (not in_points and not 0 < ratio < math.inf):
        relation = 0
    if not _near(block.relation.value if block.relation else 0, relation):
        yield "relation"


def _verdict(
    facts: Sequence[Fact], rows: list[str], wanted: list[float], oracle: Oracle
) -> tuple[str, float | None]:
    """How the first stands to the second, and the p of its test."""
    one, other = facts[:2]
    decision = oracle.decision(one.measure, one.item, *rows[:2])
    alike = one.text == other.text
    direction = "higher" if wanted[0] > wanted[1] else "lower"
    if decision is None:
        return ("same" if alike else direction), None
    differs, p_value = decision
    return (direction if differs and not alike else "unsure"), p_value


def _is_ordered(block: Ranking, wanted: list[float], rows: Sequence[str]) -> bool:
    """Whether values fall (or rise), and equal ones stand as in the segments table."""
    signed = [float(f"{-value if block.most else value:.9g}") for value in wanted]
    places = [(value, rows.index(fact.row)) for value, fact in zip(signed, block.facts, strict=True)]
    return places == sorted(places)


def _near(first: float, second: float) -> bool:
    return math.isclose(first, second, rel_tol=CLOSE, abs_tol=CLOSE)


def _is_in_order(titles: list[str], text: str) -> bool:
    places = [text.casefold().find(title.casefold()) for title in titles]
    return ": the same for all, " in text or (places == sorted(places) and min(places) >= 0)


def run(shop: Shop, count: int) -> tuple[Counter[str], Counter[str]]:
    """Draw and check so many blocks; kind → number drawn, and problem → number."""
    figures, oracle = Figures(shop.context), oracle_of(shop)
    titles = {key: Title(label=title.label) for key, title in shop.context.titles().items()}
    drawn, wrong = Counter[str](), Counter[str]()
    for block in draw(figures, count):
        drawn[_kind(block)] += 1
        for problem in problems(block, oracle, titles):
            wrong[problem] += 1
            print(f"  {problem}: {plain([block], titles)} {block.model_dump_json()[:300]}")
    return drawn, wrong


def _kind(block: Block) -> str:
    return f"{block.kind}, {block.verdict}" if isinstance(block, Contrast) else block.kind


def main() -> None:
    """Draw, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="*", help="exports beside the demo shop")
    parser.add_argument("--blocks", type=int, default=800, help="a data set")
    asked = parser.parse_args()
    total = Counter[str]()
    for name, shop in _shops(asked.files):
        drawn, wrong = run(shop, asked.blocks)
        print(f"{name}: {dict(sorted(drawn.items()))}; wrong: {dict(wrong) or 0}")
        total += wrong
    sys.exit(bool(total))


def _shops(files: Sequence[Path]) -> Iterator[tuple[str, Shop]]:
    yield "demo shop", demo_shop()
    for file in files:
        yield file.name, opened(file)


if __name__ == "__main__":
    main()
