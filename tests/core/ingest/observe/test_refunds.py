from pathlib import Path

import pandas as pd

from core.base.schema import Raw
from tests.core.ingest.observe.test_user_outcomes import deed
from tests.core.ingest.shop import Row, event, shop


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
