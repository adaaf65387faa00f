"""Mine a site's themes: the folders and words of its pages that best group pages that are seen together.

A candidate is a folder of the addresses or a word of titles and addresses; its pages are one group. Themes
are chosen greedily, each time the candidate that most raises the modularity (Newman and Girvan 2004, *Finding
and evaluating community structure in networks*) of the graph of moves between pages: the share of moves that
stay within a group, less the share expected by chance. So a word that is everywhere ("new", "cool", "the"),
in whatever language, is no theme, however often it is seen; nor is a word that occurs only as part of longer
names ("view"). Further words of a theme are those that its pages have and others lack, by c-TF-IDF
(Grootendorst 2022, *BERTopic*).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, TypeAlias
from urllib.parse import unquote

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from core.base.schema import RESERVED
from core.base.wording import capitalised
from core.labels.label_settings import NAME_CHARACTERS, SEVERAL, LabelClass
from core.labels.page_address import after_host
from core.labels.page_terms import UNSPACED, Term, forms_of, spelt_terms, terms_of
from core.labels.pages import LabelPages
from core.labels.title_words import TitleWords
from core.labels.words import fold, stem_of
from core.storage.sequences import UserSequences

MAX_THEMES: Final = 12
"""Most themes that are mined, few enough to read through."""
_MIN_PAGES: Final = 3
_MIN_SHARE: Final = 0.01
"""Least share of page views that a candidate must have, of the pages that can have a theme."""
_CONTAINER: Final = 0.5
"""Most share of a candidate in these views; what holds more is the shop itself, ``/shop/``."""
_MIN_GAIN: Final = 0.006
"""Least gain of modularity by a theme: a tenth of that by a sixth of the moves, all within the theme."""
_MAX_CANDIDATES: Final = 2_000
_MORE_WORDS: Final = 8
"""Most further words of a theme, besides the term that it was chosen by."""
_MIN_LETTERS: Final = 4
_OWN: Final = 0.9
"""Least share of a further word's pages that must be of the theme."""

_GAP: Final = re.compile(r"[\s_+-]+")

Graph: TypeAlias = sparse.csr_array
"""Symmetric, float64 of shape (n_pages, n_pages): moves between two pages, nothing on the diagonal."""


def mine_themes(
    pages: LabelPages, wanted: np.ndarray, moves: Graph, literal: frozenset[str] = frozenset()
) -> tuple[LabelClass, ...]:
    """Mine the themes of a site.

    Args:
        pages: All pages.
        wanted: bool of shape (n_pages,), those that can have a theme.
        moves: Between wanted pages (:func:`moves_between`, :func:`neighbours`).
        literal: Path segments that say what a page is for, such as ``cart``, and so are no themes.

    Returns:
        At most :data:`MAX_THEMES`, in the order in which they decide
        (:func:`core.labels.page_terms.theme_of`); none where no two folders or words separate pages.
    """
    site = _Site(pages, wanted, literal)
    if not site.candidates or not moves.sum():
        return ()
    chosen, group = _choose(site, moves)
    if len(chosen) < 2:
        return ()
    further = _further_words(site, group, chosen)
    terms = [[term, *words] for term, words in zip(chosen, further, strict=True)]
    return _named(site, terms, group)


def moves_between(sequences: UserSequences, wanted: np.ndarray) -> Graph:
    """Count the moves of users between two different wanted pages, in either direction.

    Unwanted pages in between are ignored, and so are borders of sessions.

    Args:
        sequences: Page views in order.
        wanted: bool of shape (n_pages,).

    Returns:
        Symmetric, of shape (n_pages, n_pages).
    """
    seen = wanted[sequences.page]
    page, user = sequences.page[seen], sequences.user[seen]
    moved = (user[1:] == user[:-1]) & (page[1:] != page[:-1])
    return _graph(page[:-1][moved], page[1:][moved], len(wanted))


def neighbours(urls: Sequence[str], wanted: np.ndarray) -> Graph:
    """Link each wanted page with the next by address, and back: a graph for a site without moves."""
    order = np.array(sorted(np.flatnonzero(wanted).tolist(), key=urls.__getitem__), dtype=np.int64)
    return _graph(order[:-1], order[1:], len(wanted))


def modularity(group: np.ndarray, moves: Graph) -> float:
    """Modularity of groups of pages, from -0.5 to 1: the share of moves within groups above chance.

    Args:
        group: int of shape (n_pages,); pages with -1 are in none.
        moves: Between pages; at least one.
    """
    total, degree = moves.sum(), moves.sum(axis=1)
    within = (np.flatnonzero(group == one) for one in range(group.max(initial=-1) + 1))
    return float(sum(moves[own][:, own].sum() / total - (degree[own].sum() / total) ** 2 for own in within))


