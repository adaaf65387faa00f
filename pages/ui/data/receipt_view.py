"""The receipt on the screen: every record of the input accounted for, each chart with its table."""

from __future__ import annotations

from datetime import UTC, datetime

import altair as alt
import pandas as pd
import streamlit as st

from core.base.schema import Group, Raw
from core.profiles.outcomes import PURCHASE, label_of
from core.storage.dataset import Dataset
from core.storage.day_coverage import DayCoverage, day_coverage, page_views_by_day
from core.storage.receipt import (
    OutcomeUsers,
    Receipt,
    add_outcome_users,
    describe_bases,
    describe_channels,
    describe_revenue,
    describe_without_views,
    in_currencies,
)
from pages.ui.data import ga4_view
from pages.ui.segments.charts import AXIS, INK, NEUTRAL, ROW, Chart, sized
from pages.ui.shell import written_table
from pages.ui.shell.shared_cache import cached
from pages.ui.shell.text import count, md_text, share, size

_MICROSECONDS = 1e6
_GROUPS = {
    Group.SEGMENT.value: "to be clustered",
    Group.ONE_PAGE.value: "with one page view, kept as a group of their own",
    Group.BOT_LIKE.value: "that look automated, kept as a group of their own",
}
_REASONS = 1000
"""Characters of the reasons of rejected records, at most."""
_OF_NOBODY = ("Times without a user id", "Gross revenue without a user id")
_EVENT_COLUMNS = (
    "Event", "Users", "Without a page view", "Viewed left-out pages only", "Times", _OF_NOBODY[0],
    "Gross revenue", "Refunds", _OF_NOBODY[1],
)  # fmt: skip


def receipt(dataset: Dataset) -> None:
    """Draw the receipt of a data set."""
    facts, days = dataset.receipt, days_of(dataset)
    _figures(facts, days)
    for warning in facts.warnings:
        st.warning(md_text(warning), icon=":material/warning:")
    records, details, files, rejects, urls, events = st.tabs(
        [
            "Where every record went",
            "What was assumed",
            f"Files ({len(facts.files)})",
            f"Rejected rows ({facts.rejected:,})",
            "Pages",
            f"Events ({len(facts.outcome_users):,})",
        ]
    )
    with records:
        _waterfall(facts)
    with details:
        _assumptions(facts, days)
    with files:
        _files(facts)
    with rejects:
        _rejects(dataset)
    with urls:
        _urls(facts)
    ga4_view.beside_ga4(facts)
    with events:
        st.caption("Users who did each, also those of whom no page view is used. Any can be the outcome.")
        _show(events_table(facts), "Users of each event, with a page view and without")


@cached(lambda dataset: dataset.key, max_entries=8)
def days_of(dataset: Dataset) -> DayCoverage:
    """Days of a data set, with those without page views and with surely fewer than usual."""
    return day_coverage(page_views_by_day(dataset.sequences.timestamp, dataset.receipt.clock))


def _figures(facts: Receipt, days: DayCoverage) -> None:
    shown = {
        "Users": (f"{facts.users:,}", "Users with at least one page view that is used"),
        "Page views used": (f"{facts.page_views_used:,}", "What the model learns from"),
        "Sessions": (f"{facts.sessions:,}", "Visits with at least one page view"),
        "Days": (
            f"{days.with_views:,}",
            f"{days.first:%d %b %Y} – {days.last:%d %b %Y}, {facts.clock.name}. {days.sentence}",
        ),
    }
    with st.grid(4, min_column_width=138, key="receipt-figures"):
        for label, (value, why) in shown.items():
            st.metric(label, value, border=True, height="stretch", help=why)
    st.caption(f"Users: {_group_words(facts)}.")
    if facts.logins:
        st.caption(f"{facts.logins.in_words()} *Change how it was read* undoes this.")
    for event, told in facts.outcome_users.items():
        if event == PURCHASE and told.without_page_view:
            st.caption(
                f"{told.without_page_view:,} of {count(told.users, 'user')} with {event} have no page view "
                f"that is used ({describe_without_views(told.without_page_view, told.left_out)}): counted "
                f"beside the {facts.users:,} users above, in no segment."
            )


