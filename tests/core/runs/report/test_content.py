"""What the report says about a run whose numbers can be checked by eye."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.local_clock import UTC_CLOCK
from core.journeys.funnel import Funnel
from core.journeys.funnel_table import count_funnels
from core.periods.calendar import calendar
from core.periods.over_time import Activity, PeriodMeasure, over_time
from core.profiles.profile_columns import Col
from core.runs.report import ReportInput, compose
from core.runs.report.cards import PageNames, visitor
from core.runs.report.content import assumptions
from core.runs.report.model import Report
from core.storage.dataset import OUTCOMES, RECEIPT, USERS, Dataset
from core.storage.receipt import Decision, OutcomeUsers, PersonalPlace
from tests.core.runs.report.conftest import dataset_in, source_of


def test_a_part_of_an_export_is_told_at_the_top(tmp_path: Path) -> None:
    dataset = dataset_in(tmp_path)
    receipt = dataset.receipt.model_copy(update={"narrowed": "a sample of 7 of 28 users"})
    (dataset.path / RECEIPT).write_text(receipt.model_dump_json())
    part = source_of(Dataset(dataset.path, dataset.key))
    assert compose(part).subtitle == "1 Nov 2025 · a sample of 7 of 28 users"


def test_overview_has_segments_groups_and_everybody(report: Report, evil: str) -> None:
    assert [row.name for row in report.rows] == [f"1 · {evil}", "Segment 2", "One-page users"]
    assert [row.users for row in report.rows] == [3, 3, 1]
    assert [row.segment for row in report.rows] == [0, 1, None]
    assert report.everyone.users == 7
    assert report.subtitle == "1 Nov 2025"
    assert report.rows[0].outcome.of == "2 of 3 users"
    assert report.rows[0].outcome.low < 2 / 3 < report.rows[0].outcome.high
    assert report.columns[:2] == ("Page views a user", "Median")
    assert report.rows[0].values[:2] == ("2.7", "3")


def test_a_card_shows_what_sets_a_segment_apart(report: Report) -> None:
    card = report.cards[1]
    assert [one.reason[:9] for one in report.cards] == ["Named for", ""]
    assert {row.address for row in card.pages} <= {"/blog", "/help"}
    facts = {fact.label: fact.value for fact in card.facts}
    assert facts["of users with purchase"] == "0%"
    beside = {fact.label: fact.others for fact in card.facts}  # segment 1, where two of three bought
    assert beside["of users with purchase"] == "67%"
    assert facts["engaged time a user"] == "–"  # nobody of this segment sent any: not 0
    device = next(one for one in card.dimensions if one.label == "Main device")
    assert {bar.label: round(bar.share, 2) for bar in device.bars} == {"desktop": 0.67, "mobile": 0.33}
    country = next(one for one in report.cards[0].dimensions if one.label == "Main country")
    assert country.note == "Not known for 1 user."


def test_example_visitors_are_real_visits_without_ids(report: Report) -> None:
    first = report.cards[1].visitors[0]
    assert first.label == "Typical visitor 1"
    assert first.summary == "3 page views in 1 session"  # the user on the centroid: HELP, BLOG, BLOG
    assert [step.page for step in first.sessions[0].steps] == ["Help", "Blog", "Blog"]
    assert [step.wait for step in first.sessions[0].steps] == ["1 to 5 min", "1 to 5 min", ""]
    assert first.sessions[0].label == "Saturday, afternoon"  # UTC+1: 12:26 there is 13:26 here


def test_sessions_of_a_visitor_are_apart(source: ReportInput) -> None:
    names = PageNames(source.dataset.pages)
    made = visitor(source.dataset.sequences, names, 0, "A", UTC_CLOCK)
    assert [len(session.steps) for session in made.sessions] == [2, 1]
    assert made.sessions[0].steps[1].page == "/cart"  # no title: the address
    assert made.sessions[0].steps[1].wait == ""  # time between sessions is not time on a page


def test_heat_map_has_a_cell_a_metric(report: Report, evil: str) -> None:
    assert [row.name for row in report.heat] == [f"1 · {evil}", "Segment 2"]
    assert {len(row.cells) for row in report.heat} == {len(report.metrics)}
    strengths = [cell.strength for row in report.heat for cell in row.cells if cell.strength is not None]
    assert all(-1 <= strength <= 1 for strength in strengths)
    assert {metric.evidence for metric in report.metrics} <= {"derived", "held out", "input"}


def test_waterfall_adds_up_and_has_its_table(report: Report) -> None:
    bars = report.waterfall.figure["data"]
    assert bars[0]["x"] == [19, 18, 16, 16]
    assert bars[1]["text"] == ["19", "−1", "−2", "16"]
    assert [row[1:3] for row in report.waterfall.table.rows[1:]] == [("1", "18"), ("2", "16"), ("0", "16")]


def test_without_an_outcome_nothing_is_said_about_one(
    tmp_path: Path, make_dataset: Callable[[Path], Dataset], make_source: Callable[[Dataset], ReportInput]
) -> None:
    dataset = make_dataset(tmp_path)
    empty = pq.read_table(tmp_path / OUTCOMES).slice(0, 0)
    pq.write_table(empty, tmp_path / OUTCOMES)
    report = compose(make_source(dataset))
    assert report.outcome == ""
    assert report.outcome_chart is None
    assert {row.outcome for row in report.rows} == {None}
    assert not [fact for card in report.cards for fact in card.facts if "purchase" in fact.label]


def test_what_visitors_without_a_user_id_did_has_a_row_of_its_own(
    tmp_path: Path, make_dataset: Callable[[Path], Dataset], make_source: Callable[[Dataset], ReportInput]
) -> None:
    dataset = make_dataset(tmp_path)
    bought = OutcomeUsers(users=0, without_page_view=0, events=2, revenue={"EUR": 30.0})
    receipt = dataset.receipt.model_copy(update={"no_user_id": {"purchase": bought}})
    (tmp_path / RECEIPT).write_text(receipt.model_dump_json())
    chart = compose(make_source(Dataset(tmp_path, "key"))).outcome_chart
    assert chart is not None
    assert chart.table is not None
    assert chart.table.rows[-1] == ("No user id", "2 more times (30.00 EUR gross)", "", "", "")


def test_without_engagement_it_is_not_computable(
    tmp_path: Path, make_dataset: Callable[[Path], Dataset], make_source: Callable[[Dataset], ReportInput]
) -> None:
    dataset = make_dataset(tmp_path)
    users = pd.read_parquet(tmp_path / USERS).assign(engagement_msec=pd.array([None] * 7, dtype="Int64"))
    pq.write_table(pa.Table.from_pandas(users, preserve_index=False), tmp_path / USERS)
    receipt = dataset.receipt.model_copy(update={"engagement_share": None})
    (tmp_path / RECEIPT).write_text(receipt.model_dump_json())
    report = compose(make_source(Dataset(tmp_path, "key")))
    assert not [column for column in report.columns if "ngage" in column]
    said = {fact.label: fact.value for fact in report.assumptions}
    assert said["Engagement"] == "not computable from these files"


def test_all_that_was_masked_and_why_records_were_rejected_is_said(
    tmp_path: Path, make_dataset: Callable[[Path], Dataset]
) -> None:
    place = PersonalPlace(
        name="/u/{…}", decision=Decision.FOUND, values=9, users=8, page_views=20, examples=()
    )
    kept = place.model_copy(update={"decision": Decision.KEPT})
    changes = {
        "places": (place, kept, kept.model_copy(update={"decision": Decision.UNDECIDED})),
        "pii_masked": {"email": 2},
        "days": "27 of 31 days have page views.",
        "rejects_by_reason": {"5 fields instead of 12": 6_667, "a NUL byte": 8},
    }
    said = {
        fact.label: fact.value
        for fact in assumptions(make_dataset(tmp_path).receipt.model_copy(update=changes))
    }
    assert said["Days"] == "27 of 31 days have page views."
    assert said["Personal data masked"] == "email 2, values that one user each saw 9"
    assert said["Personal data to decide about"].startswith("1 place of possibly personal data")
    assert said["Rejected records"] == "5 fields instead of 12: 6,667; a NUL byte: 8"


def test_rates_stand_beside_the_other_clustered_users(report: Report) -> None:
    """Two of three against nobody of three; the user of one page is no baseline."""
    assert report.outcome_chart is not None
    ticks, first, second = report.outcome_chart.figure["data"]
    assert [round(rest, 2) for rest in ticks["x"]] == [0, 0.67]
    assert [round(dot["x"][0], 2) for dot in (first, second)] == [0.67, 0]


def test_a_funnel_is_a_row_a_segment_and_a_cell_a_step(source: ReportInput, evil: str) -> None:
    steps = ({"kind": "page", "any_of": ("*shop*",)}, {"kind": "page", "any_of": ("*cart", evil)})
    counted = count_funnels([Funnel.checked(steps=steps, name=evil)], source.dataset, None)
    [part] = compose(replace(source, funnels=counted)).funnels
    assert part.title == evil
    assert [row.name for row in part.rows][:2] == [f"1 · {evil}", "Segment 2"]
    assert part.rows[-1].segment is None
    assert {len(row.cells) for row in part.rows} == {len(part.steps)} == {2}
    assert "of 7 users reach" in part.meaning
    assert compose(source).funnels == ()


def test_time_is_told_as_the_page_counts_it(source: ReportInput) -> None:
    parts = compose(source).times
    assert parts[0].title.startswith("Who came, by ")
    came, rows = parts[0], source.profiles.rows
    days = calendar(source.dataset, None)
    users = np.ones(source.dataset.sequences.n_users, dtype=bool)
    table = over_time(Activity.of(source.dataset.sequences, days, users), rows, PeriodMeasure.SHARE)
    own = table[table[Col.SEGMENT] == rows.segments[0]]
    told = [cell.hint.partition(",")[0].split(" of ")[0] for cell in came.rows[0].cells]
    assert told == [f"{int(part):,}" for part in own["part"].tail(len(told))]
