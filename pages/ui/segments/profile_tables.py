"""Profile tables as charts and cards take them: with the names on screen, and numbers as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from core.base.schema import View
from core.facts.items import ItemCol
from core.profiles.metrics import CLIP, Profiles
from core.profiles.outcomes import OutcomeIndex, any_of, label_of
from core.profiles.profile_columns import Col, MetricRole, RowKind, figure
from core.storage.receipt import OutcomeUsers, add_outcome_users, describe_more_times, describe_without_views

CARD_METRICS: Final = {
    Col.PAGE_VIEWS_MEAN: "Page views",
    Col.PAGE_VIEWS_MEDIAN: "Median views",
    Col.SESSIONS_MEAN: "Sessions",
    Col.PAGES_PER_SESSION: "Per session",
    Col.ENGAGEMENT_MEAN: "Engaged",
    Col.OUTCOME_RATE: "Outcome",
    Col.REVENUE_PER_USER: "Gross revenue",
}
"""Metric compared with the others' on a card → its short name."""
_VALUES_DRAWN: Final = 6
"""Values of an attribute in a chart, at most; the table behind it has all."""
AXIS_WIDTH: Final = 13
"""Characters of a line of an axis label, at most."""


def named(table: pd.DataFrame, names: Mapping[int, str]) -> pd.DataFrame:
    """Put titles (segment → title) into the label column of a table; rows that are no segment keep theirs."""
    labels = [
        names.get(segment, label) if kind == RowKind.SEGMENT else label
        for segment, label, kind in zip(table[Col.SEGMENT], table[Col.LABEL], table[Col.KIND], strict=True)
    ]
    return table.assign(**{Col.LABEL: labels})


def labels(profiles: Profiles) -> dict[str, str]:
    """Column of the segments table → its label."""
    return dict(zip(profiles.fields[Col.FIELD], profiles.fields[Col.LABEL], strict=True))


def definitions(profiles: Profiles) -> dict[str, str]:
    """Column of the segments table → its definition, and whether the model saw it."""
    told = {
        "input": "The model saw this, or a page that gives it away.",
        "derived": "It follows from what the model saw.",
        "held out": "The model never saw this: a difference is a finding.",
    }
    fields = profiles.fields
    return {
        name: f"{text} {told[evidence]}"
        for name, text, evidence in zip(
            fields[Col.FIELD], fields[Col.DEFINITION], fields[Col.EVIDENCE], strict=True
        )
    }


def heat_cells(profiles: Profiles, names: Mapping[int, str]) -> pd.DataFrame:
    """One row a cell of a segment: ``label``, ``metric`` (as drawn), ``text``, ``difference``, ``n``."""
    table = named(profiles.heatmap[profiles.heatmap[Col.KIND] == RowKind.SEGMENT], names)
    called = labels(profiles)
    return pd.DataFrame(
        {
            Col.LABEL: table[Col.LABEL],
            Col.METRIC: [axis_text(called[metric]) for metric in table[Col.METRIC]],
            "text": [figure(m, v) for m, v in zip(table[Col.METRIC], table[Col.VALUE], strict=True)],
            Col.DIFFERENCE: (table[Col.Z] / CLIP).fillna(0.0),
            Col.N: table[Col.N],
        }
    )


def axis_text(label: str, width: int = AXIS_WIDTH, lines: int | None = None) -> str:
    """Wrap an axis label to a width in characters and a number of lines; "a user" stays together."""
    whole = label.replace(" a ", " a\N{NO-BREAK SPACE}")
    return "\n".join(textwrap.wrap(whole, width, max_lines=lines, placeholder="…"))


def rates(profiles: Profiles, names: Mapping[int, str]) -> pd.DataFrame:
    """One row a segment: ``label``, ``rate``, ``low``, ``high``, ``rest_share``, ``converted``, ``users``."""
    table = named(profiles.segments, names)
    mine = table[table[Col.KIND] == RowKind.SEGMENT]
    columns = {
        Col.LABEL: Col.LABEL, Col.OUTCOME_RATE: "rate", Col.OUTCOME_LOW: "low", Col.OUTCOME_HIGH: "high",
        Col.OUTCOME_USERS: "converted", Col.USERS: "users",
    }  # fmt: skip
    found = mine[list(columns)].rename(columns=columns).reset_index(drop=True)
    others = found[["converted", "users"]].sum() - found[["converted", "users"]]
    found.insert(4, Col.REST_SHARE, others["converted"] / others["users"])
    return found


