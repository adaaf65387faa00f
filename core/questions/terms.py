"""Cut a question into terms: phrases that mean something in a query, numbers, periods and names of the data.

Periods and limits are found in the text as it stands; of the rest the longest phrase wins, whether it is of
``words.yaml`` or a name of the data (:mod:`core.questions.names`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from core.base.errors import SettingsError
from core.base.schema import Users
from core.facts.context import Context
from core.facts.items import LABELLED
from core.journeys.funnel import FunnelStep, StepKind
from core.profiles.outcomes import PURCHASE
from core.query.layout import layout_of
from core.query.query import By
from core.questions.languages import in_english
from core.questions.lexicon import NUMBERS, segment_numbers, stem, tokens
from core.questions.names import MAX_WORDS, DataNames, is_name, names_of, segments_named, with_whole_names
from core.questions.spans import marked_spans
from core.questions.words import Kind, QuestionTerm, file_of_words, listed, own_phrases

_BRACKETS: Final = re.compile(r"[()]")
_ARROW: Final = re.compile(r"\s*(?:[-=]+>|→|➔)\s*")
_LIST: Final = re.compile(
    r",\s+(?=(?:[\w/&-]+\s+){0,3}[\w/&-]+(?:,\s+(?:[\w/&-]+\s+){0,3}[\w/&-]+)*,?\s+or\s)"
)
"""A comma of a list whose last is joined by “or”."""
_OPEN, _CLOSE = "zzopen", "zzclose"
_EXPLAINED: Final = 4
"""Words before a bracket that what it holds may explain, at most."""
_WITHIN: Final = ("in", "under", "inside", "within", "anything in", "below")
_BEFORE_PAGE: Final = (Kind.SAW, Kind.ENTERED, Kind.LEFT, Kind.AFTER, Kind.THEN, Kind.PREPOSITION)
_BETWEEN: Final = (Kind.FILLER, Kind.ARE)
"""What may stand between a dimension and its value: “channel is email”."""
_COUNTED: Final = (Kind.UNIT, Kind.NOUN, Kind.DIMENSION, Kind.MEASURE, Kind.TIMES)
_SHORT: Final = 3
"""Letters of a word that may stand for a longer name, at least."""
_NO_TYPO: Final = 7
"""Letters of a word that is read in spite of a letter that is missing or too many, at least."""


def terms_of(question: str, context: Context) -> list[QuestionTerm]:
    """Cut a question into terms; words that mean nothing here are of the kind ``unknown``.

    Args:
        question: In the analyst's words.
        context: The segments that it is about.
    """
    first, last = layout_of(context.tables.basis).days
    plain = _LIST.sub(" or ", _ARROW.sub(" then ", in_english(question)))
    text, marked = marked_spans(with_whole_names(plain, context), first, last)
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
            term, length = _Cut(words, place, found, context).term()
            found.append(term)
            place += length
    return _about_pages(found)


def _explained(found: list[QuestionTerm], opened: int, context: Context) -> None:
    """Let a page or event in brackets stand for the words before them: ``registered (sign_up)``."""
    inside = [term for term in found[opened:] if term.kind not in (Kind.FILLER, Kind.DIMENSION)]
    if opened < 0 or len(inside) != 1 or inside[0].kind is not Kind.STEP:
        return
    step: FunnelStep = inside[0].value
    before, name = found[:opened], inside[0]
    is_address = step.kind is StepKind.EVENT or name.text.startswith("/")
    if not is_address and before and before[-1].kind is Kind.STEP:
        found[:] = before  # “the gift sets page (collections)”
        return
    for _ in range(_EXPLAINED):
        explained = before and before[-1].kind in (Kind.UNKNOWN, Kind.STEP, Kind.UNIT, Kind.DIMENSION)
        if not explained:
            break
        before.pop()
    if step.kind is StepKind.PAGE and not step.any_of[0].endswith("*"):
        name = QuestionTerm(Kind.STEP, name.text, names_of(context).pages.folder(step.any_of[0]) or step)
    found[:] = [*before, name]


def _about_pages(terms: Sequence[QuestionTerm]) -> list[QuestionTerm]:
    """Read ``saw a page about hiking`` as ``saw hiking``; two names side by side are not understood."""
    found: list[QuestionTerm] = []
    for term in terms:
        is_page = _is_page(term)
        noun = found[-2] if len(found) > 2 else None
        said = noun is not None and noun.kind is Kind.DIMENSION and noun.text in _page_nouns()
        if (
            is_page
            and said
            and found[-1].kind is Kind.PREPOSITION
            and found[-3].kind in (Kind.SAW, Kind.ENTERED)
        ):
            del found[-2:]
        if is_page and found and _is_page(found[-1]):
            before = found.pop()
            if before.text.startswith("/") == term.text.startswith("/"):
                term = QuestionTerm(Kind.UNKNOWN, f"{before.text} {term.text}")
        found.append(term)
    return found


def _is_page(term: QuestionTerm) -> bool:
    return term.kind is Kind.STEP and term.value.kind is StepKind.PAGE


@cache
def _page_nouns() -> frozenset[str]:
    return listed("page") | listed("pages")


@dataclass(frozen=True)
class _Cut:
    """A place in the words of a question at which the next term is cut off.

    Args:
        words: All words.
        place: Where the term begins.
        before: The terms before.
        context: The segments that the question is about.
    """

    words: Sequence[str]
    place: int
    before: Sequence[QuestionTerm]
    context: Context

    def term(self) -> tuple[QuestionTerm, int]:
        """The term, and how many words it takes."""
        if found := self._numbered():
            return found
        segment = self._named()
        if segment and not self._means_else(segment):
            return segment
        word = self.words[self.place]
        if word.startswith(("/", "http")):
            return self._address(word)
        page, label, dimension = self._page(), self._label(), self._dimension()
        if dimension and label and dimension[1] > label[1]:
            label = None  # “item category”, the name of a dimension, is no page of items
        if label and not (page and page[1] >= label[1] and self._is_whole_name(page[1])):
            return self._with_noun(label)
        if page and self._noun_at(page[1]):
            own = self._own()
            if not own or (own[1] <= page[1] and own[0].kind is not Kind.WHICH):
                return self._with_noun(page)
        is_page = page and self._is_page(page[1])
        cuts = (
            dimension, self._event(), self._value(), self._own(), page if is_page else None, segment
        )  # fmt: skip
        longest = max((cut[1] for cut in cuts if cut), default=0)
        first, *others = (cut[0] for cut in cuts if cut and cut[1] == longest) if longest else (None,)
        if first is None:
            return self._otherwise(word, page)
        is_done = first.kind is Kind.STEP and first.value.kind is StepKind.EVENT and not self._is_after_verb
        named = tuple(one for one in others if one.kind in _NAMED and not (is_done and _is_page(one)))
        return replace(first, instead=(*first.instead, *named)), longest

    @property
    def _data(self) -> DataNames:
        return names_of(self.context)

    def _longest(
        self, made: Callable[[Sequence[str]], QuestionTerm | None], most: int
    ) -> tuple[QuestionTerm, int] | None:
        """The term of the most words that stand here, and how many these are."""
        for length in range(min(most, len(self.words) - self.place), 0, -1):
            if term := made(self.words[self.place : self.place + length]):
                return term, length
        return None

    def _numbered(self) -> tuple[QuestionTerm, int] | None:
        """Segments by their numbers."""
        numbers, used = segment_numbers(self.words, self.place)
        keys = tuple(f"segment:{int(number) - 1}" for number in numbers)
        known = self.context.segment_keys
        missing = [number for number, key in zip(numbers, keys, strict=True) if key not in known]
        if missing:
            listed_keys = ", ".join(self.context.title(key) for key in known)
            raise SettingsError(f"There is no segment {', '.join(missing)}", allowed=listed_keys)
        return (self._text(used, Kind.SEGMENT, keys), used) if keys else None

    def _named(self) -> tuple[QuestionTerm, int] | None:
        """A segment by its name."""
        named = segments_named(self.context)
        return self._longest(
            lambda words: QuestionTerm(Kind.SEGMENT, " ".join(words), (named[tuple(words)],))
            if tuple(words) in named and not all(map(str.isdecimal, words)) else None,
            MAX_WORDS,
        )  # fmt: skip

    def _means_else(self, segment: tuple[QuestionTerm, int]) -> bool:
        """Whether a segment is named by what is also a word of queries, an event, a value or a page."""
        words = self.words[self.place : self.place + segment[1]]
        known = own_phrases().get(tuple(words)) or self._event_of(words) or self._value_of(words)
        return bool(known or self._data.pages.is_whole_name(words))

    def _text(self, length: int, kind: Kind, value: object) -> QuestionTerm:
        return QuestionTerm(kind, " ".join(self.words[self.place : self.place + length]), value)

    # words of a query

    def _own(self) -> tuple[QuestionTerm, int] | None:
        def named(words: Sequence[str]) -> QuestionTerm | None:
            meanings = own_phrases().get(tuple(words))
            if not meanings:
                return None
            first, *others = meanings
            pairs = tuple((one.kind, one.value) for one in others)
            return QuestionTerm(first.kind, " ".join(words), first.value, pairs)

        return self._longest(named, _LONGEST)

    # events

    def _event(self) -> tuple[QuestionTerm, int] | None:
        """An event by its name, by a usual way of saying it, or a purchase; not one within a page's name."""
        found = self._longest(self._event_of, _LONGEST)
        last = found[1] if found else 0
        for end in range(last, last + MAX_WORDS) if found else ():
            name = self._words(end)[last - 1 :]
            if self._noun_at(end) in _page_nouns() and (end == last or self._data.pages.is_whole_name(name)):
                return None  # “saw a product page”, “saw the product safety page”
        return found

    def _event_of(self, words: Sequence[str]) -> QuestionTerm | None:
        text = " ".join(words)
        if {words[0], words[-1]} & {*_ARTICLES, *_SKIPPED} and text not in listed("buy"):
            return None
        if text in listed("buy"):
            name = PURCHASE if PURCHASE in self._data.events else ""
        elif text in self._page_words:
            name = ""
        else:
            bare = [word for word in words if word not in _SKIPPED]
            usual = [word for word in words if word not in _SKIPPED[:10]]
            name = (
                self._put_into(words)
                or self._data.event(words)
                or self._data.event(bare)
                or self._usual(usual)
            )
        return QuestionTerm(Kind.STEP, text, _event(name)) if name else None

    @property
    def _page_words(self) -> frozenset[str]:
        return _page_nouns() | listed("homepage")

    def _usual(self, words: Sequence[str]) -> str:
        """The event that is usually called so: ``registered`` is ``sign_up``, where the data has it."""
        names = _usual_events().get(tuple(map(stem, words)), ())
        return next((name for name in names if name in self._data.events), "")

    def _put_into(self, words: Sequence[str]) -> str:
        """The event ``add_to_cart`` of “put something in the cart”."""
        if len(words) < 3 or words[0] not in listed("put") or not set(words[1:-1]) & {"to", "in", "into"}:
            return ""
        target = "cart" if words[-1] in listed("carts") else words[-1]
        return self._data.event(("add", "to", target)) if {*words[1:-1]} <= listed("into") else ""

    # values of the data

    def _dimension(self) -> tuple[QuestionTerm, int] | None:
        """A dimension that the analyst chose, by its name."""
        named = self._data.dimensions
        return self._longest(
            lambda words: QuestionTerm(Kind.DIMENSION, " ".join(words), named[tuple(words)])
            if tuple(words) in named else None,
            _LONGEST_VALUE,
        )  # fmt: skip

    def _value(self) -> tuple[QuestionTerm, int] | None:
        """A device, browser, country, source, theme or type."""
        return self._longest(self._value_of, _LONGEST_VALUE)

    def _value_of(self, words: Sequence[str]) -> QuestionTerm | None:
        if any(len(word) < _SHORT and word != "uk" for word in words):
            return None
        found = self._data.values(words)
        if own_phrases().get(tuple(words)):
            before = self.before[-1] if self.before else None
            if before is None or before.kind is not Kind.DIMENSION:
                return None  # “plus” is “and”, but for “plan plus”
            found = [one for one in found if one[0] == before.value and one[1].casefold() == " ".join(words)]
        named = next((term for term in reversed(self.before) if term.kind not in _BETWEEN), None)
        if named and named.kind is Kind.DIMENSION:  # “with channel email”
            found = [one for one in found if one[0] == named.value] or found
        if not found and len(words) == 1 and (country := self._data.country(words[0], self.context)):
            found = [(Users.COUNTRY, country)]
        if not found:
            return None
        text, terms = " ".join(words), list[QuestionTerm]()
        for dimension in dict.fromkeys(one for one, _ in found):
            first, *alike = [one for one in found if one[0] == dimension]
            if dimension in _LABELS:
                step = FunnelStep(kind=StepKind(dimension), any_of=first[1:])
                terms.append(QuestionTerm(Kind.STEP, text, step))
            else:
                others = tuple((Kind.ATTRIBUTE, one) for one in alike)
                terms.append(QuestionTerm(Kind.ATTRIBUTE, text, first, others))
        return replace(terms[0], instead=tuple(terms[1:]), is_open=len(terms) > 1)

    def _label(self) -> tuple[QuestionTerm, int] | None:
        """A theme or type by its whole name before a noun for pages: ``product page``."""
        found = self._value()
        if not found or found[0].kind is not Kind.STEP or not self._noun_at(found[1]):
            return None
        return found if is_name(found[0].value.any_of[0], self._words(found[1])) else None

    # pages

    def _address(self, address: str) -> tuple[QuestionTerm, int]:
        """A page by its address; all of its folder, where that is said or the address is no page."""
        noun = self._noun_at(1)
        if address.endswith("/*"):
            return self._below(address.removesuffix("/*"))
        page = self._data.pages.as_spelt(address.rstrip("."))
        before = self.before[-1].text if self.before else ""
        whole = (
            before in _WITHIN or noun in listed("pages") or page.endswith("/")
            or page not in self.context.tables.basis.pages
        )  # fmt: skip
        known = page if page in self.context.tables.basis.pages else page.rstrip("/") or page
        step = FunnelStep(kind=StepKind.PAGE, any_of=(known,))
        value = (self._data.pages.folder(page) if whole else None) or step
        return QuestionTerm(Kind.STEP, address, value), 1 + bool(noun)

    def _below(self, folder: str) -> tuple[QuestionTerm, int]:
        """The pages below a folder, ``/blog/...``; instead, the folder with its own page."""
        whole = self._data.pages.folder(folder)
        if whole is None:
            return QuestionTerm(Kind.UNKNOWN, f"{folder}/*"), 1
        below = QuestionTerm(Kind.STEP, folder, FunnelStep(kind=StepKind.PAGE, any_of=whole.any_of[1:2]))
        own = whole.any_of[0] in self.context.tables.basis.pages
        others = (QuestionTerm(Kind.STEP, folder, whole),) if own else ()
        return replace(below, instead=others), 1 + bool(self._noun_at(1))

    def _page(self) -> tuple[QuestionTerm, int] | None:
        """The pages whose addresses have the most of the words that follow."""
        if self.words[self.place] in _ARTICLES:
            return None
        text = " ".join(self.words[self.place : self.place + 2])
        for length in (2, 1):
            text = " ".join(self.words[self.place : self.place + length])
            if text in listed("homepage") and "/" in self.context.tables.basis.pages:
                return QuestionTerm(Kind.STEP, "/", FunnelStep(kind=StepKind.PAGE, any_of=("/",))), length
        return self._longest(self._page_of, MAX_WORDS)

    def _page_of(self, words: Sequence[str]) -> QuestionTerm | None:
        if words[-1] in _ARTICLES or all(word in _page_nouns() for word in words):
            return None
        if listed("things").issuperset(words) and not self._data.pages.is_whole_name(words):
            return None  # “product” says of what kind a page is, and is no name of those with it in theirs
        noun = self._noun_at(len(words))
        before = self.before[-1].text if self.before else ""
        single = noun in (listed("page") | listed("things")) and before not in (
            *_WITHIN,
            "a",
            "an",
            "any",
            "one",
            "at least",
        )
        whole = not single
        step = self._data.pages.named(words, whole=whole)
        return QuestionTerm(Kind.STEP, " ".join(words), step) if step else None

    def _noun_at(self, length: int) -> str:
        """The noun for pages that follows so many words; empty for none."""
        following = self.words[self.place + length : self.place + length + 1]
        named = following and following[0] in (_page_nouns() | listed("things"))
        return following[0] if named else ""

    def _with_noun(self, page: tuple[QuestionTerm, int]) -> tuple[QuestionTerm, int]:
        term, length = page
        noun = self._noun_at(length)
        is_list = noun in listed("pages") and noun not in _OF_FOLDER
        return replace(term, others=((Kind.LIST, noun),) if is_list else ()), length + 1

    def _is_page(self, length: int) -> bool:
        """Whether words are all of a page's name, or stand where a page must."""
        words = self._words(length)
        if words[0] in listed("homepage") or " ".join(words) in listed("homepage"):
            return True
        verb = words[0].endswith(("ed", "ing")) and stem(words[0]) != words[0]
        if length == 1 and (verb or own_phrases().get((words[0],))):
            return False
        return self._is_whole_name(length) or (length > 1 and self._is_after_verb)

    def _is_whole_name(self, length: int) -> bool:
        return self._data.pages.is_whole_name(self._words(length))

    def _words(self, length: int) -> Sequence[str]:
        return self.words[self.place : self.place + length]

    @property
    def _is_after_verb(self) -> bool:
        """Whether a page is likely here: after seeing, or in a list of pages."""
        said = [term for term in self.before if term.kind is not Kind.FILLER]
        if not said:
            return False
        if said[-1].kind in (Kind.AND, Kind.OR) and len(said) > 1:
            return said[-2].kind is Kind.STEP
        return said[-1].kind in _BEFORE_PAGE and said[-1].text not in ("from", "via")

    # what is left

    def _otherwise(self, word: str, page: tuple[QuestionTerm, int] | None) -> tuple[QuestionTerm, int]:
        """A number, an event by a single word of its name, a stop word, or what is not understood."""
        if word in NUMBERS:
            following = own_phrases().get(tuple(self.words[self.place + 1 : self.place + 2]), ())
            if word == "one" and not (following and following[0].kind in _COUNTED):
                return QuestionTerm(Kind.FILLER, word), 1  # “that submitted one”
            return QuestionTerm(Kind.NUMBER, word, NUMBERS.index(word) + 1), 1
        if word.isdecimal() and len(word) <= _LONGEST_NUMBER:
            return QuestionTerm(Kind.NUMBER, word, int(word)), 1
        if word in _stop_words():
            return QuestionTerm(Kind.FILLER, word), 1
        if len(word) > _SHORT and (name := self._data.event_with(word)):
            return QuestionTerm(Kind.STEP, word, _event(name)), 1
        if near := _misspelt(word):
            first, *others = own_phrases()[(near,)]
            pairs = tuple((one.kind, one.value) for one in others)
            return QuestionTerm(first.kind, near, first.value, pairs), 1
        return QuestionTerm(Kind.UNKNOWN, word), 1


