"""What leaves the machine in one turn: addresses of figures of enough users, names by number, no user id."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from core.base.errors import InputError
from core.facts.answer import Fact
from core.facts.fact_maker import Figures
from core.llm.chat_types import ChatReply
from core.outgoing.quoting import Quotes, clean
from core.profiles.profile_columns import Col
from core.writing.contract import AssistantSettings, Said
from core.writing.privacy import refuse_ids
from core.writing.withholding import is_few, is_total

MOST_OFFERED: Final = 150
"""Addresses of a turn; servers refuse schemas with many."""
LONGEST_QUESTION: Final = 1_000
REMEMBERED: Final = 3
"""Earlier questions that are sent again."""
REMEMBERED_CHARACTERS: Final = 400
REMEMBERED_FACTS: Final = 8
_KEY: Final = re.compile(r"\bsegment:(\d+)")
_SAID: Final = re.compile(r"(?:S|segment |cluster )?(\d{1,4})", re.IGNORECASE)


def said_key(key: str) -> str:
    """What a row is called in a message: ``segment:1`` → ``S2``, as the analyst counts."""
    kind, _, number = key.partition(":")
    return f"S{int(number) + 1}" if kind == "segment" else key


def key_of_said(row: str) -> str:
    """The other way round; anything that is no segment stays as it is."""
    match = _SAID.fullmatch(row.strip())
    return f"segment:{int(match[1]) - 1}" if match else row


class Outbox:
    """Collects what may be sent, and remembers what was offered.

    Args:
        figures: Where facts come from.
        user_ids: All ids of the data set.
        settings: Fewest users; whether values go.
        most: Addresses that are offered at most.
    """

    def __init__(
        self,
        figures: Figures,
        user_ids: Collection[str],
        settings: AssistantSettings,
        most: int = MOST_OFFERED,
    ) -> None:
        self.figures, self.quotes, self._most = figures, Quotes(), most
        self.offered: dict[str, Fact] = {}
        self._ids, self._settings = user_ids, settings
        self._used, self._told = set[str](), set[str]()
        for key, name in self._names().items():
            self.quotes.set(said_key(key), name)

    @property
    def rows(self) -> tuple[str, ...]:
        """Every row as it is called in a message."""
        return tuple(map(said_key, self.figures.context.keys))

    @property
    def measures(self) -> dict[str, str]:
        """Measure as addresses have it → its name, of all that is offered."""
        return {_measure(fact): fact.label for fact in self.offered.values()}

    def question(self, text: str, facts: Iterable[Fact], history: Sequence[Said] = ()) -> str:
        """The first message, as JSON text.

        Raises:
            InputError: If the question has a user id in it.
        """
        refuse_ids(text, self._ids)
        earlier = [recalled for said in history[-REMEMBERED:] if (recalled := self._recalled(said))]
        data = {"question": clean(text, LONGEST_QUESTION), **({"earlier": earlier} if earlier else {})}
        return json.dumps({**data, **self._offer(facts)}, ensure_ascii=False)

    def result(self, facts: Iterable[Fact]) -> str:
        """What a tool found, as JSON text."""
        return json.dumps(self._offer(facts), ensure_ascii=False)

    def problem(self, error: Exception) -> str:
        """Why a tool found nothing, as JSON text, names in it as their numbers."""
        said = str(error)
        for number, text in self.quotes.texts.items():
            said = said.replace(repr(text), number)
        for key in self.figures.context.keys:
            said = said.replace(self.figures.context.title(key), said_key(key))
        said = _KEY.sub(lambda match: said_key(match[0]), said)
        shown = clean(said, REMEMBERED_CHARACTERS) if self._may_go(said) else "not possible"
        return json.dumps({"error": shown}, ensure_ascii=False)

    def check(self, reply: ChatReply) -> None:
        """What the model said goes back to it; it may have made up an id, or read one from its own texts.

        Raises:
            InputError: If there is a user id in it.
        """
        refuse_ids([reply.text, *(f"{call.name} {call.arguments}" for call in reply.calls)], self._ids)

    def own_terms(self, values: dict[str, Any]) -> dict[str, Any]:
        """Arguments with rows by key and items by name: ``S2`` → ``segment:1``, ``P3`` → ``/cart``."""
        return {name: self._own(name, value) for name, value in values.items() if value is not None}

    def _own(self, name: str, value: object) -> object:
        if isinstance(value, list | tuple):
            return [self._own(name, one) for one in value]
        if not isinstance(value, str):
            return value
        return key_of_said(value) if name in ("segment", "a", "b") else self.quotes.texts.get(value, value)

    def _offer(self, facts: Iterable[Fact]) -> dict[str, Any]:
        """Addresses that may be used from now on, with their measures in words and names."""
        before, found, old = set(self.measures), list(dict.fromkeys(facts)), set(self.offered.values())
        kept = [fact for fact in found if self._may_be_offered(fact)]
        new = [fact for fact in kept if fact not in old][: self._most - len(old)]
        fresh = self._addressed([*old.intersection(kept), *new])
        self.offered |= fresh
        data: dict[str, Any] = {"facts": self._shown(fresh)}
        data["measures"] = {name: label for name, label in self.measures.items() if name not in before}
        untold = self._used - self._told
        data["names"] = {name: text for name, text in self.quotes.data().items() if name in untold}
        if len(fresh) < sum(not fact.is_relation for fact in found):
            data["left_out"] = "figures of too few users, or too many at once"
        self._told |= self._used
        return data

    def _addressed(self, facts: Iterable[Fact], most: int = MOST_OFFERED) -> dict[str, Fact]:
        """Address → fact, in an order that tells nothing of values, nor do the numbers of items."""
        place = {key: place for place, key in enumerate(self.figures.context.keys)}
        ordered = sorted(facts, key=lambda fact: (place[fact.row], fact.measure, fact.item, fact.segments))
        return {self._address(fact): fact for fact in ordered[:most]}

    def _shown(self, fresh: dict[str, Fact]) -> list[str] | dict[str, str | None]:
        if not self._settings.send_values:
            return list(fresh)
        fewest = self._settings.fewest_users
        return {
            address: None if is_total(self.figures, fact, fewest) else fact.text
            for address, fact in fresh.items()
        }

    def _address(self, fact: Fact) -> str:
        """``S3.share_page.P62``; of two segments the second stands for the item."""
        item = self.quotes.id_of("P", fact.item) if fact.item else "".join(map(said_key, fact.segments[1:]))
        self._used |= {said_key(fact.row), item}
        return ".".join(part for part in (said_key(fact.row), _measure(fact), item) if part)

    def _may_be_offered(self, fact: Fact) -> bool:
        """Of a row with a name of its own, not of few users, no verdict, and no user id in it."""
        if fact.row not in self.figures.context.keys:
            return False
        few = is_few(self.figures, fact, self._settings.fewest_users)
        return not few and not fact.is_relation and self._may_go(fact.item)

    def _names(self) -> dict[str, str]:
        """Names of segments; one with an id in it stays here."""
        context = self.figures.context
        named = {
            key: context.names.get(int(context.row(key)[Col.SEGMENT]), "") for key in context.segment_keys
        }
        return {key: name for key, name in named.items() if name and self._may_go(name)}

    def _recalled(self, said: Said) -> dict[str, Any]:
        """An earlier question, and the addresses of what was shown for it; nothing if it may not go."""
        if not self._may_go(said.question):
            return {}
        asked = {"asked": clean(said.question, REMEMBERED_CHARACTERS)}
        shown = said.answer.facts if said.answer else ()
        kept = [fact for fact in shown if self._may_be_offered(fact)]
        answered = list(self._addressed(kept, REMEMBERED_FACTS))
        return {**asked, "shown": answered} if answered else asked

    def _may_go(self, data: object) -> bool:
        try:
            refuse_ids(data, self._ids)
        except InputError:
            return False
        return True


def _measure(fact: Fact) -> str:
    return fact.measure.replace(":", "_")
