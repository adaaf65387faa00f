"""Read a question as a query: every word that says something must land in it, or it is not read.

The terms of a question are taken from left to right. What stands before the main verb says whom it is about
(``where``); of a share, what the main verb says is whom it holds for (``of``). A denial belongs to the
condition that follows it, a limit or a duration to the one before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, Literal

from pydantic import BaseModel

from core.base.errors import Beha2VecError, InputError
from core.base.safe_text import clean
from core.base.schema import CHANNEL, PAGE_OUTCOME, TEMPLATE_OUTCOME
from core.facts.context import Context
from core.journeys.funnel import SESSION, USER, FunnelStep, StepKind
from core.profiles.outcomes import PURCHASE, path_of
from core.query.execute import execute
from core.query.in_words import by_words
from core.query.layout import layout_of
from core.query.query import (
    IN_SESSIONS,
    OF_ITEMS,
    OF_MOMENTS,
    OF_PAGES,
    OF_TIME,
    SESSION_MEANS,
    TOTALS,
    All,
    Any,
    By,
    Came,
    Condition,
    Did,
    Dimension,
    Has,
    Is,
    Not,
    Period,
    Quantity,
    Query,
    Range,
    denied,
    is_attribute,
    is_of_users,
    parts_of,
)
from core.questions.languages import in_english
from core.questions.lexicon import NUMBERS
from core.questions.names import MAIN_CHANNEL
from core.questions.terms import terms_of
from core.questions.words import Kind, QuestionTerm, expand_chat_spelling

SHOWN: Final = 5
MOST_READINGS: Final = 3
NOT_UNDERSTOOD: Final = "I do not understand"
_PRONOUN: Final = re.compile(r"\b(?:they|them|their|these|its)\b", re.IGNORECASE)
_IT: Final = re.compile(r"\b(?:does|is|did|has) it\b(?!\s+takes?)", re.IGNORECASE)
_WHOLE: Final = re.compile(r"\s*(?:what|which|how|who|when|total)\b(?! about)", re.IGNORECASE)
"""How a question begins that goes on with none."""
_MAKE: Final = re.compile(rf"^\s*make (?:it|that|them) (?=(?:\d+|{'|'.join(NUMBERS)})\W*$)", re.IGNORECASE)
_THERE: Final = re.compile(
    r"\b(?:came|come|comes|coming|return(?:s|ed|ing)?)(?: back)? there\b", re.IGNORECASE
)
_NEVER: Final = re.compile(
    r"\s*which (?P<rows>\w+) (?:never|do not|don['’]t|did not|didn['’]t) (?P<did>[^,]+?)\W*", re.IGNORECASE
)
_OR: Final = re.compile(r"\bor\b", re.IGNORECASE)
_YES_OR_NO: Final = re.compile(r"\s*(?:is|are|was|were|did|do|does|has|have)\b", re.IGNORECASE)
_SENTENCE: Final = re.compile(
    r"(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)(?<!\bapprox)(?<!\bnr)(?<!\bno)(?<!\d)[.!]\s+(?=[A-Z])"
)
_OF_OWNER: Final = re.compile(r"['’]s?\s+share\b")
_SKIPPED: Final = (Kind.FILLER, Kind.TOTAL)
_OF_MEAN: Final = {
    Quantity.NET_REVENUE: Quantity.NET_REVENUE_PER_USER,
    Quantity.SESSIONS: Quantity.SESSIONS_PER_USER, Quantity.VIEWS: Quantity.VIEWS_PER_USER,
    Quantity.REVENUE: Quantity.REVENUE_PER_USER, Quantity.EVENTS: Quantity.EVENTS_PER_USER,
}  # fmt: skip
_OF_SESSION: Final = {
    Quantity.VIEWS_PER_USER: Quantity.VIEWS_PER_SESSION,
    Quantity.VIEWS: Quantity.VIEWS_PER_SESSION,
    Quantity.EVENTS: Quantity.SESSION_RATE,
}
_OF_UNIT: Final = {
    "sessions": Quantity.SESSIONS, "views": Quantity.VIEWS, "pages": Quantity.VIEWS,
    "engagement": Quantity.ENGAGEMENT,
}  # fmt: skip
_VERBS: Final = (
    Kind.SAW, Kind.DID, Kind.CAME, Kind.ARE, Kind.ENTERED, Kind.LEFT, Kind.RETURN,
)  # fmt: skip
_BEFORE_STEP: Final = (
    Kind.STEP, Kind.SAW, Kind.DID, Kind.ENTERED, Kind.LEFT, Kind.DENIAL, Kind.CAME, Kind.STEP_BY_STEP,
)  # fmt: skip
_BEFORE_DIMENSION: Final = (Kind.BY, Kind.WHICH, Kind.TOP, Kind.LIST, Kind.NUMBER)
_BEFORE_COUNT: Final = (
    Kind.MANY, Kind.MOST, Kind.LEAST, Kind.AVERAGE, Kind.TOP, Kind.SHARE, Kind.RANGE, Kind.NUMBER,
    Kind.ATTRIBUTE,
)  # fmt: skip
_OF_PEOPLE: Final = (Quantity.USERS, Quantity.SHARE, Quantity.LIFT, Quantity.FUNNEL, Quantity.RETENTION)
_RANKS: Final = ("rank", "sort", "sort by", "order segments by", "order clusters by", "compare by")
_SIZES: Final = ("biggest", "largest", "smallest", "bigger", "larger", "smaller")
_HELD: Final = (
    Kind.NUMBER, Kind.RANGE, Kind.DURATION, Kind.PERIOD, Kind.STEP, Kind.SEGMENT, Kind.ATTRIBUTE,
)  # fmt: skip
"""Kinds of terms whose numbers and names a query must hold."""
_BARE: Final = (Kind.AND, Kind.PREPOSITION, Kind.STEP, Kind.ATTRIBUTE)
"""Kinds of terms of a question that puts one thing in the place of another."""
_BEFORE_NOUN: Final = (Kind.SAW, Kind.PREPOSITION, Kind.DENIAL, Kind.SHARE, Kind.MANY)
_DENIES_NOUN: Final = ("not", "no", "without", "non", "except", "excluding", "other than", "but not", "none")
"""Denials that can belong to a noun, ``users not on mobile``, and begin no predicate."""
_COMPARES: Final = (Kind.MOST, Kind.LEAST, Kind.THAN)
_PAST: Final = re.compile(r"\w+ed\b|bought|began|sent|put|took|made|found|got|left")
"""A verb that says what users did: “how many watched”."""
_GOES: Final = re.compile(r"(?:and )?(?:went|go|goes|going) on\b")
_BRINGS: Final = ("bring in", "brings in", "brought in", "generate", "generates", "generated")
_BROUGHT: Final = (Kind.STEP, Kind.NOUN, Kind.UNIT, Kind.MEASURE, Kind.OUTCOME)
_NO_ITEMS: Final = "What was bought, or added, is not counted; who did so, and how often, is."
_EARLIER: Final = ("before", "beforehand", "earlier", "previously")
_ROWS_OF_ENDS: Final = {Kind.ENTERED: By.ENTRY, Kind.LEFT: By.EXIT}
_ENDS: Final[dict[Kind, Literal["any", "entry", "exit"]]] = {Kind.ENTERED: "entry", Kind.LEFT: "exit"}
GOES_ON: Final = (
    "and", "what about", "how about", "only", "just", "for", "by", "per", "on", "in", "without", "now",
    "instead", "same", "but", "not", "from", "with",
)  # fmt: skip


class NotRead(InputError):
    """A question that is no query, with the reason."""


@dataclass
class _Draft:
    """What has been read so far.

    Args:
        asked: The kind of question: many, share, …; None before one is said.
        measure: The measure, where it is said.
        step: Page or event that the measure is about.
        at: Where in a session that page must be.
        where: Conditions of the users asked about.
        of: Conditions that a share is of.
        funnel: Steps of a funnel.
        by: The dimension.
        wants_mean: Whether a mean a user is asked for.
        sides: Whether two kinds of users are compared.
    """

    asked: Kind | None = None
    measure: Quantity | None = None
    step: FunnelStep | None = None
    at: Literal["any", "entry", "exit"] = "any"
    where: list[Condition] = field(default_factory=list)
    of: list[Condition] = field(default_factory=list)
    funnel: list[FunnelStep] = field(default_factory=list)
    by: Dimension | None = None
    period: Period | None = None
    other_period: Period | None = None
    keep: Range | None = None
    order: str | None = None
    limit: int | None = None
    wants_mean: bool = False
    by_session: bool = False
    rate: bool = False
    sides: bool = False
    others: bool = False
    over_time: bool = False
    users: bool = False
    beyond: str = ""


@dataclass(frozen=True)
class PossibleQueries:
    """What a question can mean.

    Args:
        queries: The likeliest first, :data:`MOST_READINGS` at most.
        open_word: The word of which no rule says what it likeliest names; empty for none.
    """

    queries: tuple[Query, ...]
    open_word: str = ""


def read(question: str, context: Context, last: Query | None = None) -> PossibleQueries:
    """Read a question as a query, or as several where its words name several things.

    Args:
        question: In the analyst's words.
        context: The segments that it is about.
        last: The query before, for a question that goes on with it.

    Raises:
        NotRead: If it is none; the message says which words are not understood, or what does not fit.
        SettingsError: If the parts do not fit together.
        InputError: If it names a segment that does not exist.
    """
    question = expand_chat_spelling(in_english(question))
    if last is not None:
        if last.limit:
            question = _MAKE.sub("the top ", question)
        question = re.sub(r"^\s*(?:only|just)\b", "", question, flags=re.IGNORECASE)
        question = re.sub(r"^\s*(?:what|how) about\b", "and", question, flags=re.IGNORECASE)
    never = _NEVER.fullmatch(question)
    if never:
        question = f"share of users who {never['did']} by {never['rows']}"
    if _OF_OWNER.search(question):
        raise NotRead(
            "Say whose share of whom: “share of buyers in segment 1” or “of buyers, what share is …”."
        )
    if _THERE.search(question):
        raise NotRead(
            "Who came back to a page is not counted; how often it was seen is: “saw /cart at least twice”."
        )
    if len([part for part in _SENTENCE.split(question) if part.strip(" .!?")]) > 1:
        raise NotRead("These are several sentences: ask in a single one.")
    terms = terms_of(question, context)
    queries, open_word = [_read(question, terms, context, last)], ""
    for place, term in enumerate(terms):
        for other in term.instead:
            with suppress(Beha2VecError):
                queries.append(_read(question, [*terms[:place], other, *terms[place + 1 :]], context, last))
                open_word = term.text if term.is_open else open_word
    if never:
        queries = [_of_nobody(query) for query in queries]
    return PossibleQueries(tuple(dict.fromkeys(queries))[:MOST_READINGS], open_word)


def _of_nobody(query: Query) -> Query:
    """The rows of a share in which nobody did it."""
    is_plain = isinstance(query.of, Did) and not (query.order or query.compare)
    if query.measure is not Quantity.SHARE or query.by is None or not is_plain:
        raise NotRead("Ask how many there are of each instead.")
    return Query.checked(**{**dict(query), "keep": Range(at_most=0)})


def _read(question: str, terms: Sequence[QuestionTerm], context: Context, last: Query | None) -> Query:
    unknown = [term.text for term in terms if term.kind is Kind.UNKNOWN]
    if unknown:
        listed = ", ".join(f"“{clean(word)}”" for word in dict.fromkeys(unknown[:SHOWN]))
        raise NotRead(f"{NOT_UNDERSTOOD} {listed}, so I do not answer.")
    reader = _Reader([term for term in terms if term.kind not in _SKIPPED], context)
    if any(term.kind is Kind.TOTAL for term in terms):
        reader.draft.users = True
    reader.read()
    draft = reader.draft
    if _says_first(terms) and draft.asked is not Kind.LONG and draft.measure is not Quantity.TIME_TO:
        raise NotRead("Who did something first is not counted; which page a session begins with is.")
    refers = bool(_PRONOUN.search(question)) and not (draft.where or draft.of or draft.step)
    refers |= last is not None and _IT.search(question) is not None
    if refers and last is None and not draft.users:
        raise NotRead("Which users do you mean?")
    counted = (Kind.MANY, Kind.SHARE)
    whether = bool(_YES_OR_NO.match(question))
    either = draft.asked is None and draft.measure is None and (whether or _OR.search(question))
    either = bool(either) and reader.either(whether=whether)
    if draft.asked not in counted and not draft.sides and whether and not either:
        raise NotRead("Ask how many, or what share, instead of whether.")
    starts = question.casefold().strip().startswith(GOES_ON)
    says_all = draft.by is not None or draft.users or draft.where or draft.of or draft.step
    whole = (draft.measure is not None or draft.rate) and says_all  # “bounce rate by device”
    part = draft.asked is None and len(reader.terms) <= SHOWN and not (whole or _WHOLE.match(question))
    nobody = draft.asked is Kind.SHARE and not (draft.users or draft.where or draft.by or draft.measure)
    shorter = draft.asked is Kind.TOP and draft.limit and len(reader.terms) == 2  # “the top 10”
    follows = starts or refers or part or nobody or shorter  # “what share is on mobile”
    query = reader.edited(last) if follows and last else reader.query()
    _refuse_losses(terms, query)
    return query


def _refuse_losses(terms: Sequence[QuestionTerm], query: Query) -> None:
    """Refuse a query that lacks a number, a day or a name that was said; each number counts once."""
    held = Counter(_leaves(query))
    for term in terms:
        is_said = term.kind in _HELD and term.value != Range(at_least=1)  # “at least once”
        is_row = term.kind is Kind.ATTRIBUTE and query.by == term.value[0]  # “mobile or desktop?”
        for leaf in _leaves(term.value) if is_said and not is_row else ():
            if isinstance(leaf, int | float) and not held[leaf]:
                leaf *= 60  # minutes are held in seconds
            if not held[leaf]:
                raise NotRead(f"“{clean(term.text)}” has no place in what I read, so I do not answer.")
            held[leaf] -= isinstance(leaf, int | float)


def _leaves(value: object) -> Iterator[object]:
    """The numbers, days and names in a part of a query, both limits of a range once where they are one."""
    if isinstance(value, Range):
        yield from {*value.model_dump(exclude_none=True).values()}
    elif isinstance(value, BaseModel | list | tuple):
        for part in (inner for _, inner in value) if isinstance(value, BaseModel) else value:
            yield from _leaves(part)
    else:
        yield value


def _says_first(terms: Sequence[QuestionTerm]) -> bool:
    """Whether “first” says something: not in “highest first”, nor in “first … then”."""
    places = [at for at, term in enumerate(terms) if term.kind is Kind.FILLER and term.text == "first"]
    orders = (Kind.MOST, Kind.LEAST)
    in_turn = any(term.kind is Kind.THEN for term in terms)
    return any(not in_turn and (not at or terms[at - 1].kind not in orders) for at in places)


@dataclass
class _Reader:
    terms: Sequence[QuestionTerm]
    context: Context
    draft: _Draft = field(default_factory=_Draft)
    at: int = 0
    verb: Kind | None = None
    is_denied: bool = False
    joined: Kind | None = None
    in_clause: bool = False
    """Whether conditions belong to a clause that begins with who or that."""
    clause_has_condition: bool = False
    """Whether that clause has said something already."""
    before_clause: int = 0
    """Conditions before that clause."""
    is_predicate: bool = False
    """Whether conditions say what a share is of."""
    preposition: str = ""
    limits: QuestionTerm | None = None
    number: int | None = None
    of_time: bool = False
    """Whether the order is one of times, as of “longest”."""
    biggest: bool = False
    """Whether segments are chosen by their size."""
    of_size: bool = False
    """Whether the order is one of sizes, as of “largest”."""
    limit: str = ""
    """Time within which the step that follows must come."""
    funnel_within: str = ""
    """Limit of a funnel; empty for none."""
    main_channel: bool = False
    """Whether the channel of users was asked for by name, whatever is counted."""
    sequence: str = ""
    """``then`` or ``after`` before the step that follows."""

    def either(self, *, whether: bool) -> bool:
        """Read “mobile or desktop in segment 2?” as the split by device, “mostly on mobile?” as a share."""
        draft = self.draft
        own = [one for one in draft.where if isinstance(one, Is) and is_attribute(one.dimension)]
        others = [one for one in draft.where if one not in own]
        if draft.by is not None or draft.of or len(own) != 1 or not all(map(_is_segment, others)):
            return False
        nouns = [term.text for term in self.terms if term.kind is Kind.NOUN]
        named = draft.users and not any(map(_PRONOUN.fullmatch, nouns))
        if (len(own[0].any_of) == 1 and not (whether and others)) or not (others or named):
            return False
        draft.where.remove(own[0])
        draft.asked = Kind.SHARE
        if len(own[0].any_of) > 1:
            draft.by, draft.measure = own[0].dimension, Quantity.SHARE
        else:
            draft.of = [own[0]]
        return True

    # the terms, one by one

    def read(self) -> None:
        """Take all terms.

        Raises:
            NotRead: If one is left over.
        """
        while self.at < len(self.terms):
            term = self.terms[self.at]
            self.at += 1
            handler = _HANDLERS.get(term.kind)
            if handler is None:
                raise NotRead(f"“{clean(term.text)}” does not fit here.")
            handler(self, term)
        where = any(term.text == "where" for term in self.terms)
        if where and self.draft.by is None and self.draft.step is None and self.verb in _ROWS_OF_ENDS:
            self.draft.by = _ROWS_OF_ENDS[self.verb]  # “where do they leave”
        if self.is_denied and self.draft.sides and self.draft.where:  # “… against those who did not”
            self.draft.others, self.is_denied = True, False
        if self.is_denied:
            raise NotRead("It is not clear what “not” belongs to.")
        if self.number is not None and self.draft.asked is Kind.TOP and self.draft.limit is None:
            self.draft.limit, self.number = self.number, None  # “the top 10”
        if self.limits is not None or self.number is not None:
            left = self.limits.text if self.limits else str(self.number)
            raise NotRead(f"It is not clear what “{clean(left)}” counts.")
        if self.sequence:
            raise NotRead("It is not clear what comes before and what after.")

    def _next(self, skip: tuple[Kind, ...] = (Kind.PREPOSITION,)) -> QuestionTerm | None:
        following = (term for term in self.terms[self.at :] if term.kind not in skip)
        return next(following, None)

    def _previous(self) -> QuestionTerm | None:
        return self.terms[self.at - 2] if self.at > 1 else None

    def ask(self, term: QuestionTerm) -> None:
        if self._goes_on_with(term):
            return
        draft = self.draft
        if term.kind in (Kind.TOP, Kind.LIST) and self.number is not None and draft.by is not None:
            draft.limit, self.number = self.number, None  # “by country, the five biggest”
        other = term.kind in (Kind.TOP, Kind.WHICH, Kind.MANY, Kind.SHARE)
        if (
            self.joined is Kind.AND
            and other
            and (draft.measure or draft.by or draft.order)
            and term.text != "who"
        ):
            raise NotRead("These are several questions: ask them one by one.")
        again = term.kind is draft.asked and term.kind in (Kind.MANY, Kind.SHARE)
        if again and (draft.where or draft.of):
            raise NotRead("These are several questions: ask them one by one.")
        self._size(term)
        if draft.asked in (None, Kind.WHICH, Kind.LIST) or term.kind is Kind.STEP_BY_STEP:
            draft.asked = term.kind
        elif term.kind is Kind.SHARE and draft.asked in (Kind.MANY, Kind.COMPARE):
            draft.asked = Kind.SHARE
        if term.kind is Kind.SHARE:
            self._ask_share(term)
        draft.over_time |= term.kind is Kind.OVER_TIME
        draft.sides |= term.kind is Kind.COMPARE

    def _ask_share(self, term: QuestionTerm) -> None:
        if self.draft.where or self.draft.users:
            self.is_predicate = True  # “of users who …, what share …”
            self.in_clause = False
        if self.at == len(self.terms) > 1 and not term.text.endswith("of"):
            raise NotRead("The share of what?")  # “which pages do they share”

    def _goes_on_with(self, term: QuestionTerm) -> bool:
        """Whether a word that can ask goes on with what was said before; takes it if so."""
        draft = self.draft
        if term.text in ("find", "list") and draft.where:
            raise NotRead(f"“{clean(term.text)}” does not fit here.")
        if term.text == "who" and self.at > 1:
            self.relative(term)
            return True
        if term.kind is Kind.STEP_BY_STEP and draft.asked is Kind.SHARE and draft.where:
            self._main_verb()
            self.sequence = "then"  # “of those who …, what share made it to …”
            return True
        # “where do people go after …”
        return term.kind is Kind.STEP_BY_STEP and term.text in ("go", "goes") and draft.asked is Kind.WHICH

    def order(self, term: QuestionTerm) -> None:
        self.of_time = term.text in ("longest", "shortest", "slowest")
        self._size(term)
        if self.draft.order not in (None, term.kind.value):
            raise NotRead("Do you mean the most or the least?")
        self.draft.order = term.kind.value
        if self.number is not None:
            self.draft.limit, self.number = self.number, None

    def _size(self, term: QuestionTerm) -> None:
        """Note whether a word orders by size, and whether it orders the segments that are asked about."""
        following = self._next(())
        self.of_size |= term.text in _SIZES
        segments = (
            following is not None and following.kind is Kind.DIMENSION and following.value is By.SEGMENT
        )
        self.biggest |= term.text in _SIZES and segments

    def verbs(self, term: QuestionTerm) -> None:
        before = self._previous()
        counted = next((value for kind, value in term.others if kind is Kind.UNIT), None)
        of_share = before is not None and before.text == "of" and self.terms[self.at - 3].kind is Kind.SHARE
        if counted and (before is None or of_share or before.kind in _BEFORE_COUNT):
            self.unit(QuestionTerm(Kind.UNIT, term.text, counted, term.others))  # “most visits”
            return
        if term.kind is Kind.RETURN and self.draft.asked is Kind.OFTEN:
            return  # “how often do they come back”
        if term.kind is Kind.RETURN:
            self._main_verb()
            self._add(Is(dimension=By.VISITOR, any_of=("came again",)))
            return
        later = any(one.kind in (*_VERBS, Kind.STEP) for one in self.terms[self.at :])
        is_participle = term.kind is Kind.CAME and later and before and before.kind is Kind.NOUN
        if self._next() is not None and not is_participle:
            self._main_verb()
        self.verb, self.preposition = term.kind, ""

    def _main_verb(self) -> None:
        """Begin the predicate of a share, unless the verb belongs to a clause about the users."""
        goes_on = self.in_clause and (self.joined is not None or not self.clause_has_condition)
        if self.draft.asked is Kind.SHARE and not goes_on:
            self.is_predicate, self.in_clause = True, False

    def relative(self, term: QuestionTerm) -> None:
        self.in_clause, self.clause_has_condition = True, False
        self.before_clause = len(self.draft.where)

    def deny(self, term: QuestionTerm) -> None:
        if term.text not in _DENIES_NOUN:
            self._main_verb()
        if self.draft.asked is Kind.WHICH and self.draft.by is not None and not self.draft.users:
            raise NotRead("Ask how many there are of each instead.")
        self.is_denied = not self.is_denied

    def join(self, term: QuestionTerm) -> None:
        self.joined = term.kind

    def then(self, term: QuestionTerm) -> None:
        following = self._next()
        last = self._target[-1] if self._target else None
        if isinstance(last, Did) and len(last.steps) > 1 and following is None:
            return  # “… went on to buy later”
        if isinstance(last, Did) and (following is None or following.kind not in _BEFORE_STEP):
            self._one_after_the_other(is_earlier=term.text in _EARLIER)  # “… and opened /orders later”
            return
        if _GOES.match(term.text):
            self._main_verb()
        self.sequence = "after" if term.text in _EARLIER[1:] else "then"

    def _last_step(self) -> tuple[Did | None, bool]:
        """The last condition if it is a step, and whether it is denied."""
        last = self._target[-1] if self._target else None
        inner = last.of if isinstance(last, Not) else last
        return (inner if isinstance(inner, Did) else None), isinstance(last, Not)

    def _put_last(self, condition: Condition, *, denied: bool) -> None:
        """Put a condition in the place of the last."""
        self._target[-1] = Not(of=condition) if denied else condition

    def _last_two(self, problem: str) -> tuple[Did, Did, bool]:
        """The last two steps, and whether the last is denied; a NotRead with ``problem`` if there are not."""
        target, where = self._target, self.draft.where
        last, denied = self._last_step()
        earlier = target[:-1] or (where if target is not where else [])
        before = earlier[-1] if earlier else None
        if last is None or not isinstance(before, Did):
            raise NotRead(problem)
        return before, last, denied

    def _join_last_two(self, condition: Condition, before: Did, *, denied: bool) -> None:
        """Put a condition in the place of the last two steps; of a denied one the step before stays."""
        self._put_last(condition, denied=denied)
        if not denied and before in self._target:
            self._target.remove(before)

    def _one_after_the_other(self, *, is_earlier: bool) -> None:
        """Let the last two steps happen in their order, or the last of them earlier."""
        before, last, denied = self._last_two("It is not clear what comes before and what after.")
        made = _followed(last, before) if is_earlier else _followed(before, last)
        self._join_last_two(made, before, denied=denied)

    def after(self, term: QuestionTerm) -> None:
        self.sequence = "after"

    def prepositions(self, term: QuestionTerm) -> None:
        self.preposition = term.text
        draft = self.draft
        if term.text == "among" and draft.asked is Kind.SHARE and not draft.of:
            draft.of, draft.where = draft.where, []  # “share of segment 1 among buyers”
        if term.text in ("among", "of", "for", "inside") and self.is_predicate and self.draft.of:
            self.is_predicate = False

    def than(self, term: QuestionTerm) -> None:
        self.draft.sides = True
        self.in_clause = False
        self.joined = None

    def others(self, term: QuestionTerm) -> None:
        self.draft.others = self.draft.sides = True

    def noun(self, term: QuestionTerm) -> None:
        before = self._previous()
        counted = before is not None and before.kind in (Kind.MOST, Kind.LEAST, Kind.MANY, Kind.BY)
        if self.draft.by is By.PAGE and self.draft.step and counted:
            self.draft.measure = Quantity.USERS  # “which recipe pages have the most readers”
        self.draft.users = True
        following = self.terms[self.at : self.at + 2]
        kinds = [one.kind for one in following]
        rate = kinds == [Kind.AND, Kind.OUTCOME] and following[1].value == "rate"
        if rate or kinds in ([Kind.AND, Kind.MEASURE], [Kind.AND, Kind.UNIT]):
            raise NotRead("One figure at a time is possible.")  # “users and sessions”
        most = before is not None and before.kind in (Kind.MOST, Kind.LEAST)
        if most and self.draft.measure is None and self.draft.by in (None, By.SEGMENT):
            self.draft.measure = Quantity.USERS  # “more users than”
        if self.number is not None and self.draft.limit is None and self.draft.asked is Kind.TOP:
            self.draft.limit, self.number = self.number, None

    def dimension(self, term: QuestionTerm) -> None:
        before = self._previous()
        if term.value is By.PAGE and self._is_of_page(term, before):
            return
        following = self._next((Kind.FILLER, Kind.ARE))
        if following and following.kind is Kind.ATTRIBUTE and following.value[0] == term.value:
            return  # “with plan pro”
        is_by = before is not None and before.kind is Kind.BY
        if term.value is By.N_SESSIONS and self.limits is None and not is_by:
            self._measure(Quantity.SESSIONS)
            return
        if (self.limits is not None or self.number is not None) and self._counted(term):
            return
        if term.value is By.PAGE and before is not None and before.kind is Kind.SAW and self.draft.order:
            self._measure(Quantity.VIEWS)  # “least viewed pages”
        is_counted = self.draft.asked is Kind.MANY and before is not None and before.kind is Kind.MANY
        if is_counted and (term.value in (By.DAY, By.EVENT, By.PAGE) or is_of_users(term.value)):
            raise NotRead(
                f"How many {clean(term.text)} there are is not counted; users, sessions and views are."
            )
        if term.value is By.EVENT and (self.draft.step is not None or _is_event(before)):
            if self.draft.asked is Kind.SHARE:
                raise NotRead("The share of events is not counted; that of users or sessions is.")
            return  # “add_to_cart events”
        if self.draft.by is not None and self.draft.by != term.value:
            raise NotRead("One dimension at a time is possible.")
        self.draft.by = term.value
        self.main_channel = term.text in MAIN_CHANNEL

    def _is_of_page(self, term: QuestionTerm, before: QuestionTerm | None) -> bool:
        """Whether pages are no rows: “the page /cart”, “who views more pages”, “pages on average”."""
        following = self._next(())
        if term.text in ("page", "url") and following and following.text.startswith("/"):
            return True
        most = before is not None and before.kind in (Kind.MOST, Kind.LEAST) and self.verb is Kind.SAW
        waits = self.limits is not None or self.number is not None
        mean = self.draft.wants_mean or any(term.kind is Kind.AVERAGE for term in self.terms)
        if mean or (most and self.draft.measure is None and not (self.draft.step or waits)):
            self._measure(Quantity.VIEWS_PER_USER)
            return True
        return False

    def _counted(self, term: QuestionTerm) -> bool:
        """Use a waiting number or limit with a dimension: ``top 5 pages``, ``more than 3 pages``."""
        if self.number is not None and (
            self.draft.asked in (Kind.TOP, Kind.LIST, Kind.WHICH) or self.draft.order
        ):
            self.draft.limit, self.number = self.number, None
            return False
        if term.value not in (By.PAGE, By.DAY):
            return False
        self._has("views" if term.value is By.PAGE else "days")
        return True

    def _has(
        self, unit: Literal["views", "sessions", "days", "pages", "engagement"], scale: float = 1
    ) -> None:
        last, _ = self._last_step()
        if last and self.joined is None and self.preposition in ("on", "in") and unit in ("days", "sessions"):
            raise NotRead(f"On how many {unit} something was done is not counted; how often is.")
        limits = self._limits()
        if scale != 1:
            scaled = {name: value * scale for name, value in limits.model_dump(exclude_none=True).items()}
            limits = Range(**scaled)
        self._main_verb() if self.verb in _VERBS and not self.in_clause else None
        self._add(Has(count=unit, range=limits))

    def _limits(self) -> Range:
        if self.limits is not None:
            found: Range = self.limits.value
            self.limits = None
            return found
        assert self.number is not None
        number, self.number = float(self.number), None
        return Range(at_least=number, at_most=number)

    def by(self, term: QuestionTerm) -> None:
        self.in_clause = False
        following = self._next()
        doer = following is not None and _is_doer(f"{following.text.removesuffix('s')}s")
        if following is None or (_is_event(following) and not doer):
            raise NotRead("By what? Name a dimension, such as the device or the week.")
        self.draft.wants_mean |= _is_event(following) and term.text == "per"  # “sessions per buyer”

    def unit(self, term: QuestionTerm) -> None:
        alone = self.limits is None and self.number is None
        if alone and term.text in ("second", "minute"):
            raise NotRead(f"“{clean(term.text)}” does not fit here.")
        dimension = next((value for kind, value in term.others if kind is Kind.DIMENSION), None)
        before = self._previous()
        if alone and dimension and (dimension in OF_TIME or (before and before.kind in _BEFORE_DIMENSION)):
            self.dimension(QuestionTerm(Kind.DIMENSION, term.text, dimension))
            return
        if self.limits is not None or self.number is not None:
            scale = 60 if term.text.startswith("minute") else 1
            self._has(term.value, scale)
            return
        last = self._target[-1] if self._target else None
        if term.value == "engagement" and isinstance(last, Has) and last.count == "engagement":
            return  # “more than 2 minutes of engagement”
        self._measure(_OF_UNIT.get(term.value), term)

    def _measure(self, measure: Quantity | None, term: QuestionTerm | None = None) -> None:
        if measure is None:
            raise NotRead(f"“{clean(term.text) if term else ''}” is no figure that is counted.")
        if self.draft.measure not in (None, measure):
            if (
                self.draft.measure is Quantity.EVENTS
                and measure is Quantity.SESSIONS
                and self.draft.by_session
            ):
                return
            raise NotRead("One figure at a time is possible.")
        self.draft.measure = measure
        self.in_clause = False

    def measure(self, term: QuestionTerm) -> None:
        if self.draft.measure is Quantity.ENGAGEMENT and term.text in ("spend", "spent"):
            return  # “how much time do they spend”
        if self.draft.measure is Quantity.REVENUE and term.value == Quantity.ENGAGEMENT:
            self.draft.measure = None  # “who spends the most time on the site”
        if self.limits is not None and term.value in ("sessions", "views"):
            self._has(term.value)
            return
        if term.value == Quantity.BOUNCE_RATE and self.draft.asked is Kind.MANY:
            raise NotRead("Bounces are told as a rate: ask for the bounce rate.")
        rest = self.terms[self.at :]
        if term.text in _BRINGS and any(one.kind in _BROUGHT for one in rest):
            return  # “which source brings in the most visitors”
        self._measure(Quantity(term.value))

    def times(self, term: QuestionTerm) -> None:
        if self.limits is None and self.number is None:
            return  # “how many times”
        self._times(self._limits())

    def _times(self, limits: Range) -> None:
        last, denied = self._last_step()
        if last is None or len(last.steps) > 1:
            raise NotRead("It is not clear what is done so often.")
        self._put_last(last.model_copy(update={"times": limits}), denied=denied)

    def range(self, term: QuestionTerm) -> None:
        self._refuse_numbered()
        following = self._next()
        if term.others[0] == "times" and not (following and following.kind in (Kind.UNIT, Kind.STEP)):
            if term.value == Range(at_least=1) and self._last_step()[0] is None:
                return  # “came from facebook at least once”
            self.limits = term
            self._times(self._limits())
            return
        if term.others[0] == "share":
            self.draft.keep = _narrowed(self.draft.keep, term.value)
            return
        if self.limits is not None and self.joined is Kind.AND:  # “at least 2 and at most 4”
            term, self.joined = replace(term, value=_narrowed(self.limits.value, term.value)), None
        self.limits = term
        is_counted = following is not None and following.kind in (
            Kind.UNIT, Kind.TIMES, Kind.STEP, Kind.DIMENSION, Kind.MEASURE,
        )  # fmt: skip
        doers = following is not None and following.kind is Kind.STEP and _is_doer(following.text)
        if (not is_counted or doers) and self.draft.by is not None:  # “segments with more than 50 buyers”
            self.draft.keep, self.limits = term.value, None

    def _refuse_numbered(self) -> None:
        """Refuse numbers of rows: “week 2”, “top 5 to 10”."""
        before = self._previous()
        if before is not None and before.kind is Kind.DIMENSION and before.value is By.SEGMENT:
            raise NotRead("Which segment do you mean? Name it by its number, such as “segment 2”.")
        if before is not None and before.kind is Kind.DIMENSION and before.value in OF_TIME:
            raise NotRead(f"Which {before.text} is meant? Name its days.")
        if before is not None and before.kind is Kind.TOP and self.terms[self.at - 1].kind is Kind.RANGE:
            raise NotRead("Rows are listed from the first one on: ask for the “top 10”.")

    def count(self, term: QuestionTerm) -> None:
        self._refuse_numbered()
        following = self._next(())
        is_end = following is None or following.kind in (Kind.PREPOSITION, Kind.BY, Kind.AND)
        if self.draft.limit is None and (self.draft.order or (self.draft.by and is_end)):
            self.draft.limit = term.value
            return
        self.number = term.value

    def period(self, term: QuestionTerm) -> None:
        came = self.in_clause and self.verb is Kind.CAME
        if came or self.is_denied:
            self._add(Came(period=term.value))
            return
        if self.draft.period is not None and self.draft.sides:
            self.draft.other_period = term.value
        elif self.draft.period is not None:
            first, second = (one.model_dump(exclude_defaults=True) for one in (self.draft.period, term.value))
            if first.keys() & second.keys():
                raise NotRead("A question is about one period; ask for the other by itself.")
            self.draft.period = Period.checked(**first, **second)
        else:
            self.draft.period = term.value

    def duration(self, term: QuestionTerm) -> None:
        following = self._next()
        if following is not None and following.kind in (Kind.AFTER, Kind.THEN):  # “within 10 minutes after …”
            self.limit = term.value
            return
        self._within(term.value)

    def in_session(self, term: QuestionTerm) -> None:
        self._within(SESSION)

    def _within(self, limit: str) -> None:
        """Let the last two steps happen within a time, one after the other."""
        if self.draft.funnel:
            self.funnel_within = limit
            return
        last, denied = self._last_step()
        if last is not None and len(last.steps) > 1:
            self._put_last(last.model_copy(update={"within": limit}), denied=denied)
            return
        before, last, denied = self._last_two(
            "Within which time of what? Name two steps, one after the other."
        )
        made: Condition = _followed(before, last, limit)
        if limit == SESSION:  # “both … and … in one session”: in whichever order
            made = Any(of=(made, _followed(last, before, limit)))
        self._join_last_two(made, before, denied=denied)

    # conditions

    @property
    def _target(self) -> list[Condition]:
        return self.draft.of if self.is_predicate else self.draft.where

    def _add(self, condition: Condition) -> None:
        target = self._target
        before = self._previous()
        joins = before is not None and before.kind in (Kind.AND, Kind.OR)
        if joins and target and isinstance(target[-1], Not) and not self.draft.sides:
            raise NotRead("It is not clear how far “not” reaches: say it of each.")
        made = denied(condition) if self.is_denied else condition
        last = target[-1] if target else None
        alike = isinstance(made, Is) and isinstance(last, Is) and made.dimension is last.dimension
        merges = alike and self.joined is not None and not self.draft.sides
        if merges and isinstance(made, Is) and isinstance(last, Is):
            target[-1] = Is(dimension=made.dimension, any_of=(*last.any_of, *made.any_of))
        elif self.joined is Kind.OR and last is not None:
            earlier = last.of if isinstance(last, Any) else (last,)
            target[-1] = Any(of=(*earlier, made))
        else:
            target.append(made)
        following = self._next(())
        self.is_denied = self.is_denied and following is not None and following.kind is Kind.OR
        self.joined = None
        self.clause_has_condition = True

    def attribute(self, term: QuestionTerm) -> None:
        dimension, value = term.value
        more = [other for kind, other in term.others if kind is Kind.ATTRIBUTE and other[0] == dimension]
        values = (value, *(other[1] for other in more))
        self._add(Is(dimension=dimension, any_of=tuple(dict.fromkeys(values))))

    def segment(self, term: QuestionTerm) -> None:
        keys: tuple[str, ...] = term.value
        if len(keys) > 1 and self.draft.sides:
            for key in keys:
                self._add(Is(dimension=By.SEGMENT, any_of=(key,)))
            return
        self.draft.users = True
        inside = (
            self.preposition == "in" and self.draft.of and self.joined is None and self.verb is not Kind.ARE
        )
        if self.is_predicate and (self.preposition in ("of", "among", "for") or inside):
            self.is_predicate = False  # “what share bought in segment 2”
        self._add(Is(dimension=By.SEGMENT, any_of=keys))

    def visitor(self, term: QuestionTerm) -> None:
        if term.value == "another day":
            self._add(Has(count="days", range=Range(at_least=2)))
            return
        if term.value == "new":
            raise NotRead("Who is new is not known: ask for users who came once, or who came again.")
        self._add(Is(dimension=By.VISITOR, any_of=(term.value,)))

    def outcome(self, term: QuestionTerm) -> None:
        condition = self._outcome()
        if self.draft.measure is Quantity.TIME_TO or self.draft.asked is Kind.LONG:
            self.draft.step = _single_step(condition)
            return
        if term.value == "rate" and _is_event(self._previous()) and self._target:
            self.draft.of.append(self._target.pop())  # “sign_up conversion”
            self.draft.asked, self.draft.users = Kind.SHARE, True
            return
        if term.value == "rate":
            self._rate()
            self.in_clause = False
            return
        if term.value == "count":
            self._measure(Quantity.EVENTS)
            self.draft.step = _single_step(condition)
            return
        if self._asks_rate(term):
            self._rate()
            return
        if term.text in ("converted", "convert", "converts"):
            self._main_verb()
        self.draft.users = True
        self._add(condition)

    def _rate(self) -> None:
        self.draft.rate, self.draft.measure = True, self.draft.measure or Quantity.SHARE

    def _asks_rate(self, term: QuestionTerm) -> bool:
        """Whether “convert” asks who does so more often, and not for those who did."""
        draft, before, following = self.draft, self._previous(), self._next(())
        compares = following is not None and following.kind in (*_COMPARES, Kind.COMPARE)
        most = before is not None and before.kind in (Kind.MOST, Kind.LEAST, Kind.DID) and draft.order
        by_row = draft.by is not None and draft.asked is Kind.WHICH and not self.in_clause
        verb = term.text in ("convert", "converts") and (compares or draft.sides)
        is_noun = term.text.endswith(("users", "customers", "ers"))
        return bool(verb or ((by_row or (most and not draft.where)) and not is_noun))

    def _outcome(self) -> Condition:
        chosen = self.context.tables.profiles.chosen
        if not chosen:
            raise NotRead("No outcome is chosen, so nobody converts. Choose one, or name an event.")
        steps = [_outcome_step(outcome) for outcome in chosen]
        events = [step.any_of[0] for step in steps if step.kind is StepKind.EVENT]
        found: list[Condition] = []
        if events:
            found.append(Did(steps=(FunnelStep(kind=StepKind.EVENT, any_of=tuple(events)),)))
        found += [Did(steps=(step,)) for step in steps if step.kind is not StepKind.EVENT]
        return found[0] if len(found) == 1 else Any(of=tuple(found))

    def rates(self, term: QuestionTerm) -> None:
        """Read ``add_to_cart rate`` as the share of users who did it."""
        if self._target and isinstance(self._target[-1], Did):
            self.draft.of.append(self._target.pop())
            self.draft.asked = Kind.SHARE
            self.draft.users = True
            return
        if self.draft.step is not None:
            self.draft.of.append(Did(steps=(self.draft.step,)))
            self.draft.step, self.draft.measure, self.draft.asked = None, None, Kind.SHARE
            return
        if _is_event(self._next()):  # “rate of purchase”
            self.draft.asked, self.draft.users, self.is_predicate = Kind.SHARE, True, True
            return
        if self.draft.rate:
            return  # “conversion rate”, the first of which was misspelt
        raise NotRead("The rate of what? Name an event or a page.")

    def average(self, term: QuestionTerm) -> None:
        self.draft.wants_mean = True

    def beyond(self, term: QuestionTerm) -> None:
        self.draft.beyond = term.value

    def per_session(self, term: QuestionTerm) -> None:
        self.draft.by_session = True

    def step(self, term: QuestionTerm) -> None:
        """Read a page or event: a condition, a step after another one, or what the measure is about."""
        step: FunnelStep = term.value
        before, following = self._previous(), self._next(())
        is_event = step.kind is StepKind.EVENT
        self._refuse_step(term, before)
        if self._is_listed(term, before):
            self.draft.by, self.draft.step, self.draft.measure = By.PAGE, step, Quantity.VIEWS
            self.draft.limit, self.number = self.draft.limit or self.number, None
        elif self.draft.asked is Kind.STEP_BY_STEP or self.draft.funnel:
            self.draft.funnel.append(step)
            self.sequence, self.joined = "", None
        elif not (is_event and _is_doer(term.text)) and self._is_about(step, before):
            self.draft.step = step
            ends = self.draft.measure is Quantity.SESSIONS and not is_event and self.verb is not None
            self.draft.at = _ENDS.get(self.verb, "any") if ends and self.verb else "any"
        elif is_event and following is not None and following.kind in _COMPARES and self.draft.where:
            self.draft.of.append(Did(steps=(step,)))  # “do users who … buy more often than …”
            self.draft.asked = Kind.SHARE
        elif self.limits is not None or (self.number is not None and self.draft.asked is not Kind.TOP):
            self._main_verb() if self.verb in _VERBS else None
            self._add(Did(steps=(step,), times=self._limits()))
        elif self.sequence == "then" and self.draft.where and (self.is_predicate or not self._target):
            self._goes_on_to(step)
        elif self.draft.rate and self.preposition == "to" and is_event:
            self.draft.rate, self.draft.measure, self.draft.asked = False, None, Kind.SHARE
            self.draft.of = [Did(steps=(step,))]  # “converts to purchase”
        elif self.sequence and self._target:
            self._in_sequence(step)
        else:
            self._seen_or_done(step, before, following)

    def _is_listed(self, term: QuestionTerm, before: QuestionTerm | None) -> bool:
        """Whether the pages of a name are asked for one by one: ``which recipe pages``."""
        as_list = any(kind is Kind.LIST for kind, _ in term.others) and self.draft.step is None
        most_viewed = before is not None and before.kind is Kind.SAW and self.draft.order is not None
        as_list |= most_viewed and len(term.value.any_of) > 1 and self.draft.step is None
        asks = before is not None and before.kind in (*_BEFORE_DIMENSION, Kind.MOST, Kind.LEAST)
        return as_list and (asks or most_viewed) and not self.draft.where

    def _goes_on_to(self, step: FunnelStep) -> None:
        """Read “of those who did A, what share went on to B” as the share who did A and then B."""
        before = self.draft.where[-1]
        if not isinstance(before, Did) or self.draft.of:
            self._in_sequence(step)
            return
        self.is_predicate = True
        made = _followed(before, self._taken(step))
        self.draft.of.append(Not(of=made) if self.is_denied else made)
        self.sequence, self.is_denied, self.joined = "", False, None

    def _refuse_step(self, term: QuestionTerm, before: QuestionTerm | None) -> None:
        """Refuse what a page or an event cannot be."""
        is_event = term.value.kind is StepKind.EVENT
        of_share = before is not None and before.kind in (Kind.SHARE, Kind.PREPOSITION) and not self._target
        if (
            self.draft.asked is Kind.SHARE
            and of_share
            and is_event
            and self._is_plural
            and not self.draft.users
        ):
            raise NotRead(f"The share of {clean(term.text)} is not counted; that of users or sessions is.")
        by_words = not is_event and not term.text.startswith("/")
        asks_who = before is not None and before.text in ("who", "that")
        if by_words and asks_who:
            raise NotRead(f"“{clean(term.text)}” is read as a page: say that they saw it.")
        done = self.terms[self.at - 3] if self.at > 2 else None
        joins = before is not None and (before.text in ("of", "on", "at") or before.kind is Kind.RANGE)
        if by_words and joins and _is_event(done):
            raise NotRead("On which page an event was done is not counted.")
        counted = [before] if before is None or before.kind is not Kind.MANY else self.terms[self.at :]
        is_bought = any(one is not None and _is_purchase(one) for one in counted)
        is_object = self.verb in (None, Kind.ARE) and _is_event(self._next((Kind.ARE,)))
        if by_words and (is_bought or is_object):  # “bought tents”, “items added to the cart”
            raise NotRead(_NO_ITEMS)
        following = self._next(())
        of_page = not is_event and before is None and not term.text.startswith("/")
        if (
            of_page
            and following
            and following.kind is Kind.MEASURE
            and following.value not in ("views", "users")
        ):
            raise NotRead(f"The {clean(following.text)} of a page is not counted.")
        passive = any(later.kind in (Kind.SAW, Kind.ENTERED, Kind.LEFT) for later in self.terms[self.at :])
        if self.verb is Kind.ARE and not is_event and not passive:
            raise NotRead(f"Users are no page: say that they saw {clean(term.value.title)}.")

    def _seen_or_done(
        self, step: FunnelStep, before: QuestionTerm | None, following: QuestionTerm | None
    ) -> None:
        """Add the condition that a page was seen or an event done."""
        is_event = step.kind is StepKind.EVENT
        asked_share = before is not None and before.kind is Kind.SHARE and not before.text.endswith("of")
        is_verb = is_event and (before is None or asked_share or before.kind not in _BEFORE_NOUN)
        if is_verb and not (following and following.kind in (Kind.RATE, Kind.NOUN)):
            self._main_verb()
        if is_event and _is_doer(self.terms[self.at - 1].text):
            self.draft.users = True
        if following is not None and following.kind is Kind.NOUN:
            self.draft.users = True
        self._add(self._taken(step))

    def _taken(self, step: FunnelStep) -> Did:
        """That a step was taken; with a verb of entering or leaving, as the first or last of a session."""
        at = _ENDS.get(self.verb, "any") if self.verb and step.kind is not StepKind.EVENT else "any"
        if at != "any":
            self.verb = None
        return Did(steps=(step,), at=at)

    def _is_about(self, step: FunnelStep, before: QuestionTerm | None) -> bool:
        """Whether a step is what the measure is about, and no condition of users; sets the measure."""
        draft, is_event = self.draft, step.kind is StepKind.EVENT
        if draft.step is not None and draft.measure is Quantity.TIME_TO:
            raise NotRead("Times are counted from a user's first page view to one event or page.")
        of_sessions = draft.measure is Quantity.SESSIONS and not draft.users and not self.is_denied
        if of_sessions and draft.step is None and not draft.wants_mean and not self.sequence:
            return True  # “sessions that ended with …”
        if draft.step is not None or self.in_clause:
            return False
        counted = before is not None and before.kind in (Kind.MANY, Kind.OFTEN, Kind.TOP, Kind.AVERAGE)
        if draft.asked is Kind.OFTEN:
            draft.measure = Quantity.EVENTS if is_event else Quantity.VIEWS
            return True
        if draft.asked in (Kind.LONG, Kind.WHEN) or draft.measure is Quantity.TIME_TO:
            return True
        past = before is not None and before.kind is Kind.MANY and _PAST.match(self.terms[self.at - 1].text)
        if counted and is_event and not past and draft.asked in (Kind.MANY, None, Kind.LIST):
            draft.measure = Quantity.EVENTS
            return True
        views = draft.measure in (Quantity.VIEWS, Quantity.VIEWS_PER_USER)
        if views and not is_event and (self.verb is None or not draft.users):
            return True
        most = before is not None and before.kind in (Kind.MOST, Kind.LEAST) and draft.measure is None
        alone = not draft.users and draft.measure is None and draft.asked in (None, Kind.LIST, Kind.OVER_TIME)
        if is_event and (most or (alone and self._is_plural)):
            draft.measure = Quantity.EVENTS
            return True
        if self.sequence and not self._target and draft.asked in (Kind.WHICH, None) and not draft.measure:
            draft.by = By.NEXT if self.sequence == "after" else By.PREVIOUS
            self.sequence = ""
            return True
        return draft.by in (By.NEXT, By.PREVIOUS)

    @property
    def _is_plural(self) -> bool:
        """Whether the event is named as a noun: ``purchases``, ``add to carts``."""
        text = self.terms[self.at - 1].text
        return text.endswith("s") and not _is_doer(text)

    def _in_sequence(self, step: FunnelStep) -> None:
        """Put a step before or after the last condition's steps."""
        target = self._target
        last = target.pop() if target else None
        inner = last.of if isinstance(last, Not) else last
        if not isinstance(inner, Did):
            raise NotRead("It is not clear what comes before and what after.")
        one = self._taken(step)
        both = _followed(one, inner) if self.sequence == "after" else _followed(inner, one)
        negative = self.is_denied or isinstance(last, Not)
        if not negative:
            target.append(both)
        elif isinstance(last, Not):  # “did not buy after adding to the cart”, “did not see /a before buying”
            target += [one, Not(of=both)]
        else:  # “added to the cart and then did not buy”
            target += [inner, Not(of=both)]
        self.sequence, self.is_denied, self.joined = "", False, None
        self.clause_has_condition = True
        if self.limit:
            self._within(self.limit)
            self.limit = ""

    # the query

    def query(self) -> Query:
        """Make the query of what was read.

        Raises:
            NotRead: If nothing is asked, or the parts say no whole.
        """
        draft = self.draft
        self._rows()
        self._by_time()
        measure, of = self._measured()
        self._refuse(measure)
        if draft.by is None and not draft.sides and any(map(_are_segments, draft.where)):
            draft.by = None if measure is Quantity.FUNNEL else By.SEGMENT  # each of “segments 1, 2 and 4”
        where, compare = self._periods(measure) if draft.other_period else self._sides()
        self._refuse_more(measure, of, where)
        if draft.order and not compare:
            self._ordered()
        if draft.rate and measure is not Quantity.SHARE:
            raise NotRead("One figure at a time is possible.")
        query = Query.checked(
            measure=measure, of=of, where=where, compare=compare, by=self._channel(draft.by, measure),
            period=draft.period, keep=draft.keep, order=draft.order if draft.by else None, limit=draft.limit,
        )  # fmt: skip
        return self._beyond(query) if draft.beyond else query

    def _rows(self) -> None:
        """Find out by what is asked where no dimension is named."""
        draft = self.draft
        if draft.over_time and draft.by is None:
            draft.by = By.WEEK
        if draft.by is By.PAGE and self.verb in _ROWS_OF_ENDS and draft.measure in (None, Quantity.SESSIONS):
            draft.by = _ROWS_OF_ENDS[self.verb]  # “on which pages do sessions end”
        ranks = any(term.text in _RANKS for term in self.terms)
        if draft.by is None and (first := self.terms[0].text if self.terms else ""):
            self._rows_of(first, ranks=ranks and first != _RANKS[0])
        if (
            draft.by is By.SEGMENT
            and (ranks or draft.asked is Kind.TOP or draft.limit)
            and not draft.over_time
        ):
            draft.order = draft.order or "most"

    def _rows_of(self, first: str, *, ranks: bool) -> None:
        """Read “what do they look at” by page, “who likes it most” and “sort by revenue” by segment."""
        draft = self.draft
        looks = self.verb is Kind.SAW and draft.asked is not Kind.SHARE and draft.step is None
        did = any(isinstance(one, Did) for one in draft.where)
        if first == "what" and looks and not did and draft.order != "least":
            draft.by = By.PAGE  # “what do mobile users look at”
            draft.measure = draft.measure or (Quantity.VIEWS if draft.order else None)
        who = first == "who" and draft.order and draft.where and not (draft.sides or draft.users)
        if ranks or who:
            draft.by = By.SEGMENT

    def _ordered(self) -> None:
        """Refuse an order of nothing; of a figure without a dimension, order the segments."""
        draft = self.draft
        lists = draft.asked is Kind.TOP or draft.limit is not None
        if draft.by is None and draft.measure and not draft.users and not lists:
            draft.by = By.SEGMENT  # “who converts worst”, “lowest conversion rate”
        if draft.by is None:
            raise NotRead("Most of what? Name a dimension, such as the device or the page.")
        verb = self.verb not in (None, Kind.ARE, Kind.DID)
        if draft.measure is None and not (draft.users or draft.where or draft.of or verb):
            raise NotRead("By what? Name a figure, such as the conversion rate, the sessions or the revenue.")

    def _beyond(self, query: Query) -> Query:
        """The segments whose figure is above, or below, that of everybody asked about."""
        if query.by not in (None, By.SEGMENT) or query.compare or query.keep or query.measure in TOTALS:
            raise NotRead("Above or below the average are segments, by a mean, a share or a rate.")
        everybody = query.model_copy(update={"by": None, "order": None, "limit": None})
        (row, *more) = execute(everybody, self.context.tables).rows
        if more:
            raise NotRead("The average is told in a single currency.")
        keep = Range(**{self.draft.beyond: row.value})
        order = "most" if self.draft.beyond == "above" else "least"
        return query.model_copy(update={"by": By.SEGMENT, "keep": keep, "order": order})

    def _refuse_more(self, measure: Quantity, of: Condition | None, where: Condition | None) -> None:
        """Refuse words of a second figure, and shares of users who all did what is asked."""
        if measure not in SESSION_MEANS and any(term.kind is Kind.PER_SESSION for term in self.terms):
            raise NotRead("A session has page views and shares of sessions; other figures are of users.")
        said = {(one.kind, other.kind) for one, other in pairwise(self.terms)}
        if (Kind.MANY, Kind.NOUN) in said and measure not in _OF_PEOPLE:
            raise NotRead("One figure at a time is possible.")  # “how many users stayed long”
        asks_what = self.draft.asked in (Kind.WHICH, Kind.TOP, Kind.LIST) or self.draft.order is not None
        if measure in OF_ITEMS and self.draft.by is None and asks_what:
            raise NotRead(_NO_ITEMS)
        both = [one for one in (of, where) if one is not None and measure is Quantity.SHARE]
        did = [{part for part in parts_of(one) if isinstance(part, Did)} for one in both]
        if len(did) > 1 and did[0] & did[1]:
            raise NotRead("All of these users did that: say once what they did.")

    def _refuse(self, measure: Quantity) -> None:
        """Refuse words that were read and say something else than the measure."""
        draft = self.draft
        if self.biggest and measure is not Quantity.USERS:
            raise NotRead("Of which segment? Name it by its number, such as “segment 2”.")
        nothing = not (draft.where or draft.of or draft.measure or draft.step)
        if self.verb is Kind.SAW and draft.by is By.SEGMENT and nothing:
            raise NotRead("What did they see? Name a page, a theme or a type.")
        if draft.by is None and any(term.text == "where" for term in self.terms):
            raise NotRead("Where? Name a dimension, such as the country, the source or the page.")
        if draft.asked is Kind.TOP and draft.by is None and not draft.order:
            raise NotRead("The top of what? Name a dimension, such as the pages or the sources.")
        plain = draft.measure is None and not draft.users and draft.asked is not Kind.MANY
        if draft.by in OF_PAGES and plain and draft.where and all(_is_done(one) for one in draft.where):
            raise NotRead(f"Events are not counted by {draft.by}: ask for its users, or by device or week.")
        of_sessions = any(not isinstance(one, Is | Came) for one in draft.where) and not draft.users
        if measure is Quantity.SESSIONS and of_sessions:
            raise NotRead(
                "Sessions are counted by user: ask for users, or for the share of sessions with a step."
            )
        if draft.wants_mean and measure in TOTALS:
            raise NotRead("The average of what? Name a figure a user has, such as sessions or page views.")
        if self.of_time and measure not in (Quantity.ENGAGEMENT, Quantity.TIME_TO):
            raise NotRead("Only engagement and times until something are long or short.")
        plain = draft.by is None and draft.measure is None and draft.step is None
        named = any(term.kind in (Kind.NOUN, Kind.OUTCOME) or term.text == "who" for term in self.terms)
        if draft.asked is Kind.WHICH and plain and not (named or draft.sides or draft.rate):
            raise NotRead("Which of what? Name a dimension, such as the device or the page.")

    def _by_page(self, folders: Sequence[Did]) -> None:
        """Read “which pages in the sports folder” as page views of these pages, page by page."""
        draft = self.draft
        if draft.by is By.PAGE and not self.in_clause and len(folders) == 1 and draft.measure is None:
            draft.where.remove(folders[0])
            draft.step = folders[0].steps[0]
            draft.measure = Quantity.USERS if draft.users else Quantity.VIEWS

    def _by_time(self) -> None:
        """Read what is done by day or hour as how often it is done then: who ever did it came then or not."""
        draft = self.draft
        did = [one for one in draft.where if isinstance(one, Did)]
        self._by_page([one for one in did if len(one.steps[0].any_of) > 1])
        plain = draft.by in OF_MOMENTS and draft.measure is None and draft.asked is not Kind.SHARE
        if not plain or not did or draft.by is None:
            return
        (first, *more) = did
        if more or self.in_clause or draft.asked is Kind.MANY or len(first.steps) > 1 or first.times:
            raise NotRead(
                f"Who did something in each {by_words(draft.by)} is not counted: ask how often it was done."
            )
        draft.where.remove(first)
        draft.step = first.steps[0]
        draft.measure = Quantity.EVENTS if draft.step.kind is StepKind.EVENT else Quantity.VIEWS

    def _sides(self) -> tuple[Condition | None, Condition | str | None]:
        draft = self.draft
        if draft.sides and draft.period is not None and draft.by is not None:
            raise NotRead("Two periods are not compared: ask by day, week or day of the week.")
        if draft.others and draft.by is not None:
            raise NotRead("Others are compared in one figure, and not row by row.")
        if draft.sides and draft.by is None:
            if draft.others:
                return _joined(draft.where), "others"
            pool = (
                draft.where
                if len(draft.where) > 1 or draft.asked is Kind.SHARE
                else [*draft.where, *draft.of]
            )
            dimensions = [one.dimension for one in pool if isinstance(one, Is)]
            twice = [one for one in pool if isinstance(one, Is) and dimensions.count(one.dimension) == 2]
            if len(pool) > 2 and len(twice) == 2:
                common = [one for one in pool if one not in twice]
                return _joined([twice[0], *common]), _joined([twice[1], *common])
            first = pool[0] if len(pool) == 1 else None
            if isinstance(first, Is) and len(first.any_of) == 2:  # “the same for segments 1 and 2”
                one, other = (Is(dimension=first.dimension, any_of=(name,)) for name in first.any_of)
                return one, other
            if len(pool) == 2:
                return pool[0], pool[1]
            raise NotRead("What is compared with what? Name two kinds of users, or “all others”.")
        return _joined(draft.where), None

    def _periods(self, measure: Quantity) -> tuple[Condition | None, Condition | None]:
        """Users of one period beside those of another."""
        draft = self.draft
        if measure is not Quantity.USERS or draft.by or draft.others:
            raise NotRead("Of two periods, users are compared; ask for other figures by day, week or month.")
        first, second = draft.period, draft.other_period
        assert first is not None and second is not None
        draft.period = None
        return _joined([*draft.where, Came(period=first)]), _joined([*draft.where, Came(period=second)])

    def _measured(self) -> tuple[Quantity, Condition | None]:
        """The measure and what it is about."""
        draft = self.draft
        about = Did.checked(steps=(draft.step,), at=draft.at) if draft.step else None
        found = self._by_question(about) or self._by_figure(about)
        if found:
            return found
        sized = self.of_size and draft.measure is None and all(map(_is_segment, draft.where))
        if sized and (draft.by is By.SEGMENT or draft.where):
            draft.measure = Quantity.USERS  # “which is the largest segment”
            return Quantity.USERS, None
        has = any(term.text in ("has", "have", "had") for term in self.terms)
        does = (
            draft.asked is Kind.WHICH and is_of_users(draft.by) and draft.where and not (draft.users or has)
        )
        if does and (draft.order or draft.by is By.SEGMENT) and not self.in_clause:
            draft.order = draft.order or "most"
            draft.of, draft.where = draft.where, []
            return Quantity.SHARE, _joined(draft.of)  # “which segment uses Chrome most”
        if draft.asked is Kind.SHARE:
            return self._share()
        if draft.sides and draft.order:
            raise NotRead("More of what? Name a figure, such as sessions, or ask for each by itself.")
        if draft.sides and not draft.other_period and self.context.tables.profiles.chosen:
            return Quantity.SHARE, self._outcome()
        return self._usual(), None

    def _by_question(self, about: Did | None) -> tuple[Quantity, Condition | None] | None:
        """The measure of a funnel, of what comes next, and of when, how long and how often."""
        draft = self.draft
        if draft.funnel:
            if len(draft.funnel) < 2:
                raise NotRead("A funnel has two steps or more.")
            limit = self.funnel_within or "user"
            return Quantity.FUNNEL, Did(steps=tuple(draft.funnel), within=limit)
        if draft.by in (By.NEXT, By.PREVIOUS):
            return Quantity.SHARE, about
        if draft.asked is Kind.WHEN and draft.measure is None:
            draft.by = draft.by or By.HOUR
            return (Quantity.EVENTS, about) if about else (Quantity.SESSIONS, None)
        if draft.asked is Kind.LONG and draft.measure is None:
            return (Quantity.TIME_TO, about) if about else (Quantity.ENGAGEMENT, None)
        if draft.asked is Kind.OFTEN and draft.measure is None:
            return Quantity.SESSIONS_PER_USER, None
        return None

    def _by_figure(self, about: Did | None) -> tuple[Quantity, Condition | None] | None:
        """The measure that is named, or that a rate or an average makes of it."""
        draft = self.draft
        if draft.rate and draft.measure is Quantity.SHARE:
            return Quantity.SHARE, self._outcome()
        if draft.measure is Quantity.SHARE:
            return Quantity.SHARE, None  # split by a dimension
        if draft.asked is Kind.SHARE and draft.measure is Quantity.SESSIONS and about:
            return Quantity.SESSION_RATE, about
        if draft.asked is Kind.SHARE and draft.measure is not None:
            raise NotRead("Of these, no share is counted; that of users is, and of sessions with an event.")
        if draft.measure is None:
            return None
        measure = _OF_MEAN.get(draft.measure, draft.measure) if draft.wants_mean else draft.measure
        if draft.by_session:
            measure = _OF_SESSION.get(draft.measure, measure)
        if measure is Quantity.TIME_TO and about is None:
            raise NotRead("The time until what? Name an event or a page.")
        if measure is Quantity.SESSION_RATE and about is None:
            about = _as_did(self._outcome())
        return measure, about

    def _usual(self) -> Quantity:
        """The measure where none is named: users, of pages their views, of a session's ends the sessions."""
        draft = self.draft
        if draft.by in OF_PAGES and draft.asked in (Kind.TOP, Kind.WHICH, None):
            return Quantity.USERS if self.verb or draft.where else Quantity.VIEWS
        if draft.by in (By.ENTRY, By.EXIT) and draft.asked is not Kind.MANY:
            return Quantity.SESSIONS
        if not (draft.users or draft.where or draft.by):
            raise NotRead("That asks for no figure.")
        return Quantity.USERS

    def _share(self) -> tuple[Quantity, Condition | None]:
        draft = self.draft
        if not draft.of and 0 < self.before_clause < len(draft.where):  # “share of mobile users who bought”
            draft.where, draft.of = draft.where[: self.before_clause], draft.where[self.before_clause :]
        if (
            not draft.of and is_of_users(draft.by) and draft.where
        ):  # “which segment has the highest share of …”
            draft.where, draft.of = [], draft.where
        if not draft.of and len(draft.where) > 1 and _is_segment(draft.where[0]):
            draft.where, draft.of = draft.where[:1], draft.where[1:]  # “share of segment 1 without /cart”
        if not draft.of and draft.where and draft.by is None:
            *first, last = draft.where
            segment = isinstance(last, Is) and last.dimension is By.SEGMENT
            if segment and any(isinstance(one, Did) for one in first):
                raise NotRead(
                    "Of whom is the share? Say “of segment 1, what share …” or “of buyers, what share …”."
                )
            of_buyers = isinstance(draft.where[0], Did) and all(
                isinstance(one, Is) for one in draft.where[1:]
            )
            if of_buyers and len(draft.where) > 1:  # “share of buyers on desktop”
                draft.where, draft.of = draft.where[:1], draft.where[1:]
            elif segment and first:  # “share of mobile users in segment 2”
                draft.where, draft.of = [last], [*first]
            else:
                draft.where, draft.of = [], draft.where
        if not draft.of and draft.by is None:
            raise NotRead("The share of what? Say what these users did or are.")
        return Quantity.SHARE, _joined(draft.of)

    def edited(self, last: Query) -> Query:
        """The last query, changed by what was read."""
        draft = self.draft
        if draft.sides:
            raise NotRead("What is compared with what? Name both.")
        changed: dict[str, object] = {}
        lists = draft.by is not None and draft.asked in (Kind.TOP, Kind.WHICH)
        is_whole = draft.by is not None and self.terms[0].kind is Kind.NOUN  # “users by plan”
        counts = draft.users and (draft.asked is Kind.MANY or is_whole)
        if (
            draft.asked in (Kind.SHARE, Kind.LONG, Kind.OFTEN)
            or draft.measure
            or draft.rate
            or lists
            or counts
        ):
            changed["measure"], changed["of"] = self._measured()
        elif (of := self._in_place_of(last.of)) is not None:
            changed["of"] = of
            draft.where, draft.of = [], []
        if draft.by is not None:
            changed |= {"by": draft.by, **dict.fromkeys(("keep", "order", "limit", "compare"))}
        if draft.order and not (draft.by or last.by):  # “and the lowest?”
            others = [one for one in _kept(last.where, []) if not _is_segment(one)]
            changed |= {"by": By.SEGMENT, "where": _joined(others)}
        told: dict[str, object] = {"order": draft.order, "limit": draft.limit}
        told |= {"keep": draft.keep, "period": draft.period}
        changed |= {name: value for name, value in told.items() if value}
        if "measure" in changed and last.keep and "keep" not in changed:
            raise NotRead("A limit is of one figure: ask for the other one in full.")
        if "where" not in changed:
            changed |= self._edited_where(last, [*draft.where, *(draft.of if "of" not in changed else [])])
        if not changed:
            raise NotRead("That asks for no figure.")
        made = {name: getattr(last, name) for name in Query.model_fields} | changed
        where = made["where"]
        parts = where.of if isinstance(where, All) else (where,)
        if made["by"] is None and not made["compare"] and any(map(_are_segments, parts)):
            made["by"] = By.SEGMENT
        made["by"] = self._channel(made["by"], made["measure"], last)
        return Query.checked(**made)

    def _channel(
        self, by: Dimension | None, measure: Quantity, last: Query | None = None
    ) -> Dimension | None:
        """“By channel” as it is meant: of what happens in a session that of the session, else the user's.

        Args:
            by: What was asked by.
            measure: What is asked.
            last: The query before, whose dimension goes on if none was said.
        """
        goes_on = last is not None and self.draft.by is None and last.measure in IN_SESSIONS
        if by is By.SESSION_CHANNEL and goes_on and measure not in IN_SESSIONS:
            return CHANNEL
        if by != CHANNEL or measure not in IN_SESSIONS or self.main_channel or goes_on:
            return by
        return By.SESSION_CHANNEL if len(layout_of(self.context.tables.basis).session_channels) else CHANNEL

    def _in_place_of(self, of: Condition | None) -> Condition | None:
        """What takes the place of the last share's condition, as “and desktop?” does; None for nothing."""
        bare = all(term.kind in _BARE for term in self.terms)
        (new, *more) = (*self.draft.where, *self.draft.of, None)
        both_are = isinstance(new, Is) and isinstance(of, Is) and new.dimension == of.dimension
        both_did = isinstance(new, Did) and isinstance(of, Did) and _is_done(new) == _is_done(of)
        return new if bare and more == [None] and (both_are or both_did) else None

    def _edited_where(self, last: Query, new: Sequence[Condition]) -> dict[str, object]:
        """New conditions of whom the last query is about; “by device” takes the place of “on mobile”."""
        by = self.draft.by or last.by
        if self.draft.by is not None and is_of_users(self.draft.by):
            kept = _kept(last.where, [Is(dimension=self.draft.by, any_of=("*",))])
            return {"where": _joined([*kept, *new])}
        if not new:
            return {}
        own_dimension = is_of_users(by) and any(isinstance(one, Is) and one.dimension == by for one in new)
        rows = dict.fromkeys(("by", "keep", "order", "limit")) if own_dimension else {}
        return {"where": _joined([*_kept(last.where, new), *new]), **rows}


