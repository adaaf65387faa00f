"""Segments by other weights and numbers, made beforehand, so that a report can be moved without a server.

Each is what the app makes by the same settings: it goes on from the first segments of the model and takes
their numbers (``pages/ui/segments/session_segments.py``). The page gets texts of counts: a segment of fewer
than 20 users is counted together with other small ones, and an outcome of so few is not offered.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from core.base.progress import Progress, silent
from core.base.schema import View
from core.base.settings import AnalyzeSettings, ClusterSettings, ViewWeights
from core.base.wording import capitalised, percent, pluralise
from core.facts.context import Basis, Tables
from core.profiles import name_fitting
from core.profiles.names import SegmentName
from core.profiles.other_sessions import OtherSessions
from core.profiles.outcomes import OutcomeIndex, any_of, label_of
from core.profiles.two_shares import wilson
from core.query.floor import FEWEST
from core.runs import pipeline
from core.runs.artifacts import Embeddings
from core.runs.report.charts import token
from core.runs.report.model import Row
from core.saved.controls import USUAL_SEGMENTS, Controls, effective, percentages, reweighted
from core.segments import identity
from core.segments.combination import Combined
from core.segments.geometry import count_different
from core.segments.levels import SegmentLevels
from core.segments.partition import Partition

MOST_USERS: Final = 50_000
"""Most users of a report that can be moved: of more, it would take a minute and more to make."""
_NUMBERS: Final = range(2, 16)
_ACTIVITY: Final = 30
"""Percentage of activity in the mix that has it."""
_MOST_OUTCOMES: Final = 12
_TITLES: Final = {
    View.URL: "pages", View.THEME: "page themes", View.TYPE: "page types", View.ACTIVITY: "activity",
}  # fmt: skip
_POOLED, _NONE = 254, 255
"""Label of a dot on the map: in a segment of too few users, and in no segment."""


@dataclass(frozen=True, eq=False)
class Living:
    """Segments of the same users by several mixes of views, and by several numbers of segments.

    Args:
        mixes: How much each view counts, in words, of each mix; the report's own first.
        numbers: Numbers of segments, ascending.
        own: Position of the report's own number.
        labels: int16 of shape (n_mixes, n_numbers, n_users), the segment of each user; below 0 in none.
        names: Of each mix and number: segment → its name.
        outcomes: Outcome → who had it, bool of shape (n_users,); the report's own first.
        warnings: Outcome → warning that the model has read pages that give it away; empty where it has not.
    """

    mixes: tuple[str, ...]
    numbers: tuple[int, ...]
    own: int
    labels: np.ndarray
    names: Sequence[Sequence[Mapping[int, str]]]
    outcomes: Mapping[str, np.ndarray]
    warnings: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class LivingMaker:
    """Makes the segments of a report by other settings.

    Args:
        embeddings: Vectors of the users, a view each.
        basis: What names are counted from.
        weights: Weights of the report's segments.
        first: The first segments of the model, by the usual weights.
        shown: The report's segments.
        settings: The report's outcomes.
        others: Other sessions of the users, in which differences are tested.
        given: Segment → the analyst's name.
        withheld: Whether names are kept back.
    """

    embeddings: Embeddings
    basis: Basis
    weights: ViewWeights
    first: Partition
    shown: Partition
    settings: AnalyzeSettings
    others: OtherSessions | None = None
    given: Mapping[int, SegmentName] = field(default_factory=dict)
    withheld: bool = False

    def make(self, progress: Progress = silent) -> Living | None:
        """Make them; None where there are too many users, or too few that differ.

        Args:
            progress: Where to report; may stop the work.
        """
        inside, k = self.embeddings.inside, self.shown.settings.n_clusters
        numbers = tuple(sorted({*_NUMBERS, k}))
        if len(inside) > MOST_USERS:
            return None
        mixed = {mix: pipeline.combine(self.embeddings, mix) for mix in self._mixes}
        differ = {
            mix: combined for mix, combined in mixed.items()
            if count_different(combined.vectors[inside], enough=numbers[-1] + 1) > numbers[-1]
        }  # fmt: skip
        if self._mixes[0] not in differ:
            return None
        labels = np.empty((len(differ), len(numbers), len(inside)), dtype=np.int16)
        names: list[list[dict[int, str]]] = []
        for place, (mix, combined) in enumerate(differ.items()):
            names.append([])
            for column, number in enumerate(numbers):
                done = (place + column / len(numbers)) / len(differ)
                progress("report", done, "Segments by other numbers and weights")
                partition = self.shown if (place, number) == (0, k) else self._cut(mix, combined, number)
                labels[place, column] = partition.labels
                names[-1].append(self._names(combined, partition))
        titles = tuple(_title(mix, self.embeddings.weighable) for mix in differ)
        return Living(titles, numbers, numbers.index(k), labels, names, *self._outcomes())

    @property
    def _mixes(self) -> list[ViewWeights]:
        """The report's weights, the usual ones, each view by itself, and some activity."""
        present = self.embeddings.weighable
        usual = effective(ViewWeights(insist=self.weights.insist), present)
        percent_of = {view: 100 for view in self.embeddings.views} | {View.ACTIVITY: _ACTIVITY}
        others = [reweighted(usual, present, view, share) for view, share in percent_of.items()]
        return list(dict.fromkeys([effective(self.weights, present), usual, *others]))

    def _cut(self, mix: ViewWeights, combined: Combined, number: int) -> Partition:
        """Cluster as the app does (``session_segments._new_segmentation``)."""
        usual = effective(ViewWeights(), self.embeddings.weighable)
        if (mix, number) == (usual, self.first.settings.n_clusters):
            return self.first
        cluster = ClusterSettings(n_clusters=number)
        made = pipeline.cluster(combined, self.embeddings.inside, cluster, self.first)
        return identity.match(self.first, made).partition

    def _names(self, combined: Combined, partition: Partition) -> dict[int, str]:
        again = self.others.scores(combined, partition) if self.others else {}
        profiles = pipeline.analyze(self.basis.data, partition, self.settings)
        table = Tables(self.basis, profiles, partition, again).differences
        names = name_fitting.current_names(table, self.basis.site, self.given)
        names = name_fitting.only_given(names) if self.withheld else names
        return {segment: name.title(segment) for segment, name in names.items()}

    def _outcomes(self) -> tuple[dict[str, np.ndarray], dict[str, str]]:
        """The report's outcome, and events of neither few nor nearly all clustered users, rarest first."""
        index, inside = self.basis.data.outcomes, self.embeddings.inside
        chosen = index.chosen(self.settings)
        had = {event: _had(index, (event,)) for event in index}
        n = {event: int(users[inside].sum()) for event, users in had.items()}
        common = sorted(
            (event for event in had if FEWEST <= n[event] <= inside.sum() - FEWEST), key=n.__getitem__
        )
        names = {label_of(chosen): chosen} if chosen else {}
        names |= {event: (event,) for event in common[:_MOST_OUTCOMES] if event not in names}
        users = {name: _had(index, outcomes) for name, outcomes in names.items()}
        return users, {name: index.warning(outcomes) for name, outcomes in names.items()}


