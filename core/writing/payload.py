"""What may leave the machine: figures of enough users, names by number, and no id of a user.

A request is shown exactly as it would be sent, before it is. Figures give few users away by themselves, or
as a total that is left when its parts are known. Who knows that 387 of 391 bought knows what 4 did; who
knows all users and all segments but one knows that one. So a figure counts the users it holds for and those
it does not, and a total is withheld where the parts that are withheld could be told from it. A row's devices
add up to its users as rows add up to all: where what is withheld along either could be told from the rest,
the next smallest figure is withheld with it. Several outcomes add up to the users with any of them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

import numpy as np
from pydantic import Field

from core.base.errors import InputError
from core.base.safe_text import Quotes, clean, contains_user_id
from core.base.settings import Settings
from core.facts.answer import QUERY, Answer, Fact, Unit
from core.facts.context import ALL, UNSEEN
from core.facts.fact_maker import Figures
from core.facts.items import ItemMetric, item_rows, values
from core.facts.verbs import (
    LIKE,
    LIKE_IN,
    PRECISION,
    RECALL,
    RULE_USERS,
)
from core.llm.chat_types import PRICES, ChatReply, Price, price_of, tokens_of
from core.profiles.profile_columns import Col
from core.profiles.user_items import Family

_MIN_USERS: Final = 20
"""Default of the fewest users that a figure may be of to be sent."""
ANSWER_TOKENS: Final = 400
"""Tokens that an answer is expected to take, for the estimate."""


@dataclass(frozen=True)
class Payload:
    """One request, as it would be sent.

    Args:
        host: Host that it would be sent to.
        model: Name of the model there.
        body: The JSON object that is sent.
        price: Estimate for it and an answer, in the currency of the price table; None if the model is not in
            it.
    """

    host: str
    model: str
    body: Mapping[str, Any]
    price: float | None

    @property
    def sent(self) -> str:
        """The request as JSON text, character for character."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))

    @property
    def text(self) -> str:
        """Text to be shown: the messages, to be read, then all of the request as it is sent."""
        messages = [f"{message['role']}:\n{message['content']}" for message in self.body["messages"]]
        return "\n\n".join([*messages, "All of it, as it is sent:", self.sent])

    @property
    def characters(self) -> int:
        """Number of characters of the request."""
        return len(self.sent)

    @property
    def tokens(self) -> int:
        """Estimated tokens, at 3.5 characters each; the server's own count is shown afterwards."""
        return tokens_of(self.sent)


def payload_of(host: str, model: str, body: Mapping[str, Any], prices: Mapping[str, Price]) -> Payload:
    """A request with its estimated price; ``prices``: model → price."""
    unpriced = Payload(host, model, body, None)
    return Payload(host, model, body, price_of(model, unpriced.tokens, ANSWER_TOKENS, prices))


def refuse_ids(data: object, user_ids: Collection[str]) -> None:
    """Refuse data with a user id in it (:func:`core.base.safe_text.contains_user_id`).

    Args:
        data: Plain data, before any text of it is cut.
        user_ids: All ids of the data set.

    Raises:
        InputError: If there is one.
    """
    if any(contains_user_id(leaf, user_ids) for leaf in _leaves(data)):
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


_CONVERTED: Final = (
    Col.OUTCOME_SESSIONS,
    Col.SESSION_RATE,
    Col.REVENUE,
    Col.NET_REVENUE,
    Col.REVENUE_PER_USER,
)
_ENGAGED: Final = (Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN)
_DOING: Final = {
    Col.OUTCOME_USERS: Col.OUTCOME_USERS, Col.OUTCOME_RATE: Col.OUTCOME_USERS,
    Col.ENGAGEMENT_USERS: Col.ENGAGEMENT_USERS, Col.ENGAGEMENT_NONE_SHARE: Col.ENGAGEMENT_USERS,
}  # fmt: skip
"""Measures that say how many users of a row do something."""
Cell: TypeAlias = tuple[str, str]
"""Row key and value of an attribute (such as the browser), of which each user has one."""
_OF_SOME: Final = (
    PRECISION, RECALL, RULE_USERS, LIKE, "move",
)  # fmt: skip
"""Figures of some users of a row, or of several rows."""
_OF_USERS: Final = (ItemMetric.SHARE, Col.USERS, ItemMetric.LIFT)


