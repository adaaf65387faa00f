"""python -m benchmarks.labels.themes [--held]: themes of a site's own and shop themes, held against truth.

Shares are of the page views of pages that have a true theme: how many get a theme (coverage), how many of
these the most frequent true theme of their theme (purity), and the normalised mutual information of both,
Unknown as a theme of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import click
import numpy as np
import pandas as pd
from sklearn.metrics import mutual_info_score

from benchmarks.quality.site_truth import true_names
from benchmarks.sets import DEMO_SEED, REAL, demo_shop
from benchmarks.sites import DEV, HELD, write_site
from benchmarks.tables import markdown
from core.base.progress import silent
from core.base.schema import PageLabels, Pages, View
from core.base.settings import IngestSettings
from core.data.dataset import Dataset
from core.labels.label_settings import NO_THEME, UNKNOWN, LabelSettings, ThemeSource
from core.labels.labelling import read_summary
from core.labels.page_address import after_host, read_address
from core.runs import pipeline
from core.storage.store import Store

USERS = 8_000
SITE_USERS = 4_000


@click.command(help=__doc__)
@click.option("--held", is_flag=True, help="The sites that are looked at once, when all is decided.")
def main(held: bool) -> None:
    """Print a table with two rows a site."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        rows = [
            {"site": name, "themes": source.value, **_measured(store, csv, pages, source)}
            for name, csv, pages in _sites(Path(folder), held)
            for source in (ThemeSource.AUTO, ThemeSource.TAXONOMY)
        ]
    print(markdown(list(rows[0]), [list(row.values()) for row in rows]))


def _sites(folder: Path, held: bool) -> Iterator[tuple[str, Path, Path | None]]:
    """Name, export, and the file with the truth of its pages."""
    if not held:
        yield "demo", demo_shop(USERS, DEMO_SEED, folder), None
    yield from ((csv.name, csv, None) for csv in REAL[held : held + 1] if csv.exists())
    for name in HELD if held else DEV:
        files = write_site(name, folder, SITE_USERS, 1)
        yield name, files.csv, files.pages


def _measured(store: Store, csv: Path, pages: Path | None, source: ThemeSource) -> dict[str, str]:
    dataset = pipeline.preprocess(store, [csv], IngestSettings(), silent)
    labels = pipeline.label(store, dataset, LabelSettings(themes=source), silent)
    assert labels is not None  # labelling is not off
    choice, views = read_summary(labels.path).choice, dataset.pages[Pages.VIEWS].to_numpy()
    truth, said = np.array(_truth(dataset, csv, pages)), labels.table[PageLabels.THEME].to_numpy(dtype=str)
    about = (truth != NO_THEME) & (said != NO_THEME)
    table = pd.crosstab(said[about], truth[about], values=views[about], aggfunc="sum").fillna(0.0)
    known = table.drop(index=UNKNOWN, errors="ignore").to_numpy()
    return {
        "own themes": "yes" if choice and choice.mined else "no",
        "coverage": f"{known.sum() / table.to_numpy().sum():.1%}",
        "purity": f"{known.max(axis=1).sum() / known.sum():.1%}",
        "NMI": f"{_nmi(table.to_numpy()):.2f}",
    }


def _truth(dataset: Dataset, csv: Path, pages: Path | None) -> list[str]:
    """The theme of each page; of real exports the first folder, which is their category."""
    urls = dataset.pages[Pages.PAGE_LOCATION].tolist()
    if pages is not None:
        plan = pd.read_csv(pages, keep_default_na=False)
        themes = {path.rstrip("/"): theme for path, theme in zip(plan["path"], plan["theme"], strict=True)}
        return [themes.get(_plain(url), "") or NO_THEME for url in urls]
    if csv in REAL:
        return [(*read_address(url).stems, NO_THEME)[0] for url in urls]
    return true_names(urls)[View.THEME]


def _plain(url: str) -> str:
    return unquote(after_host(url).partition("?")[0]).rstrip("/").lower()


def _nmi(table: np.ndarray) -> float:
    """Mutual information over the mean of both entropies (Strehl and Ghosh 2002), weighted by page views."""
    sides = [side / table.sum() for side in (table.sum(axis=0), table.sum(axis=1))]
    entropies = [float(-(side[side > 0] * np.log(side[side > 0])).sum()) for side in sides]
    return float(mutual_info_score(None, None, contingency=table)) / max(float(np.mean(entropies)), 1e-9)


if __name__ == "__main__":
    main()
