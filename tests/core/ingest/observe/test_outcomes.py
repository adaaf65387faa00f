"""Outcomes of users, and refunds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.base.schema import Raw
from core.storage.receipt import NO_CURRENCY, OutcomeUsers
from tests.core.ingest.shop import SITE, START, Row, event, shop


def deed(user: str | None, second: float, name: str, session: str = "1", **fields: str) -> Row:
    return {**event(user, second, page=None, name=name, **fields), Raw.GA_SESSION_ID: session}


def outcomes(folder: Path, *rows: Row, **settings: object) -> list[tuple[object, ...]]:
    """User, event, events, sessions, seconds after the start, revenue; currency where there is any."""
    table = shop(folder, *rows, **settings).outcomes.drop(columns=["refunds", "items"])
    table = table if table["currency"].notna().any() else table.drop(columns="currency")
    table["first_ts"] = table["first_ts"] / 1e6 - START
    return [
        tuple(None if pd.isna(value) else value for value in row) for row in table.itertuples(index=False)
    ]


def test_events_are_counted_by_user_and_name(tmp_path: Path) -> None:
    rows = [
        event("u", 0),
        event("v", 0),
        event("v", 1),
        deed("v", 9, "scroll", "2"),
        deed("v", 3, "scroll"),
        deed("v", 4, "scroll"),
        deed("u", 5, "add_to_cart"),
        deed("nobody", 5, "add_to_cart"),
        deed("v", 6, "(not set)"),
        deed("v", 7, ""),
    ]
    assert outcomes(tmp_path, *rows) == [
        (0, "add_to_cart", 1, 1, 5.0, None),
        (1, "scroll", 3, 2, 3.0, None),
        (2, "add_to_cart", 1, 1, 5.0, None),  # who has no page view comes after those who have
    ]


def test_a_purchase_is_counted_once_a_transaction(tmp_path: Path) -> None:
    rows = [
        event("u", 0),
        event("v", 0),
        deed("u", 3, "purchase", transaction_id="T1", purchase_revenue="99"),
        deed("u", 1, "purchase", transaction_id="T1", purchase_revenue="10.5"),
        deed("u", 5, "purchase", "2", transaction_id="T2", purchase_revenue="2"),
        deed("u", 6, "purchase", "3", transaction_id="(not set)", purchase_revenue="0.25"),
        deed("u", 7, "purchase", "3", purchase_revenue="0.25"),
        deed("v", 2, "purchase", transaction_id="T1"),  # the same buyer under another id
        deed("v", 9, "purchase", transaction_id="T3"),
        deed("nobody", 2, "purchase", transaction_id="T9"),
        deed("nobody", 2, "purchase", transaction_id="T9"),
    ]
    dataset = shop(tmp_path / "count", *rows)
    assert dataset.receipt.duplicate_transactions == 3
    assert outcomes(tmp_path / "rows", *rows) == [
        (0, "purchase", 4, 3, 1.0, 13.0),
        (1, "purchase", 1, 1, 9.0, None),
        (2, "purchase", 1, 1, 2.0, None),
    ]


def test_page_views_that_are_left_out_make_nobody_the_buyer(tmp_path: Path) -> None:
    rows = [
        event("a", 0, traffic_type="internal"),
        deed("a", 1, "purchase", transaction_id="T1"),
        event("u", 0),
        deed("u", 2, "purchase", transaction_id="T1"),
    ]
    assert outcomes(tmp_path, *rows) == [(0, "purchase", 1, 1, 2.0, None)]


def test_sessions_of_events_without_an_id_are_cut_by_inactivity(tmp_path: Path) -> None:
    rows = [
        event("u", 0) | {Raw.GA_SESSION_ID: None},
        event("v", 60) | {Raw.GA_SESSION_ID: None},
        deed("v", 61, "scroll") | {Raw.GA_SESSION_ID: None},
        deed("v", 4_000, "scroll") | {Raw.GA_SESSION_ID: None},
        deed("v", 4_001, "scroll") | {Raw.GA_SESSION_ID: None},
    ]
    assert outcomes(tmp_path, *rows) == [(1, "scroll", 3, 2, 61.0, None)]


def test_the_buyer_of_a_transaction_is_the_id_with_a_page_view(tmp_path: Path) -> None:
    """A shop's server often sends the purchase first, under an id of its own."""
    rows = [
        deed("server", 1, "purchase", transaction_id="T1", purchase_revenue="5"),
        event("u", 0),
        deed("u", 2, "purchase", transaction_id="T1", purchase_revenue="5"),
    ]
    assert outcomes(tmp_path, *rows) == [(0, "purchase", 1, 1, 2.0, 5.0)]