@dataclass(frozen=True)
class AffectedUsers:
    """Numbers of users about whom a figure reveals something.

    Args:
        inside: Users for whom it holds, such as those who saw a page.
        outside: Users of the row for whom it does not hold; None where it says nothing of them.
    """

    inside: int
    outside: int | None = None

    def is_few(self, fewest: int) -> bool:
        """Whether either number is below ``fewest``, also where it is 0."""
        return self.inside < fewest or (self.outside is not None and self.outside < fewest)


def gives_away(parts: Sequence[AffectedUsers], fewest: int) -> bool:
    """Whether a total, less its parts that are shown, reveals the parts of few users that are hidden.

    Args:
        parts: All parts of the total; no user is in two.
        fewest: Fewest users that a figure may be of.
    """
    hidden = [part for part in parts if part.is_few(fewest)]
    outsides = [part.outside for part in hidden if part.outside is not None]
    together = AffectedUsers(sum(part.inside for part in hidden), sum(outsides) if outsides else None)
    return bool(hidden) and (len(hidden) == 1 or together.is_few(fewest))


def affected_users(figures: Figures, fact: Fact) -> AffectedUsers:
    """Numbers of users about whom a fact reveals something; 0, so that it is never sent, if not known."""
    if fact.row == UNSEEN or (fact.currency and len(figures.currencies) > 1):
        return AffectedUsers(0)
    row = figures.context.row(fact.row)
    users, kind = int(row[Col.USERS]), fact.measure.partition(":")[0]
    if kind == LIKE_IN:  # parts of a total that may be told
        return AffectedUsers(0)
    if kind == QUERY and fact.unit is Unit.SHARE:
        inside = round(fact.value * fact.n)
        return AffectedUsers(min(inside, fact.users), min(fact.n - inside, fact.users))
    if kind == QUERY:
        return AffectedUsers(fact.users)
    if kind in _OF_SOME:
        return AffectedUsers(fact.users, fact.n - fact.users)
    if fact.item:
        inside = fact.users if fact.value else 0
        return AffectedUsers(inside, users - inside if kind in _OF_USERS else None)
    if kind in _DOING:
        doing = _counted(row, _DOING[kind])
        return AffectedUsers(doing, users - doing)
    if kind in _CONVERTED:
        return AffectedUsers(_counted(row, Col.OUTCOME_USERS))
    return AffectedUsers(_counted(row, Col.ENGAGEMENT_USERS) if kind in _ENGAGED else fact.users)


def _counted(row: Mapping[str, Any], column: str) -> int:
    """Number of users in a column; 0 where the data do not say."""
    return 0 if math.isnan(row[column]) else int(row[column])


def is_few(figures: Figures, fact: Fact, fewest: int) -> bool:
    """Whether a fact is of fewer than ``fewest`` users, or of all of its row but fewer."""
    return affected_users(figures, fact).is_few(fewest)


def is_total(figures: Figures, fact: Fact, fewest: int) -> bool:
    """Whether a fact is a total, or reveals one, from which a withheld part can be computed.

    A segment's share of all users gives all users; a lift and a share give what the others do.
    """
    if fact.measure == RULE_USERS:  # of one condition, what the segments' figures of its item add up to
        return True
    if fact.measure.startswith(f"{QUERY}:"):  # what could be told by several together is not followed here
        return True
    name, chosen = fact.measure.partition(":")[2], figures.context.tables.profiles.chosen
    if name in (*figures.context.tables.basis.data.attributes, Family.HOUR, Family.WEEKDAY):  # one each
        listed = values(figures.context, name)
        return _is_closed(figures, fact, fewest, listed, Col.USERS)
    if name == Family.OUTCOME and len(chosen) > 1:  # those with any are known, and each outcome is a part
        return _is_closed(figures, fact, fewest, chosen, Col.OUTCOME_USERS)
    everyone, lift = fact.row == ALL, fact.measure.startswith(f"{ItemMetric.LIFT}:")
    if not (everyone or lift or fact.measure in (Col.SHARE, Col.SHARE_CLUSTERED)):
        return False
    context = figures.context
    parts = {
        key: affected_users(figures, part)
        for key in context.keys if key != ALL and (part := figures.same(fact, key))
    }  # fmt: skip
    segments = [ends for key, ends in parts.items() if key in context.segment_keys]
    unknown = everyone and not parts
    return unknown or gives_away([*parts.values()], fewest) or (not everyone and gives_away(segments, fewest))


