"""A Spark cluster of real processes, an emulator of BigQuery, and a shop with bounds of memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.loopback_cluster import Cluster, loopback_cluster
from core.base.progress import silent
from core.base.settings import IngestSettings
from core.ingest.sample import write_sample
from core.runs import pipeline
from core.scoring.bounds import A_RECORD, PROGRAM, Bounds
from core.storage.dataset import Dataset
from core.storage.store import Store
from tests.bigquery_emulator import emulator as emulator
from tests.core.runs.conftest import days, model  # noqa: F401 - fixtures


def need_spark() -> None:
    """Skip where Spark cannot run, and say why; where all has to be tested, fail."""
    lacking = "pyspark" if find_spec("pyspark") is None else "Java"
    if lacking == "Java" and shutil.which("java"):
        return
    if os.environ.get("CI"):
        pytest.fail(f"Spark is tested in CI, and there is no {lacking}")
    pytest.skip(f"Spark is not tested, for want of {lacking} (apt install default-jre-headless)")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A master and a worker with a core; every executor loads all of it anew."""
    need_spark()
    with loopback_cluster(workers=1) as found:
        yield found


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of 300 users."""
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    write_sample(path, 300, 1, silent)
    return path


@pytest.fixture(scope="session")
def whole(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """All of them, prepared at once."""
    return pipeline.preprocess(Store(tmp_path_factory.mktemp("whole")), [shop], IngestSettings(), silent)


def bounds_of(of: Dataset | int, share: float, sample_users: int | None = None) -> Bounds:
    """A memory into which such a share of the records fits, of a data set or of so many."""
    records = of if isinstance(of, int) else of.receipt.records
    return Bounds(PROGRAM + int(share * records) * A_RECORD, sample_users)
