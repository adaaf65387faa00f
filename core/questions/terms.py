"""Cut a question into terms: phrases that mean something in a query, numbers, periods and names of the data.

Periods and limits are found in the text as it stands; of the rest the longest phrase wins, whether it is of
``words.yaml``, the name of an event, page, segment or source, or a figure of the vocabulary of questions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from core.base.errors import SettingsError
from core.facts.context import Context
from core.facts.items import ATTRIBUTES, Dimension
from core.journeys.funnel import FunnelStep, StepKind
from core.profiles.profile_columns import Col
from core.query.layout import layout_of
from core.query.query import By
from core.questions.grammar import NUMBERS, known_phrases, segment_numbers
from core.questions.lexicon import EVENT, Meaning, Sort, country_of, stem, tokens
from core.questions.spans import marked_spans

WORDS: Final = Path(__file__).parent / "words.yaml"


class Kind(StrEnum):
    """What a term does in a query."""

    MANY = "many"
    SHARE = "share"
    WHICH = "which"
    WHEN = "when"
    OFTEN = "often"
    LONG = "long"
    COMPARE = "compare"
    TOP = "top"
    LIST = "list"
    OVER_TIME = "over_time"
    STEP_BY_STEP = "step"
    MOST = "most"
    LEAST = "least"
    SAW = "saw"
    DID = "did"
    CAME = "came"
    ARE = "are"
    ENTERED = "entered"
    LEFT = "left"
    RETURN = "return"
    AGAIN = "again"
    DENIAL = "denial"
    RELATIVE = "relative"
    AND = "and"
    OR = "or"
    THEN = "then"
    AFTER = "after"
    PREPOSITION = "prepositions"
    BY = "by"
    VISITOR = "visitors"
    UNIT = "units"
    TIMES = "times"
    IN_SESSION = "session"
    TOTAL = "total"
    OTHERS = "others"
    NOUN = "nouns"
    OUTCOME = "outcome"
    AVERAGE = "average"
    PER_USER = "per_user"
    PER_SESSION = "per_session"
    THAN = "than"
    MEASURE = "measures"
    RATE = "rates"
    FILLER = "filler"
    # of the data, and of the text
    DIMENSION = "dimensions"
    ATTRIBUTE = "attribute"
    SEGMENT = "segment"
    STEP = "page_or_event"
    RANGE = "range"
    PERIOD = "period"
    DURATION = "duration"
    NUMBER = "number"
    UNKNOWN = "unknown"


_GROUPS: Final = ("ask", "order", "verbs", "joins")
"""Sections whose entries are kinds; the others are kinds themselves, their entries values."""


@dataclass(frozen=True)
class QuestionTerm:
    """A phrase of a question and what it means.

    Args:
        kind: What it does.
        text: As it was written, in lower case.
        value: What it names: a measure, a dimension, a step, (dimension, value), a range, a period, …
        others: Further values that the same words can name.
    """

    kind: Kind
    text: str
    value: Any = None
    others: tuple[Any, ...] = ()


@cache
def _words() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return found


@cache
def _listed(section: str) -> frozenset[str]:
    """The words of a section."""
    return frozenset(word.strip() for word in _words()[section].split("|"))


@cache
def _phrases() -> Mapping[tuple[str, ...], tuple[QuestionTerm, ...]]:
    found: dict[tuple[str, ...], list[QuestionTerm]] = {}
    for section, entry in _words().items():
        if section not in {*_GROUPS, *Kind}:
            continue
        named = entry if isinstance(entry, dict) else {None: entry}
        for value, texts in named.items():
            grouped = section in _GROUPS
            kind = Kind(str(value) if grouped else section)
            said = None if grouped else By(str(value)) if kind is Kind.DIMENSION else value
            for text in texts.split("|"):
                term = QuestionTerm(kind, " ".join(text.split()), said)
                found.setdefault(tuple(tokens(text)), []).append(term)
    return {phrase: tuple(terms) for phrase, terms in found.items() if phrase}


@lru_cache(maxsize=8)
def _events(names: tuple[str, ...]) -> Mapping[tuple[str, ...], str]:
    """Tokens of each event's name, and of its forms (``signed up``, ``began a checkout``), → the name."""
    found: dict[tuple[str, ...], str] = {}
    for name in names:
        first, *rest = tokens(name) or [""]
        forms = {(form, *rest) for form in _forms(first)}
        if rest:
            forms |= {(form, article, *rest) for form in _forms(first) for article in ("a", "an", "the")}
            forms |= {(first, *rest[:-1], f"{rest[-1]}s")}
        for form in forms:
            found.setdefault(form, name)
    return found