def _group_words(facts: Receipt) -> str:
    counts = ((facts.users_by_group.get(group, 0), words) for group, words in _GROUPS.items())
    return "; ".join(f"{number:,} {words}" for number, words in counts if number)


def steps_table(facts: Receipt) -> pd.DataFrame:
    """The waterfall as a table: the records read, then for each step how many leave and are left."""
    rows = [
        {"Step": step.label, "Leave": step.records, "Left": step.left, "Users": step.users, "Note": step.note}
        for step in facts.waterfall
    ]
    read = {"Step": "Records in the files", "Leave": 0, "Left": facts.records, "Users": None, "Note": ""}
    table = pd.DataFrame([read, *rows])
    return table.astype({"Users": "Int64", "Leave": "int64", "Left": "int64"})


def _waterfall(facts: Receipt) -> None:
    table = steps_table(facts)
    st.caption(
        f"{facts.records:,} records in the files, {facts.page_views_used:,} page views used "
        f"({share(facts.page_views_used, facts.records)})."
    )
    chart, behind, kinds = st.tabs(["Chart", "Table", "Page views and other events"])
    chart.altair_chart(
        waterfall_chart(table), width="stretch",
        alt=f"{facts.page_views_used:,} of {facts.records:,} records are used",
    )  # fmt: skip
    with behind:
        _show(table, "Records that leave at each step")
    with kinds:
        _show(kinds_table(facts), "Page views and other events that are used and left out")


def kinds_table(facts: Receipt) -> pd.DataFrame:
    """Table of all records by page views and other events: a row for those used and one for each cause."""
    used = ("Used", facts.page_views_used, facts.other_events_used)
    causes = [(one.label, one.page_views, one.other_events) for one in facts.left_out]
    table = pd.DataFrame([used, *causes], columns=["Records", "Page views", "Other events"])
    table = table.astype({"Page views": "Int64", "Other events": "Int64"})
    table["Together"] = table["Page views"] + table["Other events"]
    if any(one.screen_views for one in facts.left_out):
        seen: list[int | None] = [None, *(one.screen_views for one in facts.left_out)]
        table.insert(3, "Of them, app screens", pd.Series(seen, dtype="Int64"))
    rest = {"Cannot be used": facts.rejected, "Put together": sum(file.collapsed for file in facts.files)}
    more = [{"Records": name, "Together": number} for name, number in rest.items() if number]
    return pd.concat([table, pd.DataFrame(more)], ignore_index=True) if more else table


def waterfall_chart(table: pd.DataFrame) -> Chart:
    """Waterfall chart of :func:`steps_table`: all records, those that leave at a step, and those used."""
    first, last = table.iloc[0], table.iloc[-1]
    leaving = [
        (row["Step"], row["Left"], row["Left"] + row["Leave"])
        for row in table.iloc[1:].to_dict("records")
        if row["Leave"]
    ]
    spans = [(first.Step, 0, first.Left), *leaving, ("Page views used", 0, last.Left)]
    bars = pd.DataFrame(spans, columns=["Step", "from", "to"])
    bars["records"] = bars["to"] - bars["from"]
    bars["used"] = [True, *([False] * len(leaving)), True]
    bars["label"] = [
        f"{n:,}" if used else f"−{n:,}" for n, used in zip(bars["records"], bars["used"], strict=True)
    ]
    return _floating_bars(bars)


