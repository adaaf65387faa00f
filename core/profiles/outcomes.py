"""What can be the outcome, and who did it.

An outcome is a text: the name of an event, ``page:/path`` (a view of one page) or ``template:/path/:slug``
(of any page of a template). Of several, whoever did any has the outcome.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import chain
from typing import Final

import numpy as np
import pandas as pd

from core.base.errors import SettingsError
from core.base.schema import PAGE_OUTCOME, TEMPLATE_OUTCOME, Outcomes, PageLabels, Pages, page_outcome
from core.base.settings import AnalyzeSettings, OutcomeCount
from core.base.wording import counted, percent
from core.data.dataset import Dataset, UserSequences
from core.data.leaks import leaking_pages
from core.data.page_labels import LabelledPages
from core.data.receipt import NO_CURRENCY, OutcomeUsers

PURCHASE: Final = "purchase"
CONVERSIONS: Final = (
    PURCHASE, "in_app_purchase", "close_convert_lead", "qualify_lead", "generate_lead", "sign_up",
)  # fmt: skip
"""What GA4 recommends as key events: the first of these that the data have is the outcome where nobody chose
one. Any other event may be a click or a way back, of which nobody knows that it is wanted."""
_ARRIVED_SHARE: Final = 0.5
"""Share of those with the outcome who came in on it from which on it says how they arrived."""
NEAREST: Final = 3
"""Outcomes that are offered in place of one that is not there, or of none."""
RARE: Final = (20, 0.25)
"""Fewest users, and largest share of all, of an event that may be an outcome: most do not reach it."""
ONCE: Final = 1.1
"""Sessions with such an event of who did it, at most."""

_HOST: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?[^/?#]+(?=[/?#]|$)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Happened:
    """Who did one thing.

    Args:
        user: int64 of shape (m,), user indices, ascending; from ``n_users`` on users without a page view.
        sessions: float64 of shape (m,), sessions of the user with it; NaN where that is not known.
        first_ts: int64 of shape (m,), microseconds UTC.
        money: Currency → float64 of shape (m,), gross, NaN where the user paid none; empty where nobody did.
        refunds: Currency → float64 of shape (m,), what was given back, NaN where nothing was.
    """

    user: np.ndarray
    sessions: np.ndarray
    first_ts: np.ndarray
    money: Mapping[str, np.ndarray]
    refunds: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def all_refunded(self) -> np.ndarray:
        """To whom everything they paid was given back: bool of shape (m,)."""
        back, kept = np.zeros(len(self.user), dtype=bool), np.zeros(len(self.user), dtype=bool)
        for currency in {**self.money, **self.refunds}:
            paid, given = (
                np.nan_to_num(sums.get(currency, np.zeros(len(back)))) for sums in (self.money, self.refunds)
            )
            back, kept = back | (given > 0), kept | (paid > given)
        return back & ~kept

    @property
    def revenue(self) -> np.ndarray:
        """In the one currency; NaN throughout where there are several, which cannot be added up."""
        if len(self.money) == 1:
            return next(iter(self.money.values()))
        return np.full(len(self.user), np.nan)

    def paid_in(self, currency: str) -> Happened:
        """With the money of one currency alone."""
        return replace(self, money={currency: self.money[currency]})

    def only(self, which: np.ndarray) -> Happened:
        """The users where ``which`` (bool of shape (m,)) is true."""
        money, refunds = (
            {currency: values[which] for currency, values in sums.items()}
            for sums in (self.money, self.refunds)
        )
        return Happened(self.user[which], self.sessions[which], self.first_ts[which], money, refunds)


@dataclass(frozen=True, eq=False)
class OutcomeIndex(Mapping[str, Happened]):
    """Everything that can be an outcome, by its text; iterating gives the events.

    Args:
        n_users: Users with a page view.
        events: Event → who did it, with a page view or without.
        sequences: The page views.
        pages: Address of each page.
        templates: Path template of each page; empty where pages are not labelled.
        whole: Of the data set that this is a part of, which the model has read; None where it is none.
        nobodys: Event → what visitors without a user id did.
    """

    n_users: int
    events: Mapping[str, Happened]
    sequences: UserSequences
    pages: tuple[str, ...]
    templates: tuple[str, ...]
    whole: OutcomeIndex | None = None
    nobodys: Mapping[str, OutcomeUsers] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: Dataset, labels: LabelledPages | None) -> OutcomeIndex:
        """What a data set offers."""
        return cls.from_tables(dataset.outcomes, dataset.pages, dataset.sequences, labels)

    @classmethod
    def from_tables(
        cls,
        outcomes: pd.DataFrame,
        pages: pd.DataFrame,
        sequences: UserSequences,
        labels: LabelledPages | None = None,
    ) -> OutcomeIndex:
        """Index the outcomes of tables in the columns of ``core/base/schema.py``."""
        events = {str(name): _event(rows) for name, rows in outcomes.groupby(Outcomes.EVENT_NAME, sort=True)}
        templates = () if labels is None else tuple(labels.table[PageLabels.TEMPLATE])
        return cls(sequences.n_users, events, sequences, tuple(pages[Pages.PAGE_LOCATION]), templates)

    def part_of(self, whole: OutcomeIndex, chosen: Sequence[str] = ()) -> OutcomeIndex:
        """Make this a part of another index: what nobody here did can be chosen, and what leaks there leaks.

        Args:
            whole: All that the model has read.
            chosen: Outcomes of it, which may be views of pages that nobody here saw.
        """
        nothing = np.zeros(0)
        nobody = Happened(nothing.astype(np.int64), nothing, nothing.astype(np.int64), {})
        absent = (*whole.events, *(outcome for outcome in chosen if not self.pages_of(outcome)))
        return replace(self, events=dict.fromkeys(absent, nobody) | dict(self.events), whole=whole)

    def __getitem__(self, outcome: str) -> Happened:
        if outcome in self.events:
            return self.events[outcome]
        pages = self.pages_of(outcome)
        if not pages:
            raise KeyError(outcome)
        return self._saw(pages)

    def __iter__(self) -> Iterator[str]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def pages_of(self, outcome: str) -> tuple[int, ...]:
        """Indices of the pages that an outcome is a view of; none of an event's, or of a page not there."""
        if outcome in self.events:  # also a page that was left out, see core/ingest/output.py
            return ()
        kind, text = next((k, outcome.removeprefix(k)) for k in _KINDS if outcome.startswith(k))
        return self._places[kind].get(text, ())

    @cached_property
    def left_out(self) -> np.ndarray:
        """Users without a page view that is used who viewed pages that are left out: int64, ascending."""
        views = [had.user for name, had in self.events.items() if name.startswith(PAGE_OUTCOME)]
        users = np.unique(np.concatenate([*views, np.zeros(0, dtype=np.int64)]))
        return users[users >= self.n_users]

    @cached_property
    def unseen(self) -> int:
        """How many users did something and have no page view that is used."""
        users = np.concatenate([np.empty(0, np.int64), *(one.user for one in self.events.values())])
        return len(np.unique(users[users >= self.n_users]))

    @property
    def usual(self) -> tuple[str, ...]:
        """The outcome where nobody chose one, see :data:`CONVERSIONS`; none where the data have none."""
        return tuple(name for name in CONVERSIONS if name in self.events)[:1]

    @cached_property
    def likely(self) -> dict[str, int]:
        """Events that may be the outcome → users: few of these, of whom hardly any did it in two sessions.

        What most of these did as they came in, such as ``first_visit``, is none. First what most did once.
        """
        fewest, most = RARE
        began = self.sequences.timestamp[self.sequences.offsets[:-1]]
        found = []
        for name, everybody in self.events.items():
            had = everybody.only(everybody.user < self.n_users)
            later = had.first_ts > began[had.user]
            if fewest <= len(had.user) <= most * self.n_users and later.mean() > _ARRIVED_SHARE:
                found.append((float(had.sessions.mean()), -len(had.user), name))
        return {name: -users for sessions, users, name in sorted(found)[:NEAREST] if sessions <= ONCE}

    @property
    def unset(self) -> str:
        """Which events may be the outcome, in words, where none is usual; empty where none may be."""
        shares = {name: percent(users / self.n_users, 0) for name, users in self.likely.items()}
        may_be = " or ".join(f"{name} ({share} of users)" for name, share in shares.items())
        return "" if self.usual or not may_be else f"The outcome is not set: {may_be} may be it"

    def chosen(self, settings: AnalyzeSettings) -> tuple[str, ...]:
        """The outcomes that are asked for, or what is usual.

        Raises:
            SettingsError: If one of them is not in the data; it names the nearest that are.
        """
        if settings.outcome is None:
            return self.usual
        for outcome in settings.outcome:
            if outcome not in self.events and not self.pages_of(outcome):
                self._refuse(outcome)
        return settings.outcome

    def parts(self, settings: AnalyzeSettings) -> dict[str, Happened]:
        """Each chosen outcome → who did it; counted as the settings say.

        Raises:
            SettingsError: If one of them is not in the data.
        """
        found = {outcome: self[outcome] for outcome in self.chosen(settings)}
        if settings.outcome_counts is OutcomeCount.FIRST and len(found) > 1:
            return dict(zip(found, _firsts(tuple(found.values())), strict=True))
        return found

    def inside(self, settings: AnalyzeSettings) -> dict[str, Happened]:
        """:meth:`parts`, of the users with a page view; of several, whoever did any of them first.

        Raises:
            SettingsError: If one of them is not in the data.
        """
        parts = self.parts(settings)
        whole = {label_of(tuple(parts)): any_of(list(parts.values()))} if len(parts) > 1 else {}
        return {name: had.only(had.user < self.n_users) for name, had in (whole | parts).items()}

    def offered(self, most: int) -> dict[str, int]:
        """What can be chosen → users who did it: events, then templates and pages, most users first.

        Args:
            most: How many of each kind are offered; a rarer one can be chosen all the same.
        """
        events = {name: len(happened.user) for name, happened in self.events.items()}
        code, names = pd.factorize(np.array(self.templates, dtype=object))
        several = np.flatnonzero(np.bincount(code, minlength=len(names)) > 1).tolist()
        saw = self._users_of(code) if several else np.empty(0)
        templates = {TEMPLATE_OUTCOME + str(names[place]): int(saw[place]) for place in several}
        users = self._users_of(np.arange(len(self.pages)))
        first = np.argsort(-users, kind="stable")[:most].tolist()
        pages = {page_outcome(self.pages[page]): int(users[page]) for page in first}
        by_users = [sorted(part.items(), key=lambda item: -item[1])[:most] for part in (events, templates)]
        return dict(chain(*by_users, pages.items()))

    def _users_of(self, groups: np.ndarray) -> np.ndarray:
        """Users who saw a page of each group: int64 of shape (n_groups,); ``groups`` has each page's."""
        size = int(groups.max()) + 1
        seen = np.unique(self.sequences.user.astype(np.int64) * size + groups[self.sequences.page])
        return np.bincount(seen % size, minlength=size)

    def is_read(self, chosen: Sequence[str]) -> bool:
        """Whether a model of these page views knows who had these outcomes.

        It does by a page that is one, or that gives them away: then segments differ in the outcome by how
        they were made.

        Args:
            chosen: Outcomes; a text that is none, as the name of several together, is left out.
        """
        if self.whole is not None:
            return self.whole.is_read(chosen)
        known = tuple(one for one in chosen if one in self.events or self.pages_of(one))
        return any(self.pages_of(one) or self.leaks((one,)) for one in known) or bool(self.leaks(known))

    def leaks(self, chosen: Sequence[str]) -> tuple[str, ...]:
        """Pages that give these outcomes away; a page that is one itself is none."""
        asked = tuple(chosen)
        if self.whole is not None:
            return self.whole.leaks(asked)
        if asked not in self._leaks:
            self._leaks[asked] = self._leaking(asked) if asked else ()
        return self._leaks[asked]

    @cached_property
    def _leaks(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """What :meth:`leaks` has found: every page of the app and every table asks for it."""
        return {}

    def _leaking(self, chosen: tuple[str, ...]) -> tuple[str, ...]:
        happened, seen = any_of([self[outcome] for outcome in chosen]), self.sequences
        found = leaking_pages(
            seen.user, seen.page, seen.timestamp, self.pages, happened.user, happened.first_ts,
            self.templates,
        )  # fmt: skip
        own = {page for outcome in chosen for page in self.pages_of(outcome)}
        return tuple(self.pages[page] for page in found.tolist() if page not in own)

    def notes(
        self, chosen: Sequence[str], n_users: int, had: int, without: int, arrived: int, refunded: int
    ) -> tuple[str, ...]:
        """What to know before reading an outcome: that nobody has it, everybody, or who came in on it.

        Args:
            chosen: The outcomes.
            n_users: Users with a page view.
            had: Those of them who did one.
            without: Users without a page view who did one.
            arrived: Of whom it was the first page view.
            refunded: To whom everything they paid was given back.
        """
        called, is_page = label_of(chosen), any(self.pages_of(outcome) for outcome in chosen)
        possible = {
            f"Nobody with a page view has {called}, only {counted(without, 'user')} without one, "
            "in no segment. Choose another outcome": not had,
            f"All {counted(had, 'user')} have {called}, so that it tells no segment from another. Choose "
            "another outcome": had == n_users,
            f"{arrived:,} of the {counted(had, 'user')} with {called} came in on it: it says how they "
            "arrived, not what they did. Choose a later page": (
                is_page and 0 < had < n_users and arrived >= _ARRIVED_SHARE * had
            ),
            f"{refunded:,} of the {counted(had, 'user')} with {called} got back everything they paid: they "
            "count as converted": refunded,
        }  # fmt: skip
        return tuple(text for text, applies in possible.items() if applies)

    def _saw(self, pages: Sequence[int]) -> Happened:
        wanted = np.zeros(len(self.pages), dtype=bool)
        wanted[list(pages)] = True
        views = np.flatnonzero(wanted[self.sequences.page])
        user, session = self.sequences.user[views].astype(np.int64), self.sequences.session[views]
        begins = np.concatenate(([True], (user[1:] != user[:-1]) | (session[1:] != session[:-1])))[
            : len(user)
        ]
        users, first = np.unique(user, return_index=True)
        sessions = np.bincount(np.searchsorted(users, user[begins]), minlength=len(users))
        return Happened(users, sessions.astype(np.float64), self.sequences.timestamp[views[first]], {})

    @cached_property
    def _places(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """Kind of outcome → address or template, with its host and without → pages."""
        found: dict[str, dict[str, list[int]]] = {kind: defaultdict(list) for kind in _KINDS}
        for kind, texts in ((PAGE_OUTCOME, self.pages), (TEMPLATE_OUTCOME, self.templates)):
            for page, text in enumerate(texts):
                for name in dict.fromkeys((text, path_of(text))):
                    found[kind][name].append(page)
        return {kind: {name: tuple(pages) for name, pages in own.items()} for kind, own in found.items()}

    def _refuse(self, outcome: str) -> None:
        kind = next(kind for kind in _KINDS if outcome.startswith(kind))
        if kind == TEMPLATE_OUTCOME and not self.templates:
            raise SettingsError(
                f"outcome = {outcome!r} is not possible: these pages have no labels, so no templates",
                allowed=f"an event or {PAGE_OUTCOME}/path", remedy="Label the pages, or name a page",
            )  # fmt: skip
        named = list(self._places[kind]) if kind else list(self.events)
        near = get_close_matches(outcome.removeprefix(kind), named, NEAREST, cutoff=0.0)
        what = {PAGE_OUTCOME: "a page", TEMPLATE_OUTCOME: "a template of pages"}.get(kind, "an event")
        raise SettingsError(
            f"outcome = {outcome!r} is not {what} of this data set",
            allowed=", ".join(kind + name for name in near) or "no event: the file holds page views only",
            remedy=f"Choose one of these, an event, {PAGE_OUTCOME}/path or {TEMPLATE_OUTCOME}/path/:slug",
        )


_KINDS: Final = (PAGE_OUTCOME, TEMPLATE_OUTCOME, "")


def path_of(address: str) -> str:
    """What follows the host: ``/cart?step=2``; the root is ``/``."""
    return _HOST.sub("", address, count=1) or "/"


def label_of(chosen: Sequence[str]) -> str:
    """Outcomes in words: ``purchase or a view of /thank-you``."""
    return " or ".join(_label(outcome) for outcome in chosen)


def _label(outcome: str) -> str:
    for kind in (PAGE_OUTCOME, TEMPLATE_OUTCOME):
        if outcome.startswith(kind):
            return f"a view of {path_of(outcome.removeprefix(kind))}"
    return outcome


def any_of(parts: Sequence[Happened]) -> Happened:
    """Who did any of several things. Their sessions are not known: the same one may hold several."""
    if len(parts) == 1:
        return parts[0]
    user, place = np.unique(np.concatenate([part.user for part in parts]), return_inverse=True)
    first = np.full(len(user), np.iinfo(np.int64).max)
    np.minimum.at(first, place, np.concatenate([part.first_ts for part in parts]))
    sessions = np.full(len(user), np.nan)
    if len(place) == len(user):  # nobody did two of them
        sessions[place] = np.concatenate([part.sessions for part in parts])
    users = [len(part.user) for part in parts]
    money = _put_together(place, users, [part.money for part in parts])
    return Happened(
        user, sessions, first, money, _put_together(place, users, [part.refunds for part in parts])
    )


def _put_together(
    place: np.ndarray, users: Sequence[int], parts: Sequence[Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Currency → sums of several parts, given the place of each one's users."""
    values = {
        currency: np.concatenate(
            [part.get(currency, np.full(n, np.nan)) for n, part in zip(users, parts, strict=True)]
        )
        for currency in dict.fromkeys(currency for part in parts for currency in part)
    }
    return {currency: _sums(place, paid) for currency, paid in values.items()}


def _firsts(parts: Sequence[Happened]) -> list[Happened]:
    """Each part with only the users of whom it came first; of those at the same moment, the first chosen."""
    first = any_of(parts)
    done = np.zeros(len(first.user), dtype=bool)
    found = []
    for part in parts:
        place = np.searchsorted(first.user, part.user)
        mine = (part.first_ts == first.first_ts[place]) & ~done[place]
        done[place[mine]] = True
        found.append(part.only(mine))
    return found


def _event(rows: pd.DataFrame) -> Happened:
    user, place = np.unique(rows[Outcomes.USER].to_numpy(dtype=np.int64), return_inverse=True)
    first = np.full(len(user), np.iinfo(np.int64).max)
    np.minimum.at(first, place, rows[Outcomes.FIRST_TS].to_numpy())
    sessions = np.bincount(place, rows[Outcomes.SESSIONS], minlength=len(user))
    money, refunds = (
        _by_currency(place, rows[Outcomes.CURRENCY], rows[column]) if column in rows else {}
        for column in (Outcomes.REVENUE, Outcomes.REFUNDS)  # an earlier release has no refunds
    )
    return Happened(user, sessions, first, money, refunds)


def _by_currency(place: np.ndarray, codes: pd.Series, column: pd.Series) -> dict[str, np.ndarray]:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    currency = codes.fillna(NO_CURRENCY).to_numpy()
    found = pd.unique(currency[~np.isnan(values)])
    return {str(name): _sums(place, np.where(currency == name, values, np.nan)) for name in found}


def _sums(place: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum by place; NaN where there is no value."""
    size, has = int(place.max(initial=-1)) + 1, ~np.isnan(values)
    sums = np.bincount(place[has], values[has], minlength=size)
    return np.where(np.bincount(place[has], minlength=size) > 0, sums, np.nan)