def _forms(verb: str) -> set[str]:
    """Forms of the verb that an event's name begins with: ``submits``, ``submitted``, ``began``."""
    if len(verb) < 3 or not verb.isalpha():
        return {verb}
    stem = verb[:-1] if verb.endswith("e") else f"{verb[:-1]}i" if verb.endswith("y") else verb
    doubled = verb + verb[-1]
    endings = {f"{stem}ed", f"{verb.removesuffix('e')}ing", f"{doubled}ed", f"{doubled}ing", f"{verb}s"}
    return {verb, *endings, f"{stem}es", f"{stem}er", f"{stem}ers", *_IRREGULAR.get(verb, "").split()}


_IRREGULAR: Final = {
    "add": "put puts putting", "begin": "began begun start starts started starting", "see": "saw seen",
    "buy": "bought", "send": "sent", "read": "read", "find": "found", "get": "got", "leave": "left",
}  # fmt: skip
"""First word of an event → further forms, and words that people use for it."""


def terms_of(question: str, context: Context) -> list[QuestionTerm]:
    """Cut a question into terms; words that mean nothing here are of the kind ``unknown``.

    Args:
        question: In the analyst's words.
        context: The segments that it is about.
    """
    first, last = layout_of(context.tables.basis).days
    text, marked = marked_spans(question, first, last)
    words = tokens(_BRACKETS.sub(lambda match: f" {_OPEN if match.group() == '(' else _CLOSE} ", text))
    found: list[QuestionTerm] = []
    place, opened = 0, -1
    while place < len(words):
        word = words[place]
        if word == _OPEN:
            opened, place = len(found), place + 1
        elif word == _CLOSE:
            _explained(found, opened, context)
            opened, place = -1, place + 1
        elif word in marked:
            span = marked[word]
            found.append(QuestionTerm(Kind(span.kind), span.text, span.value, span.others))
            place += 1
        else:
            term, length = _longest(words, place, context)
            found.append(term)
            place += length
    return _with_folders(found, context)


_BRACKETS: Final = re.compile(r"[()]")
_OPEN, _CLOSE = "zzopen", "zzclose"
_EXPLAINED: Final = 4
"""Words before a bracket that what it holds may explain, at most."""


def _explained(found: list[QuestionTerm], opened: int, context: Context) -> None:
    """Let a page or event in brackets stand for the words before them: ``registered (sign_up)``."""
    inside = [term for term in found[opened:] if term.kind not in (Kind.FILLER, Kind.DIMENSION)]
    if opened < 0 or len(inside) != 1 or inside[0].kind is not Kind.STEP:
        return
    step: FunnelStep = inside[0].value
    before, name = found[:opened], inside[0]
    for _ in range(_EXPLAINED):
        explained = before and before[-1].kind in (Kind.UNKNOWN, Kind.STEP, Kind.UNIT, Kind.DIMENSION)
        if not explained:
            break
        before.pop()
    if step.kind is StepKind.PAGE:
        name = QuestionTerm(Kind.STEP, name.text, _folder(step.any_of[0], context) or step)
    found[:] = [*before, name]


def _with_folders(terms: Sequence[QuestionTerm], context: Context) -> list[QuestionTerm]:
    """Read ``anything in /news``, ``/jobs/`` and ``the news section`` as all pages of the folder."""
    found: list[QuestionTerm] = []
    for place, term in enumerate(terms):
        if term.kind is Kind.DIMENSION and term.value in (By.FOLDER, By.PAGE) and found:
            before = found[-1]
            if before.kind is Kind.STEP and before.value.kind is StepKind.PAGE:
                whole = _folder(before.value.any_of[0], context)
                if term.value is By.FOLDER or term.text == "pages":
                    found[-1] = QuestionTerm(Kind.STEP, before.text, whole or before.value)
                continue  # “the /cart page”
        if term.kind is Kind.STEP and term.value.kind is StepKind.PAGE and len(term.value.any_of) == 1:
            within = place > 0 and terms[place - 1].text in ("in", "under", "inside", "within", "anything in")
            page = term.value.any_of[0]
            named = within or term.text.rstrip(".").endswith("/") or page not in context.tables.basis.pages
            if (named or not term.text.startswith("/")) and (whole := _folder(page, context)):
                if within:
                    found.pop()
                term = QuestionTerm(Kind.STEP, term.text, whole)
        found.append(term)
    return found


def _folder(page: str, context: Context) -> FunnelStep | None:
    """All pages of the folder that an address names; None where there is none but, at most, the address."""
    base = "/" + page.strip("/.*").split("?")[0]
    inside = any(one.startswith((f"{base}/", f"{base}?")) for one in context.tables.basis.pages)
    if base == "/" or not inside:
        return None
    return FunnelStep(kind=StepKind.PAGE, any_of=(base, f"{base}/*", f"{base}?*"))


# the data's own names


