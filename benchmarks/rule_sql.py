"""Whether a rule's SQL returns the users that the rule states, on whole exports.

    python -m benchmarks.rule_sql FILE…

Conditions of each file drawn at random, and the recommended rules of segments drawn at random, are run by
DuckDB on the raw file. Exits with 1 if the users of one differ and its limits do not say why.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import duckdb
import numpy as np

from benchmarks.tables import markdown
from core.base.progress import silent
from core.base.settings import IngestSettings
from core.ingest.ingest import ingest
from core.rules.beam_search import candidates, find_rules
from core.rules.conditions import RuleClause, RuleFeatures, SegmentRule
from core.rules.raw_events import LoadedExport
from core.rules.rule_sql import duckdb_sql, limits
from core.storage.dataset import Dataset

SEGMENTS = 4


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--conditions", default=12, show_default=True, help="Conditions a file.")
@click.option("--strip-page", "strip", multiple=True, help="A page to leave out; may be repeated.")
def main(files: tuple[Path, ...], conditions: int, strip: tuple[str, ...]) -> None:
    """Print a row a file, and every rule that returns other users."""
    rows, unsaid = [], 0
    settings = IngestSettings.checked(strip_pages=strip)
    for file in files:
        found = list(compared(file, settings, conditions))
        wrong = [one for one in found if one[1] != one[2]]
        for rule, stated, returned, why in wrong:
            click.echo(f"{file.name}: {rule.words()}: {stated:,} users, SQL {returned:,} ({why or 'unsaid'})")
            unsaid += not why
        rows.append((file.name, len(found), len(wrong), sum(bool(why) for *_, why in found)))
    click.echo(markdown(("file", "rules", "return other users", "have limits"), rows))
    sys.exit(unsaid > 0)


def compared(
    file: Path, settings: IngestSettings, conditions: int
) -> Iterator[tuple[SegmentRule, int, int, str]]:
    """Run rules of a file as SQL.

    Yields:
        Each rule, the number of users that it states and that are returned (-1 for as many, but others), and
        what its limits say.
    """
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        out, work = Path(folder, "out"), Path(folder, "work")
        out.mkdir()
        work.mkdir()
        ingest([file], settings, out, silent, work)
        dataset = Dataset(out, "benchmark")
        features = RuleFeatures.from_dataset(dataset)
        export = LoadedExport(features, dataset.receipt, settings)
        ids = np.array(dataset.sequences.user_id.to_pylist(), dtype=object)
        asked = candidates(features, np.flatnonzero(features.inside)).conditions
        chosen = rng.permutation(len(asked))[:conditions]
        rules = [SegmentRule(clauses=(RuleClause(any_of=(asked[place],)),)) for place in chosen]
        segments = np.where(features.inside, rng.integers(SEGMENTS, size=len(ids)), -1)
        rules += [
            fit.rule
            for one in find_rules(features, segments).values()
            if (fit := one.recommended) is not None
        ]
        os.chdir(file.parent)
        for rule in rules:
            sql = duckdb_sql(rule, export)
            if not sql:  # of a channel, which no column holds
                continue
            stated = set(ids[features.matches(rule)])
            returned = {user for (user,) in duckdb.execute(sql).fetchall()}
            same_number = len(stated) == len(returned) and stated != returned
            yield rule, len(stated), -1 if same_number else len(returned), " ".join(limits(rule, export))


if __name__ == "__main__":
    main()
