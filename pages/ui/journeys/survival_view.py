"""The part of the page Journeys about the time to the outcome, since the first page view."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.base import wording
from core.journeys.survival import SECONDS, TimeToOutcome, time_to_outcome
from core.periods.dataset_part import DatasetPart
from core.profiles.means import decide_shares
from core.profiles.outcomes import OutcomeRecord
from core.profiles.profile_columns import Col, MetricRole
from pages.ui.journeys import routes_view
from pages.ui.journeys.choice import Choice
from pages.ui.journeys.routes_view import MOMENT, ROW_TITLE
from pages.ui.segments.figure import figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.text import md_text

_WHOLE: Final = "All of the time"
_HORIZONS: Final = {"First hour": 3_600.0, "First day": 86_400.0, "First week": 604_800.0}
_UNITS: Final = {"Days": 86_400, "Hours": 3_600, "Minutes": 60, "Seconds": 1}
_DRAWN: Final = 400
"""Points of a curve, at most: about one a pixel."""
_COLUMNS: Final = 5
"""Columns of the table of users still followed."""
_HOW: Final = (
    "Kaplan and Meier's estimate with its 95 % interval. The clock starts with a user's first page view; "
    "users without the outcome are followed to the end of the data. A segment is made of all that its users "
    "did, also after the outcome, so this describes and does not forecast."
)
_LATE: Final = "who came before the first day that is counted, too: their clock would start late."


def draw(live: LiveSegments, choice: Choice) -> None:
    """Draw the curves of the time to the outcome, of these users and of others, or what to do first."""
    conversions = live.profiles.conversions
    if conversions is None:
        st.caption("No outcome is chosen. Choose one under Adjust segments.")
        return
    found = _found(live, choice, conversions)
    late = int((_late(live) & (choice.users | choice.others)).sum())
    if late:
        st.caption(f"Left out: {wording.pluralise(late, 'user')} {_LATE}")
    halves, outcome = _halves(list(found.values())), live.profiles.outcome or ""
    said = [
        _sentence(title, one, outcome, half) for (title, one), half in zip(found.items(), halves, strict=True)
    ]
    st.markdown("\n".join(said))
    if choice.other and len(found) == 2:
        st.caption(_verdict(live, *found.values()))
    if any(one.had for one in found.values()):
        _curves(live, choice, found)


def _found(live: LiveSegments, choice: Choice, conversions: OutcomeRecord) -> dict[str, TimeToOutcome]:
    """Title → times of its users, without those who came before a filter begins; empty rows are left out."""
    groups = {choice.title: choice.users} | ({choice.other_title: choice.others} if choice.other else {})
    sequences, in_time = live.sources.dataset.sequences, ~_late(live)
    return {
        title: time_to_outcome(sequences, users & in_time, conversions)
        for title, users in groups.items() if (users & in_time).any()
    }  # fmt: skip


def _late(live: LiveSegments) -> np.ndarray:
    """Which users' first page view a filter leaves out, so that their clock would start late."""
    dataset = live.sources.dataset
    return dataset.came_before if isinstance(dataset, DatasetPart) else np.zeros(len(live.labels), dtype=bool)


def _halves(found: list[TimeToOutcome]) -> list[str]:
    """Half times in words, of the same half in all lines: of all users, or of those with the outcome."""
    of_all = [one.time_until(0.5) for one in found]
    if None not in of_all:
        return [f"half of all within {wording.duration(half)}" for half in of_all if half is not None]
    halves = [one.time_until(one.in_the_end / 2) for one in found]
    return ["" if half is None else f"half of these within {wording.duration(half)}" for half in halves]


def _sentence(title: str, found: TimeToOutcome, outcome: str, half: str) -> str:
    n, did = len(found.followed), md_text(outcome, 60)
    before = (
        f" {wording.pluralise(found.before, 'user')} had it before their first page view and "
        f"{'is' if found.before == 1 else 'are'} left out." if found.before else ""
    )  # fmt: skip
    if not found.had:
        return f"- **{md_text(title)}**: none of {wording.pluralise(n, 'user')} with {did}.{before}"
    low, high = (wording.percent(ends[-1], 1, n) for ends in (found.low, found.high))
    interval = "" if found.in_the_end == 1 else f" ({low.rstrip('%')} to {high})"
    share = wording.percent(found.in_the_end, 1, n)
    return (
        f"- **{md_text(title)}**: {share}{interval} "
        f"of {wording.pluralise(n, 'user')} with {did} by the end of "
        f"the data, {half} of their first page view.{before}"
    )


