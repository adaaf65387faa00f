"""What the answers must be, counted with pandas from the tables of the data set, without code of the app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

Z = 1.959963984540054
ATTRIBUTES = ("browser", "device", "country", "source", "channel", "first_channel")
MEANS = {
    "page_views_mean": "page_views", "sessions_mean": "sessions", "different_pages_mean": "different",
    "engagement_s_mean": "seconds", "revenue_per_user": "revenue",
}  # fmt: skip
RATIOS = {
    "pages_per_session": ("page_views", "sessions"), "session_rate": ("buying_sessions", "sessions"),
    "view_share": ("hits", "page_views"),
}  # fmt: skip
HELD_OUT = {
    "engagement_s_mean", "engagement_s_median", "engagement_none_share", "outcome_rate", "session_rate",
    "revenue_per_user",
}  # fmt: skip
OF_OUTCOME = {"outcome_rate", "session_rate", "revenue_per_user"}
MEDIANS = {"page_views_median": "page_views", "engagement_s_median": "seconds"}
SHARES = {"outcome_rate": "bought", "engagement_none_share": "silent", "share": "hit"}
"""Measure of a share that is tested → column of :attr:`Oracle.people`; ``hit`` is of an item."""


@dataclass(eq=False)
class Oracle:
    """Counts what answers must say. A row is a key such as ``segment:0``, ``all`` or ``others:segment:0``.

    Args:
        users: One row a user, in index order.
        outcomes: One row a user and event.
        pages: One row a page.
        offsets: Where the page views of each user begin and end.
        page: Page of each page view, in order.
        session: Session of each page view.
        labels: ``theme`` and ``type`` → label of each page.
        segment: Segment of each user, −1 outside.
        before: Segment of each user before the last move.
        vectors: Vectors that were clustered.
        outcome: The event whose users count as converted.
        given_away: Whether a page that the model read gives the outcome away: then it is not tested.
        levels: Family of facets → of each facet what users are called, "" for nothing; the rules of facets
            have tests of their own.
    """

    users: pd.DataFrame
    outcomes: pd.DataFrame
    pages: pd.DataFrame
    offsets: np.ndarray
    page: np.ndarray
    session: np.ndarray
    labels: dict[str, list[str]]
    segment: np.ndarray
    before: np.ndarray
    vectors: np.ndarray
    outcome: str = "purchase"
    given_away: bool = False
    levels: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)

    @cached_property
    def people(self) -> pd.DataFrame:
        """One row a user: key of its ``row``, attributes, and what it did of the outcome."""
        frame = self.users.reset_index(drop=True).copy()
        frame["row"] = np.where(
            self.segment >= 0,
            "segment:" + pd.Series(self.segment).astype("str"),
            "group:" + frame["group"].astype("str"),
        )
        bought = self.outcomes[self.outcomes["event_name"] == self.outcome].set_index("user")
        frame["bought"] = frame.index.isin(bought.index)
        frame["buying_sessions"] = bought["sessions"].reindex(frame.index).fillna(0)
        frame["revenue"] = bought["revenue"].reindex(frame.index).fillna(0)
        frame["seconds"] = frame["engagement_msec"].astype("Float64").astype("float64") / 1000
        frame["silent"] = frame["seconds"].isna()
        frame["different"] = self.views.groupby("user")["page"].nunique().reindex(frame.index)
        return frame

    @cached_property
    def views(self) -> pd.DataFrame:
        """One row a page view: user, page, session and labels."""
        user = np.repeat(np.arange(len(self.users)), np.diff(self.offsets))
        path = self.pages["page_location"].str.replace(r"^https?://[^/]+", "", regex=True)
        frame = pd.DataFrame({"user": user, "page_no": self.page, "session": self.session})
        frame["page"] = path.to_numpy()[self.page]
        for name, labels in self.labels.items():
            frame[name] = np.array(labels, dtype=object)[self.page]
        return frame

    @cached_property
    def segments(self) -> list[str]:
        """Keys of the segments."""
        return [f"segment:{number}" for number in sorted(set(self.segment[self.segment >= 0].tolist()))]

    def of(self, key: str) -> pd.DataFrame:
        """The users of a row's key, as rows of :attr:`people`."""
        if key.startswith("others:"):
            return self.others(key.removeprefix("others:"))
        if key.startswith("outcome:"):
            inside = self.people["row"].str.startswith("segment:")
            return self.people[inside & (self.people["bought"] == (key == "outcome:with"))]
        return self.people if key == "all" else self.people[self.people["row"] == key]

    def others(self, key: str) -> pd.DataFrame:
        """All other clustered users, whom a row is compared with."""
        inside = self.people["row"].str.startswith("segment:")
        rest = self.people["row"] != key
        return self.people[rest & inside]

    def measure(self, name: str, key: str) -> float:
        """Figure of a measure (``page_views_mean`` …) for a row.

        Raises:
            KeyError: If there is no such measure.
        """
        own = self.of(key)
        n, views, sessions = len(own), own["page_views"].sum(), own["sessions"].sum()
        known = own["seconds"].dropna()
        clustered = (self.segment >= 0).sum() if key.startswith("segment:") else np.nan
        values = {
            "users": n, "share": n / len(self.people),
            "share_clustered": n / clustered,
            "page_views": views, "page_views_mean": views / n,
            "page_views_median": own["page_views"].median(), "sessions": sessions,
            "sessions_mean": sessions / n, "pages_per_session": views / sessions,
            "different_pages_mean": own["different"].mean(), "engagement_users": len(known),
            "engagement_none_share": 1 - len(known) / n, "engagement_s_mean": known.mean(),
            "engagement_s_median": known.median(), "outcome_users": own["bought"].sum(),
            "outcome_rate": own["bought"].mean(), "outcome_sessions": own["buying_sessions"].sum(),
            "session_rate": own["buying_sessions"].sum() / sessions, "revenue": own["revenue"].sum(),
            "revenue_per_user": own["revenue"].sum() / n,
            "net_revenue": own["revenue"].sum(),  # nobody gives anything back in these data
        }  # fmt: skip
        return float(values[name])

    @cached_property
    def known(self) -> dict[tuple[str, str, bool], pd.DataFrame]:
        """Results of :meth:`counts`, so that each is counted once."""
        return {}

    def counts(self, dimension: str, key: str, *, others: bool = False) -> pd.DataFrame:
        """Count each item of a dimension (page, theme, device …) among a row's users, or the others.

        Returns:
            Item → ``users`` of ``n`` and ``views`` of ``views_n``; NaN views for attributes of users.
        """
        if (dimension, key, others) not in self.known:
            users = self.others(key) if others else self.of(key)
            self.known[dimension, key, others] = self._counted(dimension, users)
        return self.known[dimension, key, others]

    def _counted(self, dimension: str, users: pd.DataFrame) -> pd.DataFrame:
        if dimension in ATTRIBUTES:
            found = users[dimension].dropna()
            table = found.value_counts().to_frame("users")
            return table.assign(n=len(found), views=np.nan, views_n=np.nan)
        if dimension in self.levels:
            called = pd.Series(np.concatenate([own[users.index] for own in self.levels[dimension]]))
            table = called[called != ""].value_counts().to_frame("users")
            return table.assign(n=len(users), views=np.nan, views_n=np.nan)
        own = self.views[self.views["user"].isin(users.index)]
        grouped = own.groupby(dimension)
        table = pd.DataFrame({"users": grouped["user"].nunique(), "views": grouped.size()})
        return table.assign(n=len(users), views_n=len(own))

    def item(self, metric: str, dimension: str, key: str, value: str) -> float:
        """Figure about an item: ``users``, ``views``, their ``share`` or ``view_share``, or its ``lift``."""
        own = self._row(dimension, key, value)
        if metric in ("users", "views"):
            return float(own[metric])
        share = own["views"] / own["views_n"] if metric.startswith("view_") else own["users"] / own["n"]
        if not metric.endswith("lift"):
            return float(share)
        rest = self._row(dimension, key, value, others=True)
        others = rest["views"] / rest["views_n"] if metric == "view_lift" else rest["users"] / rest["n"]
        return float(share / others) if others else float("inf")

    def value(self, measure: str, item: str, key: str) -> float:
        """Figure of a fact: of its item by ``measure`` (``share:page``) if there is one, else of the row."""
        kind, _, dimension = measure.partition(":")
        return self.item(kind, dimension, key, item) if item else self.measure(measure, key)

    def decision(self, measure: str, item: str, first: str, second: str) -> tuple[bool, float | None] | None:
        """Decide whether two rows differ in a measure.

        Returns:
            Whether they do, and p where the model never saw what is tested, else None; None alone for counts.
        """
        kind, _, dimension = measure.partition(":")
        if measure == "share" or kind not in {*SHARES, *MEANS, *RATIOS, *MEDIANS}:
            return None
        people = self._hits(dimension, item) if item else self.people
        sides = [people.loc[self.of(key).index] for key in (first, second)]
        held_out = HELD_OUT - OF_OUTCOME if self.given_away else HELD_OUT
        tested = dimension in (*ATTRIBUTES, "rhythm") if item else kind in held_out
        if kind in SHARES:
            p, apart = shares_differ(*(side[SHARES[kind]].dropna().astype(bool) for side in sides))
        elif kind in MEDIANS:
            one, other = (side[MEDIANS[kind]].dropna() for side in sides)
            p = mann_whitney(one, other, one.median() - other.median())
            apart = p < 0.05
        else:
            p, apart = self._means_differ(kind, sides)
        return (p < 0.05 and apart, p) if tested else (apart, None)

    def _means_differ(self, kind: str, sides: list[pd.DataFrame]) -> tuple[float, bool]:
        one, other = (self._a_user(side, kind) for side in sides)
        if kind in ("engagement_s_mean",):
            p = mann_whitney(one, other, one.mean() - other.mean())
        else:
            p = t_test(one, other)
        if min(len(one), len(other)) < 2:
            return p, False
        if one.nunique() == other.nunique() == 1:  # nobody differs from the mean: no interval around it
            return p, not np.isclose(one.iloc[0], other.iloc[0])
        ends = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
        return p, bool(ends.low > 0 or ends.high < 0)

    def _a_user(self, side: pd.DataFrame, kind: str) -> pd.Series:
        """A value a user whose mean is the measure: a ratio of sums is linearised (Deng et al. 2018)."""
        if kind in MEANS:
            return side[MEANS[kind]].dropna()
        part, whole = (side[name] for name in RATIOS[kind])
        ratio = part.sum() / whole.sum() if len(side) else np.nan
        return ratio + (part - ratio * whole) / whole.mean()

    def _hits(self, dimension: str, item: str) -> pd.DataFrame:
        """Who saw an item and how often, or who has it; absent where a user's attribute is."""
        people = self.people
        if dimension in ATTRIBUTES:
            return people.assign(hit=(people[dimension] == item).where(people[dimension].notna()))
        if dimension in self.levels:
            return people.assign(hit=np.any([own == item for own in self.levels[dimension]], axis=0))
        hits = self.views.loc[self.views[dimension] == item, "user"].value_counts()
        hits = hits.reindex(people.index).fillna(0)
        return people.assign(hits=hits, hit=hits > 0)

    def _row(self, dimension: str, key: str, value: str, *, others: bool = False) -> pd.Series:
        table = self.counts(dimension, key, others=others)
        whole = {"users": 0, "views": 0, "n": table["n"].max(), "views_n": table["views_n"].max()}
        return table.loc[value] if value in table.index else pd.Series(whole)

    def top(self, dimension: str, key: str, metric: str) -> list[str]:
        """Items of a dimension, highest first by a metric; by lift only those surely more frequent here."""
        table = self.counts(dimension, key)
        if metric in ("share", "users"):
            return table.sort_values("users", ascending=False, kind="stable").index.tolist()
        if metric in ("views", "view_share"):
            order = table.assign(number=self._numbers(dimension, table.index))
            return order.sort_values(["views", "number"], ascending=[False, True]).index.tolist()
        return self._more_often(dimension, key)

    def _numbers(self, dimension: str, values: pd.Index) -> np.ndarray:
        first = self.views.drop_duplicates(dimension).set_index(dimension)["page_no"]
        return first.reindex(values).to_numpy()

    def _more_often(self, dimension: str, key: str) -> list[str]:
        """By the low end of Cohen's h; of three users and more, with Newcombe's interval above 0."""
        own, rest = self.counts(dimension, key), self.counts(dimension, key, others=True)
        everybody, n, rest_n = (
            self.counts(dimension, "all")["users"],
            len(self.of(key)),
            len(self.others(key)),
        )
        table = pd.DataFrame({"all": everybody, "own": own["users"], "rest": rest["users"]}).fillna(0)
        table = table[(table["all"] >= 3) & ~table.index.isin(["Unknown", "No theme"])]
        p, q = table["own"] / n, table["rest"] / rest_n
        low, high = wilson(table["own"], n)[0], wilson(table["rest"], rest_n)[1]
        table["score"] = (
            2 * np.arcsin(np.sqrt(p)) - 2 * np.arcsin(np.sqrt(q)) - Z * np.sqrt(1 / n + 1 / rest_n)
        )
        sure = table[p - q > np.hypot(p - low, high - q)]
        return sure.sort_values(["score", "all"], ascending=False, kind="stable").index.tolist()

    @cached_property
    def memory(self) -> dict[tuple[str | None, ...], pd.Series]:
        """Results of :meth:`ends` and :meth:`steps`, so that each is counted once."""
        return {}

    def ends(self, kind: str, key: str) -> pd.Series:
        """Share of a row's sessions that begin (``entry``) or end with each page, most first."""
        if (kind, key) not in self.memory:
            self.memory[kind, key] = self._ends(kind, key)
        return self.memory[kind, key]

    def _ends(self, kind: str, key: str) -> pd.Series:
        own = self.views[self.views["user"].isin(self.of(key).index)]
        visits = own.groupby(["user", "session"])[["page", "page_no"]]
        found = visits.first() if kind == "entry" else visits.last()
        counts = found.groupby(["page", "page_no"]).size().reset_index(name="n")
        counts = counts.sort_values(["n", "page_no"], ascending=[False, True])
        return counts.set_index("page")["n"] / len(found)

    def steps(self, by: str, key: str, origin: str | None, target: str | None) -> pd.Series:
        """``from → to`` → share of a row's steps, most first.

        Args:
            by: Column of :attr:`views` that names the places.
            key: Key of the row.
            origin: Place from which the steps lead; None for any.
            target: Place to which they lead; None for any.
        """
        asked = (by, key, origin, target)
        if asked not in self.memory:
            self.memory[asked] = self._steps(*asked)
        return self.memory[asked]

    def _steps(self, by: str, key: str, origin: str | None, target: str | None) -> pd.Series:
        own = self.views[self.views["user"].isin(self.of(key).index)]
        visits = own.groupby(["user", "session"])[by]
        inner = pd.DataFrame({"from": own[by], "to": visits.shift(-1).fillna("(end of session)")})
        moves = pd.concat([pd.DataFrame({"from": "(start)", "to": visits.first()}), inner])
        if origin is not None:
            moves = moves[moves["from"] == origin]
        if target is not None:
            moves = moves[moves["to"] == target]
        counts = moves.groupby(["from", "to"]).size().sort_values(ascending=False, kind="stable")
        counts.index = [f"{a} → {b}" for a, b in counts.index]
        return counts / counts.sum()

    def distances(self, key: str) -> pd.Series:
        """Key of another segment → distance of its mean vector to this one's, nearest first."""
        means = {
            one: self.vectors[self.of(one).index].astype(np.float64).mean(axis=0) for one in self.segments
        }
        apart = {one: float(np.linalg.norm(means[one] - means[key])) for one in self.segments if one != key}
        return pd.Series(apart).sort_values()

    def moved(self) -> tuple[int, int]:
        """Number of users that changed their segment, and of all that were and are in one."""
        both = (self.segment >= 0) & (self.before >= 0)
        return int((both & (self.segment != self.before)).sum()), int(both.sum())

    def moves(self) -> dict[str, int]:
        """``Segment 1 → Segment 2`` → number of users who moved so; segments count from 1."""
        both = (self.segment >= 0) & (self.before >= 0) & (self.segment != self.before)
        pairs = zip(self.before[both], self.segment[both], strict=True)
        return Counter(f"Segment {old + 1} → Segment {new + 1}" for old, new in pairs)


