"""The files that are taken away: exact ids, names as on screen, a report without ids."""

import base64
import io
import json
import zipfile
import zlib
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import streamlit as st

from core.base.schema import SET_ASIDE, View
from core.base.settings import ViewWeights
from core.periods.filter import CountFilter
from core.profiles.name_candidates import NameEvidence
from core.profiles.name_fitting import CurrentName
from core.runs import artifacts
from core.runs.export import IdStyle
from core.runs.report.charts import drawn_users
from core.saved import controls, saved_work
from core.saved.controls import Controls
from core.segments import editing
from core.segments.certificate import NAMES_WITHHELD
from core.segments.levels import NOT_COMPARED, SmallKind
from core.storage.store import Store
from pages.ui.segments import downloads, session_segments
from pages.ui.segments.live_segments import LiveSegments, solve
from pages.ui.segments.shared import Sources
from pages.ui.shell import state
from tests.core.segments.made_levels import supported
from tests.pages.fixtures_segments import (
    FLOAT_LIKE_ID,
    HOSTILE_TITLE,
    FinishedRun,
    keep_certificates,
    keep_levels,
)


@pytest.fixture
def live(finished_run: FinishedRun) -> LiveSegments:
    st.session_state.clear()  # outside of a server it is one for the whole process
    store = Store(finished_run.root)
    data = artifacts.open_dataset(store, finished_run.dataset)
    vectors = artifacts.open_embeddings(store, data, finished_run.embeddings)
    model = artifacts.open_model(store, finished_run.model).path
    saved_work.rename(store, finished_run.model, {1: "Readers"})
    controls.save(store, finished_run.model, Controls(n_clusters=3))
    made_from = Sources(str(store.root), data, finished_run.model, model, vectors)
    return solved(made_from)


def solved(made_from: Sources) -> LiveSegments:
    """The segments as a page would draw them now."""
    return solve(session_segments.settle(made_from, session_segments.read(made_from)))


def test_audiences_are_requests_of_each_segments_rule(live: LiveSegments) -> None:
    made = json.loads(downloads.ga4_audiences(live))
    assert [one["segment"] for one in made] == [0, 1, 2]
    assert [one["name"] for one in made] == list(live.plain_names.values())
    requests = [one["ga4_audience"] for one in made if one["ga4_audience"]]
    assert requests and all(request["filterClauses"] for request in requests)
    assert all(one["ga4_audience"] or one["ga4_refused"] or one["precision"] is None for one in made)


def test_ids_leave_in_a_list_a_segment(live: LiveSegments) -> None:
    with zipfile.ZipFile(io.BytesIO(downloads.user_ids(live))) as archive:
        lists = {name: archive.read(name).decode().splitlines() for name in archive.namelist()}
    assert [*lists] == ["segment_1.csv", "segment_2.csv", "segment_3.csv"]
    assert sum(len(ids) - 1 for ids in lists.values()) == int((live.labels >= 0).sum())


def test_users_leave_with_exact_ids_and_the_name_on_screen(live: LiveSegments) -> None:
    table = pq.read_table(io.BytesIO(downloads.users_parquet(live))).to_pylist()
    assert len(table) == len(live.labels)
    assert FLOAT_LIKE_ID in {row["user_id"] for row in table}
    assert {row["segment"] for row in table if row["cluster"] == 1} == {"2 · Readers"}
    assert {row["segment"] for row in table if row["cluster"] == -1} == {None}


def test_a_csv_for_machines_and_one_for_spreadsheets(live: LiveSegments) -> None:
    assert f'"{FLOAT_LIKE_ID}",' in downloads.users_csv(live).decode()
    assert f'"=""{FLOAT_LIKE_ID}"""' in downloads.users_csv(live, IdStyle.EXCEL).decode("utf-8-sig")


def test_embeddings_hold_a_list_a_view(live: LiveSegments) -> None:
    table = pq.read_table(io.BytesIO(downloads.embeddings_parquet(live)))
    assert table.column_names == ["user_id", "url"]
    assert table.num_rows == len(live.labels)


def test_profiles_are_one_json_or_a_csv_a_table(live: LiveSegments) -> None:
    assert json.loads(downloads.profiles_json(live))["outcome"] == "purchase"
    with zipfile.ZipFile(io.BytesIO(downloads.profiles_zip(live))) as archive:
        assert archive.namelist() == [
            "segments.csv",
            "top_pages.csv",
            "shares.csv",
            "heatmap.csv",
            "fields.csv",
        ]


def test_the_report_is_of_everybody_whatever_the_filter(live: LiveSegments) -> None:
    whole = downloads.report_html(live)
    state.set_controls(live.sources.model_key, counted=CountFilter(device=("mobile",)))
    assert state.controls(live.sources.model_key).counted.is_set
    assert downloads.report_html(live) == whole


