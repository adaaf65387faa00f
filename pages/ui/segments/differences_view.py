"""Views of the table of differences: the leading ones, all by kind, and the spread behind each mean."""

from __future__ import annotations

from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from core.base import wording
from core.facts.context import Context
from core.profiles import profile_columns
from core.profiles.difference_words import family_titles, in_words
from core.profiles.differences import Diff, listed_differences, top_differences
from core.profiles.profile_columns import Col, MetricRole
from pages.ui.segments import charts
from pages.ui.segments import profile_tables as tables
from pages.ui.segments.figure import download_csv, figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import written_table
from pages.ui.shell.text import md_text
from pages.ui.shell.written_table import Columns

_EVIDENCE: Final = {
    MetricRole.INPUT.value: "describes", MetricRole.DERIVED.value: "follows",
    MetricRole.HELD_OUT.value: "finding", MetricRole.RULE.value: "rule",
}  # fmt: skip
_COLOURS: Final = {MetricRole.INPUT.value: "blue", MetricRole.HELD_OUT.value: "green"}
_NO_DIFFERENCE: Final = "Nothing is shown to differ by more than a tenth of a standard deviation."
_WHAT_PX, _NUMBER_PX = 200, 76
"""Width in pixels of the pinned column and of a figure, so that both fit on a phone."""
_RULE: Final = (
    "**Finding**: it had no part in making these rows, and is tested (at most 5 % of findings are expected "
    "to be false). **Describes**: the model saw it, or a page that gives it away, so segments differ in it "
    "by construction. Of users who have several sessions it is tested whether it shows *in their other "
    "sessions*: those that did not place them. **Follows**: it follows from that, as a day from dated "
    "articles. **Rule**: the rule that made the row. "
    "The surest and largest come first, what the model saw with half the weight."
)


def lead(table: pd.DataFrame, key: str) -> None:
    """Draw the leading differences of a row (a key) in a line each, or that there is none."""
    told = _leading(table, key)
    if not told:
        st.caption(_NO_DIFFERENCE)
    for what, here, others, apart in told:
        st.markdown(f"{what}: **{here}** against {others} ({apart})")


def side_by_side(live: LiveSegments, table: pd.DataFrame, keys: tuple[str, str]) -> None:
    """Draw a table of two rows (keys) for a phone: names, sizes, and the leading differences of the first."""
    rows = tables.named(live.profiles.parts, live.names).set_index(Col.KEY).loc[list(keys)]
    names = [md_text(name, 60) for name in rows[Col.LABEL]]
    users = [
        f"{number:,} ({profile_columns.figure(Col.SHARE, share)})"
        for number, share in zip(rows[Col.USERS], rows[Col.SHARE], strict=True)
    ]
    told = _leading(table, keys[0])
    lines = [
        ["", *names], ["---", "---:", "---:"], ["Users", *users],
        *([f"{what} :small[:gray[{apart}]]", here, others] for what, here, others, apart in told),
    ]  # fmt: skip
    st.markdown("\n".join(f"| {' | '.join(cells)} |" for cells in lines))
    if not told:
        st.caption(_NO_DIFFERENCE)


def _leading(table: pd.DataFrame, key: str) -> list[tuple[str, str, str, str]]:
    """Leading differences as Markdown: what differs, here, there, and by how much."""
    own = top_differences(table, key)
    return [
        (
            f":{_COLOURS.get(role, 'gray')}-badge[{_EVIDENCE[role]}] {md_text(what, 120)}", here, others,
            f"{difference}, {ratio}" if ratio != wording.ABSENT else difference,
        )
        for (_, (what, here, others, difference, ratio)), role in zip(
            in_words(own).iterrows(), own[Diff.ROLE], strict=True
        )
    ]  # fmt: skip


def whole(table: pd.DataFrame, key: str, here: str, others: str, name: str) -> None:
    """Draw all differences of a row, with a choice of kinds (pages, events, sources …).

    Args:
        table: From :func:`core.profiles.differences.differences`.
        key: Key of the row.
        here: Title of the row.
        others: Title of what the row is compared with.
        name: A unique end of the widgets' keys.
    """
    own = listed_differences(table, key)
    present = family_titles(own[Diff.FAMILY])
    chosen = st.pills(
        "Kinds", list(present), selection_mode="multi", format_func=present.__getitem__,
        key=f"families-{name}", label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    shown = own[own[Diff.FAMILY].isin(chosen or list(present))]
    words = in_words(shown).assign(
        **{Diff.ROLE: shown[Diff.ROLE].map(_EVIDENCE)},
        **{name: shown[name] for name in (Col.N, Col.REST_N, Diff.Q_VALUE)},
    )
    columns: Columns = {
        "what": st.column_config.TextColumn("What", width=_WHAT_PX, pinned=True),
        "here": st.column_config.Column(here, width=_NUMBER_PX),
        "others": st.column_config.Column(others, width=_NUMBER_PX),
        "ratio": "Ratio", "difference": "Difference [95 % interval]",
        Diff.ROLE: "Evidence", Col.N: f"n, {here}", Col.REST_N: f"n, {others}",
        Diff.Q_VALUE: st.column_config.NumberColumn("q", format="%.3f", help="Of what was tested only."),
    }  # fmt: skip
    written_table.draw(
        words[list(columns)], key=f"differences-{name}", alt_text=f"All differences of {here}",
        columns=columns,
    )  # fmt: skip
    st.caption(_RULE)
    download_csv(own, f"differences-{name}")


def spread(live: LiveSegments, about: Context, keys: list[str], name: str) -> None:
    """Draw the choice of a measure, and box plots of its values over the users of some rows (keys)."""
    table = tables.named(about.tables.distributions, live.names)
    called = tables.labels(live.profiles)
    measures = list(dict.fromkeys(table[Col.METRIC]))
    chosen = st.selectbox(
        "What lies behind the mean of", measures, format_func=called.__getitem__, key=f"spread-{name}"
    )
    own = table[(table[Col.METRIC] == chosen) & table[Col.KEY].isin(keys)]
    figure(
        called[chosen], partial(charts.boxes, own, live.names, called[chosen]),
        own.drop(columns=[Col.KEY, Col.KIND, Col.SEGMENT, Col.METRIC]),
        n=f"{int(own[Col.N].sum()):,} users. Bar: the middle half of them, tick: the median, diamond: the "
        "mean, line: 5 to 95 % of the users.",
        key=f"spread-of-{name}", alt_text=f"{called[chosen]}: quartiles, median and mean of each row",
        columns=charts.QUANTILES,
    )  # fmt: skip