def _longest(words: Sequence[str], place: int, context: Context) -> tuple[QuestionTerm, int]:
    """The term at a place, and how many words it takes."""
    if found := _segments(words, place, context):
        return found
    events = _events(layout_of(context.tables.basis).basis.funnel_site.events)
    if found := _put_into(words, place, events) or _any_order(words, place, events):
        return found
    for length in range(min(_LONGEST, len(words) - place), 0, -1):
        phrase = tuple(words[place : place + length])
        if term := _special(words, place, phrase, events, context) or _known_as(phrase, context):
            return term, length
    return _single(words[place], context), 1


_LONGEST: Final = 8


def _segments(words: Sequence[str], place: int, context: Context) -> tuple[QuestionTerm, int] | None:
    numbers, used = segment_numbers(words, place)
    keys = tuple(f"segment:{int(number) - 1}" for number in numbers)
    missing = [number for number, key in zip(numbers, keys, strict=True) if key not in context.segment_keys]
    if missing:
        listed = ", ".join(context.title(key) for key in context.segment_keys)
        raise SettingsError(f"There is no segment {', '.join(missing)}", allowed=listed)
    return (QuestionTerm(Kind.SEGMENT, " ".join(words[place : place + used]), keys), used) if keys else None


def _special(
    words: Sequence[str],
    place: int,
    phrase: tuple[str, ...],
    events: Mapping[tuple[str, ...], str],
    context: Context,
) -> QuestionTerm | None:
    """An event, the homepage, a source before a noun, or a purchase."""
    text = " ".join(phrase)
    if phrase in events:
        pages = _pages_of(known_phrases(context).meanings(phrase))
        return QuestionTerm(Kind.STEP, text, _event(events[phrase]), pages)
    if text in _listed("homepage") and "/" in context.tables.basis.pages:
        return QuestionTerm(Kind.STEP, "/", FunnelStep(kind=StepKind.PAGE, any_of=("/",)))
    if len(phrase) > 1:
        return None
    if source := _source_of(words, place, context):
        return source
    bought = _bought(context) if phrase[0] in _listed("buy") else None
    return QuestionTerm(Kind.STEP, text, bought) if bought else None


def _known_as(phrase: tuple[str, ...], context: Context) -> QuestionTerm | None:
    """A phrase of ``words.yaml``, a name of the data, or a figure of the vocabulary."""
    text, own = " ".join(phrase), _phrases().get(phrase, ())
    meanings = known_phrases(context).meanings(phrase)
    data = [one for one in meanings if one.sort in (Sort.ITEM, Sort.ROW, Sort.DIMENSION)]
    exact = [one for one in data if not one.near or len(phrase) > 1 or not own]
    if exact and not (own and exact[0].near):
        return _named(text, exact, context)
    if own:
        return _first(own, text)
    measure = next((one for one in meanings if one.sort is Sort.MEASURE), None)
    return _measured(text, measure) if measure else None


def _put_into(
    words: Sequence[str], place: int, events: Mapping[tuple[str, ...], str]
) -> tuple[QuestionTerm, int] | None:
    """Read “put something in the cart” as the event ``add_to_cart``."""
    if words[place] not in _forms("add"):
        return None
    for length in range(2, min(8, len(words) - place) + 1):
        target = words[place + length - 1]
        between = set(words[place + 1 : place + length - 1])
        name = events.get(("add", "to", "cart" if target in _listed("carts") else target))
        if name and between & {"to", "in", "into"} and between <= _listed("into"):
            return QuestionTerm(Kind.STEP, " ".join(words[place : place + length]), _event(name)), length
    return None


def _any_order(
    words: Sequence[str], place: int, events: Mapping[tuple[str, ...], str]
) -> tuple[QuestionTerm, int] | None:
    """Read ``clicked apply`` and ``submitted the form`` as the events ``apply_click`` and ``form_submit``."""
    by_stems = _by_stems(tuple(dict.fromkeys(events.values())))
    for length in range(min(_LONGEST_EVENT, len(words) - place), 1, -1):
        phrase = [word for word in words[place : place + length] if word not in ("the", "a", "an", "on")]
        name = by_stems.get(frozenset(map(stem, phrase)))
        if name and len(phrase) > 1 and phrase[0] == words[place]:
            return QuestionTerm(Kind.STEP, " ".join(words[place : place + length]), _event(name)), length
    return None


@lru_cache(maxsize=8)
def _by_stems(names: tuple[str, ...]) -> Mapping[frozenset[str], str]:
    """Stems of the words of each event of several words → the event."""
    return {frozenset(map(stem, tokens(name))): name for name in names if "_" in name}


_LONGEST_EVENT: Final = 5


def _first(own: Sequence[QuestionTerm], text: str) -> QuestionTerm:
    first, *others = own
    return QuestionTerm(first.kind, text, first.value, tuple((one.kind, one.value) for one in others))


