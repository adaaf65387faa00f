"""A small shop, a model of it, and what `core embed` says of its users."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.base.progress import silent
from core.base.settings import ClusterSettings, Device, TrainSettings, ViewWeights
from core.ingest.sample import write_sample
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs.model_folder import SEALED, checksums, read_files
from core.runs.pipeline import RunSettings
from core.runs.run import run
from core.scoring.bounded_run import embed_bounded
from core.scoring.bounds import Bounds
from core.scoring.placing import Placing
from core.scoring.serving.scorer import NEXT, Scorer
from tests.core.cli.calls import few_shuffles
from tests.made_once import made_once

USER = "user_pseudo_id"


@dataclass(frozen=True)
class Shop:
    """What the tests of the server share.

    Args:
        model: The model folder.
        events: User → their records, as the file has them.
        scored: What ``core embed`` says, by user.
    """

    model: Path
    events: dict[str, list[dict[str, str]]]
    scored: pd.DataFrame

    def first(self, group: str) -> str:
        """A user of a group."""
        return str(self.scored.index[self.scored["group"] == group][0])


def small_network(factory: pytest.TempPathFactory) -> Path:
    """A folder with ``shop.csv``, ``out``, its run, and ``scored.parquet``; no test may change them."""

    def made(folder: Path) -> None:
        write_sample(folder / "shop.csv", 400, 1, silent)
        settings = RunSettings(
            label=LabelSettings(mode=LabelMode.RULES),
            train=TrainSettings(epochs=1, layers=1, hidden_dim=32, embedding_dim=32),
            weights=ViewWeights(activity=0.3),
            cluster=ClusterSettings(n_clusters=4),
        )
        with few_shuffles():
            run(folder / "out", [folder / "shop.csv"], settings, silent)
        model, out = folder / "out" / "model", folder / "scored.parquet"
        placing, bounds = Placing(Device.CPU, n_next=NEXT), Bounds.told(None, None)
        embed_bounded([folder / "shop.csv"], model, out, silent, placing, bounds)

    return made_once(factory, "small-network", made)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = small_network(tmp_path_factory)
    table = pd.read_csv(folder / "shop.csv", dtype=str, keep_default_na=False)
    events: dict[str, list[dict[str, str]]] = {}
    for row in table[table[USER] != ""].to_dict("records"):
        events.setdefault(row[USER], []).append({name: value for name, value in row.items() if value})
    scored = pq.read_table(folder / "scored.parquet").to_pandas().set_index("user_id")
    return Shop(folder / "out" / "model", events, scored)


@pytest.fixture(scope="session")
def scorer(shop: Shop) -> Scorer:
    return Scorer.load(shop.model)


@pytest.fixture
def copied(shop: Shop, tmp_path: Path) -> Path:
    """A model folder that a test may change."""
    shutil.copytree(shop.model, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def renamed() -> Callable[[Path], dict[str, Any]]:
    """Give the segments of a folder other names, as another run would, and seal it anew."""

    def rename(folder: Path) -> dict[str, Any]:
        path = folder / "segments" / "names.json"
        names = {number: f"New {name}" for number, name in json.loads(path.read_text()).items()}
        for file, text in ((path, json.dumps(names)), (folder / SEALED, None)):
            file.unlink()  # the files of a run may share their bytes with its store
            file.write_text(text or json.dumps(checksums(read_files(folder))))
        return names

    return rename
