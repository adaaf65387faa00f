"""When users did what is no page view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.base.progress import silent
from core.base.schema import Outcomes, Raw
from core.base.settings import IngestSettings
from core.ingest.sample.write_sample import write_sample
from core.runs import pipeline
from core.storage.store import Store
from tests.core.ingest.shop import Row, event, shop


def deed(user: str, second: int, name: str, session: str | None = "1", **fields: str) -> Row:
    return {**event(user, second, page=None, name=name, **fields), Raw.GA_SESSION_ID: session}


def done(folder: Path, *rows: Row, **settings: object) -> list[tuple[object, ...]]:
    """User, event, session and page views before, of every event in order."""
    dataset = shop(folder, *rows, **settings)
    found = dataset.events
    ids = dataset.sequences.user_id.to_pylist()
    columns = zip(found.user, found.name, found.session, found.after, strict=True)
    return [
        (ids[user], found.names[name], int(session), int(after)) for user, name, session, after in columns
    ]


def test_events_stand_between_the_page_views_that_they_came_between(tmp_path: Path) -> None:
    rows = [
        deed("u", 5, "scroll"), event("u", 4, "/b"), event("u", 0, "/a"), deed("u", 1, "add_to_cart"),
        deed("v", 0, "session_start"), event("v", 1, "/a"), deed("v", 2, ""), deed("nobody", 1, "scroll"),
    ]  # fmt: skip
    assert done(tmp_path, *rows) == [
        ("u", "add_to_cart", 0, 1), ("u", "scroll", 0, 2), ("v", "session_start", 0, 0),
    ]  # fmt: skip


def test_events_of_one_moment_keep_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [deed("u", 1, "first_visit"), event("u", 1, "/a"), deed("u", 1, "view_item"), event("u", 1, "/b")]
    assert done(tmp_path, *rows) == [("u", "first_visit", 0, 0), ("u", "view_item", 0, 1)]


def test_sessions_without_a_page_view_come_after_those_with_one(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"),
        deed("u", 10, "like", "elsewhere"),
        deed("u", 20, "like", "elsewhere"),
        deed("u", 30, "like", "nowhere"),
        {**event("u", 40, "/b"), Raw.GA_SESSION_ID: "2"},
        deed("u", 50, "buy", "1"),
        deed("u", 60, "buy", "2"),
        deed("u", 60, "late", None),
        event("v", 0, "/a"),
        deed("v", 9, "like", "nowhere"),
    ]
    found = done(tmp_path, *rows)
    assert [line[:2] + line[3:] for line in found[:6]] == [
        ("u", "like", 1), ("u", "like", 1), ("u", "like", 1),
        ("u", "buy", 2), ("u", "buy", 2), ("u", "late", 2),
    ]  # fmt: skip
    sessions = [line[2] for line in found]
    assert sessions[3:5] == [0, 1]
    assert sessions[0] == sessions[1]
    assert sorted({sessions[0], sessions[2], sessions[5]}) == [2, 3, 4]
    assert sessions[6] == 1


def test_a_repeated_transaction_is_no_second_purchase(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"),
        deed("u", 1, "purchase", transaction_id="T1"),
        deed("u", 2, "purchase", transaction_id="T1"),
        deed("u", 3, "purchase", transaction_id="T2"),
    ]
    assert [line[1] for line in done(tmp_path, *rows)] == ["purchase", "purchase"]


def test_each_payment_has_its_revenue_currency_and_items(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"),
        deed("u", 1, "add_to_cart", total_item_quantity="9"),
        deed("u", 2, "purchase", "1", purchase_revenue="12.5", currency="EUR", total_item_quantity="2"),
        deed("u", 3, "purchase", "1", purchase_revenue="1", total_item_quantity="7", transaction_id="T1"),
        deed("u", 4, "purchase", "1", purchase_revenue="1", total_item_quantity="7", transaction_id="T1"),
        deed("u", 5, "refund", "1", purchase_revenue="12.5", currency="EUR"),
        deed("v", 1, "subscribe", "1", purchase_revenue="3", currency="USD"),
        event("v", 2, "/a"),
        deed("nobody", 1, "purchase", "1", purchase_revenue="100"),
    ]
    events = shop(tmp_path, *rows).events
    assert events.paid is not None
    names = [events.names[name] for name in events.name[events.paid.index]]
    paid = events.paid.astype(object).where(events.paid.notna(), None).to_numpy().tolist()
    assert list(zip(names, paid, strict=True)) == [
        ("purchase", [12.5, "EUR", 2]), ("purchase", [1.0, None, 7]), ("subscribe", [3.0, "USD", None]),
    ]  # fmt: skip


def test_payments_add_up_to_the_outcomes_of_each_user(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    write_sample(path, users=2000, seed=5)
    dataset = pipeline.preprocess(Store(tmp_path / "cache"), [path], IngestSettings(), silent)
    events, outcomes = dataset.events, dataset.outcomes
    assert events.paid is not None
    paid = events.paid.assign(
        user=events.user[events.paid.index],
        event_name=np.array(events.names)[events.name[events.paid.index]],
    )
    keys = [Outcomes.USER, Outcomes.EVENT_NAME]
    sums = paid.groupby(keys)[Outcomes.REVENUE].sum()
    own = outcomes[outcomes[Outcomes.REVENUE].notna() & (outcomes[Outcomes.USER] < len(dataset.users))]
    assert len(own) > 5
    pd.testing.assert_series_equal(sums, own.set_index(keys)[Outcomes.REVENUE], check_index_type=False)


def test_a_page_that_is_left_out_is_an_event(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"), deed("u", 1, "scroll"), event("u", 2, "/thanks"), deed("u", 3, "scroll"),
        event("u", 4, "/b"), event("gone", 0, "/thanks"), deed("gone", 1, "scroll"),
    ]  # fmt: skip
    assert done(tmp_path, *rows, strip_pages=("https://shop.example/thanks",)) == [
        ("u", "scroll", 0, 1), ("u", "page:https://shop.example/thanks", 0, 1), ("u", "scroll", 0, 1),
    ]  # fmt: skip


def test_events_of_users_that_are_left_out_leave_with_them(tmp_path: Path) -> None:
    bot = [event("bot", n, f"/{n % 7}") for n in range(400)]
    rows = [*bot, deed("bot", 1, "scroll"), event("zoe", 0, "/y"), deed("zoe", 1, "scroll")]
    assert done(tmp_path, *rows, exclude_bots=True) == [("zoe", "scroll", 0, 1)]


def test_personal_data_in_an_event_name_is_masked(tmp_path: Path) -> None:
    assert done(tmp_path, event("u", 0), deed("u", 1, "mail jane@x.com"))[0][1] == "mail {email}"


def test_without_events_there_are_none(tmp_path: Path) -> None:
    assert done(tmp_path, event("u", 0)) == []