def test_segments_have_a_working_name_where_the_analyst_gave_none(live: LiveSegments) -> None:
    segments = json.loads(downloads.clusters_json(live))["segments"]
    names = {segment["cluster"]: segment["name"] for segment in segments}
    assert names[1] == "Readers"
    assert all(names.values())
    assert len(set(names.values())) == 3


def test_a_name_that_no_longer_fits_leaves_with_a_better_one(
    live: LiveSegments, finished_run: FinishedRun
) -> None:
    gone = (NameEvidence("word", "never-seen", 0.9, 9.0, 8.0),)
    saved_work.rename(Store(finished_run.root), finished_run.model, {1: "Diggers"}, {1: gone})
    segments = json.loads(downloads.clusters_json(solved(live.sources)))["segments"]
    assert [segment["name_fits"] for segment in segments] == [True, False, True]
    assert segments[1]["name"] == "Diggers"
    assert segments[1]["name_evidence"][0]["item"] == "never-seen"
    assert segments[1]["better_name"] not in {segment["name"] for segment in segments}


def test_no_lift_leaves_of_a_segment_that_was_made_by_what_it_is_named_for(live: LiveSegments) -> None:
    """Also of one-page users, whose name is their rule: nearly nobody else can meet it."""
    evidence = (NameEvidence("word", "sale", 1.0, 41_121.0, 900.0),)
    held = {**live.current_names, 2: CurrentName("Sale", evidence, chosen=True)}
    found = json.loads(downloads.clusters_json(replace(live, current_names=held)))["segments"]
    assert found[2]["name_evidence"] == [
        {"family": "word", "item": "sale", "share": 1.0, "lift": None, "low": None}
    ]
    by_construction = [one["by_construction"] for one in found]
    assert by_construction[:3] == [False, False, True]
    assert all(by_construction[3:]) and not any(one["name_evidence"] for one in found[3:])


def test_the_report_holds_the_names_and_no_id(live: LiveSegments) -> None:
    page = downloads.report_html(live).decode()
    assert "Readers" in page
    assert "What to do" in page and "the data cannot show that one causes the other" in page
    assert FLOAT_LIKE_ID not in page
    assert HOSTILE_TITLE not in page


def test_the_receipt_is_the_data_sets(live: LiveSegments) -> None:
    assert json.loads(downloads.receipt_json(live))["users"] == len(live.labels)


def test_every_part_of_the_settings_is_told(live: LiveSegments) -> None:
    told = downloads.settings(live)
    assert list(told) == ["ingest", "train", "weights", "cluster", "analyze"]
    assert told["train"]["epochs"] == 1
    assert told["cluster"]["n_clusters"] == 3


def test_how_sure_segments_are_leaves_with_them(live: LiveSegments, finished_run: FinishedRun) -> None:
    assert "certificate" not in json.loads(downloads.clusters_json(live))["segments"][1]
    keep_certificates(finished_run, live.segmentation.partition, {0: 0.9, 1: 0.5, 2: 0.8}, pair=(1, 2))
    keep_levels(finished_run, supported(3))
    live = solved(live.sources)
    told = json.loads(downloads.clusters_json(live))
    assert (told["verdict"], told["suggested_k"]) == ("segments", 3)
    assert [one["certificate"]["word"] for one in told["segments"] if one["kind"] == "segment"] == [
        "highly stable", "doubtful", "stable",
    ]  # fmt: skip
    assert told["segments"][1]["name"] == "Readers"
    pair = [(one["certificate"]["same_as"], one["certificate"]["together"]) for one in told["segments"][:3]]
    assert pair == [(None, None), (2, 0.93), (1, 0.93)]
    page = downloads.report_html(live).decode()
    assert "These users support 3 segments" in page
    assert "2 · Readers (doubtful)" in page
    assert "Who leaves mostly moves to 2 · Readers (doubtful)." in page
    assert "It is really one with 2 · Readers (doubtful): together they overlap by 93%." in page
    with zipfile.ZipFile(io.BytesIO(downloads.profiles_zip(live))) as archive:
        assert {"certificates.csv", "numbers_of_segments.csv"} <= set(archive.namelist())
    assert "2 · Readers" in set(downloads.users(live)["segment"])


def test_small_kinds_that_no_segment_shows_leave_with_the_segments(
    live: LiveSegments, finished_run: FinishedRun
) -> None:
    """Every sixth user; a kind whose users are a segment is no row."""
    spread, shown = (tuple(np.flatnonzero(which).tolist()) for which in (live.labels >= 0, live.labels == 0))
    kinds = [SmallKind(users=users, share=0.03, agreement=0.8, gain=2.0) for users in (spread[::6], shown)]
    keep_levels(finished_run, supported(3).model_copy(update={"small_kinds": tuple(kinds)}))
    (row,) = json.loads(downloads.clusters_json(solved(live.sources)))["small_kinds"]
    assert list(row) == ["users", "share", "agreement", "gain", "text"]
    assert (row["users"], row["share"], row["agreement"], row["gain"]) == (len(spread[::6]), 0.03, 0.8, 2.0)
    assert row["text"].startswith(f"A small kind beside these: {row['users']} users (3.0%), ")


