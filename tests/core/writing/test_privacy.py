import json

import pytest

from core.base.errors import InputError
from core.llm.chat_types import Price, price_of, tokens_of
from core.writing.payload import ANSWER_TOKENS, payload_of, refuse_ids

IDS = frozenset({"1234567890.1700000001", "alice@shop.example", "u7"})
BODY = {
    "model": "m", "messages": [{"role": "system", "content": "Answer."}, {"role": "user", "content": "Who?"}],
    "tools": [{"name": "metric"}], "stream": True,
}  # fmt: skip


def test_shows_all_that_is_sent_and_what_it_costs() -> None:
    made = payload_of("llm.example", "m", BODY, {"m": Price(2.0, 8.0)})
    assert made.text.startswith("system:\nAnswer.\n\nuser:\nWho?\n\n")
    assert made.text.endswith(made.sent)
    assert json.loads(made.sent) == BODY
    assert made.characters == len(made.sent)
    assert made.tokens >= tokens_of("Answer.Who?metric")
    assert made.price == pytest.approx((made.tokens * 2 + ANSWER_TOKENS * 8) / 1e6)


def test_a_model_without_a_price_has_none() -> None:
    assert payload_of("llm.example", "other", BODY, {"m": Price(2.0, 8.0)}).price is None
    assert price_of("m", 1_000_000, 0, {"m": Price(3.0, 9.0)}) == 3.0


@pytest.mark.parametrize(
    "data",
    [
        "What did 1234567890.1700000001 do?", ["And alice@shop.example?"], {"(1234567890.1700000001).": 1},
        {"a": [{"b": "u7"}]}, f"{'a ' * 497}alice@shop.example",
    ],
)  # fmt: skip
def test_a_user_id_is_refused_wherever_it_stands(data: object) -> None:
    with pytest.raises(InputError, match="user id"):
        refuse_ids(data, IDS)


def test_a_short_id_is_no_reason_to_refuse_a_word() -> None:
    refuse_ids(["Why u7-like things?", 3, None], IDS)