def _graph(first: np.ndarray, second: np.ndarray, n_pages: int) -> Graph:
    ones = np.ones(len(first))
    one_way = sparse.coo_array((ones, (first, second)), shape=(n_pages, n_pages)).tocsr()
    return sparse.csr_array(one_way + one_way.T)


class _Site:
    """The pages that can have a theme, and the terms that can become one."""

    def __init__(self, pages: LabelPages, wanted: np.ndarray, literal: frozenset[str]) -> None:
        self.pages, self.literal = pages, literal
        self.wanted = np.flatnonzero(wanted)
        self.views = pages.views[self.wanted]

    @cached_property
    def of_term(self) -> Mapping[Term, list[int]]:
        """Term → its pages, for terms of at least :data:`_MIN_PAGES` pages."""
        found: dict[Term, list[int]] = defaultdict(list)
        for index in self.wanted.tolist():
            own = terms_of([self.pages.urls[index]], [self.pages.titles[index]])
            for term in (*(Term(True, one) for one in own.folders), *(Term(False, one) for one in own.words)):
                found[term].append(index)
        return {term: pages for term, pages in found.items() if len(pages) >= _MIN_PAGES}

    @cached_property
    def named(self) -> list[Term]:
        """Terms that may name a theme; of several folders, or words, with the same pages the plainest one."""
        plainest: dict[tuple[bool, tuple[int, ...]], Term] = {}
        for term in sorted(self.of_term, key=_plainness):
            if _may_name(term, self.literal):
                plainest.setdefault((term.folder, tuple(self.of_term[term])), term)
        return list(plainest.values())

    @cached_property
    def candidates(self) -> list[Term]:
        """Terms that themes are chosen from: viewed enough, more than a piece of names, most viewed first."""
        seen = {term: int(self.pages.views[self.of_term[term]].sum()) for term in self.named}
        all_views = self.views.sum()
        enough = [term for term in self.named if _MIN_SHARE <= seen[term] / all_views <= _CONTAINER]
        enough = [term for term in enough if self._is_whole(term) and not self._tells.is_brand(term.text)]
        return sorted(enough, key=lambda term: (-seen[term], _plainness(term)))[:_MAX_CANDIDATES]

    @cached_property
    def _tells(self) -> TitleWords:
        return TitleWords.of(self.pages.urls, list(filter(None, self.pages.titles)))

    def _is_whole(self, term: Term) -> bool:
        """Whether a term is a folder, two words, or a kind of thing, not only a piece of names like *new*."""
        is_one = not term.folder and " " not in term.text and not UNSPACED.search(term.text)
        return not is_one or self._tells.is_kind(term.text)


def _plainness(term: Term) -> tuple[bool, bool, int, str]:
    """Sort key that breaks ties: folders first, then single words, then the longer text."""
    return (not term.folder, " " in term.text, -len(term.text), term.text)


def _may_name(term: Term, literal: frozenset[str]) -> bool:
    """Whether a term can name a theme: no number, placeholder, stop word or segment of a page type."""
    if term.text in literal or (not term.folder and term.text in ENGLISH_STOP_WORDS):
        return False
    return any(map(str.isalpha, term.text)) and not set(term.text) & set("{:}")


def _choose(site: _Site, moves: Graph) -> tuple[list[Term], np.ndarray]:
    """Choose terms greedily by gain of modularity; return them and each page's place in these, -1 for none.

    A later term takes its pages from earlier ones where that is better; a word takes none from a folder.
    """
    has = _incidence(site)
    folder = np.array([term.folder for term in site.candidates])
    group, in_folder = np.full(len(site.pages), -1), np.zeros(len(site.pages), dtype=bool)
    chosen: list[Term] = []
    while len(chosen) < MAX_THEMES:
        free = sparse.diags_array((~in_folder).astype(float))
        takes = sparse.csr_array(sparse.diags_array(folder.astype(float)) @ has
                                 + sparse.diags_array((~folder).astype(float)) @ (has @ free))  # fmt: skip
        gains = _gains(takes, moves, group, len(chosen))
        best = int(np.argmax(gains))
        if gains[best] < _MIN_GAIN:
            break
        taken = takes[[best]].nonzero()[1]
        group[taken], in_folder[taken] = len(chosen), folder[best]
        chosen.append(site.candidates[best])
    return chosen, group


def _incidence(site: _Site) -> sparse.csr_array:
    """Which candidate is on which page: 0 or 1 of shape (n_candidates, n_pages)."""
    pages = [site.of_term[term] for term in site.candidates]
    rows = np.repeat(np.arange(len(pages)), [len(own) for own in pages])
    columns = np.concatenate(pages)
    shape = (len(pages), len(site.pages))
    return sparse.coo_array((np.ones(len(columns)), (rows, columns)), shape=shape).tocsr()