def _event(name: str) -> FunnelStep:
    return FunnelStep(kind=StepKind.EVENT, any_of=(name,))


def _bought(context: Context) -> FunnelStep | None:
    events = layout_of(context.tables.basis).basis.funnel_site.events
    return _event("purchase") if "purchase" in events else None


def _pages_of(meanings: Sequence[Meaning]) -> tuple[FunnelStep, ...]:
    return tuple(_step(one) for one in meanings if one.sort is Sort.ITEM and one.dimension is Dimension.PAGE)


def _step(meaning: Meaning) -> FunnelStep:
    if meaning.value.startswith(EVENT):
        return _event(meaning.value.removeprefix(EVENT))
    return FunnelStep(kind=StepKind(str(meaning.dimension)), any_of=(meaning.value,))


def _named(text: str, meanings: Sequence[Meaning], context: Context) -> QuestionTerm:
    values = [_value(one) for one in meanings]
    kind, value = values[0]
    return QuestionTerm(kind, text, value, tuple(other for other in values[1:] if other != values[0]))


def _value(meaning: Meaning) -> tuple[Kind, Any]:
    if meaning.sort is Sort.DIMENSION:
        return Kind.DIMENSION, By(meaning.value)
    if meaning.sort is Sort.ROW:
        if meaning.value == "all":
            return Kind.TOTAL, None
        return Kind.SEGMENT, (meaning.value,)
    if meaning.dimension in ATTRIBUTES:
        return Kind.ATTRIBUTE, (By(str(meaning.dimension)), meaning.value)
    return Kind.STEP, _step(meaning)


_OF_COLUMN: Final = {
    Col.USERS: (Kind.MEASURE, "users"), Col.PAGE_VIEWS: (Kind.MEASURE, "views"),
    Col.PAGE_VIEWS_MEAN: (Kind.MEASURE, "views_per_user"), Col.SESSIONS: (Kind.MEASURE, "sessions"),
    Col.SESSIONS_MEAN: (Kind.MEASURE, "sessions_per_user"),
    Col.PAGES_PER_SESSION: (Kind.MEASURE, "views_per_session"),
    Col.DIFFERENT_PAGES_MEAN: (Kind.MEASURE, "pages_per_user"),
    Col.ENGAGEMENT_MEAN: (Kind.MEASURE, "engagement"), Col.OUTCOME_USERS: (Kind.OUTCOME, "did"),
    Col.OUTCOME_RATE: (Kind.OUTCOME, "rate"), Col.SESSION_RATE: (Kind.MEASURE, "session_rate"),
    Col.REVENUE: (Kind.MEASURE, "revenue"), Col.NET_REVENUE: (Kind.MEASURE, "net_revenue"),
    Col.REVENUE_PER_USER: (Kind.MEASURE, "revenue_per_user"),
}  # fmt: skip


def _measured(text: str, meaning: Meaning) -> QuestionTerm | None:
    if meaning.value not in _OF_COLUMN:
        return None
    kind, value = _OF_COLUMN[meaning.value]
    return QuestionTerm(kind, text, value)


def _single(word: str, context: Context) -> QuestionTerm:
    if word.startswith(("/", "http")):
        return QuestionTerm(Kind.STEP, word, FunnelStep(kind=StepKind.PAGE, any_of=(word,)))
    if word in NUMBERS:
        return QuestionTerm(Kind.NUMBER, word, NUMBERS.index(word) + 1)
    if word.isdecimal():
        return QuestionTerm(Kind.NUMBER, word, int(word))
    if country := country_of(word, context) or _country(word, context):
        return QuestionTerm(Kind.ATTRIBUTE, word, (By.COUNTRY, country))
    return QuestionTerm(Kind.UNKNOWN, word)


def _source_of(words: Sequence[str], place: int, context: Context) -> QuestionTerm | None:
    """Read a word before “visitors” as their sources, if it is a part of some: ``newsletter visitors``."""
    following = _phrases().get(tuple(words[place + 1 : place + 2]))
    if following is None or following[0].kind is not Kind.NOUN:
        return None
    values = context.tables.basis.data.attributes[By.SOURCE].values
    word = words[place]
    found = [value for value in values if word in value.replace("/", " ").casefold().split()]
    if not found or len(word) < 3:
        return None
    return QuestionTerm(
        Kind.ATTRIBUTE,
        word,
        (By.SOURCE, found[0]),
        tuple((Kind.ATTRIBUTE, (By.SOURCE, one)) for one in found[1:]),
    )


def _country(word: str, context: Context) -> str:
    country = _words()["demonyms"].get(word, "")
    return country if country in context.tables.basis.data.attributes[By.COUNTRY].values else ""