def _narrowed(first: Range | None, second: Range) -> Range:
    """Both limits of a number as one range; the second where there is one only."""
    low, high = (one.model_dump(exclude_none=True) if one else {} for one in (first, second))
    if low.keys() & high.keys():
        raise NotRead(f"Do you mean {Range(**low).in_words}, or {second.in_words}?")
    return Range.checked(**low, **high)


def _followed(first: Did, second: Did, within: str = USER) -> Did:
    """Who did the one and then the other; how often, and where in a session, is told of single steps."""
    if any(one.times or one.at != "any" or one.within != USER for one in (first, second)):
        raise NotRead(
            "Of steps in a row it is not counted how often each was taken, or where in a session: "
            "leave that out, or say “and” in place of “then”."
        )
    return Did(steps=(*first.steps, *second.steps), within=within)


def _is_doer(text: str) -> bool:
    """Whether a noun is who does something, ``buyers``, and not what is done."""
    return text.endswith(("ers", "ors")) and text != "orders"


def _is_event(term: QuestionTerm | None) -> bool:
    """Whether a term is an event."""
    return term is not None and term.kind is Kind.STEP and term.value.kind is StepKind.EVENT


def _is_purchase(term: QuestionTerm) -> bool:
    return _is_event(term) and term.value.any_of == (PURCHASE,)


