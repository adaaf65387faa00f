"""What words are made from: a data set, its segments, and what they are called."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from core.base.schema import OUTSIDE, View
from core.base.wording import counted
from core.differences.distributions import distributions
from core.differences.other_sessions import OTHER_SESSIONS
from core.differences.table import Diff, differences, pair_differences
from core.differences.user_items import Family
from core.facts.answer import Fact, Title
from core.facts.basis import Basis
from core.journeys.funnel import Funnel
from core.journeys.moves import Taken
from core.outgoing.quoting import clean
from core.profiles.metrics import Profiles, profile_rows
from core.profiles.outcomes import Happened
from core.profiles.profile_columns import Col, RowKind
from core.profiles.rows import Rows, make_rows
from core.segments.partition import Partition

if TYPE_CHECKING:
    from core.people.look_alikes import LookAlikes
    from core.segments.certificate import Certificate

ALL: Final = "all"
ONE_PAGE: Final = "group:one_page"
OTHERS: Final = "others"
"""The row that a figure is held against: the clustered users that are not in the row beside it."""
UNSEEN: Final = "group:no_page_view"
"""Users of whom no page view is used: of their outcome is told, and nothing else."""
PASTED: Final = "list"
"""Users of a list of ids that the analyst pasted."""
NO_ROWS: Final = {
    OTHERS: "The other clustered users", UNSEEN: "Users without a used page view (in no segment)",
    PASTED: "The users of the list",
}  # fmt: skip
WITH, WITHOUT = "outcome:with", "outcome:without"
"""Rows in place of segments: clustered users with the outcome, and those without."""


@dataclass(frozen=True, eq=False)
class Tables:
    """Everything counted for one partition, each table when it is first asked for.

    Args:
        basis: The data set.
        profiles: What its segments are like.
        partition: The segments.
        again: What they are like in other sessions of their users, where that is known:
            :meth:`core.differences.other_sessions.OtherSessions.scores`.
    """

    basis: Basis
    profiles: Profiles
    partition: Partition
    again: Mapping[Family, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def rows(self) -> Rows:
        """Who belongs where."""
        return self.profiles.rows

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Every row against the other clustered users (``core/differences/table.py``)."""
        data = self.basis.data
        return differences(data, self.rows, self.basis.items, self.outcomes, self.again)

    @cached_property
    def tested_again(self) -> Mapping[tuple[str, str, str], tuple[float, float]]:
        """Key, family and item → p and q of what was tested in other sessions."""
        own = self.differences[self.differences[Diff.TEST] == OTHER_SESSIONS]
        columns = (Col.KEY, Diff.FAMILY, Diff.ITEM, Diff.P_VALUE, Diff.Q_VALUE)
        return {
            (key, family, item): (p, q)
            for key, family, item, p, q in zip(*(own[name].tolist() for name in columns), strict=True)
        }

    @cached_property
    def pair(self) -> Callable[[str, str], pd.DataFrame]:
        """Two rows against each other, in the columns of the same table."""
        data, items = self.basis.data, self.basis.items
        return cache(lambda *rows: pair_differences(data, self.rows, rows, items, self.outcomes))

    @cached_property
    def distributions(self) -> pd.DataFrame:
        """What lies behind each mean (``core/differences/distributions.py``)."""
        return distributions(self.basis.data, self.rows, self.profiles.happened)

    @cached_property
    def outcomes(self) -> Mapping[str, Happened]:
        """Each outcome → who of the users with a page view had it, the main one first."""
        return self.basis.data.outcomes.inside(self.profiles.settings)

    @cached_property
    def by_outcome(self) -> Tables | None:
        """Tables of the clustered users with the outcome and of those without, in place of segments.

        None where no clustered user has it, or all have. Users outside the segments stand on neither side:
        buyers of a single page beside others of two or more would differ by their number of pages.
        """
        return self._by_outcome((WITH, "Clustered users who converted"), everybody=False)

    @cached_property
    def converted(self) -> Tables | None:
        """Tables in which all with the outcome and a page view count, for figures compared with nobody."""
        return self._by_outcome((WITH, "Converted users"), everybody=True)

    def _by_outcome(self, converted: tuple[str, str], *, everybody: bool) -> Tables | None:
        happened, labels = self.profiles.happened, self.partition.labels
        if happened is None:
            return None
        split = np.where(labels <= OUTSIDE, labels, 1)
        split[happened.user] = np.where(
            everybody | (labels[happened.user] > OUTSIDE), 0, split[happened.user]
        )
        if not {0, 1} <= set(split.tolist()):
            return None
        called = (converted, (WITHOUT, "Clustered users who did not convert"))
        rows = replace(make_rows(self.basis.data, split), called=called)
        return Tables(self.basis, profile_rows(self.basis.data, rows, self.profiles.settings), self.partition)

    @cached_property
    def _of_outcome(self) -> pd.DataFrame:
        """The outcome's rows of the outcomes table; of several, those of any of them, which come last."""
        table = self.profiles.outcomes
        return table[table[Col.OUTCOME] == table[Col.OUTCOME].iloc[-1]] if len(table) else table

    @cached_property
    def money(self) -> Mapping[tuple[str, str, str], float]:
        """Gross or net revenue, row and currency → its sum."""
        table, kinds = self._of_outcome, (Col.REVENUE, Col.NET_REVENUE)
        cells = [zip(table[Col.KEY], table[Col.CURRENCY], table[kind], strict=True) for kind in kinds]
        return {
            (kind, *where): paid for kind, rows in zip(kinds, cells, strict=True) for *where, paid in rows
        }

    @property
    def unseen(self) -> pd.DataFrame:
        """Users with the outcome of whom no page view is used: a row a currency."""
        return self._of_outcome[self._of_outcome[Col.KEY] == UNSEEN]

    @cached_property
    def segments(self) -> pd.DataFrame:
        """The segments table by key."""
        return self.profiles.segments.set_index(Col.KEY, drop=False)

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """Its rows as plain data: many questions look at one cell."""
        return {
            str(key): {str(name): value for name, value in row.items()}
            for key, row in self.segments.to_dict("index").items()
        }

    @cached_property
    def segment_keys(self) -> tuple[str, ...]:
        """Keys of the segments, by id."""
        return tuple(key for key, row in self.records.items() if row[Col.KIND] == RowKind.SEGMENT)

    @cached_property
    def attributes(self) -> Mapping[str, tuple[str, ...]]:
        """Browser, device, … → its values, most frequent first, without what is counted as the rest."""
        shares = self.profiles.shares
        named = shares[~shares[Col.IS_OTHER].astype(bool)]
        return {
            str(attribute): tuple(dict.fromkeys(part[Col.VALUE]))
            for attribute, part in named.groupby(Col.ATTRIBUTE, sort=False)
        }

    @cached_property
    def apart(self) -> Mapping[str, Mapping[str, float]]:
        """Key → metric → standard deviations from the other clustered users (the heat-map)."""
        found: dict[str, dict[str, float]] = {}
        columns = (self.profiles.heatmap[name].tolist() for name in (Col.KEY, Col.METRIC, Col.Z))
        for key, metric, z in zip(*columns, strict=True):
            found.setdefault(key, {})[metric] = z
        return found

    @cached_property
    def digest(self) -> str:
        """Names the data set, its labels and its segments."""
        made = hashlib.blake2b(self.basis.key.encode(), digest_size=16)
        made.update(self.partition.labels.tobytes())
        made.update(str(self.profiles.outcome).encode())
        if len(self.profiles.chosen) > 1:  # else any and the first are one
            made.update(self.profiles.settings.outcome_counts.encode())
        return made.hexdigest()

    def members(self, key: str) -> np.ndarray:
        """The users of a row: bool of shape (n_users,)."""
        return self.rows.members(list(self.records).index(key))

    @cached_property
    def taken(self) -> Callable[[str, View], Taken]:
        """The steps of a row between pages, themes or types."""
        return cache(lambda key, view: self.basis.moves(view).taken(self.members(key)))

    @cached_property
    def page_views(self) -> np.ndarray:
        """Views of each page by each row, totals last: float64 of shape (n_rows + n_totals, n_pages)."""
        data = self.basis.data
        views = self.rows.table(data.seen.user, data.seen.page, len(data.page_location), data.seen.views)
        return self.rows.with_all(views)

    @cached_property
    def items(self) -> dict[tuple[str, str], Mapping[str, Mapping[str, Any]]]:
        """Figures of items that were asked for: dimension and value → ``item_rows`` of ``items.py``."""
        return {}

    def warm(self) -> None:
        """Count what most questions need, so that the first one need not wait for it."""
        for view in self.basis.views:
            self.basis.moves(view)
        _ = self.segments, self.digest, self.differences, self.page_views