def without_page_view(profiles: Profiles, outcomes: OutcomeIndex) -> str:
    """Sentence on users with the outcome but no used page view, and why; empty without any."""
    if not profiles.chosen:
        return ""
    had = any_of([*outcomes.parts(profiles.settings).values()]).user
    more = had[had >= outcomes.n_users]
    left_out = int(np.isin(more, outcomes.left_out).sum())
    return f", and {describe_without_views(len(more), left_out)}" if len(more) else ""


def of_nobody(profiles: Profiles, without_id: Mapping[str, OutcomeUsers]) -> str:
    """Sentence on outcomes and revenue of visitors without a user id; empty without any."""
    did = add_outcome_users(without_id[outcome] for outcome in profiles.chosen if outcome in without_id)
    if not did.events:
        return ""
    return f" Visitors without a user id did so {describe_more_times(did)}: in no segment, in the total."


def each_outcome(profiles: Profiles, names: Mapping[int, str]) -> pd.DataFrame:
    """One row a segment or group, outcome and currency, with users without a page view among them."""
    table = named(profiles.outcomes, names)
    columns = {
        Col.LABEL: "Segment", Col.OUTCOME: "Outcome", Col.OUTCOME_USERS: "Users with it", Col.N: "Users",
        Col.OUTCOME_RATE: "Rate", Col.REVENUE: "Gross revenue", Col.REFUNDS: "Refunds",
        Col.NET_REVENUE: "Net revenue", Col.CURRENCY: "Currency",
    }  # fmt: skip
    said = table.assign(outcome=[label_of([text]) for text in table[Col.OUTCOME]])
    found = said[list(columns)].rename(columns=columns).dropna(axis=1, how="all")
    return found if "Refunds" in found else found.drop(columns="Net revenue", errors="ignore")


def is_input(profiles: Profiles, field: str) -> bool:
    """Whether a column of the segments table is an input of the model.

    Raises:
        KeyError: If the table has no such column.
    """
    roles = dict(zip(profiles.fields[Col.FIELD], profiles.fields[Col.EVIDENCE], strict=True))
    return bool(roles[field] == MetricRole.INPUT)


def everybody(profiles: Profiles) -> pd.Series:
    """The row of all users in the segments table."""
    return profiles.segments[profiles.segments[Col.KIND] == RowKind.ALL].iloc[0]


def shares_of(profiles: Profiles, names: Mapping[int, str], attribute: str, keys: list[str]) -> pd.DataFrame:
    """Shares of an attribute's values among some rows (keys) and the others, the most frequent first."""
    table = named(profiles.shares, names)
    mine = table[(table[Col.ATTRIBUTE] == attribute) & table[Col.KEY].isin(keys) & table[Col.SHARE].notna()]
    columns = (Col.LABEL, Col.KIND, Col.VALUE, Col.SHARE, Col.REST_SHARE, Col.USERS, Col.N, Col.ABSENT)
    return mine[list(columns)].reset_index(drop=True)


def labels_of(table: pd.DataFrame, names: Mapping[int, str], view: View, keys: list[str]) -> pd.DataFrame:
    """Shares of page views by theme or type among some rows (keys) and the others, the most viewed first."""
    mine = named(table[(table[Col.ATTRIBUTE] == view.value) & table[Col.KEY].isin(keys)], names)
    columns = {
        Col.LABEL: Col.LABEL, Col.KIND: Col.KIND, Col.VALUE: Col.VALUE, ItemCol.VIEW_SHARE: Col.SHARE,
        ItemCol.REST_VIEW_SHARE: Col.REST_SHARE, ItemCol.VIEW_SHARE_LOW: ItemCol.SHARE_LOW,
        ItemCol.VIEW_SHARE_HIGH: ItemCol.SHARE_HIGH, Col.VIEWS: Col.VIEWS, ItemCol.VIEWS_N: ItemCol.VIEWS_N,
    }  # fmt: skip
    return mine[list(columns)].rename(columns=columns).reset_index(drop=True)


def most_frequent(shares: pd.DataFrame, first: int = _VALUES_DRAWN) -> pd.DataFrame:
    """Rows of the first values of an attribute, in a table that has the most frequent value first."""
    values = list(dict.fromkeys(shares[Col.VALUE]))[:first]
    return shares[shares[Col.VALUE].isin(values)]


def pages_of(profiles: Profiles, key: str, ranking: str, first: int) -> pd.DataFrame:
    """The first pages of a ranking (a value of :class:`PageRanking`) for a row's key."""
    table = profiles.top_pages
    return table[(table[Col.KEY] == key) & (table[Col.RANKING] == ranking)].head(first).reset_index(drop=True)