def _is_segment(condition: object) -> bool:
    return isinstance(condition, Is) and condition.dimension is By.SEGMENT


def _are_segments(condition: object) -> bool:
    """Whether a condition is of several segments, each of which is asked about."""
    return isinstance(condition, Is) and condition.dimension is By.SEGMENT and len(condition.any_of) > 1


def _is_done(condition: Condition) -> bool:
    """Whether a condition is a single event."""
    return isinstance(condition, Did) and condition.steps[0].kind is StepKind.EVENT


def _kept(where: Condition | None, new: Sequence[Condition]) -> list[Condition]:
    """The conditions of a query that new ones do not take the place of: one device for another."""
    before = where.of if isinstance(where, All) else (where,) if where else ()
    replaced = {condition.dimension for condition in new if isinstance(condition, Is)}
    return [one for one in before if not (isinstance(one, Is) and one.dimension in replaced)]


def _joined(conditions: Sequence[Condition]) -> Condition | None:
    different = tuple(dict.fromkeys(conditions))
    return All.checked(of=different) if len(different) > 1 else different[0] if different else None


def _as_did(condition: Condition) -> Did:
    if not isinstance(condition, Did):
        raise NotRead("Several outcomes of different kinds are chosen: name one of them.")
    return condition


def _single_step(condition: Condition) -> FunnelStep:
    return _as_did(condition).steps[0]