def _is_closed(figures: Figures, fact: Fact, fewest: int, listed: Sequence[str], whole: str) -> bool:
    """Whether an item is withheld among those listed, which add up to the column ``whole`` of each row."""
    context, (kind, _, name) = figures.context, fact.measure.partition(":")
    if fact.item not in listed:  # one of the rare values that are a rest together
        return True
    users = {
        (key, value): int(row[Col.USERS])
        for value in listed
        for key, row in item_rows(context, name, value).items()
    }
    cells = withheld_cells(users, {key: int(context.row(key)[whole]) for key in context.keys}, fewest)
    return any(
        (row, fact.item) in cells for row in (context.keys if kind == ItemMetric.LIFT else (fact.row,))
    )


def withheld_cells(users: Mapping[Cell, int], wholes: Mapping[str, int], fewest: int) -> set[Cell]:
    """Cells to withhold: those of few users, or of all but few, and those that would give them away.

    A stranger knows every other cell, the users of each row, and that all is the sum of the other rows. Users
    of a row that are in no cell of it are one without a value, which is never told.

    Args:
        users: (row key, value) → users of the row with the value, the row ``all`` included.
        wholes: Row key → users. Where a user can have several values (any outcomes count), their sum is
            more than that, which counts as few.
        fewest: Fewest users that a cell may be of.
    """
    rest = {(row, ""): n - sum(users[at] for at in users if at[0] == row) for row, n in wholes.items()}
    inside = {**users, **{cell: n for cell, n in rest.items() if n}}
    outside = {cell: wholes[cell[0]] - n for cell, n in inside.items()}
    few = {cell for cell, n in inside.items() if AffectedUsers(n, outside[cell]).is_few(fewest)}
    lines = [{cell for cell in inside if cell[at] == one} for at in (0, 1) for one in {c[at] for c in inside}]

    def is_told(hidden: set[Cell]) -> bool:
        rows = {row for row, _ in hidden}
        ends = (sum(side[cell] for cell in hidden) for side in (inside, outside))
        together = math.inf if ALL in rows and len(rows) > 1 else min(ends)
        return len(hidden) == 1 or (bool(hidden) and together < fewest)

    hidden, before = set(few), -1
    while before < (before := len(hidden)):
        for line in lines:
            shown = sorted(line - hidden, key=lambda cell: (cell[0] != ALL, inside[cell], cell))
            while shown and is_told(line & hidden):
                hidden.add(shown.pop(0))
    return set(inside) if few and few & _found_out(hidden) else hidden


def _found_out(hidden: Collection[Cell]) -> set[Cell]:
    """Cells that follow from the sums of all rows and values together, though from none alone."""
    cells = sorted(hidden)
    rows, columns = {row for row, _ in cells}, {value for _, value in cells}
    of_row = [[row == one for row, _ in cells] for one in rows]
    of_value = [[(value == one) * (-1 if row == ALL else 1) for row, value in cells] for one in columns]
    sums = np.array([*of_row, *of_value], dtype=float)
    free = np.linalg.svd(sums)[2][np.linalg.matrix_rank(sums) :]
    return {cell for cell, ways in zip(cells, free.T, strict=True) if np.allclose(ways, 0)}


_MAX_CALLS: Final = 6


class AssistantSettings(Settings):
    """Limits of what may be sent, and of what may be spent on one question."""

    fewest_users: Annotated[int, Field(ge=1, le=10_000)] = _MIN_USERS
    """A figure of fewer users, or of all of a row but fewer, is never sent."""
    send_values: bool = False
    """Whether values go as well; without them a model chooses figures that it does not see."""
    max_tool_calls: Annotated[int, Field(ge=0, le=_MAX_CALLS)] = _MAX_CALLS
    wall_s: Annotated[float, Field(ge=5, le=300)] = 60.0
    """Seconds for everything together, retries included; then the answer is given without the model."""
    max_tokens: Annotated[int, Field(ge=1_000, le=1_000_000)] = 60_000
    """Sent and received for one question; each call of a tool sends all that was said before once more."""
    prices: dict[str, Price] = Field(default_factory=lambda: dict(PRICES))
    """Model → price; a model that is not in it has no price."""


