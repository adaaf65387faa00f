"""Print how well and how fast pages are labelled, as Markdown for docs/method.md.

    python -m benchmarks.labels [--mode rules|auto] [--sets NAME...] [--without-margin] [--only well|fast]

Well: three sets of pages that a person labelled (README.md). Fast: each rung alone, cold and warm. The
entailment rung runs transformers' real pipeline on a tiny model with random weights, made on the spot: its
figure shows that everything fits together and what the pipeline itself costs, and nothing of a real model's
speed or quality. A language model's speed is its server's; it is not measured.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.labels import speed
from benchmarks.labels.evaluate import evaluate, markdown
from benchmarks.labels.sets import SETS, LabelledSet, load
from core.labels.embedding_classifier import LIMITS, EmbeddingClassifier, sentence_model
from core.labels.label_cache import SIZE_LIMIT
from core.labels.label_settings import LabelMode, LabelSettings
from core.labels.ladder import Ladder, build
from core.storage.json_cache import JsonCache

WELL, FAST = "well", "fast"


def main() -> None:
    """Run what is asked for."""
    args = _arguments()
    if args.only != FAST:
        for name in args.sets:
            labelled = load(name)
            with tempfile.TemporaryDirectory() as fresh, JsonCache(Path(fresh), SIZE_LIMIT) as cache:
                ladder = ladder_for(labelled, LabelMode(args.mode), cache, margin=not args.without_margin)
                print(markdown(labelled, evaluate(labelled, ladder)), flush=True)
    if args.only != WELL:
        print(speed.markdown(list(speed.measure(list(speed.RUNGS)))))


def ladder_for(labelled: LabelledSet, mode: LabelMode, cache: JsonCache, *, margin: bool = True) -> Ladder:
    """The ladder of a set; without the margin, the embedding decides however close the next class is."""
    ladder = build(LabelSettings(mode=mode, taxonomy=labelled.taxonomy), cache)
    if margin or mode is LabelMode.RULES:
        return ladder
    limits = {view: replace(limit, margin=0.0) for view, limit in LIMITS.items()}
    return replace(ladder, judging=(EmbeddingClassifier(labelled.taxonomy, sentence_model(), limits),))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    modes = [LabelMode.RULES.value, LabelMode.AUTO.value]
    parser.add_argument("--mode", choices=modes, default=LabelMode.AUTO.value)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--without-margin", action="store_true", help="the embedding decides close calls too")
    parser.add_argument("--only", choices=[WELL, FAST], help="one half of the figures")
    return parser.parse_args()


if __name__ == "__main__":
    main()
