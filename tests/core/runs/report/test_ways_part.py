"""How users move, on the cards and in a chart: figures that can be checked by eye."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from core.profiles.outcomes import OutcomeRecord
from core.runs.report import ReportInput, compose
from core.runs.report.cards import time_chart
from core.runs.report.model import Report
from core.storage.dataset import OUTCOMES, Dataset


def test_a_card_says_which_ways_its_users_take_beside_the_others(report: Report) -> None:
    headings = [heading for heading, _ in report.cards[1].ways]
    assert headings == ["Ways, by page", "Steps", "Sessions begin with", "Sessions end with"]
    ways, steps, begin, end = (table for _, table in report.cards[1].ways)
    assert ways.rows == (  # BLOG HELP twice, and HELP BLOG BLOG; three users, nobody of whom bought
        ("/blog → /help", "67%", "0%", "", "0% of 2"),
        ("/help → /blog ×2+", "33%", "0%", "", "0% of 1"),
    )
    assert ("/blog → /help", "67%", "–", "") in steps.rows  # nobody else was at /blog
    assert ("/blog → /blog", "33%", "–", "") in steps.rows  # a page that repeats is a step
    assert begin.rows == (("/blog", "67%", "0%"), ("/help", "33%", "0%"))
    assert end.rows == (("/help", "67%", "0%"), ("/blog", "33%", "0%"))


def test_the_outcome_of_a_way_is_of_the_users_who_took_it(report: Report) -> None:
    ways = report.cards[0].ways[0][1]
    assert ways.columns[-1] == "With outcome"
    first = next(row for row in ways.rows if row[0] == "/shop → /cart")  # users 1 and 2, who both bought
    assert (first[1], first[-1]) == ("67%", "100% of 2")


def test_a_curve_a_segment_says_when_users_had_the_outcome(report: Report, evil: str) -> None:
    chart = report.time_chart
    assert chart is not None
    assert chart.table is not None
    assert [row[:3] for row in chart.table.rows] == [(f"1 · {evil}", "3", "67%"), ("Segment 2", "3", "0%")]
    lines = chart.figure["data"]
    assert [line["y"] for line in lines] == [[0, 0.66667, 0.66667], [0, 0]]  # type: ignore[attr-defined]
    assert "<script" not in str(lines)


def test_who_had_it_before_the_first_page_view_is_left_out_aloud(source: ReportInput) -> None:
    first = source.dataset.sequences.timestamp[0] - 1
    conversions = OutcomeRecord(np.array([0]), np.ones(1), np.array([first]), {})
    called = dict.fromkeys(source.profiles.rows.head["key"], "A")
    chart = time_chart(source.dataset.sequences, replace(source.profiles, conversions=conversions), called)
    assert chart is not None
    assert chart.n.endswith("; 1 user with it before that left out")


def test_without_an_outcome_there_is_no_chart_and_no_column(
    tmp_path: Path, make_dataset: Callable[[Path], Dataset], make_source: Callable[[Dataset], ReportInput]
) -> None:
    dataset = make_dataset(tmp_path)
    pq.write_table(pq.read_table(tmp_path / OUTCOMES).slice(0, 0), tmp_path / OUTCOMES)
    report = compose(make_source(dataset))
    assert report.time_chart is None
    assert report.cards[0].ways[0][1].columns == ("Whole session", "Users", "Others", "")
