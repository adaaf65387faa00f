"""Print how true the names of segments are, site by site, as Markdown for docs/method.md.

    python -m benchmarks.names [SITE…] [--k 6 --k 8] [--held] [--taxonomy mined] [--folder DIR]

A name holds by the rule where each of its words that says something stands in a page, folder, label, source,
event or habit that at least half of the segment's users have, at least three times as often as the other
clustered users, with a low end of 1.5; partly where in such, or in what a quarter have with a low end of
1.5; slightly where in these, or in what half have with a low end of 1.2. It is matched where the ten items
that set its own segment apart most have more of its words, or as many more often, than any other segment's
ten. All is counted from the tables, apart from the code that names (benchmarks/names/raw.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import click
import pandas as pd

from benchmarks.names.fits import DEV, HELD, Fit, export, fit
from benchmarks.names.judge import RULES, Judged, judge
from benchmarks.names.raw import items
from benchmarks.tables import markdown
from core.base.schema import OUTSIDE
from core.labels.label_settings import LabelMode, LabelSettings, ThemeSource

TAXONOMIES: dict[str, Callable[[], LabelSettings]] = {
    "auto": LabelSettings,
    "mined": lambda: LabelSettings(themes=ThemeSource.MINED),
    "shop": lambda: LabelSettings(themes=ThemeSource.TAXONOMY),
    "none": lambda: LabelSettings(mode=LabelMode.OFF),
}


@click.command(help=__doc__)
@click.argument("sites", nargs=-1)
@click.option("--k", "ks", multiple=True, type=int, default=(6, 8), show_default=True)
@click.option("--taxonomy", type=click.Choice(list(TAXONOMIES)), default="auto", show_default=True)
@click.option("--held", is_flag=True, help="The sites that nothing was decided on.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keeps exports and models.")
def main(sites: tuple[str, ...], ks: tuple[int, ...], taxonomy: str, held: bool, folder: Path | None) -> None:
    """Name, judge, print."""
    with tempfile.TemporaryDirectory() as scratch:
        judged: list[Judged] = []
        for site in sites or (HELD if held else DEV):
            place = (folder or Path(scratch)) / site
            place.mkdir(parents=True, exist_ok=True)
            made = fit(export(site, place), place, TAXONOMIES[taxonomy]())
            for k in ks:
                judged += judged_names(site, made, k)
            print(report(one for one in judged if one.site == site), end="\n\n", flush=True)
        print(summary(judged))


def judged_names(site: str, made: Fit, k: int) -> list[Judged]:
    """Cut a site's users into k segments, name these, and judge the names by the raw tables."""
    cut, dataset = made.segments(k), made.dataset
    table = items(
        dataset.users, pd.read_parquet(dataset.path / "sequences.parquet"), dataset.pages, dataset.outcomes,
        made.labels.table if made.labels else None,
    )  # fmt: skip
    segment = pd.Series(cut.partition.labels)
    names = {number: name.text for number, name in cut.names.items()}
    return judge(site, k, names, table, dataset.users, segment[segment != OUTSIDE])


GRADES = ("says", *RULES, "matched")


def report(judged: Iterable[Judged]) -> str:
    """Markdown table with a row a name."""
    cells = [
        (one.site, one.k, one.name, *("–✓"[getattr(one, grade)] for grade in GRADES), " ".join(one.foreign))
        for one in judged
    ]
    return markdown(["site", "K", "name", *GRADES, "foreign theme words"], cells)


def summary(judged: Iterable[Judged]) -> str:
    """Markdown table with the shares of names that hold, a row a site, and one for all."""
    table = pd.DataFrame(asdict(one) for one in judged)
    cells = [
        (site, len(part), *(f"{part[grade].mean():.0%}" for grade in GRADES), part["foreign"].map(len).sum())
        for site, part in [*table.groupby("site", sort=False), ("all", table)]
    ]
    return markdown(["site", "names", *GRADES, "foreign theme words"], cells)


if __name__ == "__main__":
    main()
