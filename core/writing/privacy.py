"""What leaves the machine: the exact request, shown before it goes, and no id of a user in it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.base.errors import InputError
from core.llm.chat_types import tokens_of
from core.outgoing.user_ids import holds_id

FEWEST_USERS: Final = 20
"""A figure of fewer users stays here; the setting's default."""
ANSWER_TOKENS: Final = 400
"""What an answer is expected to take, for the estimate."""


@dataclass(frozen=True)
class Price:
    """What a model costs.

    Args:
        sent: For a million tokens that are sent.
        received: For a million tokens of answers.
    """

    sent: float
    received: float


PRICES: Final[Mapping[str, Price]] = {
    "gpt-4o-mini": Price(0.15, 0.60),
    "gpt-4o": Price(2.50, 10.00),
    "gpt-4.1-mini": Price(0.40, 1.60),
    "gpt-4.1": Price(2.00, 8.00),
}
"""US dollars; examples that an analyst edits. A model that is not in the table has no price."""


@dataclass(frozen=True)
class Payload:
    """One request, as it would be sent.

    Args:
        host: Where to.
        model: Which model there.
        body: The JSON object that goes over the wire.
        price: Of it and an answer, estimated, in the currency of the price table; None if the model is not in
            it.
    """

    host: str
    model: str
    body: Mapping[str, Any]
    price: float | None

    @property
    def sent(self) -> str:
        """What goes over the wire, character for character."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))

    @property
    def text(self) -> str:
        """To be shown: what is said, to be read, then all of it as it is sent."""
        said = [f"{message['role']}:\n{message['content']}" for message in self.body["messages"]]
        return "\n\n".join([*said, "All of it, as it is sent:", self.sent])

    @property
    def characters(self) -> int:
        """How long it is."""
        return len(self.sent)

    @property
    def tokens(self) -> int:
        """Estimated, at 3.5 characters a token; the server's own count is shown afterwards."""
        return tokens_of(self.sent)


def payload_of(host: str, model: str, body: Mapping[str, Any], prices: Mapping[str, Price]) -> Payload:
    """A request with what it would cost."""
    unpriced = Payload(host, model, body, None)
    return Payload(host, model, body, price_of(model, unpriced.tokens, ANSWER_TOKENS, prices))


def price_of(model: str, sent: int, received: int, prices: Mapping[str, Price]) -> float | None:
    """What tokens cost; None if the model is not in the table."""
    price = prices.get(model)
    return None if price is None else (sent * price.sent + received * price.received) / 1e6


def refuse_ids(data: object, user_ids: Collection[str]) -> None:
    """Refuse data with a user id in it (:func:`core.outgoing.user_ids.holds_id`).

    Args:
        data: Plain data, before any text of it is cut.
        user_ids: All ids of the data set.

    Raises:
        InputError: If there is one.
    """
    if any(holds_id(leaf, user_ids) for leaf in _leaves(data)):
        raise InputError(
            "A user id of the data set is in what would be sent to the language model",
            allowed="figures of many users, and names of pages and segments",
            remedy="Leave the id out of the question, or of the name that holds it",
        )


def _leaves(value: object) -> Iterator[str]:
    """Every text and number of the data, the names of its fields included."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield str(key)
            yield from _leaves(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, str | float):
        yield str(value)
