"""Rung 2: the classifier that applies rules and words of themes to addresses and titles (``rules.yaml``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from core.base.schema import View
from core.labels.label_settings import Taxonomy
from core.labels.label_types import Label, Rung, Subject
from core.labels.page_address import Address, read_address
from core.labels.page_terms import terms_of, theme_of
from core.labels.rule_file import Rule, RuleFile, compiled, default_rules
from core.labels.words import TEXT_CHARACTERS, fold, singulars, words_of

_MAX_PHRASE_LENGTH: Final = 4
_MIN_SUFFIX_LENGTH: Final = 2
"""Fewest letters that a compound must have in front of an ending."""

WordsByTheme = Mapping[str, frozenset[str]]
"""Theme → its words that some texts have."""


class RuleClassifier:
    """Decides by rules and, for themes, by folders and words of the taxonomy, then by words of the rule file.

    Args:
        taxonomy: Rules and words for labels it does not have are not used; see :attr:`skipped`.
        file: The rules; the built-in ones by default.
    """

    rung = Rung.RULES

    def __init__(self, taxonomy: Taxonomy, file: RuleFile | None = None) -> None:
        file = file or default_rules()
        names = {view: {one.name for one in taxonomy.classes(view)} for view in (View.THEME, View.TYPE)}
        self._rules = {
            view: _RuleSet([one for one in file.rules if one.view is view and one.label in own])
            for view, own in names.items()
        }
        words = {one.label: one.words for one in file.words if one.label in names[View.THEME]}
        self._matcher = ThemeMatcher(words)
        self._own = tuple(one for one in taxonomy.themes if one.folders or one.words)
        by_rules = {rule.label for rule in file.rules if rule.view is View.THEME}
        self.worded = frozenset(words) | by_rules | {one.name for one in self._own}
        """Themes that have rules, words or folders."""
        labels = {rule.label for rule in file.rules}
        if not self._own:  # a site's own themes need no others
            labels |= {theme.label for theme in file.words}
        self.skipped = frozenset(labels) - names[View.THEME] - names[View.TYPE]
        """Labels of the file that the taxonomy lacks."""

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Label subjects by rules that hold for all their addresses (and titles)."""
        return [self._decide(subject, view) for subject in subjects]

    def theme_of(self, texts: Sequence[str]) -> Label | None:
        """Theme of some texts by the words of the rule file (:func:`clear_theme`); None if unclear."""
        decided = clear_theme(self._matcher.find(texts))
        if decided is None:
            return None
        theme, words = decided
        return Label(theme, self.rung, evidence=f"the words {', '.join(words)}")

    def _decide(self, subject: Subject, view: View) -> Label | None:
        by_rule = self._rules[view].decide(subject)
        if by_rule is not None or view is View.TYPE:
            return by_rule
        if own := theme_of(terms_of(subject.urls, subject.titles), self._own):
            return Label(own[0].name, self.rung, evidence=str(own[1]))
        segments = chain.from_iterable(read_address(url).stems for url in subject.urls)
        return self.theme_of([*subject.titles, *dict.fromkeys(segments)])


def literal_segments(file: RuleFile | None = None) -> frozenset[str]:
    """Path segments that a rule asks for: template mining keeps them as they are."""
    rules = (file or default_rules()).rules
    return frozenset(chain.from_iterable((*rule.page, *rule.section, *rule.top) for rule in rules))


@dataclass(frozen=True, eq=False)
class _Text:
    """Parsed addresses and folded titles of a subject."""

    addresses: tuple[Address, ...]
    titles: tuple[str, ...]

    @classmethod
    def of(cls, subject: Subject) -> _Text:
        titles = tuple(fold(title[:TEXT_CHARACTERS]) for title in subject.titles)
        return cls(tuple(map(read_address, subject.urls)), titles)