def _gains(takes: sparse.csr_array, moves: Graph, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Gain of modularity if each candidate's pages became a group, of shape (n_candidates,)."""
    total, degree = moves.sum(), moves.sum(axis=1)

    def worth(within: np.ndarray, ends: np.ndarray) -> np.ndarray:
        gained: np.ndarray = within / total - (ends / total) ** 2
        return gained

    gains = worth(_within(takes, moves), takes @ degree)
    for number in range(n_groups):
        own = (group == number).astype(float)
        lost = sparse.csr_array(takes @ sparse.diags_array(own))
        to_own = moves @ own
        before = worth(own @ to_own, degree @ own)
        left = own @ to_own - 2 * (lost @ to_own) + _within(lost, moves)
        gains -= before - worth(left, degree @ own - lost @ degree)
    return gains


def _within(sets: sparse.csr_array, moves: Graph) -> np.ndarray:
    within: np.ndarray = (sets @ moves).multiply(sets).sum(axis=1)
    return within


def _further_words(site: _Site, group: np.ndarray, chosen: Sequence[Term]) -> list[list[Term]]:
    """For each group, up to :data:`_MORE_WORDS` words almost only on its pages, of the highest c-TF-IDF."""
    words = [term for term in site.named if _is_further(term)]
    counts = np.zeros((len(words), len(chosen) + 1))
    for row, word in enumerate(words):
        terms = [Term(False, form) for form in forms_of((word.text,))]
        pages = {page for term in terms for page in site.of_term.get(term, ())}
        counts[row] = np.bincount(group[list(pages)] + 1, minlength=len(chosen) + 1)
    grouped = counts[:, 1:]
    total = grouped.sum(axis=1, keepdims=True)
    scores = grouped * np.log1p(grouped.sum() / len(chosen) / np.maximum(total, 1))
    scores[grouped < np.maximum(_OWN * total, _MIN_PAGES)] = 0.0
    found: list[list[Term]] = []
    for number, term in enumerate(chosen):
        known = frozenset() if term.folder else forms_of((term.text,))
        own: list[Term] = []
        for row in np.argsort(-scores[:, number], kind="stable")[: int((scores[:, number] > 0).sum())]:
            if len(own) < _MORE_WORDS and known.isdisjoint(forms := forms_of((words[row].text,))):
                own.append(words[row])
                known |= forms
        found.append(own)
    return found


def _is_further(term: Term) -> bool:
    """Whether a term can be a further word of a theme: a single word, not short as most stop words are."""
    long = len(term.text) >= _MIN_LETTERS or not term.text.isascii()
    return not term.folder and " " not in term.text and long


def _named(site: _Site, terms: Sequence[Sequence[Term]], group: np.ndarray) -> tuple[LabelClass, ...]:
    """Make classes of the chosen terms, the last chosen first; equal names become one class."""
    together: dict[str, list[Term]] = {}
    taken = {name.casefold() for name in (*RESERVED, SEVERAL)}
    for number in reversed(range(len(terms))):
        own = np.flatnonzero(group == number)
        name = _name(site.pages, own, terms[number][0])
        if len(own) and name.casefold() not in taken:
            together.setdefault(name, []).extend(terms[number])
    return tuple(
        LabelClass(
            name=name,
            descriptions=(", ".join(dict.fromkeys(one.text for one in own))[:200],),
            folders=tuple(dict.fromkeys(one.text for one in own if one.folder)),
            words=tuple(dict.fromkeys(one.text for one in own if not one.folder)),
        )
        for name, own in together.items()
    )


def _name(pages: LabelPages, own: np.ndarray, term: Term) -> str:
    """Name of a theme: its term as titles of its pages write it, else as addresses do."""
    wanted = _GAP.sub(" ", term.text)
    forms: Counter[str] = Counter()
    for index in own.tolist():
        forms.update(shown for shown, one in set(spelt_terms(pages.titles[index])) if one == wanted)
    for index in own.tolist() if not forms else ():
        segments = [unquote(part) for part in after_host(pages.urls[index]).partition("?")[0].split("/")]
        shown = [_GAP.sub(" ", part) for part in segments if term.folder and stem_of(part) == term.text]
        forms.update(shown or (form for part in segments for form, one in spelt_terms(part) if one == wanted))
    # prefer the form that is not the singular: lists, and so themes, are called by the plural
    written = min(forms, key=lambda form: (fold(form) == wanted, -forms[form], form), default=wanted)
    plain = "".join(letter for letter in written if letter.isprintable()).strip()[:NAME_CHARACTERS].rstrip()
    return capitalised(plain)