@dataclass(frozen=True)
class EarlierQuestion:
    """A question that was asked before.

    Args:
        question: In the analyst's words.
        answer: What was shown for it, if anything; only the addresses of its facts are ever sent.
    """

    question: str
    answer: Answer | None = None


@dataclass(frozen=True)
class Description:
    """Name and summary of a segment.

    Args:
        name: At most five words, unlike that of any other segment.
        summary: What was chosen to be said of it, comments and an idea included; its ``reason`` says why the
            model was not used, its ``source`` who chose.
    """

    name: str
    summary: Answer


MAX_OFFERED: Final = 150
"""Most addresses of facts for one question; servers refuse schemas with many."""
_MAX_QUESTION_LENGTH: Final = 1_000
_REMEMBERED: Final = 3
"""Number of earlier questions that are sent again."""
_REMEMBERED_CHARACTERS: Final = 400
_REMEMBERED_FACTS: Final = 8
_KEY: Final = re.compile(r"\bsegment:(\d+)")
_SAID: Final = re.compile(r"(?:S|segment |cluster )?(\d{1,4})", re.IGNORECASE)


def message_key(key: str) -> str:
    """Name of a row in a message: ``segment:1`` → ``S2``, counted from 1; other keys stay as they are."""
    kind, _, number = key.partition(":")
    return f"S{int(number) + 1}" if kind == "segment" else key


def key_of_message(row: str) -> str:
    """Key of a row by its name in a message: ``S2`` → ``segment:1``; other names stay as they are."""
    match = _SAID.fullmatch(row.strip())
    return f"segment:{int(match[1]) - 1}" if match else row