def test_where_there_is_nothing_the_report_says_so_and_names_nobody(
    live: LiveSegments, finished_run: FinishedRun
) -> None:
    before = {live.current_names[segment].text for segment in (0, 2)}
    keep_certificates(finished_run, live.segmentation.partition, dict.fromkeys((0, 1, 2), 0.9))
    sure = solved(live.sources)
    page = downloads.report_html(sure).decode()
    assert NOT_COMPARED in page and "Highly stable" in page
    keep_levels(finished_run, supported())
    state.set_controls(live.sources.model_key, named_anyway=False)
    sure = solved(live.sources)
    page = downloads.report_html(sure).decode()
    assert "Highly stable" not in page and "Given these vectors, it overlaps" in page
    assert b'"word": "highly stable"' not in downloads.clusters_json(sure)
    assert "No separate segments: users differ by degree." in page and NAMES_WITHHELD in page
    assert NAMES_WITHHELD in json.loads(downloads.clusters_json(sure))["verdict_text"]
    assert not any(f"1 · {name}" in page or f"3 · {name}" in page for name in before)
    assert "2 · Readers" in page


def test_what_was_changed_by_hand_leaves_with_the_segments(
    live: LiveSegments, finished_run: FinishedRun
) -> None:
    now, vectors = live.segmentation.partition, live.combined.vectors
    now = editing.set_aside(editing.split(now, vectors, 0), vectors, [2])
    now = editing.from_users(now, vectors, np.arange(len(now.labels)) % 3 == 0, "every third")
    keep_certificates(finished_run, now, dict.fromkeys([0, 1, 3, 4], 0.9))
    session_segments.change(live.sources, live.segmentation, now)
    live = solved(live.sources)
    del live.certificates[4]  # of chosen users: there is none
    rows = pq.read_table(io.BytesIO(downloads.users_parquet(live))).to_pylist()
    aside = [row for row in rows if row["group"] == "set_aside"]
    summary = json.loads(downloads.clusters_json(live))
    assert len(aside) == summary["users_set_aside"] == int((now.labels == SET_ASIDE).sum()) > 0
    assert {row["cluster"] for row in aside} == {-1}
    assert [change["kind"] for change in summary["by_hand"]] == ["split", "set_aside", "gather"]
    assert summary["by_hand"][2]["text"] == f"Made 5 of {now.sizes[4]} users: every third"
    assert [segment["cluster"] for segment in summary["segments"] if "certificate" in segment] == [0, 1, 3]
    assert "Set aside 3: " in downloads.report_html(live).decode()


def test_journeys_leave_by_the_names_on_screen_and_are_in_the_report(live: LiveSegments) -> None:
    told = json.loads(downloads.journeys_json(live))
    assert [one["name"] for one in told["segments"]] == list(live.plain_names.values())
    first = told["segments"][0]["differing"][0]["text"]
    assert first.startswith("More begin at ")
    assert first in downloads.report_html(live).decode()


@pytest.mark.parametrize(("mix", "k"), [(0, 2), (0, 3), (0, 5), (1, 3), (1, 4)])
def test_a_report_is_moved_to_the_very_segments_that_the_app_makes(
    live: LiveSegments, mix: int, k: int
) -> None:
    page = downloads.report_html(live).decode()
    part = json.loads(page.split('id="charts">')[1].split("</script>")[0])["living"]
    assert part["mixes"] == ["Pages 100 %", "Pages 70 %, activity 30 %"]
    column, dots = part["numbers"].index(k), drawn_users(live.labels)
    labels = np.frombuffer(zlib.decompress(base64.b64decode(part["labels"])), np.uint8)
    moved = labels.reshape(len(part["mixes"]), len(part["numbers"]), len(dots))[mix, column]

    present = live.sources.vectors.weighable
    weights = [live.settings.weights, controls.reweighted(ViewWeights(), present, View.ACTIVITY, 30)][mix]
    state.set_controls(live.sources.model_key, n_clusters=k, weights=weights)
    there = solved(live.sources)
    rows = {row["segment"]: row for row in part["tables"][mix][column]}
    pooled = [segment for segment in there.segments if segment not in rows]
    expected = np.where(np.isin(there.labels, pooled), 254, there.labels)[dots]
    assert moved.tolist() == np.where(expected < 0, 255, expected).tolist()
    assert {s: rows[s]["name"] for s in rows if s != 254} == {
        s: there.names[s] for s in there.segments if s not in pooled
    }