@dataclass(frozen=True, eq=False)
class Context:
    """What a question is asked about.

    Args:
        tables: What was counted.
        names: Segment → name, the analyst's where edited; a segment without one is called by its number.
        previous: The segments before the last move of a slider.
        suggested: Segment → name that the analyst was offered and has not taken (yet).
        certificates: Segment → how sure it is; empty where that was not measured.
        unsupported: Whether no number of segments is supported.
        verdict: Whether there are segments, in a sentence; empty where that was not measured.
        withheld: Whether nobody is told what kinds of users the segments are, as none are supported.
        funnel: That the analyst built; None without one.
        like: A segment's key, or ``PASTED`` → who is like its users; None where that cannot be found.
    """

    tables: Tables
    names: Mapping[int, str] = field(default_factory=dict)
    previous: Partition | None = None
    suggested: Mapping[int, str] = field(default_factory=dict)
    certificates: Mapping[int, Certificate] = field(default_factory=dict)
    unsupported: bool = False
    verdict: str = ""
    withheld: bool = False
    funnel: Funnel | None = None
    like: Callable[[str], LookAlikes] | None = None

    @property
    def segment_keys(self) -> tuple[str, ...]:
        """Keys of the segments, by id."""
        return self.tables.segment_keys

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all rows."""
        return tuple(self.tables.records)

    def row(self, key: str) -> Mapping[str, Any]:
        """A row of the segments table."""
        return self.tables.records[key]

    def place(self, key: str) -> int:
        """Where a row stands in the tables."""
        return self.keys.index(key)

    def population_of(self, facts: Iterable[Fact]) -> str:
        """Of which users figures are, and who is in none; empty where there are no figures."""
        profiles, unseen = self.tables.profiles, self.tables.basis.data.outcomes.unseen
        seen, inside = counted(profiles.n_users, "user"), f"{profiles.n_clustered:,} are in a segment"
        left = f"; {unseen:,} without a used page view are not among them." if unseen else "."
        return f"Of {seen} with a page view, {inside}{left}" if any(facts) else ""

    def holds(self, outer: str, inner: str) -> bool:
        """Whether all users of a row belong to another row as well."""
        if OTHERS in (outer, inner) or outer == inner:
            return False
        one_page = outer == ONE_PAGE and self.row(inner)[Col.KIND] == RowKind.ONE_PAGE
        return outer == ALL or one_page

    def title(self, key: str) -> str:
        """What a row is called in full: ``Bargain hunters (segment 2)``, ``One-page users``."""
        return self.titled(key).full

    def titled(self, key: str) -> Title:
        """What a row is called."""
        if key in NO_ROWS:
            return Title(label=NO_ROWS[key])
        row = self.row(key)
        label, rule = str(row[Col.LABEL]), ""
        if row[Col.KIND] == RowKind.ONE_PAGE:  # what it is called holds addresses, which strangers wrote
            label, _, rule = label.partition(": ")
        segment = int(row[Col.SEGMENT])
        if row[Col.KIND] != RowKind.SEGMENT:
            return Title(label=label, name=clean(rule))
        own, sure = self.names.get(segment) or self.suggested.get(segment, ""), self.certificates.get(segment)
        return Title(label=label, name=clean(own), mark=sure.mark if sure else "")

    def titles(self, keys: Iterable[str] = ()) -> dict[str, Title]:
        """What rows are called; every row when none is named."""
        return {key: self.titled(key) for key in keys or (*self.keys, *NO_ROWS)}