def test_currencies_are_never_added_up(tmp_path: Path) -> None:
    rows = [
        event("u", 0),
        deed("u", 1, "purchase", purchase_revenue="10", currency="eur"),
        deed("u", 2, "purchase", purchase_revenue="7", currency="USD"),
        deed("u", 3, "purchase", purchase_revenue="1", currency="EUR"),
        deed("u", 4, "purchase", purchase_revenue="2", currency="jane@x.com"),
        deed("w", 5, "purchase", purchase_revenue="3", currency="EUR"),
    ]
    dataset = shop(tmp_path / "count", *rows)
    assert dataset.receipt.outcome_users["purchase"].model_dump() == {
        "users": 2,
        "without_page_view": 1,
        "left_out": 0,
        "events": 5,
        "revenue": {"EUR": 14.0, "USD": 7.0, "no currency given": 2.0},
        "refunds": {},
        "all_refunded": 0,
    }
    assert outcomes(tmp_path / "rows", *rows) == [
        (0, "purchase", 4, 1, 1.0, 11.0, "EUR"),
        (0, "purchase", 0, 0, 1.0, 7.0, "USD"),
        (0, "purchase", 0, 0, 1.0, 2.0, None),
        (1, "purchase", 1, 1, 5.0, 3.0, "EUR"),
    ]


def test_every_buyer_of_the_file_is_in_the_receipt(tmp_path: Path) -> None:
    """Also who is told of by the shop's server alone, has no used page, or looks automated."""
    rows = [
        *buyers(3, "/thanks"),
        deed("server", 5, "purchase"),
        event("gone", 0, "/x"),
        deed("gone", 1, "purchase"),
        *(event("bot", second, f"/{second % 7}") for second in range(400)),
        deed("bot", 401, "purchase"),
        deed("staff", 5, "purchase", traffic_type="internal"),
    ]
    gone = ("https://shop.example/x",)
    kept = shop(tmp_path / "kept", *rows, strip_pages=gone).receipt.outcome_users["purchase"]
    assert (kept.users, kept.without_page_view, kept.left_out) == (6, 2, 1)  # server, gone; gone
    out = shop(tmp_path / "out", *rows, strip_pages=gone, exclude_bots=True).receipt.outcome_users["purchase"]
    assert (out.users, out.without_page_view) == (5, 2)


def test_a_page_that_is_left_out_can_still_be_the_outcome(tmp_path: Path) -> None:
    rows = [event("u", 0, "/"), event("u", 1, "/x"), event("u", 2, "/x"), event("v", 3, "/x")]
    assert outcomes(tmp_path, *rows, strip_pages=("https://shop.example/x",)) == [
        (0, "page:https://shop.example/x", 2, 1, 1.0, None),
        (1, "page:https://shop.example/x", 1, 1, 3.0, None),
    ]


def test_sessions_without_ids_count_too(tmp_path: Path) -> None:
    rows = [
        event("u", 0),
        *({**deed("u", 60 * minute, "scroll"), Raw.GA_SESSION_ID: None} for minute in (0, 5, 90)),
    ]
    assert outcomes(tmp_path, *rows) == [(0, "scroll", 3, 2, 0.0, None)]


def test_outcomes_of_users_that_are_left_out_leave_with_them(tmp_path: Path) -> None:
    rows = [*(event("bot", n, f"/{n % 7}") for n in range(400)), event("b", 0, "/y"), deed("b", 1, "scroll")]
    assert outcomes(tmp_path, *rows, deed("bot", 1, "scroll"), exclude_bots=True) == [
        (0, "scroll", 1, 1, 1.0, None)
    ]


def test_personal_data_in_an_event_name_is_masked(tmp_path: Path) -> None:
    assert outcomes(tmp_path, event("u", 0), deed("u", 1, "mail jane@x.com"))[0][1] == "mail {email}"


def buyers(count: int, page: str) -> list[Row]:
    rows = []
    for number in range(count):
        user = f"buyer{number:03}"
        rows += [event(user, 0, "/"), event(user, 1, page), deed(user, 2, "purchase")]
    return rows


def test_a_page_that_gives_the_purchase_away_is_named(tmp_path: Path) -> None:
    others = [event(f"other{number:03}", 0, "/") for number in range(40)]
    receipt = shop(tmp_path, *buyers(20, "/thanks"), *others).receipt
    assert receipt.outcome_pages == ("https://shop.example/thanks",)


