"""What a receipt says in words."""

from core.storage.receipt import NO_CURRENCY, Revenue, describe_revenue, in_currencies


def test_money_of_no_currency_is_said_in_plain_english() -> None:
    paid = {"EUR": 1240.0, NO_CURRENCY: 104.89}
    assert in_currencies(paid, "gross") == "1,240.00 EUR gross, 104.89 gross, no currency given"
    assert in_currencies(paid) == "1,240.00 EUR, 104.89, no currency given"
    revenue = {name: Revenue(gross=gross, refunds=4, net=gross - 4) for name, gross in paid.items()}
    assert describe_revenue(revenue) == (
        "1,240.00 EUR gross, 4.00 refunded, 1,236.00 net; "
        "104.89 gross, 4.00 refunded, 100.89 net, no currency given"
    )
