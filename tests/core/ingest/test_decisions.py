"""Users in parts are cleaned as in the whole, once what depends on others was decided on all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from core.base.errors import NoPageViewsLeft
from core.base.progress import silent
from core.base.schema import Outcomes, Users
from core.base.settings import IngestSettings
from core.ingest.decisions import decide
from core.ingest.ingest import transform
from core.ingest.observe.export_decisions import ExportDecisions
from core.ingest.read.read_all import RawRead
from core.scoring.parts import split_by_user
from core.scoring.sampled import add_up
from core.storage.dataset import Dataset
from tests.core.ingest.crowd import crowd
from tests.core.ingest.shop import event, paths_of, raw_read, sessions_of

N_PARTS = 2
Told = Mapping[str, tuple[object, ...]]


def made(folder: Path, raw: RawRead, decided: ExportDecisions | None = None) -> Dataset:
    out = folder / "out"
    out.mkdir(parents=True)
    transform(raw, IngestSettings(), out, silent, folder, decided=decided)
    return Dataset(out, "")


def told(dataset: Dataset) -> Told:
    """Everything about each user, by id."""
    users, paths, sessions = dataset.users, paths_of(dataset), sessions_of(dataset)
    done: dict[int, list[str]] = {}
    for row in dataset.outcomes.to_dict("records"):
        done.setdefault(row.pop(Outcomes.USER), []).append(str(row))
    plain = users.drop(columns=Users.USER_ID).astype(object).where(users.notna(), None)
    return {
        user: (*facts, paths[user], sessions[user], done.get(row))
        for row, (user, facts) in enumerate(
            zip(users[Users.USER_ID], plain.itertuples(index=False), strict=True)
        )
    }


def test_parts_of_the_users_are_cleaned_as_the_whole_which_they_would_not_be_alone(tmp_path: Path) -> None:
    raw = raw_read(tmp_path / "raw", [crowd(30)])
    whole = made(tmp_path / "whole", raw)
    (tmp_path / "decided").mkdir()
    decided = decide(raw, IngestSettings(), tmp_path / "decided", silent)
    alone: Told = {}
    together: dict[str, tuple[object, ...]] = {}
    receipts = []
    for number, part in enumerate(split_by_user(raw, N_PARTS, tmp_path / "parts")):
        if number == 0:
            alone = told(made(tmp_path / "alone", part))
        dataset = made(tmp_path / f"part{number}", part, decided)
        together |= told(dataset)
        receipts.append(dataset.receipt)
    expected = told(whole)
    assert together == expected
    assert sum(facts != expected[user] for user, facts in alone.items()) > 5  # there was something to decide
    assert decided.n_users == len(expected)
    assert whole.receipt.duplicate_transactions > 0 < whole.receipt.users_by_group["bot_like"]
    for name in ("users", "page_views_used", "sessions", "duplicate_transactions"):
        assert sum(getattr(receipt, name) for receipt in receipts) == getattr(whole.receipt, name), name
    for receipt in receipts:
        assert (receipt.urls, receipt.places) == (whole.receipt.urls, whole.receipt.places)
        assert receipt.time_zone == whole.receipt.time_zone


def test_what_nobody_did_is_counted_once_on_the_whole(tmp_path: Path) -> None:
    sold = {"transaction_id": "of nobody", "purchase_revenue": "9", "currency": "EUR"}
    without_id = [event(None, second, name="purchase", **sold) for second in range(8)]
    raw = raw_read(tmp_path / "raw", [[*crowd(30), *without_id, event(None, 9)]])
    whole = made(tmp_path / "whole", raw).receipt
    (tmp_path / "decided").mkdir()
    decided = decide(raw, IngestSettings(), tmp_path / "decided", silent)
    parts = [
        made(tmp_path / f"part{number}", part, decided).receipt
        for number, part in enumerate(split_by_user(raw, N_PARTS, tmp_path / "parts"))
    ]
    assert whole.no_user_id["purchase"].revenue == {"EUR": 9}
    together = add_up(raw, decided, parts, parts[0])
    on_all = ("left_out", "other_events_used", "no_user_id", "duplicate_transactions", "waterfall", "days")
    for name in on_all:
        assert getattr(together, name) == getattr(whole, name), name


def test_an_export_without_a_page_view_decides_nothing(tmp_path: Path) -> None:
    raw = raw_read(tmp_path / "raw", [[event("a", 1, name="scroll")]])
    with pytest.raises(NoPageViewsLeft, match="No page view is left of 1 records"):
        decide(raw, IngestSettings(), tmp_path, silent)