def _verdict(live: LiveSegments, here: TimeToOutcome, there: TimeToOutcome) -> str:
    """Sentence on whether the shares with the outcome differ, by the rule for shares of users."""
    fields = live.profiles.fields
    role = MetricRole(fields[Col.EVIDENCE][fields[Col.FIELD] == Col.OUTCOME_RATE].iloc[0])
    found = decide_shares(here.had, len(here.followed), there.had, len(there.followed), role)
    told = {
        MetricRole.INPUT: "Input: a page that the model has read gives the outcome away.",
        MetricRole.HELD_OUT: "Held out: the model never saw it, so a difference is a finding.",
    }
    return (
        f"Who had it at all {'differs' if found.differs else 'is not shown to differ'}. {told.get(role, '')}"
    )


def _curves(live: LiveSegments, choice: Choice, found: dict[str, TimeToOutcome]) -> None:
    longest = max(float(one.followed[-1]) for one in found.values() if len(one.followed))
    offered = {_WHOLE: longest} | {name: limit for name, limit in _HORIZONS.items() if limit < longest}
    chosen = st.segmented_control(
        "How long", list(offered), default=_WHOLE, required=True, key="horizon", persist_state="session",
        label_visibility="collapsed",
    )  # fmt: skip
    horizon = offered[chosen]
    unit, seconds = next(((u, s) for u, s in _UNITS.items() if horizon >= 2 * s), ("Seconds", 1))
    table = _read(found, _moments(list(found.values()), horizon)).assign(
        **{MOMENT: lambda read: read[SECONDS] / seconds}
    )
    figure(
        f"Users with {md_text(live.profiles.outcome or '', 60)}, by the time since their first page view",
        partial(routes_view.curves, table, tuple(found), unit), table,
        n=f"{_counted(found)}. Band: 95 % interval.", key="time-to-outcome", help_text=_HOW,
        alt_text="Share of users who have had the outcome by each moment",
    )  # fmt: skip
    _at_risk(found, horizon, unit)


def _counted(found: dict[str, TimeToOutcome]) -> str:
    said = [
        f"{md_text(title)}: {wording.pluralise(len(one.followed), 'user')}" for title, one in found.items()
    ]
    return ". Grey: ".join(said)


def _read(found: dict[str, TimeToOutcome], moments: np.ndarray) -> pd.DataFrame:
    return pd.concat(
        [one.at(moments).assign(**{ROW_TITLE: title}) for title, one in found.items()], ignore_index=True
    )


def _moments(found: list[TimeToOutcome], horizon: float) -> np.ndarray:
    """Times at which somebody had the outcome, or evenly spread times where these are too many to draw."""
    ends = [0.0, horizon, *(one.followed[-1] for one in found if len(one.followed))]
    exact = np.unique(np.concatenate([ends, *(one.seconds for one in found)]))
    return exact[exact <= horizon] if len(exact) <= _DRAWN else np.linspace(0, horizon, _DRAWN)


def _at_risk(found: dict[str, TimeToOutcome], horizon: float, unit: str) -> None:
    """Draw the table of how many users were still followed without the outcome."""
    moments = np.linspace(0, horizon, _COLUMNS)
    heads = [f"{moment / _UNITS[unit]:.3g}" for moment in moments]
    lines = [[f"Still followed after {unit.lower()}", *heads], ["---", *["---:"] * _COLUMNS]]
    for title, one in found.items():
        lines.append([md_text(title, 60), *(f"{n:,}" for n in one.at_risk(moments).tolist())])
    st.markdown("\n".join(f"| {' | '.join(cells)} |" for cells in lines))
    st.caption("Users followed at least so long who have not had the outcome: what the curve rests on.")
