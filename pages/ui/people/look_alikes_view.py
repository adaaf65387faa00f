"""Users who are like a user, a segment or a list of ids: how many to reach, who they are, and their file."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Final

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.base.wording import lift, percent
from core.ingest.sources import id_list
from core.people.look_alikes import (
    BY_CHANCE,
    FOUND,
    MIN_SEEDS,
    REACH,
    SCORE,
    LookAlikes,
    look_alikes,
)
from core.profiles.profile_columns import Col
from core.profiles.two_shares import wilson
from pages.ui.people import single_user
from pages.ui.segments import charts, shared
from pages.ui.segments.figure import SIDE, download_csv, figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.profile_tables import named
from pages.ui.shell import errors, state
from pages.ui.shell.text import count, md_text, share

PASTED: Final = "pasted_ids"
_MAX_SHOWN: Final = 100
"""Users in the table, at most; the file has all within reach."""
_UNKNOWN_SHOWN: Final = 5
_HOW: Final = (
    "A logistic regression on the vectors tells the seeds from other clustered users. A score of 0.5 is as "
    "near to the seeds as to the others. Users set aside are among the others."
)
_HIDDEN: Final = (
    "A fifth of the seeds at a time is hidden and looked for among all others: how many of them are within "
    "reach, with the 95 % interval. Grey: as many as chance would find."
)
_NO_BETTER: Final = "Chance may find as many: these seeds have too little in common, or are too few."
_OF_OTHERS: Final = (
    "These are users of other segments and users set aside, the nearest to this segment first. "
    "None of its own users is hidden and looked for: segments are cut from the same vectors, so all would be "
    "found."
)
_TOO_FEW: Final = f"With fewer than {MIN_SEEDS} seeds none is hidden, so nothing says how well this works."


class Seeds(StrEnum):
    """Whom to look like: the users of a segment, one user, or a list of ids."""

    SEGMENT = "A segment"
    USER = "The user above"
    LIST = "A list of ids"


def draw(live: LiveSegments, user: int | None) -> None:
    """Draw the choice of seeds, and the users who are most like them.

    Args:
        live: The segments.
        user: Index of the user on screen, who can be the seed; None without one.
    """
    row = st.container(horizontal=True, vertical_alignment="bottom")
    like = row.segmented_control(
        "Like whom", list(Seeds), default=Seeds.SEGMENT, key="like", required=True, persist_state="session",
        width="content",
    )  # fmt: skip
    seeds = _seeds(live, Seeds(like), user, row)
    if seeds is None:
        return
    by_segment = like == Seeds.SEGMENT
    found = _found(
        live.sources.embeddings,
        live.settings.weights,
        shared.token(seeds),
        not by_segment,
        live,
        seeds,
    )
    if outside := len(seeds) - len(found.seeds):
        st.caption(
            f"{count(outside, 'seed is', 'seeds are')} not clustered (one page view, or bot-like): nothing "
            "can be like them, and they are left out."
        )
    reach = _reach(st.container() if like == Seeds.LIST else row, found)
    _say(found, reach)
    if by_segment or not len(found.ranks):
        st.caption(_OF_OTHERS if by_segment else _TOO_FEW)
    _charts(live, found, reach)
    _who(live, found, reach)


def _seeds(live: LiveSegments, like: Seeds, user: int | None, row: DeltaGenerator) -> np.ndarray | None:
    """User indices of the seeds, ascending; None after a message on what is missing."""
    if like is Seeds.LIST:
        return _of_list(live)
    if like is Seeds.SEGMENT:
        names = live.names
        segment = row.selectbox("Segment", live.segments, key="like_segment", format_func=names.__getitem__)
        return np.flatnonzero(live.labels == segment)
    if user is None:
        st.caption("Find a user by id above, or tick one in a list.")
        return None
    return np.array([user])


def _of_list(live: LiveSegments) -> np.ndarray | None:
    mine = state.of_model(live.sources.model_key)
    state.display(PASTED, mine.setdefault(PASTED, ""))
    with st.grid(2, min_column_width=SIDE, key="ids"):
        text = st.text_area(
            "Paste ids", mine[PASTED], height=128, key=PASTED, placeholder="One a line, or with commas",
            on_change=lambda: mine.update({PASTED: st.session_state[PASTED]}),
        )  # fmt: skip
        file = st.file_uploader(
            "Or a file of them", ["txt", "csv", "tsv"], key="ids_file", max_upload_size=64
        )
    if file is not None:
        text = id_list.decoded(file.getvalue(), file.name)
    if not text.strip():
        st.caption("Ids stay on this machine: in no link, in no log, and in nothing that is sent.")
        return None
    return _known(live, id_list.match_ids(text, live.sources.dataset.sequences.user_id))


def _known(live: LiveSegments, found: id_list.IdList) -> np.ndarray | None:
    st.caption(f"{found.counts}.")
    if found.unknown:
        more = len(found.unknown) - _UNKNOWN_SHOWN
        listed = ", ".join(found.unknown[:_UNKNOWN_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
        st.caption(f"Unknown: {md_text(listed)}")
    if not len(found.users):
        errors.show("None of these ids is in the data. Ids must match exactly, with every digit and dot.")
        return None
    return found.users


def _reach(row: DeltaGenerator, found: LookAlikes) -> int:
    """Draw the number of users to reach: as chosen for these seeds, else the default."""
    key = f"reach-{shared.token(found.seeds)}"
    reach = row.number_input(
        "Users to reach", 1, len(found.users), found.usual_reach, key=key, width=180,
        help="Of all other clustered users, those set aside too. At first, where the share of "
        "hidden seeds found is furthest above chance; where none is hidden, as many as are nearer to the "
        "seeds than to the others (a score of 0.5).",
    )  # fmt: skip
    return int(reach)


def _say(found: LookAlikes, reach: int) -> None:
    everybody, seeds = len(found.users), count(len(found.seeds), "seed")
    said = [
        f"**{count(reach, 'user')}** like {seeds}: {share(reach, everybody)} of the {everybody:,} other "
        "clustered users"
    ]
    if hidden := len(found.ranks):
        got = found.found(reach)
        low, high = (float(end) for end in wilson(np.array(got), np.array(hidden)))
        times, within = lift(got / hidden / (reach / everybody)), percent(got / hidden, n=hidden)
        said.append(
            f"of hidden seeds, **{within}** ({percent(low, 0)} to {percent(high, 0)}) are among so many, "
            f"{times} as many as by chance"
        )
    st.markdown("; ".join(said) + ".")
    if hidden and low <= reach / everybody:
        st.warning(_NO_BETTER, icon=":material/warning:")


def _charts(live: LiveSegments, found: LookAlikes, reach: int) -> None:
    curve, where = found.curve(reach), _where(live, found.users[:reach])
    n = f"{count(len(found.seeds), 'seed')}, {count(len(found.users), 'other clustered user')}"
    height = max(220, charts.ROW * len(where) + charts.AXIS)  # as high as its neighbour
    with st.grid(2, min_column_width=SIDE, key="look-alike-charts"):
        if len(found.ranks):
            figure(
                "Hidden seeds found within reach", partial(found_over_reach, curve, reach, height), curve,
                n=n, key="look_alikes_found", help_text=_HIDDEN, columns=_COLUMNS,
                alt_text="Share of hidden seeds found over the number of users reached, beside chance",
            )  # fmt: skip
        else:
            figure(
                "How like the seeds they are", partial(score_over_reach, curve, reach, height),
                curve[[REACH, SCORE]], n=n, key="look_alikes_score", help_text=_HOW, columns=_COLUMNS,
                alt_text="Score of the last user within reach over the number of users reached",
            )  # fmt: skip
        figure(
            "Where they are now", partial(charts.sizes, where, live.names), where,
            n=f"{count(reach, 'user')} within reach", key="look_alikes_where",
            alt_text="Users within reach by segment",
        )  # fmt: skip


def _where(live: LiveSegments, users: np.ndarray) -> pd.DataFrame:
    """Table of the users in each row, the largest first."""
    parts = named(live.profiles.parts, live.names)[[Col.LABEL, Col.KIND]]
    users_of = np.bincount(live.profiles.rows.place[users], minlength=len(parts))
    counts = parts.assign(**{Col.USERS: users_of, Col.SHARE: users_of / len(users)})
    return counts[users_of > 0].sort_values(Col.USERS, ascending=False, kind="stable")


_COLUMNS: Final = {
    REACH: "Users reached", SCORE: st.column_config.NumberColumn("Score", format="%.3f", help=_HOW),
    FOUND: st.column_config.NumberColumn("Hidden seeds found", format="percent"),
    BY_CHANCE: st.column_config.NumberColumn("By chance", format="percent"),
}  # fmt: skip


def _who(live: LiveSegments, found: LookAlikes, reach: int) -> None:
    table = _table(live, found, min(reach, _MAX_SHOWN))
    meaning = "Those most like the seeds first."
    if reach > _MAX_SHOWN:
        meaning += f" The first {_MAX_SHOWN:,} of {reach:,} are shown; the file has all."
    single_user.show_list(live, table, "look_alikes", "Look-alikes", meaning)
    with st.container(horizontal=True):
        download_csv(
            _table(live, found, reach), "look_alikes", f"Download {count(reach, 'look-alike')} as CSV"
        )


def _table(live: LiveSegments, found: LookAlikes, n: int) -> pd.DataFrame:
    table = single_user.listed(live, found.users[:n], segments=True)
    table.insert(1, SCORE, found.score[:n])
    return table


def found_over_reach(curve: pd.DataFrame, reach: int, height: int) -> charts.Chart:
    """Chart of the share of hidden seeds found by reach, with interval and chance; a line at the reach.

    Args:
        curve: Result of :meth:`core.people.look_alikes.LookAlikes.curve`.
        reach: Chosen number of users to reach.
        height: Pixels.
    """
    told = {
        REACH: ("Users reached", ","), FOUND: ("Hidden seeds found", ".1%"), Col.LOW: ("From", ".1%"),
        Col.HIGH: ("To", ".1%"), BY_CHANCE: ("By chance", ".1%"), SCORE: ("Score", ".3f"),
    }  # fmt: skip
    base = alt.Chart(curve).encode(x=_users(), tooltip=charts.tips(told))
    y = alt.Y(
        f"{FOUND}:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)
    )
    band = base.mark_area(opacity=0.25, color=charts.ABOVE).encode(
        y=alt.Y(f"{Col.LOW}:Q"), y2=alt.Y2(f"{Col.HIGH}:Q")
    )
    line = base.mark_line(strokeWidth=2, color=charts.ABOVE, point=True).encode(y=y)
    chance = base.mark_line(strokeDash=[4, 4], color=charts.NEUTRAL).encode(y=alt.Y(f"{BY_CHANCE}:Q"))
    return charts.sized(chance + band + line + _chosen(curve, reach), height)


def score_over_reach(curve: pd.DataFrame, reach: int, height: int) -> charts.Chart:
    """Chart of the score of the last user within reach; arguments as of :func:`found_over_reach`."""
    told = {REACH: ("Users reached", ","), SCORE: ("Score", ".3f")}
    base = alt.Chart(curve).encode(x=_users(), tooltip=charts.tips(told))
    y = alt.Y(f"{SCORE}:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
    line = base.mark_line(strokeWidth=2, color=charts.ABOVE, point=True).encode(y=y)
    return charts.sized(line + _chosen(curve, reach), height)


def _users() -> alt.X:
    axis = alt.Axis(format="~s", labelFlush=False, values=[10**power for power in range(8)])
    return alt.X(
        f"{REACH}:Q", title="Users reached (logarithmic)", scale=alt.Scale(type="log", nice=False), axis=axis
    )


def _chosen(curve: pd.DataFrame, reach: int) -> alt.Chart:
    here = alt.Chart(curve[curve[REACH] == reach])
    rule: alt.Chart = here.mark_rule(strokeDash=[2, 3], color=charts.INK).encode(x=_users())
    return rule


@st.cache_resource(max_entries=32, show_spinner=False)
def _found(
    embeddings: str, weights: object, seeds: str, hide: bool, _live: LiveSegments, _seeds: np.ndarray
) -> LookAlikes:
    return look_alikes(_live.combined.vectors, _live.sources.vectors.inside, _seeds, hide=hide)