_LONGEST: Final = 8
_LONGEST_NUMBER: Final = 9
_SKIPPED: Final = (
    "the", "a", "an", "our", "their", "his", "her", "this", "any", "some", "for", "to", "of", "in", "at",
    "with",
)  # fmt: skip
_LONGEST_VALUE: Final = 4
_OF_FOLDER: Final = ("section", "folder", "area", "directory", "category", "content")
"""Nouns for all pages of a folder together; others, such as ``articles``, can be listed one by one."""
_ARTICLES: Final = ("the", "a", "an", "on", "our", "their", "in", "and", "or")
_NAMED: Final = (Kind.STEP, Kind.ATTRIBUTE, Kind.SEGMENT)
"""Kinds of terms that are names of the data."""
_LABELS: Final = tuple(By(dimension.value) for dimension in LABELLED)


def _event(name: str) -> FunnelStep:
    return FunnelStep(kind=StepKind.EVENT, any_of=(name,))


@cache
def _usual_events() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Stems of usual phrases for events → the names of these events."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name, texts in file_of_words()["events"].items():
        for text in texts.split("|"):
            found.setdefault(tuple(map(stem, text.split())), []).append(str(name))
    return {phrase: tuple(names) for phrase, names in found.items()}


@cache
def _stop_words() -> frozenset[str]:
    """Words that mean nothing: function words of English, but for those that say something of a query."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # heavy, and only for questions

    return frozenset(ENGLISH_STOP_WORDS) - frozenset(str(file_of_words()["telling"]).split())


def _misspelt(word: str) -> str:
    """The word of ``words.yaml`` that a misspelt word stands for; empty for none.

    Two neighbouring letters are swapped, or one is missing or too many.
    """
    if len(word) < _NO_TYPO - 1 or not word.isalpha():
        return ""
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    shorter = {word[:i] + word[i + 1 :] for i in range(len(word))} if len(word) >= _NO_TYPO else set()
    known = [known for (known, *more) in own_phrases() if not more and len(known) >= _NO_TYPO - 1]
    longer = {one for one in known if len(one) == len(word) + 1 and _lacks_one(one, word)}
    found = sorted({one for one in known if one in swapped | shorter} | longer)
    return found[0] if len(found) == 1 else ""


def _lacks_one(whole: str, word: str) -> bool:
    return any(whole[:i] + whole[i + 1 :] == word for i in range(len(whole)))
