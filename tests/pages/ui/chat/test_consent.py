"""Amounts, as they are shown before anything is sent."""

from __future__ import annotations

from pages.ui.chat.connection import dollars, price


def test_a_small_amount_is_no_zero() -> None:
    assert dollars(0.00001) == "under 0.0001 US dollars"
    assert dollars(0.0) == "0.0000 US dollars"
    assert dollars(0.01234) == "0.0123 US dollars"


def test_without_a_price_none_is_estimated() -> None:
    assert "No price is known" in price(None)
    assert "0.5000 US dollars" in price(0.5)