def test_names_that_differ_in_space_are_one_event(tmp_path: Path) -> None:
    rows = [event("u", 0), deed("u", 1, "scroll"), deed("u", 2, " scroll ", "2")]
    assert outcomes(tmp_path, *rows) == [(0, "scroll", 2, 2, 1.0, None)]


def page_events(folder: Path, *rows: Row, **settings: object) -> list[tuple[str, str, int]]:
    """Page, event and how often, in the order of the table."""
    dataset = shop(folder, *rows, **settings)
    names = [location.removeprefix(SITE) for location in dataset.pages["page_location"]]
    return [(names[page], name, events) for page, name, events in dataset.page_events.itertuples(index=False)]


def test_events_are_counted_by_the_canonical_page_they_fire_on(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/shoe"),
        event("u", 1, "/shoe?gclid=1"),
        event("u", 2, "/cart"),
        event("u", 3, "/shoe?gclid=1", "view_item"),
        event("nobody", 4, "/shoe", "view_item"),  # who has no page view
        event("u", 5, "/shoe", " add_to_cart "),
        event("u", 6, "/cart", "begin_checkout"),
        event("u", 7, "/cart", "begin_checkout"),
    ]
    assert page_events(tmp_path, *rows) == [
        ("/shoe", "add_to_cart", 1),
        ("/shoe", "view_item", 1),
        ("/cart", "begin_checkout", 2),
    ]


def test_other_events_and_other_places_are_left_out(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"),
        event("u", 1, "/a", "scroll"),
        event("u", 2, "/unseen", "view_item"),
        event("u", 3, None, "purchase"),
        event(None, 4, "/a", "view_item"),
        event("u", 5, "/a", "view_item", **{Raw.TRAFFIC_TYPE: "internal"}),
    ]
    assert page_events(tmp_path, *rows) == []


def test_events_of_pages_that_are_left_out_leave_with_them(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"),
        event("u", 1, "/b"),
        event("u", 2, "/a", "view_item"),
        event("u", 3, "/b", "purchase"),
    ]
    assert page_events(tmp_path, *rows, strip_pages=(SITE + "/a",)) == [("/b", "purchase", 1)]


def test_what_visitors_without_a_user_id_did_is_nobodys_and_not_lost(tmp_path: Path) -> None:
    rows = [
        event("u", 0),
        deed("u", 9, "purchase", transaction_id="T1", purchase_revenue="5", currency="EUR"),
        event(None, 0),
        deed(None, 1, "purchase", transaction_id="T1", purchase_revenue="5", currency="EUR"),  # of u
        deed(None, 2, "purchase", transaction_id="T2", purchase_revenue="7", currency="EUR"),
        deed("(not set)", 3, "purchase", transaction_id="T2", purchase_revenue="7", currency="EUR"),
        deed(None, 4, "purchase", purchase_revenue="1.5"),
        deed(None, 5, "scroll"),
        deed(None, 6, "scroll"),
        deed(None, 7, "scroll"),
        deed(None, 8, "purchase", transaction_id="T3", purchase_revenue="99", traffic_type="internal"),
    ]
    receipt = shop(tmp_path, *rows).receipt
    assert receipt.no_user_id == {
        "purchase": did(2, {"EUR": 7, NO_CURRENCY: 1.5}), "scroll": did(3, {})
    }  # fmt: skip
    assert list(receipt.no_user_id) == ["purchase", "scroll"]
    assert (receipt.outcome_users["purchase"].users, receipt.outcome_users["purchase"].events) == (1, 1)
    assert receipt.duplicate_transactions == 2
    assert receipt.warnings == (
        "2 purchases without a user id (7.00 EUR gross, 1.50 gross, no currency given): in no segment, and "
        "in every total as “No user id”",
    )


def did(events: int, revenue: dict[str, float]) -> OutcomeUsers:
    return OutcomeUsers(users=0, without_page_view=0, events=events, revenue=revenue)


def bought(user: str, second: float, transaction: str, value: str) -> Row:
    return deed(user, second, "purchase", transaction_id=transaction, purchase_revenue=value, currency="EUR")


def back(user: str | None, second: float, transaction: str, value: str, code: str = "EUR") -> Row:
    row = deed("", second, "refund", transaction_id=transaction, refund_value=value, currency=code)
    return {**row, Raw.USER_KEY: user}


PURCHASES = (
    event("u", 0), event("v", 0),
    bought("u", 1, "T1", "100"), bought("u", 2, "T2", "50"), bought("v", 3, "T3", "30"),
)  # fmt: skip