def _floating_bars(bars: pd.DataFrame) -> Chart:
    scale = alt.Scale(domain=[0, float(bars["to"].max()) * 1.3])  # room for the last label on a narrow screen
    axis = alt.Axis(labelExpr="format(datum.value, '~s')", grid=False, tickCount=6)  # 0, not “0k”
    names = alt.Axis(title=None, labelLimit=260, ticks=False, domain=False)
    base = alt.Chart(bars).encode(
        y=alt.Y("Step:N", sort=bars["Step"].tolist(), axis=names),
        tooltip=[alt.Tooltip("Step:N"), alt.Tooltip("records:Q", format=",")],
    )
    at = base.encode(x=alt.X("from:Q", title="records", scale=scale, axis=axis), x2=alt.X2("to:Q"))
    used = at.transform_filter("datum.used").mark_bar(cornerRadius=2, height=16)
    gone = at.transform_filter("!datum.used").mark_bar(cornerRadius=2, height=16, color=NEUTRAL)
    text = base.mark_text(align="left", dx=5, color=INK).encode(
        x=alt.X("to:Q", scale=scale), text=alt.Text("label:N")
    )
    return sized(used + gone + text, ROW * bars["Step"].nunique() + AXIS)


def _assumptions(facts: Receipt, days: DayCoverage) -> None:
    share = facts.engagement_share
    shared = "" if share is None else f"; {share:.1%} of users have a value"
    rows = {
        "User key": f"{facts.user_key} ({facts.id_kind})",
        **({"Logins": facts.logins.in_words()} if facts.logins else {}),
        "Page views": _page_views(facts),
        "Groups of users": _group_words(facts),
        "Time": f"{facts.time_unit}, {facts.time_zone}",
        "Span": f"{_moment(facts.first_ts)} to {_moment(facts.last_ts)}",
        "Days": days.sentence,
        "Days at the limit of a daily export": ", ".join(facts.truncated_days) or "none",
        "Page views with the same time": f"{facts.tied_page_views:,}; they keep the order of the file",
        "Sessions without an id": f"{facts.sessions_by_gap:,} of {facts.sessions:,}; a pause begins one",
        "Engagement": f"{facts.engagement_rule}{shared}",
        "Sources": describe_bases(facts.source_basis) or "none sent, or read by an earlier release",
        "Channels": describe_channels(facts.sessions_by_channel, facts.channel_basis)
        or "none: no file says where sessions came from",
        "Revenue of purchases": _revenue(facts),
        "Purchases recorded again": f"{facts.duplicate_transactions:,}, by their transaction id",
        "Events that are in two files": f"{facts.repeated_events:,}",
        "Masked for what it looks like": _counts(facts.pii_masked),
        "Read as absent": _counts(facts.placeholders),
        "Pages that give the outcome away": ", ".join(facts.outcome_pages) or "none found",
    }
    st.table({name: md_text(value) for name, value in rows.items()}, border="horizontal")
    st.download_button(
        "Receipt as JSON", facts.model_dump_json(indent=1), "receipt.json", "application/json",
        icon=":material/download:", on_click="ignore", key="receipt-json",
    )  # fmt: skip


def _revenue(facts: Receipt) -> str:
    """Sentences on gross revenue, refunds and net, and on fully refunded buyers, who still count."""
    bought = facts.outcome_users.get(PURCHASE)
    told = [describe_revenue(facts.revenue)]
    if bought and bought.all_refunded:
        buyers = count(bought.users, "buyer")
        told.append(
            f"{bought.all_refunded:,} of {buyers} got everything back and count as buyers all the same"
        )
    return "; ".join(filter(None, told)) or "none"


def _page_views(facts: Receipt) -> str:
    named = [Raw.EVENT_NAME in file.columns for file in facts.files]
    called = f"events called {facts.page_view}"
    if all(named):
        return called
    return f"{called}, and every record of files without event names" if any(named) else "every record"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{kind} {number:,}" for kind, number in counts.items()) or "none"


def _show(table: pd.DataFrame, about: str) -> None:
    written_table.draw(table, key=f"receipt-{about}", alt_text=about)


