"""The reference pages that ``make docs`` makes from the code, and the site's list of pages."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from core.base import settings
from core.base.raw_fields import FIELDS
from core.cli.cli import app
from core.runs.publish import RUN, WRITTEN
from tests.docs.conftest import ROOT

MADE = {f"reference/{name}.md" for name in ("command_line", "fields", "files", "settings")} | {
    f"notebooks/{path.stem}.md" for path in (ROOT / "docs" / "notebooks").glob("*.py")
}


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "reference" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_and_option_is_listed(make: ModuleType) -> None:
    page = make.command_line()
    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == {*app.commands}
    options = {name for command in app.commands.values() for param in command.params for name in param.opts}
    assert {name for name in options if name.startswith("-") and name not in page} == set()
    assert str(ROOT) not in page


def test_every_setting_is_listed_with_its_default_and_meaning(make: ModuleType) -> None:
    page = make.settings_page()
    assert {name for name in settings.TrainSettings.model_fields if f"| `{name}` |" not in page} == set()
    assert "| `n_clusters` | integer ≥ 2, ≤ 50 | `6` |  |" in page
    assert "| `keep_fragment` | boolean | `false` |" in page
    assert "| `n_init` | integer ≥ 1, ≤ 200 | `40` | Random starts of a cold fit" in page


def test_every_field_is_listed_with_where_it_lies(make: ModuleType) -> None:
    page = make.fields_page()
    assert [field for field in FIELDS if f"| `{field}` |" not in page] == []
    assert "| `purchase_revenue` | `ecommerce.purchase_revenue` | `purchase_revenue`, `ecommerce_" in page
    assert "| `page_location` | `event_params.page_location` | `page_location`, `page_url`, `url`" in page


def test_every_file_of_a_run_is_described(make: ModuleType, place: Path) -> None:
    page, silent = make.files_page(place / "out")
    assert [what for what in silent if ":" not in what] == []
    assert [name for name in (*WRITTEN, RUN) if name not in page] == []
    assert re.search(r"\| `user_id` \| string \| the id", page)
    assert re.search(r"\| `cluster` \| int32 \| number of the segment", page)


def test_every_page_is_in_the_list_of_the_site() -> None:
    listed = set(re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert pages | MADE == listed


def test_nothing_is_described_that_no_run_writes() -> None:
    described = yaml.safe_load((ROOT / "docs" / "reference" / "columns.yaml").read_text())
    assert {*described} - {"introduction"} <= {*WRITTEN, RUN}