class OfferedFacts:
    """Collects the facts that a model may choose from: ``offered``, address → fact, grows with each message.

    Args:
        figures: Where facts come from.
        user_ids: All ids of the data set; none is ever sent.
        settings: Fewest users; whether values go.
        most: Most addresses that are offered.
    """

    def __init__(
        self,
        figures: Figures,
        user_ids: Collection[str],
        settings: AssistantSettings,
        most: int = MAX_OFFERED,
    ) -> None:
        self.figures, self.quotes, self._most = figures, Quotes(), most
        self.offered: dict[str, Fact] = {}
        self._ids, self._settings = user_ids, settings
        self._used, self._told = set[str](), set[str]()
        for key, name in self._names().items():
            self.quotes.set(message_key(key), name)

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of all rows in messages, such as ``S1`` and ``all``."""
        return tuple(map(message_key, self.figures.context.keys))

    @property
    def measures(self) -> dict[str, str]:
        """Measure as addresses spell it → its label, of all facts offered so far.

        A query is told by its measure alone: its words hold names, which strangers wrote.
        """
        return {_measure(fact): _label(fact) for fact in self.offered.values()}

    def question(self, text: str, facts: Iterable[Fact], history: Sequence[EarlierQuestion] = ()) -> str:
        """The first message, as JSON text: the question, earlier ones, and those facts that may be offered.

        Raises:
            InputError: If the question has a user id in it.
        """
        refuse_ids(text, self._ids)
        earlier = [recalled for question in history[-_REMEMBERED:] if (recalled := self._recalled(question))]
        data = {"question": clean(text, _MAX_QUESTION_LENGTH), **({"earlier": earlier} if earlier else {})}
        return json.dumps({**data, **self._offer(facts)}, ensure_ascii=False)

    def result(self, facts: Iterable[Fact]) -> str:
        """Result of a tool call as JSON text; those of its facts that may be are offered from now on."""
        return json.dumps(self._offer(facts), ensure_ascii=False)

    def problem(self, error: Exception) -> str:
        """Error of a tool call as JSON text, ``S1``, ``P1``, … in place of names.

        Only "not possible" where the message may hold a user id.
        """
        message = str(error)
        for number, text in self.quotes.texts.items():
            message = message.replace(repr(text), number)
        for key in self.figures.context.keys:
            message = message.replace(self.figures.context.title(key), message_key(key))
        message = _KEY.sub(lambda match: message_key(match[0]), message)
        shown = clean(message, _REMEMBERED_CHARACTERS) if self._may_go(message) else "not possible"
        return json.dumps({"error": shown}, ensure_ascii=False)

    def check(self, reply: ChatReply) -> None:
        """Refuse a model's reply with a user id, since later messages repeat it.

        Raises:
            InputError: If there is a user id in it.
        """
        refuse_ids([reply.text, *(f"{call.name} {call.arguments}" for call in reply.calls)], self._ids)

    def own_terms(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of a tool call with ``S2`` → ``segment:1``, ``P3`` → ``/cart``; without those of None."""
        of_segments = values.get("dimension") == "segment"
        return {
            name: self._own(value, is_row=name == "segments" or (of_segments and name == "any_of"))
            for name, value in values.items() if value is not None
        }  # fmt: skip

    def _own(self, value: object, *, is_row: bool) -> object:
        if isinstance(value, list | tuple):
            return [self._own(item, is_row=is_row) for item in value]
        if isinstance(value, Mapping):
            return self.own_terms(value)
        if not isinstance(value, str):
            return value
        return key_of_message(value) if is_row else self.quotes.texts.get(value, value)

    def _offer(self, facts: Iterable[Fact]) -> dict[str, Any]:
        """Addresses that may be used from now on, with their measures in words and names."""
        before, distinct, old = set(self.measures), list(dict.fromkeys(facts)), set(self.offered.values())
        allowed = [fact for fact in distinct if self._may_be_offered(fact)]
        new = [fact for fact in allowed if fact not in old][: self._most - len(old)]
        fresh = self._addressed([*old.intersection(allowed), *new])
        self.offered |= fresh
        data: dict[str, Any] = {"facts": self._shown(fresh)}
        data["measures"] = {name: label for name, label in self.measures.items() if name not in before}
        untold = self._used - self._told
        data["names"] = {name: text for name, text in self.quotes.data().items() if name in untold}
        if len(fresh) < sum(not fact.is_relation for fact in distinct):
            data["left_out"] = "figures of too few users, or too many at once"
        self._told |= self._used
        return data

    def _addressed(self, facts: Iterable[Fact], most: int = MAX_OFFERED) -> dict[str, Fact]:
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
        item = (
            self.quotes.id_of("P", fact.item) if fact.item else "".join(map(message_key, fact.segments[1:]))
        )
        self._used |= {message_key(fact.row), item}
        return ".".join(part for part in (message_key(fact.row), _measure(fact), item) if part)

    def _may_be_offered(self, fact: Fact) -> bool:
        """Whether a fact is of a named row, not of few users, no verdict, and without a user id."""
        if fact.row not in self.figures.context.keys:
            return False
        few = is_few(self.figures, fact, self._settings.fewest_users)
        return not few and not fact.is_relation and self._may_go(fact.item)

    def _names(self) -> dict[str, str]:
        """Names of segments, but for those with a user id in them."""
        context = self.figures.context
        named = {
            key: context.names.get(int(context.row(key)[Col.SEGMENT]), "") for key in context.segment_keys
        }
        return {key: name for key, name in named.items() if name and self._may_go(name)}

    def _recalled(self, earlier: EarlierQuestion) -> dict[str, Any]:
        """An earlier question, and the addresses of what was shown for it; nothing if it may not go."""
        if not self._may_go(earlier.question):
            return {}
        message = {"asked": clean(earlier.question, _REMEMBERED_CHARACTERS)}
        shown = earlier.answer.facts if earlier.answer else ()
        allowed = [fact for fact in shown if self._may_be_offered(fact)]
        answered = list(self._addressed(allowed, _REMEMBERED_FACTS))
        return {**message, "shown": answered} if answered else message

    def _may_go(self, data: object) -> bool:
        try:
            refuse_ids(data, self._ids)
        except InputError:
            return False
        return True


def _measure(fact: Fact) -> str:
    return fact.measure.replace(":", "_")


def _label(fact: Fact) -> str:
    kind, _, rest = fact.measure.partition(":")
    return f"{rest.partition(':')[0]}, as asked by query" if kind == QUERY else fact.label
