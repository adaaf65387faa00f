"""What a model wrote, checked: only what holds is shown, with names in place of their numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from core.facts.answer import Fact, Mark, MarkKind
from core.facts.measures import clean
from core.facts.render import cited, shown
from core.outgoing.quoting import visible
from core.profiles.profile_columns import Col
from core.writing.outbox import Outbox
from core.writing.prose.check import check_slots
from core.writing.prose.comparatives import find_comparatives
from core.writing.prose.numerals import find_numerals
from core.writing.prose.sentence import split_sentences
from core.writing.prose.verify import Checked, verify_numbers

_NUMBER: Final = re.compile(r"(?<![\w\[])([PS])(\d{1,6})(?![\w\]])")
_NOUN: Final = re.compile(r"\b(?:[Ss]egments?|[Cc]lusters?|[Pp]ages?|[Ii]tems?)\s+(?=[PS]\d)")
_BULLET: Final = re.compile(r"\s*(?:(?:[-*+•]|\d{1,2}[.)])\s+)?")
_HEADING: Final = re.compile(r":[\s*]*$|^\s*#")


@dataclass(frozen=True)
class Draft:
    """What a model wrote.

    Args:
        text: With names filled in, and slots where values stand.
        facts: That back it.
        marks: What has to be said of parts of it.
        complaint: Why it may not be shown, for the model; empty if it may.
    """

    text: str
    facts: tuple[Fact, ...] = ()
    marks: tuple[Mark, ...] = ()
    complaint: str = ""

    @property
    def markdown(self) -> str:
        """As it is shown."""
        return shown(self.text, self.facts, self.marks)


class Checker:
    """Checks the texts of one turn.

    A text is checked while things in it are still called by number, so that what strangers called a page can
    neither pass for a number or a comparison nor hide one.

    Args:
        outbox: What was sent.
        question: What was asked.
        slots: Whether the model can be held to slots; else each number it writes is looked for in the facts.
    """

    def __init__(self, outbox: Outbox, question: str, *, slots: bool) -> None:
        self._outbox, self._question, self._slots = outbox, question, slots
        context = outbox.figures.context
        self._titles = {key: context.title(key) for key in context.keys}
        self._segments = {key: tuple(self._called(key)) for key in context.keys}

    def draft(self, text: str) -> Draft:
        """Check a text."""
        text = _NOUN.sub("", visible(text).strip())
        unknown = [match[0] for match in _NUMBER.finditer(text) if not self._is_known(match[0])]
        if unknown:
            return Draft(text, complaint="\n".join(f"- {number}: there is none" for number in unknown))
        if self._slots or cited(text):
            return self._slotted(text)
        verified = verify_numbers(
            text, self._outbox.sent, segments=self._segments, question=self._question
        )  # fmt: skip
        return self._made(text, verified.spans)

    def _slotted(self, text: str) -> Draft:
        checked = check_slots(text, self._outbox.sent, segments=self._segments, question=self._question)
        return self._made(text) if checked.ok else Draft(text, complaint=checked.complaint())

    def _made(self, text: str, spans: tuple[Checked, ...] = ()) -> Draft:
        ids = dict.fromkeys((*cited(text), *(span.fact for span in spans if span.fact)))
        backed = [(span.start, span.end) for span in spans if span.ok]
        marks = [Mark(one.start, one.end, MarkKind.UNVERIFIED) for one in spans if not one.ok]
        marks += _suggestions(text, backed, marks)
        marks = list(_apart(sorted(marks, key=lambda one: one.start)))
        facts = tuple(fact for name in ids if (fact := self._outbox.fact(name)))
        named, moved = self._named(text, [place for mark in marks for place in (mark.start, mark.end)])
        ends = iter(moved)
        return Draft(named, facts, tuple(Mark(next(ends), next(ends), mark.kind) for mark in marks))

    def _named(self, text: str, places: list[int]) -> tuple[str, list[int]]:
        """The text with names for numbers, and where its places went."""
        parts, last, shifts = [], 0, [(0, 0)]
        for match in _NUMBER.finditer(text):
            name = self._name(match[0])
            parts += [text[last : match.start()], name]
            last = match.end()
            shifts.append((last, shifts[-1][1] + len(name) - len(match[0])))
        moved = [place + max(shift for shift in shifts if shift[0] <= place)[1] for place in places]
        return "".join([*parts, text[last:]]), moved

    def _is_known(self, number: str) -> bool:
        return _key(number) in self._titles or number in self._outbox.quotes.texts

    def _name(self, number: str) -> str:
        title = self._titles.get(_key(number))
        return title or f"“{clean(self._outbox.quotes.texts[number])}”"

    def _called(self, key: str) -> Iterator[str]:
        """Names by which the text may call a row; one that speaks of numbers could hide some."""
        context = self._outbox.figures.context
        row = context.row(key)
        yield str(row[Col.LABEL])
        name = context.names.get(int(row[Col.SEGMENT]), "") if key in context.segment_keys else ""
        if name and not find_numerals(name) and not find_comparatives(name):
            yield name


def streamed(checker: Checker, on_text: Callable[[str], None] | None) -> Callable[[str], None] | None:
    """Passes on the sentences that are whole and hold, as Markdown; waits with the others.

    Args:
        checker: Of the turn.
        on_text: Gets all that can be shown so far.
    """
    if on_text is None:
        return None
    done = 0

    def part(text: str) -> None:
        nonlocal done
        sentences = split_sentences(text)
        whole = sentences[-1][0] if len(sentences) > 1 else 0
        if whole > done:
            done = whole
            draft = checker.draft(text[:whole])
            if not draft.complaint:
                on_text(draft.markdown)

    return part


def _key(number: str) -> str:
    """``S2`` → ``segment:1``; of an item nothing."""
    return f"segment:{int(number[1:]) - 1}" if number.startswith("S") else ""


def _suggestions(text: str, backed: list[tuple[int, int]], marks: list[Mark]) -> list[Mark]:
    """Sentences without a fact, those that follow each other on a line as one."""
    found: list[Mark] = []
    for start, end in split_sentences(text):
        said = text[start:end]
        has_fact = cited(said) or any(start <= place < end for place, _ in backed)
        has_mark = any(start <= mark.start < end for mark in marks)
        if has_fact or has_mark or _HEADING.search(said) or not re.search(r"\w", said):
            continue
        bullet = _BULLET.match(said)
        begin, over = start + (bullet.end() if bullet else 0), start + len(said.rstrip())
        if found and "\n" not in text[found[-1].end : begin] and not text[found[-1].end : begin].strip():
            begin = found.pop().start
        found.append(Mark(begin, over, MarkKind.SUGGESTION))
    return found


def _apart(marks: list[Mark]) -> Iterator[Mark]:
    """Without those that begin within another one."""
    end = 0
    for mark in marks:
        if mark.start >= end:
            end = mark.end
            yield mark