def files_table(facts: Receipt) -> pd.DataFrame:
    """Table of the files, a row each."""
    collapsed = any(file.collapsed for file in facts.files)
    return pd.DataFrame(
        [
            {
                "File": file.name,
                "Shape": file.shape,
                "Size": size(file.bytes),
                "Encoding": file.encoding,
                "Records": file.records,
                "Read": file.read,
                "Rejected": file.rejected,
                **({"Put together": file.collapsed} if collapsed else {}),
                "Lacks": ", ".join(file.missing),
                "Notes": "; ".join(file.notes),
            }
            for file in facts.files
        ]
    )


def _files(facts: Receipt) -> None:
    parts = "Read and rejected"
    if any(file.collapsed for file in facts.files):
        parts = "Events read, rejected rows and rows put together with another of their event"
    st.caption(f"{parts} together are the records, which were counted on their own.")
    _show(files_table(facts), "Files that were read")
    mapped = pd.DataFrame([{"File": file.name, **file.columns} for file in facts.files])
    st.caption("Which column of each file a field was read from")
    _show(mapped, "Field and column of each file")


def _rejects(dataset: Dataset) -> None:
    facts = dataset.receipt
    if not facts.rejected:
        st.write("Every record could be read.")
        return
    rejects = dataset.rejects
    reasons = "; ".join(f"{reason}: {number:,}" for reason, number in facts.rejects_by_reason.items())
    st.caption(f"{count(facts.rejected, 'record')} could not be read. {md_text(reasons, _REASONS)}")
    st.dataframe(
        rejects.rename(columns=str.capitalize), hide_index=True, placeholder="–",
        alt="Rejected records with line and reason",
    )  # fmt: skip
    st.download_button(
        "Rejected rows as CSV", lambda: rejects.to_csv(index=False), "rejects.csv", "text/csv",
        icon=":material/download:", on_click="ignore", key="rejects-csv",
    )  # fmt: skip
    if len(rejects) < facts.rejected:
        st.caption(f"The first {len(rejects):,} of {facts.rejected:,}, by file and line; all are counted.")


def events_table(facts: Receipt) -> pd.DataFrame:
    """Table of outcome events; counts and revenue include visitors without a user id."""
    nothing = OutcomeUsers(users=0, without_page_view=0, events=0, revenue={})
    rows = []
    for event in {**facts.outcome_users, **facts.no_user_id}:
        users, nobody = facts.outcome_users.get(event, nothing), facts.no_user_id.get(event, nothing)
        whole = add_outcome_users((users, nobody))
        rows.append(
            (
                label_of([event]),
                users.users,
                users.without_page_view - users.left_out,
                users.left_out,
                whole.events,
                nobody.events,
                in_currencies(whole.revenue),
                in_currencies(whole.refunds),
                in_currencies(nobody.revenue),
            )
        )
    table = pd.DataFrame(rows, columns=[*_EVENT_COLUMNS])
    table = table if table["Refunds"].any() else table.drop(columns="Refunds")
    return table if facts.no_user_id else table.drop(columns=[*_OF_NOBODY])


def _urls(facts: Receipt) -> None:
    urls = facts.urls
    before, after = st.columns(2)
    before.metric("Addresses in the files", f"{urls.raw:,}", border=True)
    after.metric("Pages after cleaning", f"{urls.canonical:,}", border=True)
    rules = pd.DataFrame({"Rule": urls.by_rule.keys(), "Page views changed": urls.by_rule.values()})
    examples = pd.DataFrame(urls.examples, columns=["In the file", "Page"])
    if len(rules):
        _show(rules, "Page views that each rule changed")
    if len(examples):
        _show(examples, "Addresses before and after cleaning")


def _day(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / _MICROSECONDS, UTC).replace(
        hour=0, minute=0, second=0, microsecond=0
    )


def _moment(microseconds: int) -> str:
    return f"{datetime.fromtimestamp(microseconds / _MICROSECONDS, UTC):%d %b %Y %H:%M} UTC"