class _RuleSet:
    """The rules of one view, indexed by the path segments that they ask for."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(map(_Compiled, rules))
        self._by_page = self._index("page")
        self._by_top = self._index("top", "page")
        self._by_section = self._index("section", "page", "top")
        self._others = [
            number
            for number, one in enumerate(self._rules)
            if not (one.words["page"] or one.words["top"] or one.words["section"])
        ]

    def decide(self, subject: Subject) -> Label | None:
        """Label by the rules that hold; None if none does or those of the highest priority disagree."""
        text = _Text.of(subject)
        holding = [
            self._rules[at].rule for at in self._candidates(text.addresses[0]) if self._rules[at].holds(text)
        ]
        if not holding:
            return None
        strongest = max(rule.priority for rule in holding)
        deciding = [rule for rule in holding if rule.priority == strongest]
        if len({rule.label for rule in deciding}) > 1:
            return None
        return Label(deciding[0].label, Rung.RULES, evidence=deciding[0].why)

    def _candidates(self, address: Address) -> list[int]:
        found = {*self._others, *self._by_page.get(address.page, ()), *self._by_top.get(address.top, ())}
        for stem in address.stems[:-1]:
            found.update(self._by_section.get(stem, ()))
        return sorted(found)

    def _index(self, kind: str, *but_not: str) -> Mapping[str, list[int]]:
        """Segment → rules that ask for it as ``kind``, without those indexed by another kind already."""
        index: dict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(self._rules):
            if not any(one.words[other] for other in but_not):
                for word in one.words[kind]:
                    index[word].append(number)
        return index


class _Compiled:
    """A rule with its segments as sets, ready to be matched."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.words: Mapping[str, Collection[str]] = {
            "page": frozenset(rule.page), "section": frozenset(rule.section), "top": frozenset(rule.top)
        }  # fmt: skip

    def holds(self, text: _Text) -> bool:
        """Whether all addresses, and all titles if the rule asks for one, match the rule."""
        if not all(map(self._fits, text.addresses)) or not self._titled(text.titles):
            return False
        return not (self.rule.unless and self._excluded(text))

    def _fits(self, address: Address) -> bool:
        page, section, top = self.words["page"], self.words["section"], self.words["top"]
        return (
            (not page or address.page in page)
            and (not top or address.top in top)
            and (not section or not frozenset(section).isdisjoint(address.stems[:-1]))
            and (not self.rule.url or compiled(self.rule.url).search(address.text) is not None)
        )

    def _titled(self, titles: Sequence[str]) -> bool:
        if not self.rule.title:
            return True
        return bool(titles) and all(compiled(self.rule.title).search(title) for title in titles)

    def _excluded(self, text: _Text) -> bool:
        return any(
            compiled(self.rule.unless).search(one)
            for one in (*(a.text for a in text.addresses), *text.titles)
        )


class ThemeMatcher:
    """Finds words of themes in texts at word boundaries; the longest phrase wins, each word counts once.

    Args:
        words: Theme → its words: ``jacket``, ``rain jacket``, or ``*jacke`` for any word that ends so.
    """

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        self._phrases: dict[tuple[str, ...], str] = {}
        self._endings: dict[str, str] = {}
        for theme, own in words.items():
            for word in own:
                key = tuple(words_of(word))
                self._phrases[key] = theme
                if word.startswith("*"):
                    self._endings[fold(word[1:])] = theme
        self._lengths = sorted({len(ending) for ending in self._endings}, reverse=True)

    def find(self, texts: Iterable[str]) -> WordsByTheme:
        """Find which words of each theme are in some texts."""
        found: dict[str, set[str]] = defaultdict(set)
        for text in texts:
            for theme, word in self._in(words_of(text)):
                found[theme].add(word)
        return {theme: frozenset(own) for theme, own in found.items()}

    def _in(self, tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
        at = 0
        while at < len(tokens):
            length, hit = self._longest(tokens[at : at + _MAX_PHRASE_LENGTH])
            if hit:
                yield hit
            at += length

    def _longest(self, tokens: Sequence[str]) -> tuple[int, tuple[str, str] | None]:
        """Number of tokens of the longest phrase that the tokens begin with, and its theme and text."""
        for length in range(len(tokens), 0, -1):
            for last in singulars(tokens[length - 1]):
                key = (*tokens[: length - 1], last)
                if key in self._phrases:
                    return length, (self._phrases[key], " ".join(key))
        return 1, self._compound(tokens[0])

    def _compound(self, token: str) -> tuple[str, str] | None:
        for length in self._lengths:
            ending = token[-length:]
            if len(token) >= length + _MIN_SUFFIX_LENGTH and ending in self._endings:
                return self._endings[ending], ending
        return None


def clear_theme(found: WordsByTheme) -> tuple[str, tuple[str, ...]] | None:
    """The theme with the most different words, and these words; None if there is none, or a tie."""
    ranked = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    if not ranked or (len(ranked) > 1 and len(ranked[0][1]) == len(ranked[1][1])):
        return None
    return ranked[0][0], tuple(sorted(ranked[0][1]))
