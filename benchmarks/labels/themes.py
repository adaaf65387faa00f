"""python -m benchmarks.labels.themes [--held | --pages N]: a site's own and shop themes, against truth.

Shares are of the page views of pages that have a true theme: how many get a theme (coverage), how many of
these the most frequent true theme of their theme (purity), and the normalised mutual information of both,
Unknown as a theme of its own. With ``--pages`` only the seconds are printed that looking takes on a made-up
site of so many pages, in folders of which a user mostly stays in one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import click
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.metrics import mutual_info_score

from benchmarks.quality.site_truth import true_names
from benchmarks.sets import DEMO_SEED, REAL, demo_shop
from benchmarks.sites import DEV, HELD, write_site
from benchmarks.tables import markdown
from core.base.progress import silent
from core.base.schema import NO_THEME, UNKNOWN, PageLabels, Pages, View
from core.base.settings import IngestSettings
from core.labels.label_settings import LabelSettings, ThemeSource
from core.labels.labelling import read_summary
from core.labels.page_address import after_host, read_address
from core.labels.pages import LabelPages
from core.labels.site_themes import mine_themes
from core.runs import pipeline
from core.storage.dataset import Dataset
from core.storage.store import Store

USERS = 8_000
SITE_USERS = 4_000


@click.command(help=__doc__)
@click.option("--held", is_flag=True, help="The sites that are looked at once, when all is decided.")
@click.option("--pages", type=int, default=0, help="Of a made-up site that is timed.")
def main(held: bool, pages: int) -> None:
    """Print a table with two rows a site, or how long looking takes."""
    if pages:
        print(_timed(pages))
        return
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        rows = [
            {"site": name, "themes": source.value, **_measured(store, csv, truth, source)}
            for name, csv, truth in _sites(Path(folder), held)
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


def _timed(n_pages: int) -> str:
    """24 moves a page, most of them in a folder; titles of a word of the folder and six of 5,000 others."""
    rng = np.random.default_rng(0)
    folder = np.sort(rng.zipf(1.3, n_pages) % 300)
    words = rng.zipf(1.2, (n_pages, 6)) % 5_000
    urls = tuple(f"https://s.example/{_word(at)}/{page}" for page, at in enumerate(folder))
    titles = tuple(" ".join(map(_word, [at, *(300 + own)])) for at, own in zip(folder, words, strict=True))
    first = rng.integers(0, n_pages, 24 * n_pages)
    near = np.minimum(first + rng.integers(1, 50, len(first)), n_pages - 1)
    second = np.where(rng.random(len(first)) < 0.7, near, rng.integers(0, n_pages, len(first)))
    views = np.bincount(np.concatenate([first, second]), minlength=n_pages)
    one_way = sparse.coo_array((np.ones(len(first)), (first, second)), (n_pages, n_pages)).tocsr()
    began = time.perf_counter()
    themes = mine_themes(
        LabelPages(urls, titles, urls, views, views), np.ones(n_pages, dtype=bool), one_way + one_way.T
    )
    took = time.perf_counter() - began
    return f"{n_pages:,} pages, {len(first):,} moves: {len(themes)} themes in {took:.1f} s"


def _word(number: int) -> str:
    """A word of five letters for a number, as numbers are no words."""
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(5))


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