def _outcome_step(outcome: str) -> FunnelStep:
    for prefix, kind in ((PAGE_OUTCOME, StepKind.PAGE), (TEMPLATE_OUTCOME, StepKind.TEMPLATE)):
        if outcome.startswith(prefix):
            return FunnelStep(kind=kind, any_of=(path_of(outcome.removeprefix(prefix)),))
    return FunnelStep(kind=StepKind.EVENT, any_of=(outcome,))


_Handler = Callable[[_Reader, QuestionTerm], None]
_HANDLERS: Final[dict[Kind, _Handler]] = {
    **dict.fromkeys(
        (Kind.MANY, Kind.SHARE, Kind.WHICH, Kind.WHEN, Kind.OFTEN, Kind.LONG, Kind.COMPARE, Kind.TOP,
         Kind.LIST, Kind.OVER_TIME, Kind.STEP_BY_STEP),
        _Reader.ask,
    ),
    **dict.fromkeys((Kind.MOST, Kind.LEAST), _Reader.order),
    **dict.fromkeys(_VERBS, _Reader.verbs),
    Kind.RELATIVE: _Reader.relative, Kind.DENIAL: _Reader.deny, Kind.AND: _Reader.join,
    Kind.OR: _Reader.join, Kind.THEN: _Reader.then, Kind.AFTER: _Reader.after,
    Kind.PREPOSITION: _Reader.prepositions, Kind.THAN: _Reader.than, Kind.OTHERS: _Reader.others,
    Kind.NOUN: _Reader.noun, Kind.DIMENSION: _Reader.dimension, Kind.BY: _Reader.by, Kind.UNIT: _Reader.unit,
    Kind.MEASURE: _Reader.measure, Kind.TIMES: _Reader.times, Kind.RANGE: _Reader.range,
    Kind.NUMBER: _Reader.count, Kind.PERIOD: _Reader.period, Kind.DURATION: _Reader.duration,
    Kind.IN_SESSION: _Reader.in_session, Kind.ATTRIBUTE: _Reader.attribute, Kind.SEGMENT: _Reader.segment,
    Kind.VISITOR: _Reader.visitor, Kind.OUTCOME: _Reader.outcome, Kind.RATE: _Reader.rates,
    Kind.AVERAGE: _Reader.average, Kind.PER_USER: _Reader.average, Kind.PER_SESSION: _Reader.per_session,
    Kind.BEYOND: _Reader.beyond,
    Kind.STEP: _Reader.step,
}  # fmt: skip
