"""What leaves the machine: the exact text, shown before it goes, without users and without small groups.

A message is made of instructions (ours), a question (the analyst's) and data (facts and quoted names). It is
refused if a user id of the data set is in it, or a figure of fewer than k users.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.base.errors import InputError
from core.facts.answer import Fact, Unit
from core.llm.chat_types import tokens_of
from core.outgoing.quoting import Quotes, clean
from core.outgoing.user_ids import holds_id

FEWEST_USERS: Final = 20
"""A figure of fewer users stays here; the setting's default."""
LONGEST_QUESTION: Final = 1_000
ANSWER_TOKENS: Final = 600
"""What an answer is expected to take, for the estimate."""
_USERS_COUNTED: Final = frozenset({"users", "outcome_users", "engagement_users"})


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
    """One message, as it would be sent.

    Args:
        host: Where to.
        model: Which model there.
        system: Instructions.
        user: Question and data, as JSON text.
        price: Of this message and an answer, estimated, in the currency of the price table; None if the model
            is not in it.
        schemas: What goes beside it, as JSON text: the tools that may be called, or the answer's schema.
    """

    host: str
    model: str
    system: str
    user: str
    price: float | None
    schemas: str = ""

    @property
    def text(self) -> str:
        """All of it, to be shown."""
        return "\n\n".join(part for part in self._parts if part)

    @property
    def characters(self) -> int:
        """How long it is."""
        return sum(map(len, self._parts))

    @property
    def tokens(self) -> int:
        """Estimated, at 3.5 characters a token; the server's own count is shown afterwards."""
        return sum(map(tokens_of, self._parts))

    @property
    def _parts(self) -> tuple[str, str, str]:
        return self.system, self.user, self.schemas


def price_of(model: str, sent: int, received: int, prices: Mapping[str, Price]) -> float | None:
    """What tokens cost; None if the model is not in the table."""
    price = prices.get(model)
    return None if price is None else (sent * price.sent + received * price.received) / 1e6


def users_behind(fact: Fact) -> int:
    """How many users a figure is of; a count of users is of itself."""
    counts = fact.unit is Unit.COUNT and fact.metric in _USERS_COUNTED
    if counts and not isinstance(fact.value, str):
        return int(fact.value)
    return fact.n


def sendable(
    facts: Iterable[Fact], fewest: int = FEWEST_USERS, users_of: Callable[[Fact], int] = users_behind
) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """Split facts into those that may leave the machine and those that are of too few users."""
    facts = tuple(facts)
    kept = tuple(fact for fact in facts if users_of(fact) >= fewest)
    return kept, tuple(fact for fact in facts if users_of(fact) < fewest)


def build_payload(
    instructions: str,
    question: str,
    facts: Sequence[Fact],
    segments: Mapping[str, str],
    quotes: Quotes,
    *,
    host: str,
    model: str,
    user_ids: Collection[str] = (),
    fewest: int = FEWEST_USERS,
    users_of: Callable[[Fact], int] = users_behind,
    prices: Mapping[str, Price] = PRICES,
    extra: Mapping[str, Any] | None = None,
    schemas: str = "",
    brief: bool = False,
) -> Payload:
    """Make a message of facts and check that it may leave the machine.

    Args:
        instructions: What to do; ours, without any text from the data.
        question: What the analyst asks.
        facts: What may be said; names in them are replaced by numbers.
        segments: Key → name; ``segment:1`` is ``S2`` in the message.
        quotes: Numbers of names; gets new ones.
        host: Where it would be sent.
        model: Which model there.
        user_ids: All ids of the data set; none may be in the message.
        fewest: Fewest users that a figure may be of.
        users_of: How many users a figure is of.
        prices: Model → price.
        extra: More data, plain JSON, such as the conversation so far; texts in it are cleaned.
        schemas: Of tools or of the answer; ours.
        brief: Whether facts are lines without ids, for a model that could not use these.

    Raises:
        InputError: If a user id is in the message, or a figure is of too few users.
    """
    _refuse_small(facts, fewest, users_of)
    for key, name in segments.items():
        if key.startswith("segment:"):
            quotes.set(said_key(key), name)
    data = {
        "question": clean(question, LONGEST_QUESTION),
        "facts": [fact_line(fact, quotes) if brief else fact_data(fact, quotes) for fact in facts],
        **{name: cleaned(value) for name, value in (extra or {}).items()},
        "names": quotes.data(),
    }
    # values are figures of many users, though one may be spelt like a short id; all other text is checked,
    # and before it is cut: half an id is one too many
    refuse_ids([question, extra or {}, list(quotes.texts.values())], user_ids)
    user = json.dumps(data, ensure_ascii=False, allow_nan=False)
    sent = sum(map(tokens_of, (instructions, user, schemas)))
    price = price_of(model, sent, ANSWER_TOKENS, prices)
    return Payload(host, model, instructions, user, price, schemas)


def _refuse_small(facts: Sequence[Fact], fewest: int, users_of: Callable[[Fact], int]) -> None:
    for fact in sendable(facts, fewest, users_of)[1]:
        raise InputError(
            f"{fact.label!r} ({fact.id}) is a figure of {users_of(fact)} users",
            allowed=f"figures of at least {fewest} users",
            remedy="Leave it out, or lower the limit in the settings",
        )


def said_key(key: str) -> str:
    """What a row is called in a message: ``segment:1`` → ``S2``, as the analyst counts."""
    kind, _, number = key.partition(":")
    return f"S{int(number) + 1}" if kind == "segment" else key


def fact_data(fact: Fact, quotes: Quotes) -> dict[str, object]:
    """A fact without any text from the data but by number."""
    shown: dict[str, object] = {
        "id": fact.id,
        "measure": clean(fact.label),
        "of": [said_key(key) for key in fact.segments],
        "value": value_of(fact, quotes),
    }
    if fact.item:
        shown["item"] = quotes.id_of("P", fact.item)
    if fact.comparison:
        shown["comparison"] = True
    return shown


def fact_line(fact: Fact, quotes: Quotes) -> str:
    """The same in few words: ``S2, share of users who saw the page P4: 12.5%``."""
    item = f" {quotes.id_of('P', fact.item)}" if fact.item else ""
    whose = " against ".join(map(said_key, fact.segments))
    return f"{whose}, {clean(fact.label)}{item}: {value_of(fact, quotes)}"


def value_of(fact: Fact, quotes: Quotes) -> str:
    """A value as it is sent: a segment's name by the segment's number, another name by one of its own."""
    if not isinstance(fact.value, str):
        return fact.text
    return said_key(fact.segments[0]) if _names_a_row(fact) else quotes.id_of("P", fact.value)


def _names_a_row(fact: Fact) -> bool:
    return fact.comparison and len(fact.segments) == 1


def cleaned(value: object) -> object:
    """Plain data with each text on one line, without what cannot be seen, and cut."""
    if isinstance(value, str):
        return clean(value, LONGEST_QUESTION)
    if isinstance(value, Mapping):
        return {clean(str(key)): cleaned(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(part) for part in value]
    return value


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
