"""The command line in this process, and one finished run for every file that tests it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.cli.calls import BRIEF, cli, few_shuffles
from tests.made_once import made_once

FUNNELS = """funnels:
- name: To the till
  steps:
  - type: Product
  - event: [add_to_cart, begin_checkout]
  - event: purchase
- steps: [{page: '*'}, {page: /nowhere}]
"""


@pytest.fixture(autouse=True, scope="module")
def every_run_is_quick() -> Iterator[None]:
    with few_shuffles():
        yield


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def sampled(folder: Path) -> None:
        done = cli("sample", "--users", 400, "--seed", 1, "--out", folder / "shop.csv")
        assert done.returncode == 0, done.stderr

    return made_once(tmp_path_factory, "cli-shop", sampled) / "shop.csv"


@pytest.fixture(scope="session")
def finished(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that no test may change."""

    def run(folder: Path) -> None:
        (folder / "funnels.yaml").write_text(FUNNELS, encoding="utf-8")
        with few_shuffles():
            done = cli("run", shop, "--out", folder / "out", "--funnel", folder / "funnels.yaml", *BRIEF)
        assert done.returncode == 0, done.stderr

    return made_once(tmp_path_factory, "cli-finished", run) / "out"
