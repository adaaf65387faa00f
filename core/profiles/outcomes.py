"""Index everything in a data set that can be the outcome (conversion), and which users had it.

An outcome is a text: the name of an event, ``page:/path`` (a view of one page) or ``template:/path/:slug``
(a view of any page of a template). With several chosen, users who did any of them have the outcome.
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
from core.base.safe_text import clean
from core.base.schema import PAGE_OUTCOME, TEMPLATE_OUTCOME, Outcomes, PageLabels, Pages, page_outcome
from core.base.settings import AnalyzeSettings, OutcomeCount
from core.base.wording import percent, pluralise
from core.storage.dataset import Dataset
from core.storage.leaks import leaking_pages
from core.storage.page_labels import LabelledPages
from core.storage.receipt import NO_CURRENCY, OutcomeUsers
from core.storage.sequences import UserSequences

PURCHASE: Final = "purchase"
CONVERSIONS: Final = (
    PURCHASE, "in_app_purchase", "close_convert_lead", "qualify_lead", "generate_lead", "sign_up",
)  # fmt: skip
"""Key events that GA4 recommends: the first of these in the data is the outcome if none was chosen. Any other
event may be a mere click, of which it is not known that the site wants it."""
_ARRIVED_SHARE: Final = 0.5
"""Share of users with the outcome whose first page view it was, from which on it describes arrival."""
_NEAREST: Final = 3
"""Most outcomes that are suggested in place of an unknown one, or if none was chosen."""
_RARE: Final = (20, 0.25)
"""Fewest users, and largest share of all users, of an event that may be an outcome."""
_ONCE: Final = 1.1
"""Largest mean number of sessions with such an event, of users who did it."""

_HOST: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?[^/?#]+(?=[/?#]|$)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class OutcomeRecord:
    """The users who had an outcome, with their sessions, times and payments.

    Args:
        user: int64 of shape (m,), user indices, ascending; from ``n_users`` on users without a page view.
        sessions: float64 of shape (m,), the user's sessions with it; NaN if not known.
        first_ts: int64 of shape (m,), first time of the outcome, microseconds UTC.
        money: Currency → float64 of shape (m,), gross, NaN where the user paid none; empty if no user did.
        refunds: Currency → float64 of shape (m,), amount refunded, NaN where none was.
        items: float64 of shape (m,), items bought, NaN where no purchase says how many; None if none does.
    """

    user: np.ndarray
    sessions: np.ndarray
    first_ts: np.ndarray
    money: Mapping[str, np.ndarray]
    refunds: Mapping[str, np.ndarray] = field(default_factory=dict)
    items: np.ndarray | None = None

    @property
    def all_refunded(self) -> np.ndarray:
        """Users who got everything back that they paid: bool of shape (m,)."""
        back, kept = np.zeros(len(self.user), dtype=bool), np.zeros(len(self.user), dtype=bool)
        for currency in {**self.money, **self.refunds}:
            paid, given = (
                np.nan_to_num(sums.get(currency, np.zeros(len(back)))) for sums in (self.money, self.refunds)
            )
            back, kept = back | (given > 0), kept | (paid > given)
        return back & ~kept

    @property
    def revenue(self) -> np.ndarray:
        """Gross revenue of each user; all NaN with several currencies, which cannot be added up."""
        if len(self.money) == 1:
            return next(iter(self.money.values()))
        return np.full(len(self.user), np.nan)

    def paid_in(self, currency: str) -> OutcomeRecord:
        """These users, with the payments in one currency only; KeyError if nobody paid in it."""
        return replace(self, money={currency: self.money[currency]})

    def only(self, which: np.ndarray) -> OutcomeRecord:
        """The users where ``which`` (bool of shape (m,)) is true."""
        money, refunds = (
            {currency: values[which] for currency, values in sums.items()}
            for sums in (self.money, self.refunds)
        )
        return OutcomeRecord(
            self.user[which], self.sessions[which], self.first_ts[which], money, refunds,
            None if self.items is None else self.items[which],
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class OutcomeIndex(Mapping[str, OutcomeRecord]):
    """Mapping from the text of each possible outcome to the users who had it; iterating gives the events.

    Args:
        n_users: Number of users with a page view.
        events: Event → who did it, with a page view or without.
        sequences: The page views.
        pages: Address of each page.
        templates: Path template of each page; empty where pages are not labelled.
        whole: Index of the data set that the model was trained on, if this is a part of it; else None.
        without_user_id: Event → counts and revenue of visitors without a user id.
    """

    n_users: int
    events: Mapping[str, OutcomeRecord]
    sequences: UserSequences
    pages: tuple[str, ...]
    templates: tuple[str, ...]
    whole: OutcomeIndex | None = None
    without_user_id: Mapping[str, OutcomeUsers] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: Dataset, labels: LabelledPages | None) -> OutcomeIndex:
        """Index the outcomes of a data set, with the labels of its pages."""
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
        """Copy as the index of a part of the data: all outcomes and leaking pages of the whole hold here too.

        Args:
            whole: Index of the data that the model was trained on.
            chosen: Outcomes of it, which may be views of pages that no user here saw.
        """
        nothing = np.zeros(0)
        nobody = OutcomeRecord(nothing.astype(np.int64), nothing, nothing.astype(np.int64), {})
        absent = (*whole.events, *(outcome for outcome in chosen if not self.pages_of(outcome)))
        return replace(self, events=dict.fromkeys(absent, nobody) | dict(self.events), whole=whole)

    def __getitem__(self, outcome: str) -> OutcomeRecord:
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
        """Indices of the pages whose view is the outcome; empty for an event, or a page not in the data."""
        if outcome in self.events:  # also a page that was left out, see core/ingest/output.py
            return ()
        kind, text = next((k, outcome.removeprefix(k)) for k in _KINDS if outcome.startswith(k))
        return self._places[kind].get(text, ())

    @cached_property
    def left_out(self) -> np.ndarray:
        """Indices of users without a used page view who viewed pages that are left out: int64, ascending."""
        views = [had.user for name, had in self.events.items() if name.startswith(PAGE_OUTCOME)]
        users = np.unique(np.concatenate([*views, np.zeros(0, dtype=np.int64)]))
        return users[users >= self.n_users]

    @cached_property
    def unseen(self) -> int:
        """Number of users with an event but without a used page view."""
        users = np.concatenate([np.empty(0, np.int64), *(record.user for record in self.events.values())])
        return len(np.unique(users[users >= self.n_users]))

    @property
    def usual(self) -> tuple[str, ...]:
        """The default outcome, see :data:`CONVERSIONS`; empty where the data have none of these."""
        return tuple(name for name in CONVERSIONS if name in self.events)[:1]

    @cached_property
    def likely(self) -> dict[str, int]:
        """Events that may be the outcome → their users: rare, and rarely in two sessions of a user.

        Events that mostly come with the first page view, such as ``first_visit``, are left out.
        """
        fewest, most = _RARE
        began = self.sequences.timestamp[self.sequences.offsets[:-1]]
        candidates = []
        for name, everybody in self.events.items():
            had = everybody.only(everybody.user < self.n_users)
            later = had.first_ts > began[had.user]
            if fewest <= len(had.user) <= most * self.n_users and later.mean() > _ARRIVED_SHARE:
                candidates.append((float(had.sessions.mean()), -len(had.user), name))
        return {name: -users for sessions, users, name in sorted(candidates)[:_NEAREST] if sessions <= _ONCE}

    @property
    def unset(self) -> str:
        """Suggest events that may be the outcome, in words; empty with a default or without such events."""
        shares = {name: percent(users / self.n_users, 0) for name, users in self.likely.items()}
        may_be = " or ".join(f"{name} ({share} of users)" for name, share in shares.items())
        return "" if self.usual or not may_be else f"The outcome is not set: {may_be} may be it"

    def chosen(self, settings: AnalyzeSettings) -> tuple[str, ...]:
        """The outcomes of the settings, or the default outcome.

        Raises:
            SettingsError: If one of them is not in the data; it names the nearest that are.
        """
        if settings.outcome is None:
            return self.usual
        for outcome in settings.outcome:
            if outcome not in self.events and not self.pages_of(outcome):
                self._refuse(outcome)
        return settings.outcome

    def parts(self, settings: AnalyzeSettings) -> dict[str, OutcomeRecord]:
        """Chosen outcome → users who had it; with ``OutcomeCount.FIRST`` each user in the first one only.

        Raises:
            SettingsError: If one of them is not in the data.
        """
        records = {outcome: self[outcome] for outcome in self.chosen(settings)}
        if settings.outcome_counts is OutcomeCount.FIRST and len(records) > 1:
            return dict(zip(records, _firsts(tuple(records.values())), strict=True))
        return records

    def inside(self, settings: AnalyzeSettings) -> dict[str, OutcomeRecord]:
        """Chosen outcome → users with a page view who had it; of several, the first entry is for any of them.

        Raises:
            SettingsError: If one of them is not in the data.
        """
        parts = self.parts(settings)
        whole = {label_of(tuple(parts)): any_of(list(parts.values()))} if len(parts) > 1 else {}
        return {name: had.only(had.user < self.n_users) for name, had in (whole | parts).items()}

    def offered(self, most: int) -> dict[str, int]:
        """Outcomes to choose from → number of users: events, templates of several pages, then pages.

        Each kind has those of most users first.

        Args:
            most: Most outcomes of each kind that are listed; a rarer one can be chosen all the same.
        """
        events = {name: len(conversions.user) for name, conversions in self.events.items()}
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
        """Number of users who saw a page of each group: (n_groups,); ``groups`` is the group of each page."""
        size = int(groups.max()) + 1
        seen = np.unique(self.sequences.user.astype(np.int64) * size + groups[self.sequences.page])
        return np.bincount(seen % size, minlength=size)

    def is_read(self, chosen: Sequence[str]) -> bool:
        """Whether a model of these page views can read who had these outcomes.

        It can by a page that is an outcome, or that gives it away: then segments differ in the outcome by
        construction.

        Args:
            chosen: Outcomes; texts that are none, as the name of several together, are ignored.
        """
        if self.whole is not None:
            return self.whole.is_read(chosen)
        known = tuple(outcome for outcome in chosen if outcome in self.events or self.pages_of(outcome))
        return any(self.pages_of(outcome) or self.leaks((outcome,)) for outcome in known) or bool(
            self.leaks(known)
        )

    def warning(self, chosen: Sequence[str]) -> str:
        """Sentence that segments differ in these outcomes partly by how they were made; empty if they do not.

        Args:
            chosen: Outcomes, as for :meth:`is_read`.
        """
        if not self.is_read(chosen):
            return ""
        return (
            f"How segments differ in {clean(label_of(chosen))} partly shows how they were made: the model "
            "read pages that only users with it see."
        )

    def leaks(self, chosen: Sequence[str]) -> tuple[str, ...]:
        """Addresses of pages that give these outcomes away, without pages that are outcomes themselves."""
        outcomes = tuple(chosen)
        if self.whole is not None:
            return self.whole.leaks(outcomes)
        if outcomes not in self._leaks:
            self._leaks[outcomes] = self._leaking(outcomes) if outcomes else ()
        return self._leaks[outcomes]

    @cached_property
    def _leaks(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Cache of :meth:`leaks`, which every page of the app and every table calls."""
        return {}

    def _leaking(self, chosen: tuple[str, ...]) -> tuple[str, ...]:
        conversions, seen = any_of([self[outcome] for outcome in chosen]), self.sequences
        leaks = leaking_pages(
            seen.user, seen.page, seen.timestamp, self.pages, conversions.user, conversions.first_ts,
            self.templates,
        )  # fmt: skip
        own_pages = {page for outcome in chosen for page in self.pages_of(outcome)}
        return tuple(self.pages[page] for page in leaks.tolist() if page not in own_pages)

    def notes(
        self, chosen: Sequence[str], n_users: int, had: int, without: int, arrived: int, refunded: int
    ) -> tuple[str, ...]:
        """Warnings for readers of an outcome: that no or every user has it, arrived with it, was refunded.

        Args:
            chosen: The outcomes.
            n_users: Number of users with a page view.
            had: Number of these with an outcome.
            without: Number of users without a page view who had one.
            arrived: Number of users whose first page view was the outcome.
            refunded: Number of users who got everything back that they paid.
        """
        called, is_page = label_of(chosen), any(self.pages_of(outcome) for outcome in chosen)
        elsewhere = f", only {pluralise(without, 'user')} without one, in no segment" if without else ""
        possible = {
            f"Nobody with a page view has {called}{elsewhere}. Choose another outcome": not had,
            f"All {pluralise(had, 'user')} have {called}, so that it tells no segment from another. Choose "
            "another outcome": had == n_users,
            f"{arrived:,} of the {pluralise(had, 'user')} with {called} came in on it: it says how they "
            "arrived, not what they did. Choose a later page": (
                is_page and 0 < had < n_users and arrived >= _ARRIVED_SHARE * had
            ),
            f"{refunded:,} of the {pluralise(had, 'user')} with {called} got back everything they paid: they "
            "count as converted": refunded,
        }  # fmt: skip
        return tuple(text for text, applies in possible.items() if applies)

    def _saw(self, pages: Sequence[int]) -> OutcomeRecord:
        wanted = np.zeros(len(self.pages), dtype=bool)
        wanted[list(pages)] = True
        views = np.flatnonzero(wanted[self.sequences.page])
        user, session = self.sequences.user[views].astype(np.int64), self.sequences.session[views]
        begins = np.concatenate(([True], (user[1:] != user[:-1]) | (session[1:] != session[:-1])))[
            : len(user)
        ]
        users, first = np.unique(user, return_index=True)
        sessions = np.bincount(np.searchsorted(users, user[begins]), minlength=len(users))
        return OutcomeRecord(users, sessions.astype(np.float64), self.sequences.timestamp[views[first]], {})

    @cached_property
    def _places(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """Page indices by kind of outcome, then by address or template, with and without its host."""
        places: dict[str, dict[str, list[int]]] = {kind: defaultdict(list) for kind in _KINDS}
        for kind, texts in ((PAGE_OUTCOME, self.pages), (TEMPLATE_OUTCOME, self.templates)):
            for page, text in enumerate(texts):
                for name in dict.fromkeys((text, path_of(text))):
                    places[kind][name].append(page)
        return {kind: {name: tuple(pages) for name, pages in own.items()} for kind, own in places.items()}

    def _refuse(self, outcome: str) -> None:
        kind = next(kind for kind in _KINDS if outcome.startswith(kind))
        if kind == TEMPLATE_OUTCOME and not self.templates:
            raise SettingsError(
                f"outcome = {outcome!r} is not possible: these pages have no labels, so no templates",
                allowed=f"an event or {PAGE_OUTCOME}/path", remedy="Label the pages, or name a page",
            )  # fmt: skip
        named = list(self._places[kind]) if kind else list(self.events)
        near = get_close_matches(outcome.removeprefix(kind), named, _NEAREST, cutoff=0.0)
        what = {PAGE_OUTCOME: "a page", TEMPLATE_OUTCOME: "a template of pages"}.get(kind, "an event")
        raise SettingsError(
            f"outcome = {outcome!r} is not {what} of this data set",
            allowed=", ".join(kind + name for name in near) or "no event: the file holds page views only",
            remedy=f"Choose one of these, an event, {PAGE_OUTCOME}/path or {TEMPLATE_OUTCOME}/path/:slug",
        )


_KINDS: Final = (PAGE_OUTCOME, TEMPLATE_OUTCOME, "")


def path_of(address: str) -> str:
    """Part of an address after the host: ``/cart?step=2``; the root is ``/``."""
    return _HOST.sub("", address, count=1) or "/"


def label_of(chosen: Sequence[str]) -> str:
    """Outcomes in words: ``purchase or a view of /thank-you``."""
    return " or ".join(_label(outcome) for outcome in chosen)


def _label(outcome: str) -> str:
    for kind in (PAGE_OUTCOME, TEMPLATE_OUTCOME):
        if outcome.startswith(kind):
            return f"a view of {path_of(outcome.removeprefix(kind))}"
    return outcome


def any_of(parts: Sequence[OutcomeRecord]) -> OutcomeRecord:
    """Users with any of several outcomes, each with the earliest time and all payments.

    Sessions are NaN for everybody if a user has two of the outcomes, which may share a session.
    """
    if len(parts) == 1:
        return parts[0]
    user, place = np.unique(np.concatenate([part.user for part in parts]), return_inverse=True)
    first = np.full(len(user), np.iinfo(np.int64).max)
    np.minimum.at(first, place, np.concatenate([part.first_ts for part in parts]))
    sessions = np.full(len(user), np.nan)
    if len(place) == len(user):  # no user had two of them
        sessions[place] = np.concatenate([part.sessions for part in parts])
    users = [len(part.user) for part in parts]
    money = _put_together(place, users, [part.money for part in parts])
    return OutcomeRecord(
        user, sessions, first, money, _put_together(place, users, [part.refunds for part in parts])
    )


def _put_together(
    place: np.ndarray, users: Sequence[int], parts: Sequence[Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Currency → payments of several parts summed by user, given the place of each part's users."""
    values = {
        currency: np.concatenate(
            [part.get(currency, np.full(n, np.nan)) for n, part in zip(users, parts, strict=True)]
        )
        for currency in dict.fromkeys(currency for part in parts for currency in part)
    }
    return {currency: _sums(place, paid) for currency, paid in values.items()}


def _firsts(parts: Sequence[OutcomeRecord]) -> list[OutcomeRecord]:
    """Reduce each part to the users whose first outcome it is; at the same time, the first chosen counts."""
    first = any_of(parts)
    done = np.zeros(len(first.user), dtype=bool)
    firsts = []
    for part in parts:
        place = np.searchsorted(first.user, part.user)
        mine = (part.first_ts == first.first_ts[place]) & ~done[place]
        done[place[mine]] = True
        firsts.append(part.only(mine))
    return firsts


def _event(rows: pd.DataFrame) -> OutcomeRecord:
    user, place = np.unique(rows[Outcomes.USER].to_numpy(dtype=np.int64), return_inverse=True)
    first = np.full(len(user), np.iinfo(np.int64).max)
    np.minimum.at(first, place, rows[Outcomes.FIRST_TS].to_numpy())
    sessions = np.bincount(place, rows[Outcomes.SESSIONS], minlength=len(user))
    money, refunds = (
        _by_currency(place, rows[Outcomes.CURRENCY], rows[column]) if column in rows else {}
        for column in (Outcomes.REVENUE, Outcomes.REFUNDS)  # an earlier release has no refunds
    )
    items = rows.get(Outcomes.ITEMS, pd.Series(dtype=float)).to_numpy(dtype=np.float64, na_value=np.nan)
    known = len(items) > 0 and not np.isnan(items).all()
    return OutcomeRecord(user, sessions, first, money, refunds, _sums(place, items) if known else None)


def _by_currency(place: np.ndarray, codes: pd.Series, column: pd.Series) -> dict[str, np.ndarray]:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    currency = codes.fillna(NO_CURRENCY).to_numpy()
    currencies = pd.unique(currency[~np.isnan(values)])
    return {str(name): _sums(place, np.where(currency == name, values, np.nan)) for name in currencies}


def _sums(place: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum values by place; NaN for places without a value."""
    size, has = int(place.max(initial=-1)) + 1, ~np.isnan(values)
    sums = np.bincount(place[has], values[has], minlength=size)
    return np.where(np.bincount(place[has], minlength=size) > 0, sums, np.nan)
