"""From the results of a run to what the report says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from core.base import wording
from core.base.schema import Pages
from core.data.receipt import OutcomeUsers, added, more_times
from core.naming.fitting import HeldName
from core.profiles import formats
from core.profiles.outside import outside_note
from core.profiles.profile_columns import Col, RowKind
from core.report import profile_tables, receipt_part
from core.report.cards import cards, others
from core.report.charts import RatePoint, forest, user_map
from core.report.facets_part import facet_parts
from core.report.funnel_part import funnel_part
from core.report.model import CardMetric, Rate, Report, ReportChart, Row, Table
from core.report.source import ReportInput
from core.report.time_part import time_parts
from core.report.ways_part import time_chart
from core.segments.certificate import Certificate, marked
from core.segments.layout import pca_layout

OVERVIEW: Final = (
    Col.PAGE_VIEWS_MEAN,
    Col.PAGE_VIEWS_MEDIAN,
    Col.SESSIONS_MEAN,
    Col.ENGAGEMENT_MEAN,
)


def compose(source: ReportInput) -> Report:
    """Put the report together."""
    receipt, profiles = source.dataset.receipt, source.profiles
    described = profiles.to_dict()
    rows = described["segments"]
    called = titles(rows, source.names, source.certificates)
    shown = profile_tables.present(rows, OVERVIEW)
    overview = [_row(row, called, shown) for row in [*rows[: profiles.rows.n_rows], rows[-1]]]
    return Report(
        title=", ".join(file.name for file in receipt.files[:3])
        + (" and more" if len(receipt.files) > 3 else ""),
        subtitle=_subtitle(source),
        figures=_key_figures(source),
        columns=tuple(profile_tables.LABELS[field] for field in shown),
        rows=tuple(overview[:-1]),
        everyone=overview[-1],
        outcome=f"Users with {profiles.outcome}" if profiles.outcome else "",
        metrics=profile_tables.metrics(described["heatmap"]),
        heat_note=profile_tables.HEAT_NOTE,
        heat=profile_tables.heat_rows(described["heatmap"], called),
        cards=cards(source, described, called),
        map=_map(source, called),
        outcome_chart=_outcome_chart(rows, called, profiles.outcome, source.differences, _nobodys(source)),
        time_chart=time_chart(source.dataset.sequences, profiles, called),
        outside=outside_note(profiles),
        verdict=source.verdict,
        one_page=_one_page(source),
        waterfall=receipt_part.waterfall_chart(receipt),
        assumptions=receipt_part.assumptions(receipt),
        warnings=receipt.warnings,
        files=receipt_part.files(receipt),
        urls=receipt_part.addresses(receipt),
        settings=_settings(source),
        funnels=tuple(funnel_part(one, profiles.rows, called) for one in source.funnels),
        facets=facet_parts(source.facets) if source.facets else (),
        outcome_told=source.outcome_told
        if profiles.outcome
        else "".join(f"{one}." for one in profiles.notes),
        times=time_parts(source.dataset, profiles.rows, called),
    )


def titles(
    rows: Sequence[Mapping[str, Any]], names: Mapping[int, HeldName], certificates: Mapping[int, Certificate]
) -> dict[str, str]:
    """Row → what it is called: ``Segment 3``, ``3 · Bargain hunters (doubtful)``, ``One-page users``."""
    labels = {row[Col.SEGMENT]: row[Col.LABEL] for row in rows if row[Col.KIND] == RowKind.SEGMENT}
    called = marked(labels | {segment: name.title(segment) for segment, name in names.items()}, certificates)
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


def _row(row: Mapping[str, Any], called: Mapping[str, str], shown: tuple[str, ...]) -> Row:
    return Row(
        segment=row[Col.SEGMENT] if row[Col.KIND] == RowKind.SEGMENT else None,
        name=called[row[Col.KEY]],
        users=row[Col.USERS],
        share=row[Col.SHARE],
        values=tuple(formats.of_row(row, field) for field in shown),
        outcome=rate(row),
    )


def rate(row: Mapping[str, Any]) -> Rate | None:
    """The outcome rate of a row of the segments table; None where the data has no outcome."""
    if row[Col.OUTCOME_RATE] is None:
        return None
    of = f"{row[Col.OUTCOME_USERS]:,.0f} of {wording.counted(row[Col.USERS], 'user')}"
    return Rate(row[Col.OUTCOME_RATE], row[Col.OUTCOME_LOW], row[Col.OUTCOME_HIGH], of)


def _map(source: ReportInput, called: Mapping[str, str]) -> ReportChart:
    layout = source.layout or pca_layout(source.vectors)
    labels = source.partition.labels
    names = {int(segment): called[f"segment:{segment}"] for segment in source.partition.ids}
    figure = user_map(layout.xy, labels, names)
    dots = sum(len(trace["x"]) for trace in figure["data"])
    drawn = f"{dots:,} of {len(labels):,} users, drawn at random" if dots < len(labels) else f"{dots:,} users"
    kept = (
        f"It keeps {wording.percent(layout.fidelity)} of a user's nearest neighbours. "
        if layout.fidelity
        else ""
    )
    note = f"Made by {layout.method}. {kept}Distances between islands, and their sizes, mean little."
    return ReportChart("map", "Users by segment", drawn, figure, note=note)


def _nobodys(source: ReportInput) -> OutcomeUsers:
    """What visitors without a user id did of the outcome."""
    nobodys = source.dataset.receipt.no_user_id
    return added(nobodys[outcome] for outcome in source.profiles.chosen if outcome in nobodys)


def _outcome_chart(
    rows: Iterable[Mapping[str, Any]], called: Mapping[str, str], outcome: str | None, table: pd.DataFrame,
    nobodys: OutcomeUsers,
) -> ReportChart | None:  # fmt: skip
    beside = others(table)
    rates = [(row, found) for row in rows if (found := rate(row))]
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
            found.of,
            *(wording.percent(end, 2, row[Col.USERS]) for end in (found.value, found.low, found.high)),
        )
        for row, found in rates
    )
    if nobodys.events:
        lines += (("No user id", more_times(nobodys), "", "", ""),)
    return ReportChart(
        "outcome", f"Users with {outcome}",
        f"Share of users, with 95 % intervals; grey: the other clustered users; {rates[-1][1].of} in all",
        forest(points, f"users with at least one {outcome}"),
        Table(("", "Users", "Rate", "From", "To"), lines, numeric=(1, 2, 3, 4)),
    )  # fmt: skip


def _one_page(source: ReportInput) -> Table | None:
    """The segments by rule, and what a second page would be; None where there are none."""
    found, pages = source.profiles.one_page, source.dataset.pages[Pages.PAGE_LOCATION].tolist()
    if not found or not found.segments:
        return None
    origin = wording.common_origin(pages)
    lines = []
    for label, segment in zip(found.labels, found.segments, strict=True):
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
    parts = [
        (headings.get(part, part), profile_tables.settings(values))
        for part, values in source.settings.items()
    ]
    found = ("What came out", profile_tables.settings(source.facts))
    return (*parts, found, ("Versions", profile_tables.settings(source.versions)))