def wilson(users: pd.Series, n: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Low and high end of the 95 % interval (Wilson) of ``users`` of ``n``."""
    share = users / n
    middle, spread = share + Z**2 / (2 * n), Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return (middle - spread) / (1 + Z**2 / n), (middle + spread) / (1 + Z**2 / n)


def t_test(one: pd.Series, other: pd.Series) -> float:
    """The larger two-sided p of Welch's and Student's t-test; 1 with fewer than two values on a side."""
    if min(len(one), len(other)) < 2:
        return 1.0
    if one.nunique() == other.nunique() == 1:
        apart = stats.fisher_exact([[len(one), 0], [0, len(other)]]).pvalue
        return 1.0 if np.isclose(one.iloc[0], other.iloc[0]) else float(apart)
    return max(float(stats.ttest_ind(one, other, equal_var=equal).pvalue) for equal in (False, True))


def mann_whitney(one: pd.Series, other: pd.Series, apart: float) -> float:
    """Two-sided p of the U test; 1 where it leans against the sign of the difference ``apart``."""
    if not len(one) or not len(other):
        return 1.0
    found = stats.mannwhitneyu(one, other, method="asymptotic")
    leans = found.statistic / len(one) / len(other) - 0.5
    return 1.0 if leans * apart < 0 or np.isnan(found.pvalue) else float(found.pvalue)


def shares_differ(one: pd.Series, other: pd.Series) -> tuple[float, bool]:
    """Compare two shares (bool values).

    Returns:
        Two-sided p by Fisher's test where few are expected, else the χ² test; whether Newcombe's interval of
        the difference leaves out 0.
    """
    if not len(one) or not len(other):
        return 1.0, False
    table = np.array([[side.sum(), (~side).sum()] for side in (one, other)])
    few = stats.contingency.expected_freq(table).min() < 5
    test = stats.fisher_exact(table) if few else stats.chi2_contingency(table, correction=False)
    p, q = one.mean(), other.mean()
    (low, high), (other_low, other_high) = (wilson(side.sum(), len(side)) for side in (one, other))
    below = p - q - np.hypot(p - low, other_high - q)
    above = p - q + np.hypot(high - p, q - other_low)
    return float(test.pvalue), bool(below > 0 or above < 0)
