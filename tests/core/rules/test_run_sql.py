"""The SQL on the files of a run returns the users of a rule."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from core.rules.beam_search import candidates
from core.rules.conditions import RuleClause, RuleField, SegmentRule
from core.rules.records import run_sql
from tests.core.rules.test_rule_sql import shop_rows
from tests.core.rules.toy import load, stated, write_flat


def test_every_condition_returns_its_very_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row | {"order": "it's" if number % 3 else "b"} for number, row in enumerate(shop_rows(5))]
    dataset, export = load(tmp_path, write_flat(tmp_path / "e.csv", rows), dimensions=("order",))
    asked = candidates(export.features, np.flatnonzero(export.features.inside)).conditions
    assert {RuleField.ENTRY, "order"} <= {condition.field for condition in asked}
    monkeypatch.chdir(dataset.path)
    for condition in asked:
        for negated in (False, True):
            rule = SegmentRule(clauses=(RuleClause(any_of=(condition,), negated=negated),))
            found = [user for (user,) in duckdb.sql(run_sql(rule, export.features)).fetchall()]
            assert sorted(found) == stated(dataset, export, rule), rule
