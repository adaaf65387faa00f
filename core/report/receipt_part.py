"""What the report says about the data itself: the receipt, in a picture and in lists."""

from __future__ import annotations

from typing import Final

from core.base.wording import counted, minute, percent
from core.data.receipt import Decision, Receipt, describe_revenue, in_currencies
from core.data.source_basis import describe_bases
from core.report.charts import waterfall
from core.report.model import CardMetric, ReportChart, Table

_EVENTS_SAID: Final = 5
_GROUPS = {"segment": "clustered", "one_page": "one-page", "bot_like": "look automated"}


def waterfall_chart(receipt: Receipt) -> ReportChart:
    """Where the records went; steps at which nothing left are in the table only."""
    steps = [(step.label, step.records, step.left) for step in receipt.waterfall if step.records]
    rows = [("Records in the files", "", f"{receipt.records:,}", "", "")]
    for step in receipt.waterfall:
        users = "" if step.users is None else f"{step.users:,}"
        rows.append((step.label, f"{step.records:,}", f"{step.left:,}", users, step.note))
    return ReportChart(
        key="waterfall",
        title="From records to page views",
        n=f"{counted(receipt.records, 'record')} read, {counted(receipt.page_views_used, 'page view')} used",
        figure=waterfall(receipt.records, steps, receipt.page_views_used),
        table=Table(("Step", "Leave", "Left", "Users who leave", "Note"), tuple(rows), numeric=(1, 2, 3)),
    )


def assumptions(receipt: Receipt) -> tuple[CardMetric, ...]:
    """How the data was read, one line a question that an analyst would ask."""
    groups = (
        f"{users:,} {_GROUPS.get(group, group)}" for group, users in receipt.users_by_group.items() if users
    )
    masked = [f"{kind} {n:,}" for kind, n in receipt.pii_masked.items()]
    if values := sum(p.values for p in receipt.places if p.decision in (Decision.FOUND, Decision.FORCED)):
        masked.append(f"values that one user each saw {values:,}")
    placeholders = (f"{value} {n:,}" for value, n in receipt.placeholders.items())
    rejects = (f"{reason}: {n:,}" for reason, n in receipt.rejects_by_reason.items())
    at = receipt.clock
    said = {
        "Period": f"{minute(receipt.first_ts, at)} to {minute(receipt.last_ts, at)}",
        "Days": receipt.days or "not counted",
        "Time zone": f"{receipt.time_zone}; times in this report are in {at.name}",
        "Time unit": receipt.time_unit,
        "User key": f"{receipt.user_key}, {receipt.id_kind}",
        "Users": ", ".join(groups),
        "Sessions": f"{receipt.sessions:,}; {receipt.sessions_by_gap:,} without an id, which a pause begins",
        "Rejected records": "; ".join(rejects) or "none",
        "Personal data masked": ", ".join(masked) or "none found",
        "Personal data to decide about": receipt.undecided or "none",
        "Read as absent": ", ".join(placeholders) or "none",
        "Other events": _other_events(receipt),
        "Without a user id": _nobodys(receipt),
        "Revenue of purchases": describe_revenue(receipt.revenue) or "none",
        "Sources": describe_bases(receipt.source_basis) or "none",
        "Repeated purchases left out": f"{receipt.duplicate_transactions:,}",
        "Page views at the same moment": f"{receipt.tied_page_views:,}",
        "Days cut off by the export limit": ", ".join(receipt.truncated_days) or "none",
        "Engagement": _engagement(receipt),
    }
    return tuple(CardMetric(label, value) for label, value in said.items())


def files(receipt: Receipt) -> Table:
    """One line a file."""
    counts = {"Records": "records", "Read": "read", "Rejected": "rejected"}
    if any(file.collapsed for file in receipt.files):
        counts["Put together"] = "collapsed"
    rows = tuple(
        (file.name, file.shape, file.encoding, *(f"{getattr(file, count):,}" for count in counts.values()))
        for file in receipt.files
    )
    return Table(("File", "Shape", "Encoding", *counts), rows, numeric=tuple(range(3, 3 + len(counts))))


def addresses(receipt: Receipt) -> Table:
    """How many addresses there were, and what each rule changed."""
    counts = (
        ("Different addresses before", f"{receipt.urls.raw:,}"),
        ("Different addresses after", f"{receipt.urls.canonical:,}"),
    )
    rules = tuple((f"Page views changed by: {rule}", f"{n:,}") for rule, n in receipt.urls.by_rule.items())
    return Table((), (*counts, *rules), numeric=(1,))


def _engagement(receipt: Receipt) -> str:
    if receipt.engagement_share is None:
        return "not computable from these files"
    return f"{receipt.engagement_rule}. {percent(receipt.engagement_share)} of users have a value"


def _other_events(receipt: Receipt) -> str:
    if receipt.other_events_used is None:
        return "not counted"
    causes = [
        f"{one.label} {one.other_events:,}" + (f" ({one.screen_views:,} screens)" if one.screen_views else "")
        for one in receipt.left_out if one.other_events
    ]  # fmt: skip
    used = f"{receipt.other_events_used:,} used"
    return f"{used}; left out: {', '.join(causes)}" if causes else used


def _nobodys(receipt: Receipt) -> str:
    told = [
        f"{name} {did.events:,} times" + (f", {in_currencies(did.revenue, 'gross')}" if did.revenue else "")
        for name, did in receipt.no_user_id.items()
    ]
    more = f"; {len(told) - _EVENTS_SAID} more events" if len(told) > _EVENTS_SAID else ""
    return f"{'; '.join(told[:_EVENTS_SAID])}{more}: in no segment" if told else "nothing"
