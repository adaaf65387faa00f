"""A Spark cluster of real processes on the loopback, and an emulator of BigQuery."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from benchmarks.loopback_cluster import Cluster, loopback_cluster
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