def given_back(folder: Path, *rows: Row) -> dict[int, float]:
    """User → what was given back of their purchases in EUR."""
    table = shop(folder, *PURCHASES, *rows).outcomes
    assert table["refunds"].isna().all() or set(table.loc[table["refunds"].notna(), "currency"]) == {"EUR"}
    return dict(table.loc[table["refunds"].notna(), ["user", "refunds"]].itertuples(index=False))


def test_a_refund_belongs_to_whoever_bought_its_transaction(tmp_path: Path) -> None:
    rows = (back("server", 9, "T1", "40"), back(None, 9, "T1", "10", ""), back("u", 0, "T3", "30"))
    assert given_back(tmp_path / "whose", *rows) == {0: 50.0, 1: 30.0}
    receipt = shop(tmp_path / "receipt", *PURCHASES, *rows).receipt
    assert receipt.revenue["EUR"].model_dump() == {"gross": 180.0, "refunds": 80.0, "net": 100.0}
    purchase = receipt.outcome_users["purchase"]
    assert (purchase.users, purchase.all_refunded, purchase.net) == (2, 1, {"EUR": 100.0})
    assert receipt.outcome_users["refund"].revenue == {}


def test_a_refund_of_no_known_transaction_belongs_to_its_own_user_if_anybody(tmp_path: Path) -> None:
    rows = (back("u", 9, "T8", "5"), back("v", 9, "", "2"), back("w", 9, "T9", "7"))
    assert given_back(tmp_path / "whose", *rows) == {0: 5.0, 1: 2.0}
    receipt = shop(tmp_path / "receipt", *PURCHASES, *rows).receipt
    assert receipt.revenue["EUR"].refunds == 14
    assert receipt.warnings == ("1 refund of no purchase in these data: in the totals, in no user's",)


def test_a_refund_in_another_currency_is_taken_off_no_purchase(tmp_path: Path) -> None:
    receipt = shop(tmp_path, *PURCHASES, back("u", 9, "T2", "3", "USD")).receipt
    assert receipt.outcome_users["purchase"].refunds == {}
    assert receipt.revenue["USD"].model_dump() == {"gross": 0.0, "refunds": 3.0, "net": -3.0}
    assert "in another currency than the purchase" in receipt.warnings[0]


def test_what_is_no_value_is_counted_and_said(tmp_path: Path) -> None:
    rows = (back("v", 9, "T3", "-2"), back("v", 9, "T3", "two"), back("v", 9, "T3", "0"))
    receipt = shop(tmp_path, *PURCHASES, *rows).receipt
    assert receipt.outcome_users["purchase"].refunds == {"EUR": 2.0}
    assert receipt.placeholders == {"refund_value that cannot be": 1}
    assert [warning.partition(":")[0].partition(",")[0] for warning in receipt.warnings] == [
        "2 refunds without a value", "1 refund with a negative value",
    ]  # fmt: skip


def test_what_any_event_is_worth_is_what_a_refund_gives_back(tmp_path: Path) -> None:
    """In a file without the columns of ecommerce, ``value`` is read as revenue."""
    refund = deed("v", 9, "refund", transaction_id="T3", purchase_revenue="12", currency="EUR")
    receipt = shop(tmp_path, *PURCHASES, refund).receipt
    assert receipt.outcome_users["purchase"].refunds == {"EUR": 12.0}
    assert pd.isna(receipt.outcome_users["refund"].revenue.get("EUR"))


def test_items_are_summed_of_purchases_each_transaction_once(tmp_path: Path) -> None:
    def sold(second: float, transaction: str, items: str, name: str = "purchase", **more: str) -> Row:
        return deed("u", second, name, transaction_id=transaction, total_item_quantity=items, **more)

    dataset = shop(
        tmp_path, event("u", 0), sold(1, "T1", "2"), sold(2, "T1", "2"), sold(3, "T2", "3", currency="USD"),
        sold(4, "T3", "many"), sold(4, "T4", "2.5"), sold(5, "", "9", "add_to_cart"),
        sold(6, "T2", "3", "refund", refund_value="1"),
    )  # fmt: skip
    bought = dataset.outcomes[dataset.outcomes["event_name"] == "purchase"]
    assert sorted(bought["items"].fillna(0)) == [2, 3]  # a row a currency, one of them is not named
    assert bought["revenue"].isna().all()
    assert dataset.outcomes.loc[dataset.outcomes["event_name"] != "purchase", "items"].isna().all()
    assert dataset.receipt.placeholders["total_item_quantity that cannot be"] == 2