def first_segments(embeddings: Embeddings, levels: SegmentLevels | None) -> Partition:
    """Fit the segments that the app shows first: the usual weights, and the number that the users support."""
    combined = pipeline.combine(embeddings, effective(ViewWeights(), embeddings.weighable))
    different = count_different(combined.vectors[embeddings.inside], enough=_NUMBERS.stop)
    k = Controls().n_within(different, levels.described_k if levels else USUAL_SEGMENTS)
    return pipeline.cluster(combined, embeddings.inside, ClusterSettings(n_clusters=k))


def living_part(made: Living, dots: np.ndarray, own: Iterable[Row]) -> dict[str, Any]:
    """What the page needs, as plain data: the rows of all tables as text, and the labels of the map's dots.

    Args:
        made: The segments.
        dots: Users on the map, in the order in which they are drawn.
        own: Rows of the report's own segments.
    """
    shown = np.full((*made.labels.shape[:2], len(dots)), _NONE, dtype=np.uint8)
    tables: list[list[list[dict[str, Any]]]] = []
    for mix, named in enumerate(made.names):
        tables.append([])
        for column, names in enumerate(named):
            labels = made.labels[mix, column].copy()
            few = _too_few(labels)
            labels[np.isin(labels, few)] = _POOLED
            shown[mix, column] = np.where(labels[dots] < 0, _NONE, labels[dots])
            pooled = {_POOLED: f"{pluralise(len(few), 'segment')} of few users"} if few else {}
            rows = [
                _row(segment, name, labels == segment, made)
                for segment, name in {**names, **pooled}.items()
                if segment not in few
            ]
            tables[-1].append(rows)
    kept = {row.segment: row for row in own}
    for row in tables[0][made.own]:
        if row["segment"] in kept:
            row |= {"name": kept[row["segment"]].name, "stability": kept[row["segment"]].stability}
    return {
        "mixes": made.mixes, "numbers": made.numbers, "own": made.own, "outcomes": list(made.outcomes),
        "warnings": [made.warnings[outcome] for outcome in made.outcomes],
        "tables": tables, "dots": len(dots),
        "totals": [_rate(int(had.sum()), len(had)) for had in made.outcomes.values()],
        "labels": base64.b64encode(zlib.compress(shown.tobytes(), 9)).decode(),
    }  # fmt: skip


def _too_few(labels: np.ndarray) -> list[int]:
    """Segments counted together: those of fewer than 20 users, and the next one where these are so few."""
    sizes = dict(enumerate(np.bincount(labels[labels >= 0]).tolist()))
    sizes = {segment: users for segment, users in sizes.items() if users}
    by_size = sorted(sizes, key=sizes.__getitem__)
    few = [segment for segment in by_size if sizes[segment] < FEWEST]
    together = sum(sizes[segment] for segment in few)
    return by_size[: len(few) + 1] if 0 < together < FEWEST else few


def _row(segment: int, name: str, users: np.ndarray, made: Living) -> dict[str, Any]:
    n = int(users.sum())
    return {
        "segment": segment, "name": name, "colour": token(-1 if segment == _POOLED else segment),
        "users": f"{n:,}", "share": percent(n / len(users)), "stability": "",
        "rates": [_rate(int((had & users).sum()), n) for had in made.outcomes.values()],
    }  # fmt: skip


def _rate(had: int, n: int) -> tuple[str, str]:
    """The share with an outcome, and its 95 % interval, as text."""
    low, high = (float(end) for end in wilson(np.array(had), np.array(n)))
    return percent(had / n, 2, n), f"{percent(low, 2, n).rstrip('%')} to {percent(high, 2, n)}"


def _had(index: OutcomeIndex, outcomes: Sequence[str]) -> np.ndarray:
    had = np.zeros(index.n_users, dtype=bool)
    users = any_of([index[outcome] for outcome in outcomes]).user
    had[users[users < index.n_users]] = True
    return had


def _title(mix: ViewWeights, present: Sequence[View]) -> str:
    shares = percentages(mix, present).items()
    return capitalised(", ".join(f"{_TITLES[view]} {share} %" for view, share in shares if share))
