"""A toy run: seven users, four pages, two segments, and hostile text wherever a file can hold text."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.settings import AnalyzeSettings, ClusterSettings
from core.journeys.moves import Moves, most_readable_places
from core.profiles.differences import differences
from core.profiles.metrics import ProfileData, profile
from core.profiles.name_candidates import NameEvidence
from core.profiles.name_fitting import CurrentName
from core.profiles.user_items import UserItems
from core.runs.report import ReportInput, compose
from core.runs.report.model import Report
from core.segments.partition import Partition
from core.storage.dataset import OUTCOMES, PAGES, RECEIPT, REJECTS, SEQUENCES, USERS, Dataset
from core.storage.receipt import FileReceipt, Receipt, UrlCount, WaterfallStep
from core.storage.sequences import SCHEMA
from core.storage.store import FORMAT, MANIFEST

EVIL = '</script><script>window.hacked=1</script><img src=x onerror="window.hacked=1">'
START = 1_762_000_000_000_000  # 2025-11-01 12:26:40 UTC
MINUTE = 60_000_000
SHOP, BLOG, CART, HELP = range(4)
WALKS = [
    [SHOP, CART, SHOP],
    [SHOP, CART],
    [CART, SHOP, CART],
    [BLOG, HELP],
    [HELP, BLOG, BLOG],
    [BLOG, HELP],
    [SHOP],
]
LABELS = np.array([0, 0, 0, 1, 1, 1, -1], dtype=np.int32)
IDS = [f"{number}.5550000{number}0" for number in range(1, 8)]


def receipt_of(views: int) -> Receipt:
    file = FileReceipt(
        name=f"{EVIL}.csv",
        shape="flat csv",
        bytes=9,
        encoding="utf-8",
        records=views + 3,
        read=views + 2,
        rejected=1,
        columns={},
    )
    return Receipt(
        files=(file,),
        records=views + 3,
        rejected=1,
        rejects_by_reason={EVIL: 1},
        waterfall=(
            WaterfallStep(name="rejected", label="Cannot be used", records=1, left=views + 2),
            WaterfallStep(name="not_page_view", label="Not a page view", records=2, left=views, note=EVIL),
            WaterfallStep(name="bot_like", label="Looks automated", records=0, left=views, users=0),
        ),
        page_views_used=views,
        users=7,
        users_by_group={"segment": 6, "one_page": 1},
        sessions=8,
        sessions_by_gap=1,
        user_key="user_pseudo_id",
        id_kind="client id",
        first_ts=START,
        last_ts=START + 90 * MINUTE,
        time_unit="microseconds",
        time_zone="UTC+01:00, inferred",
        tied_page_views=0,
        truncated_days=(),
        duplicate_transactions=0,
        pii_masked={"email": 2},
        placeholders={"(not set)": 4},
        engagement_rule="Sum",
        engagement_share=0.5,
        urls=UrlCount(raw=9, canonical=4, by_rule={"fragment": 3}),
        warnings=(EVIL,),
    )


def dataset_in(folder: Path) -> Dataset:
    times = [[START + step * MINUTE for step in range(len(walk))] for walk in WALKS]
    sessions = [[0] * len(walk) for walk in WALKS]
    times[0][-1], sessions[0][-1] = START + 90 * MINUTE, 1
    made = {"format": FORMAT, "stage": "preprocess", "key": "toy", "settings": {}, "inputs": {}, "files": {}}
    (folder / MANIFEST).write_text(json.dumps(made))
    pq.write_table(pa.table([IDS, WALKS, times, sessions], schema=SCHEMA), folder / SEQUENCES)
    n, views = len(WALKS), [len(walk) for walk in WALKS]
    users = {
        "user_id": IDS,
        "group": ["segment"] * 6 + ["one_page"],
        "page_views": np.array(views, dtype=np.int32),
        "sessions": np.array([2, 1, 1, 1, 1, 1, 1], dtype=np.int32),
        "first_ts": [START] * n,
        "last_ts": [row[-1] for row in times],
        "engagement_msec": pa.array([61_000, 59_000] + [None] * 5, pa.int64()),
        "browser": [EVIL] * n,
        "device": ["mobile"] * 4 + ["desktop"] * 3,
        "country": pa.array([None, *["Italy"] * 6], pa.string()),
        "source": ["google / organic"] * n,
    }
    pq.write_table(pa.table(users), folder / USERS)
    seen = np.bincount([page for walk in WALKS for page in walk], minlength=4)
    pages = {
        "page": np.arange(4, dtype=np.int32),
        "page_location": [f"https://shop.example/{name}" for name in ("shop", "blog", "cart", "help")],
        "page_title": pa.array([f"{EVIL} | Shop", "Blog | Shop", None, "Help | Shop"]),
        "views": seen,
        "users": [4, 3, 3, 3],
    }
    pq.write_table(pa.table(pages), folder / PAGES)
    bought = {
        "user": np.array([0, 1], dtype=np.int32),
        "event_name": ["purchase"] * 2,
        "events": [1, 1],
        "sessions": np.array([1, 1], dtype=np.int32),
        "first_ts": [START] * 2,
        "revenue": [20.0, 40.0],
        "currency": ["EUR", "EUR"],
    }
    pq.write_table(pa.table(bought), folder / OUTCOMES)
    pq.write_table(pa.table({"file": pa.array([], pa.string())}), folder / REJECTS)
    (folder / RECEIPT).write_text(receipt_of(sum(views)).model_dump_json())
    return Dataset(folder, "key")


def source_of(dataset: Dataset, **changes: object) -> ReportInput:
    vectors = np.array(
        [[1, 0], [0.9, 0.1], [0.8, 0.2], [0, 1], [0.1, 0.9], [0.2, 0.8], [1, 1]], dtype=np.float32
    )
    centroids = np.array([[0.9, 0.1], [0.1, 0.9]], dtype=np.float32)
    partition = Partition(
        LABELS, centroids, np.array([0, 1], np.int32), 0.5, 3, False, ClusterSettings(n_clusters=2)
    )
    data = ProfileData.from_dataset(dataset)
    profiles = profile(data, LABELS, AnalyzeSettings())
    table = differences(
        data, profiles.rows, UserItems.from_dataset(dataset), data.outcomes.inside(AnalyzeSettings())
    )
    made = {
        "dataset": dataset,
        "moves": Moves.of(dataset.sequences, most_readable_places(dataset, None)),
        "partition": partition,
        "vectors": vectors,
        "differences": table,
        "names": {0: CurrentName(EVIL, (NameEvidence("word", EVIL, 0.5, 3.0, 2.0),))},
        "profiles": profiles,
        "settings": {"ingest": {"url": {"lower_path": True}, "strip_pages": []}, "train": {"epochs": 5}},
        "versions": {"torch": "2"},
        "facts": {"Inertia": EVIL},
    }
    return ReportInput(**{**made, **changes})


@pytest.fixture(scope="session")
def evil() -> str:
    """The hostile text."""
    return EVIL


@pytest.fixture(scope="session")
def user_ids() -> list[str]:
    return IDS


@pytest.fixture(scope="session")
def make_dataset() -> Callable[[Path], Dataset]:
    """Write the toy data set into a folder."""
    return dataset_in


@pytest.fixture(scope="session")
def make_source() -> Callable[[Dataset], ReportInput]:
    """What a report of a data set is made from."""
    return source_of


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> ReportInput:
    return source_of(dataset_in(tmp_path_factory.mktemp("dataset")))


@pytest.fixture(scope="session")
def report(source: ReportInput) -> Report:
    return compose(source)
