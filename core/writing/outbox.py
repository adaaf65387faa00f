"""What leaves the machine in one turn: facts of enough users, names by number, and no id of a user."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from core.base.errors import InputError
from core.facts.answer import Fact
from core.facts.fact_maker import Figures
from core.facts.render import SLOTS
from core.llm.chat_types import ChatReply
from core.outgoing.quoting import Quotes, clean
from core.profiles.profile_columns import Col, RowKind
from core.writing.contract import AssistantSettings, Said
from core.writing.privacy import (
    LONGEST_QUESTION,
    Payload,
    build_payload,
    fact_data,
    refuse_ids,
    said_key,
    sendable,
    value_of,
)
from core.writing.prose.mentions import Kind as Named
from core.writing.prose.mentions import Lexicon
from core.writing.prose.numerals import find_numerals

REMEMBERED: Final = 6
"""Earlier messages that are sent again."""
REMEMBERED_CHARACTERS: Final = 400
_KEY: Final = re.compile(r"\bsegment:(\d+)")


class Outbox:
    """Collects what may be sent, and remembers what was.

    Args:
        figures: Where facts come from.
        user_ids: All ids of the data set.
        settings: Fewest users, prices.
    """

    def __init__(self, figures: Figures, user_ids: Collection[str], settings: AssistantSettings) -> None:
        self.figures, self.quotes = figures, Quotes()
        self._ids, self._settings = user_ids, settings
        self._sent: dict[str, Fact] = {}
        self._told: set[str] = set()

    @property
    def sent(self) -> tuple[Fact, ...]:
        """Facts that were sent, names in them as their numbers: a name can be mistaken for nothing."""
        return tuple(self._sent.values())

    def fact(self, fact_id: str) -> Fact | None:
        """The fact as it is shown, if it was sent."""
        return self.figures.book.find(fact_id) if fact_id in self._sent else None

    def first(
        self,
        instructions: str,
        question: str,
        facts: Iterable[Fact],
        history: Sequence[Said] = (),
        *,
        host: str,
        model: str,
        schemas: str = "",
        brief: bool = False,
    ) -> Payload:
        """The first message; ``schemas`` of tools or of the answer go beside it.

        Raises:
            InputError: If the question has a user id in it.
        """
        earlier = [one for said in history[-REMEMBERED:] if (one := self._recalled(said))]
        payload = build_payload(
            instructions, question, self._kept(facts), self._names(), self.quotes, host=host, model=model,
            user_ids=self._ids, fewest=self._settings.fewest_users, users_of=self.figures.book.users,
            prices=self._settings.prices, extra={"earlier": earlier} if earlier else None,
            schemas=schemas, brief=brief,
        )  # fmt: skip
        self._told.update(self.quotes.texts)
        return payload

    def result(self, facts: Sequence[Fact]) -> str:
        """What a tool found, as JSON text."""
        kept = self._kept(facts)
        data: dict[str, Any] = {"facts": [fact_data(fact, self.quotes) for fact in kept]}
        data["names"] = {name: text for name, text in self.quotes.data().items() if name not in self._told}
        if len(kept) < len(facts):
            data["left_out"] = "figures of too few users"
        self._told.update(self.quotes.texts)
        return json.dumps(data, ensure_ascii=False, allow_nan=False)

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

    def _kept(self, facts: Iterable[Fact]) -> list[Fact]:
        """Facts that may go, each once; from now on they may be cited."""
        unique = {fact.id: fact for fact in facts}
        enough, _ = sendable(unique.values(), self._settings.fewest_users, self.figures.book.users)
        kept = [fact for fact in enough if self._may_go([fact.item, fact.value])]
        self._sent |= {fact.id: self._by_number(fact) for fact in kept}
        return kept

    def _by_number(self, fact: Fact) -> Fact:
        item = self.quotes.id_of("P", fact.item) if fact.item else ""
        value = value_of(fact, self.quotes) if isinstance(fact.value, str) else fact.value
        return replace(fact, item=item, value=value)

    def _names(self) -> dict[str, str]:
        """Names of segments; one with an id in it stays here."""
        context = self.figures.context
        rows = ((key, context.row(key)) for key in context.segment_keys)
        named = {key: context.names.get(int(row[Col.SEGMENT]), "") for key, row in rows if _is_segment(row)}
        return {key: name for key, name in named.items() if name and self._may_go(name)}

    def _recalled(self, said: Said) -> dict[str, object]:
        """An earlier message without any value; nothing if it may not go."""
        if said.role == "user":
            data: dict[str, object] = {"asked": said.text}
        elif said.source == "rules":  # its names and figures may be of few users
            about = [f"{fact.label} of {' and '.join(map(said_key, fact.segments))}" for fact in said.facts]
            data = {"answered_with": ", ".join(dict.fromkeys(about))}
        else:
            data = {"answered": _without_values(said.text, self.figures.context.segment_keys)}
        if not self._may_go([said.text, data]):
            return {}
        return {name: clean(str(text), REMEMBERED_CHARACTERS) for name, text in data.items()}

    def _may_go(self, data: object) -> bool:
        try:
            refuse_ids(data, self._ids)
        except InputError:
            return False
        return True


def _is_segment(row: Mapping[str, Any]) -> bool:
    return bool(row[Col.KIND] == RowKind.SEGMENT)


def _without_values(text: str, segment_keys: Iterable[str]) -> str:
    """An answer with … for each value."""
    text = SLOTS.sub("…", text[: 2 * LONGEST_QUESTION])
    lexicon = Lexicon((), {key: () for key in segment_keys})
    names = [(one.start, one.end) for one in lexicon.mentions(text) if one.kind is Named.SEGMENT]
    for one in reversed(find_numerals(text, names)):
        text = f"{text[: one.start]}…{text[one.end :]}"
    return text
