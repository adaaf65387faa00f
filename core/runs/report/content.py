"""Turn the results of a run into the content of the report, part by part.

The parts are tables of facets, funnels and segments over time, the receipt of the data in a picture and in
lists, and the overview with its cards (:func:`compose`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base import wording
from core.base.schema import Pages
from core.base.wording import ABSENT, duration, minute, percent, pluralise
from core.facts.context import Context, Tables
from core.facts.fact_maker import Figures
from core.facts.sentences import plain
from core.journeys.funnel_table import (
    REST_SECONDS,
    SECONDS_MEDIAN,
    CountedFunnel,
    ShareOf,
    sentences,
    side_by_side,
    with_times,
)
from core.periods.calendar import Calendar, PeriodUnit, calendar
from core.periods.over_time import (
    AGE,
    IN_PART,
    PART,
    PERIOD,
    REST_VALUE,
    VALUE,
    WEEKDAY,
    Activity,
    PeriodMeasure,
    curve,
    over_time,
    rhythm,
)
from core.profiles import profile_columns
from core.profiles.differences import Diff
from core.profiles.facets import Facet, Facets, ShareInterval
from core.profiles.metrics import outside_note
from core.profiles.name_fitting import CurrentName
from core.profiles.profile_columns import Col, RowKind
from core.profiles.rows import Rows
from core.questions.advice import advise
from core.runs.report import cards
from core.runs.report.cards import ReportInput, others, segment_cards, time_chart
from core.runs.report.charts import RatePoint, drawn_users, forest, user_map, waterfall
from core.runs.report.living import living_part
from core.runs.report.model import (
    CardMetric,
    Cell,
    FunnelPart,
    HeatRow,
    Rate,
    Report,
    ReportChart,
    Row,
    Table,
)
from core.segments.certificate import Certificate, marked_names
from core.segments.layout import pca_layout
from core.storage.dataset import Dataset
from core.storage.receipt import (
    Decision,
    OutcomeUsers,
    Receipt,
    add_outcome_users,
    describe_bases,
    describe_channels,
    describe_more_times,
    describe_revenue,
    in_currencies,
)


def facet_parts(facets: Facets) -> tuple[FunnelPart, ...]:
    """Tables of the facets, the most stable first (:attr:`core.profiles.facets.Facets.in_order`)."""
    return tuple(_facet_part(facet, facets.outcome) for facet in facets.in_order)


def _facet_part(facet: Facet, outcome: str) -> FunnelPart:
    users = facet.users.tolist()
    total, rated = sum(users) + facet.not_known, any(facet.outcome)

    def row(name: str, rule: str, number: int, rate: ShareInterval | None) -> HeatRow:
        texts = (f"{number:,}", percent(number / total, n=total), *[rate.text if rate else ABSENT] * rated)
        return HeatRow(None, name, tuple(Cell(text, None, f"Users {rule}") for text in texts))

    levels = zip(facet.levels, users, facet.outcome, strict=True)
    rows = [row(level.name, level.rule, number, rate) for level, number, rate in levels]
    if facet.not_known:
        rows.append(row("Not known", "of whom the visits do not say it", facet.not_known, None))
    return FunnelPart(
        title=facet.question,
        meaning=facet.sentence,
        steps=("Users", "Share", *[f"With {outcome}"] * rated),
        rows=tuple(rows),
        head="Level",
    )


def _funnel_part(counted: CountedFunnel, rows: Rows, called: Mapping[str, str]) -> FunnelPart:
    """Table of a funnel: every segment beside the others, step by step.

    Args:
        counted: The funnel, and how far each user comes.
        rows: Which users belong to which row.
        called: Key of a row → its title.
    """
    funnel = counted.funnel
    table = side_by_side(funnel, counted.walk, rows, ShareOf.ALL)
    parts = [part for _, part in table.groupby(Col.KEY, sort=False)]
    everybody = parts[-1].reset_index(drop=True)
    shown = [part for part in parts if part[Col.KIND].iloc[0] != RowKind.ONE_PAGE]
    lines = sentences(everybody, called.get("all", "All users"), "")
    return FunnelPart(
        title=funnel.title,
        meaning=f"{len(funnel.steps)} steps, {funnel.meaning}. {' '.join(lines)}{_times(counted, everybody)}",
        steps=tuple(f"{number}. {step.title}" for number, step in enumerate(funnel.steps, start=1)),
        rows=tuple(_funnel_row(part, called) for part in shown),
    )


def _times(counted: CountedFunnel, everybody: pd.DataFrame) -> str:
    users = np.ones(len(counted.walk.depth), dtype=bool)
    medians = with_times(everybody, counted.walk, users, ~users).drop(columns=REST_SECONDS)[SECONDS_MEDIAN]
    known = [(place, seconds) for place, seconds in enumerate(medians.tolist()) if not np.isnan(seconds)]
    steps = counted.funnel.steps
    lines = [
        f"{steps[place - 1].title} → {steps[place].title}: {duration(seconds)}" for place, seconds in known
    ]
    return f" Half took the next step within: {'; '.join(lines)}." if lines else ""


def _funnel_row(part: pd.DataFrame, called: Mapping[str, str]) -> HeatRow:
    first = part.iloc[0]
    segment = int(first[Col.SEGMENT]) if first[Col.KIND] == RowKind.SEGMENT else None
    name = called.get(str(first[Col.KEY]), str(first[Col.LABEL]))
    return HeatRow(segment, name, tuple(_funnel_cell(row) for _, row in part.iterrows()))


def _funnel_cell(row: pd.Series) -> Cell:
    n = int(row[Col.N])
    ends = f"{percent(row[Col.LOW], n=n)} to {percent(row[Col.HIGH], n=n)}"
    rest = percent(row[Col.REST_SHARE], n=row[Col.REST_N])
    hint = f"{int(row[Col.USERS]):,} of {n:,} users, 95 % interval {ends}; the others {rest}"
    strength = float(row[Col.DIFFERENCE]) if row[Diff.DIFFERS] else None
    return Cell(percent(row[Col.SHARE], n=n), strength, hint)


_MOST: Final = 12
"""Most periods in a table: the last ones, or the first ones after the first visit."""
_CAME: Final = (
    "Of the users in segments who came, how many are of each; colour: it differs from its share in all other "
    "{unit}s, as one cell in 20 does by chance. * in part only."
)
_AGAIN: Final = (
    "Of users with two page views or more in their first {unit}, how many came again so many {unit}s later; "
    "colour: it differs from the other clustered users, as one cell in 20 does by chance. A dash: not known "
    "yet."
)
_DAYS: Final = "Sessions by the weekday on which they begin, by the clock of the export."


def _time_parts(dataset: Dataset, rows: Rows, called: Mapping[str, str]) -> tuple[FunnelPart, ...]:
    """Tables of segments over time: who came, who came again, and on which weekdays.

    Args:
        dataset: The export.
        rows: Which users belong to which row.
        called: Key of a row → its title.
    """
    everybody = np.ones(dataset.sequences.n_users, dtype=bool)
    days = calendar(dataset, None)
    activity, unit = Activity.of(dataset.sequences, days, everybody), days.unit
    came, again = over_time(activity, rows, PeriodMeasure.SHARE), curve(activity, rows)
    parts = [
        _time_part(f"Who came, by {unit}", _CAME.format(unit=unit) + _last(days), _came(came, days), called),
        _time_part(f"Who came again, by {unit}s since their first", _AGAIN.format(unit=unit),
              again.assign(column=again[AGE].astype(str))[again[AGE] <= _MOST], called),
        _time_part("When they come", _DAYS, _weekdays(dataset, rows, everybody), called),
    ]  # fmt: skip
    return tuple(part for part in parts if part.rows)


def _last(days: Calendar) -> str:
    """Sentence on a table that does not hold all periods; empty where it does."""
    return f" Only the last {_MOST} of {days.n_periods:,} {days.unit}s." if days.n_periods > _MOST else ""


def _came(table: pd.DataFrame, days: Calendar) -> pd.DataFrame:
    latest = table[table[PERIOD].isin(pd.to_datetime(days.dates[-_MOST:]))]
    named = [
        f"{day.day} {day:%b}{'*' if part else ''}"
        for day, part in zip(latest[PERIOD], latest[IN_PART], strict=True)
    ]
    return latest.assign(column=named)


def _weekdays(dataset: Dataset, rows: Rows, everybody: np.ndarray) -> pd.DataFrame:
    days = calendar(dataset, PeriodUnit.DAY)
    table = rhythm(dataset.sequences, days, everybody, rows, sessions=True)
    sums = table.groupby([Col.KEY, Col.SEGMENT, WEEKDAY], sort=False, as_index=False).agg(
        {PART: "sum", Col.N: "first", REST_VALUE: "sum"}
    )
    with np.errstate(invalid="ignore"):
        sums[VALUE] = sums[PART] / sums[Col.N].where(sums[Col.N] > 0)
    nothing = {Col.LOW: np.nan, Col.HIGH: np.nan, Diff.DIFFERS: False}
    return sums.assign(column=sums[WEEKDAY].str[:3], **nothing)


def _time_part(title: str, meaning: str, table: pd.DataFrame, called: Mapping[str, str]) -> FunnelPart:
    columns: Sequence[str] = list(dict.fromkeys(table["column"]))
    rows = tuple(
        HeatRow(
            int(segment_rows[Col.SEGMENT].iloc[0]), called[str(key)], tuple(_cells(segment_rows, columns))
        )
        for key, segment_rows in table.groupby(Col.KEY, sort=False)
    )
    return FunnelPart(title=title, meaning=meaning, steps=tuple(columns), rows=rows)


def _cells(rows: pd.DataFrame, columns: Sequence[str]) -> list[Cell]:
    by_column: dict[str, Any] = {str(row["column"]): row for row in rows.to_dict("records")}
    return [
        _time_cell(by_column[column]) if column in by_column else Cell("–", None, "") for column in columns
    ]


def _time_cell(row: Mapping[str, float]) -> Cell:
    n, share = int(row[Col.N]), None if np.isnan(row[VALUE]) else row[VALUE]
    low, high = (percent(row[end], n=n) for end in (Col.LOW, Col.HIGH))
    ends = "" if np.isnan(row[Col.LOW]) else f", 95 % interval {low} to {high}"
    strength = float(row[VALUE] - row[REST_VALUE]) if row[Diff.DIFFERS] else None
    return Cell(percent(share, n=n), strength, f"{int(row[PART]):,} of {n:,}{ends}")


_EVENTS_SAID: Final = 5
_GROUPS = {"segment": "clustered", "one_page": "one-page", "bot_like": "look automated"}


def _waterfall_chart(receipt: Receipt) -> ReportChart:
    """Chart of the records left out at each step of reading, with its table."""
    steps = [(step.label, step.records, step.left) for step in receipt.waterfall if step.records]
    rows = [("Records in the files", "", f"{receipt.records:,}", "", "")]
    for step in receipt.waterfall:
        users = "" if step.users is None else f"{step.users:,}"
        rows.append((step.label, f"{step.records:,}", f"{step.left:,}", users, step.note))
    return ReportChart(
        key="waterfall",
        title="From records to page views",
        n=f"{pluralise(receipt.records, 'record')} read, "
        f"{pluralise(receipt.page_views_used, 'page view')} used",
        figure=waterfall(receipt.records, steps, receipt.page_views_used),
        table=Table(("Step", "Leave", "Left", "Users who leave", "Note"), tuple(rows), numeric=(1, 2, 3)),
    )


def assumptions(receipt: Receipt) -> tuple[CardMetric, ...]:
    """How the data was read, as (label, text) metrics: period, user key, time zone and so on."""
    groups = (
        f"{users:,} {_GROUPS.get(group, group)}" for group, users in receipt.users_by_group.items() if users
    )
    masked = [f"{kind} {n:,}" for kind, n in receipt.pii_masked.items()]
    if values := sum(p.values for p in receipt.places if p.decision in (Decision.FOUND, Decision.FORCED)):
        masked.append(f"values that one user each saw {values:,}")
    placeholders = (f"{value} {n:,}" for value, n in receipt.placeholders.items())
    rejects = (f"{reason}: {n:,}" for reason, n in receipt.rejects_by_reason.items())
    at = receipt.clock
    answers = {
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
        "Without a user id": _without_user_id(receipt),
        "Revenue of purchases": describe_revenue(receipt.revenue) or "none",
        "Sources": describe_bases(receipt.source_basis) or "none",
        "Channels": describe_channels(receipt.sessions_by_channel, receipt.channel_basis) or "none",
        "Repeated purchases left out": f"{receipt.duplicate_transactions:,}",
        "Page views at the same moment": f"{receipt.tied_page_views:,}",
        "Days cut off by the export limit": ", ".join(receipt.truncated_days) or "none",
        "Engagement": _engagement(receipt),
    }
    return tuple(CardMetric(label, value) for label, value in answers.items())


def _files(receipt: Receipt) -> Table:
    """Table of the files, a line each, with their counts of records."""
    counts = {"Records": "records", "Read": "read", "Rejected": "rejected"}
    if any(file.collapsed for file in receipt.files):
        counts["Put together"] = "collapsed"
    rows = tuple(
        (file.name, file.shape, file.encoding, *(f"{getattr(file, count):,}" for count in counts.values()))
        for file in receipt.files
    )
    return Table(("File", "Shape", "Encoding", *counts), rows, numeric=tuple(range(3, 3 + len(counts))))


def _addresses(receipt: Receipt) -> Table:
    """Table of the number of addresses before and after cleaning, and what each rule changed."""
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


def _without_user_id(receipt: Receipt) -> str:
    lines = [
        f"{name} {did.events:,} times" + (f", {in_currencies(did.revenue, 'gross')}" if did.revenue else "")
        for name, did in receipt.no_user_id.items()
    ]
    more = f"; {len(lines) - _EVENTS_SAID} more events" if len(lines) > _EVENTS_SAID else ""
    return f"{'; '.join(lines[:_EVENTS_SAID])}{more}: in no segment" if lines else "nothing"


_OVERVIEW: Final = (
    Col.PAGE_VIEWS_MEAN,
    Col.PAGE_VIEWS_MEDIAN,
    Col.SESSIONS_MEAN,
    Col.ENGAGEMENT_MEAN,
)


def compose(source: ReportInput) -> Report:
    """Make the whole content of the report."""
    receipt, profiles = source.dataset.receipt, source.profiles
    described = profiles.to_dict()
    rows = described["segments"]
    called = _titles(rows, source.names, source.certificates)
    shown = cards.present(rows, _OVERVIEW)
    overview = [_row(row, called, shown, source) for row in [*rows[: profiles.rows.n_rows], rows[-1]]]
    return Report(
        title=", ".join(file.name for file in receipt.files[:3])
        + (" and more" if len(receipt.files) > 3 else ""),
        subtitle=_subtitle(source),
        figures=_key_figures(source),
        columns=tuple(cards.LABELS[field] for field in shown),
        rows=tuple(overview[:-1]),
        everyone=overview[-1],
        outcome=f"Users with {profiles.outcome}" if profiles.outcome else "",
        metrics=cards.metrics(described["heatmap"]),
        heat_note=cards.HEAT_NOTE,
        heat=cards.heat_rows(described["heatmap"], called),
        cards=segment_cards(source, described, called),
        map=_map(source, called),
        outcome_chart=_outcome_chart(rows, called, profiles.outcome, source.differences, _nobodys(source)),
        time_chart=time_chart(source.dataset.sequences, profiles, called),
        outside=outside_note(profiles),
        verdict=source.verdict,
        one_page=_one_page(source),
        waterfall=_waterfall_chart(receipt),
        assumptions=assumptions(receipt),
        warnings=receipt.warnings,
        files=_files(receipt),
        urls=_addresses(receipt),
        settings=_settings(source),
        funnels=tuple(_funnel_part(one, profiles.rows, called) for one in source.funnels),
        facets=facet_parts(source.facets) if source.facets else (),
        outcome_told=source.outcome_told
        if profiles.outcome
        else "".join(f"{one}." for one in profiles.notes),
        times=_time_parts(source.dataset, profiles.rows, called),
        kept_to=source.facets.sentence if source.facets and source.facets.facets else "",
        outcome_warning=source.outcome_warning if profiles.outcome else "",
        advice=tuple(source.advice),
        living=living_part(source.living, drawn_users(source.partition.labels), overview)
        if source.living
        else None,
    )


def advice(tables: Tables, names: Mapping[int, CurrentName]) -> tuple[str, ...]:
    """What to do, a sentence each, from what the segments' figures show (:mod:`core.questions.advice`).

    Args:
        tables: Figures of the segments.
        names: Segment → what it is called, and why.
    """
    suggested = {segment: name.text for segment, name in names.items() if not name.kept_back}
    context = Context(tables, suggested=suggested)
    return tuple(plain(advise(Figures(context), "").blocks, context.titles()).split("\n"))


def _titles(
    rows: Sequence[Mapping[str, Any]],
    names: Mapping[int, CurrentName],
    certificates: Mapping[int, Certificate],
) -> dict[str, str]:
    """Row key → title: ``Segment 3``, ``3 · Bargain hunters (doubtful)``, ``One-page users``."""
    labels = {row[Col.SEGMENT]: row[Col.LABEL] for row in rows if row[Col.KIND] == RowKind.SEGMENT}
    called = marked_names(
        labels | {segment: name.title(segment) for segment, name in names.items()}, certificates
    )
    return {
        row[Col.KEY]: called[row[Col.SEGMENT]] if row[Col.KIND] == RowKind.SEGMENT else row[Col.LABEL]
        for row in rows
    }


def _subtitle(source: ReportInput) -> str:
    receipt = source.dataset.receipt
    at = receipt.clock
    first, last = wording.day(receipt.first_ts, at), wording.day(receipt.last_ts, at)
    when = first if first == last else f"{first} to {last}"
    return f"{when} · {receipt.narrowed}" if receipt.narrowed else when


def _key_figures(source: ReportInput) -> tuple[CardMetric, ...]:
    receipt = source.dataset.receipt
    figures = {
        "segments": len(source.partition.ids),
        "users": receipt.users,
        "of them clustered": source.profiles.n_clustered,
        "sessions": receipt.sessions,
        "page views": receipt.page_views_used,
        "different pages": len(source.dataset.pages),
    }
    return tuple(CardMetric(label, f"{value:,}") for label, value in figures.items())


def _row(
    row: Mapping[str, Any], called: Mapping[str, str], shown: tuple[str, ...], source: ReportInput
) -> Row:
    is_segment = row[Col.KIND] == RowKind.SEGMENT
    sure = source.certificates.get(row[Col.SEGMENT]) if is_segment else None
    return Row(
        segment=row[Col.SEGMENT] if is_segment else None,
        name=called[row[Col.KEY]],
        users=row[Col.USERS],
        share=row[Col.SHARE],
        stability=_stability(sure) if sure else "",
        values=tuple(profile_columns.of_row(row, field) for field in shown),
        outcome=_rate(row),
    )


def _stability(sure: Certificate) -> str:
    """How much of a segment forms again with other users, with the interval: ``.86 [.44–.94]``."""
    index, low, high = (f"{share:.2f}".removeprefix("0") for share in (sure.jaccard, sure.low, sure.high))
    return f"{index} [{low}–{high}]"


def _rate(row: Mapping[str, Any]) -> Rate | None:
    """The outcome rate of a row of the segments table; None where the data has no outcome."""
    if row[Col.OUTCOME_RATE] is None:
        return None
    of = f"{row[Col.OUTCOME_USERS]:,.0f} of {wording.pluralise(row[Col.USERS], 'user')}"
    return Rate(row[Col.OUTCOME_RATE], row[Col.OUTCOME_LOW], row[Col.OUTCOME_HIGH], of)


def _map(source: ReportInput, called: Mapping[str, str]) -> ReportChart:
    layout = source.layout or pca_layout(source.vectors)
    labels = source.partition.labels
    names = {int(segment): called[f"segment:{segment}"] for segment in source.partition.ids}
    figure = user_map(layout.xy, labels, names, drawn_users(labels))
    dots = sum(len(trace["x"]) for trace in figure["data"])
    drawn = f"{dots:,} of {len(labels):,} users, drawn at random" if dots < len(labels) else f"{dots:,} users"
    shown = (
        f"It keeps {wording.percent(layout.fidelity)} of a user's nearest neighbours. "
        if layout.fidelity
        else ""
    )
    note = f"Made by {layout.method}. {shown}Distances between islands, and their sizes, mean little."
    return ReportChart("map", "Users by segment", drawn, figure, note=note)


def _nobodys(source: ReportInput) -> OutcomeUsers:
    """Counts of the chosen outcomes of visitors without a user id."""
    without_id = source.dataset.receipt.no_user_id
    return add_outcome_users(
        without_id[outcome] for outcome in source.profiles.chosen if outcome in without_id
    )


def _outcome_chart(
    rows: Iterable[Mapping[str, Any]], called: Mapping[str, str], outcome: str | None, table: pd.DataFrame,
    without_id: OutcomeUsers,
) -> ReportChart | None:  # fmt: skip
    beside = others(table)
    rates = [(row, interval) for row in rows if (interval := _rate(row))]
    if outcome is None or not rates:
        return None
    points = [
        RatePoint(row[Col.SEGMENT], called[row[Col.KEY]], row[Col.OUTCOME_RATE], row[Col.OUTCOME_LOW],
                  row[Col.OUTCOME_HIGH], row[Col.USERS],
                  beside.get((row[Col.KEY], Col.OUTCOME_RATE), (math.nan, 0))[0])
        for row, _ in rates
        if row[Col.KIND] == RowKind.SEGMENT
    ]  # fmt: skip
    lines = tuple(
        (
            called[row[Col.KEY]],
            interval.of,
            *(
                wording.percent(end, 2, row[Col.USERS])
                for end in (interval.value, interval.low, interval.high)
            ),
        )
        for row, interval in rates
    )
    if without_id.events:
        lines += (("No user id", describe_more_times(without_id), "", "", ""),)
    return ReportChart(
        "outcome", f"Users with {outcome}",
        f"Share of users, with 95 % intervals; grey: the other clustered users; {rates[-1][1].of} in all",
        forest(points, f"users with at least one {outcome}"),
        Table(("", "Users", "Rate", "From", "To"), lines, numeric=(1, 2, 3, 4)),
    )  # fmt: skip


def _one_page(source: ReportInput) -> Table | None:
    """Table of the segments of one-page users and their likely second page; None where there are none."""
    segments, pages = source.profiles.one_page, source.dataset.pages[Pages.PAGE_LOCATION].tolist()
    if not segments or not segments.segments:
        return None
    origin = wording.common_origin(pages)
    lines = []
    for label, segment in zip(segments.labels, segments.segments, strict=True):
        listed = (
            f"{wording.short_address(page.page, origin)} ({wording.percent(page.share, 0)})"
            for page in segment.second_pages
        )
        n = f"{segment.second_pages[0].n:,}" if segment.second_pages else "0"
        lines.append((label, f"{segment.users:,}", ", ".join(listed) or "not known", n))
    columns = ("Segment by rule", "Users", "A second page would be", "of users who arrived alike and went on")
    return Table(columns, tuple(lines), numeric=(1, 3))


def _settings(source: ReportInput) -> tuple[tuple[str, Table], ...]:
    headings = {"ingest": "Reading", "train": "Training", "weights": "Views", "cluster": "Clustering",
                "analyze": "Profiles"}  # fmt: skip
    parts = [(headings.get(part, part), cards.settings(values)) for part, values in source.settings.items()]
    results = ("What came out", cards.settings(source.facts))
    return (*parts, results, ("Versions", cards.settings(source.versions)))
