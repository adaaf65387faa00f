"""A small finished run in the real file formats: three plain kinds of visitors, no chance in it.

``finished_run`` is a pytest fixture; import it into a ``conftest.py`` to use it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.schema import Group, Outcomes, PageEvents, Pages, Rejects, Users
from core.base.settings import ClusterSettings, IngestSettings, TrainSettings, ViewWeights
from core.runs import artifacts, pipeline
from core.runs.artifacts import COVERAGE
from core.runs.stages import (
    CERTIFICATES,
    LAYOUT,
    LEVELS,
    CertifyRequest,
    LevelsRequest,
    VectorsRequest,
)
from core.segments.certificate import Certificate, write_certificates
from core.segments.layout import Layout
from core.segments.levels import SegmentLevels
from core.segments.partition import Partition
from core.storage.dataset import OUTCOMES, PAGE_EVENTS, PAGES, RECEIPT, REJECTS, SEQUENCES, USERS
from core.storage.receipt import FileReceipt, Receipt, UrlCount, WaterfallStep
from core.storage.sequences import SCHEMA as SEQUENCE_SCHEMA
from core.storage.store import Store, content_key
from tests.core.segments.made_levels import supported

HOSTILE_TITLE: Final = (
    "<img src=x onerror=alert(1)> **bold** $x^2$ :red[r] ![t](https://tracker.invalid/p.gif)"
)
PER_KIND: Final = 24
KINDS: Final = (  # what each kind of visitor looks at, again and again
    ("shop.example/sale", "shop.example/sale/shoes", "shop.example/cart"),
    ("shop.example/guide", "shop.example/guide/size", "shop.example/blog"),
    ("shop.example/account", "shop.example/account/orders", "shop.example/help"),
)
ALL_PAGES: Final = tuple(page for kind in KINDS for page in kind)
FLOAT_LIKE_ID: Final = "1234567890.1612345678"
ONE_PAGERS: Final = 10
BOTS: Final = 4
FIRST_US: Final = 1_700_000_000_000_000
MINUTE_US: Final = 60_000_000
DATED: Final = "UTC, inferred from event_date"
DEFAULT_WEIGHTS: Final = ViewWeights()


@dataclass(frozen=True)
class FinishedRun:
    """Keys of what was written below ``root``."""

    root: Path
    dataset: str
    model: str
    embeddings: str


@pytest.fixture(scope="session")
def written_run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """What every finished run is a copy of."""
    return write_run(tmp_path_factory.mktemp("written") / "cache")


@pytest.fixture
def finished_run(written_run: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FinishedRun:
    """A finished run in a store of its own, which the app then uses."""
    root = shutil.copytree(written_run.root, tmp_path / "cache", dirs_exist_ok=True)
    run = replace(written_run, root=root)
    monkeypatch.setenv("BEHA2VEC_CACHE", str(run.root))
    return run


def write_run(
    root: Path,
    views: tuple[str, ...] = ("url",),
    per_kind: int = PER_KIND,
    one_pagers: int = ONE_PAGERS,
    coverage: Mapping[str, float] | None = None,
    epochs: int = 1,
) -> FinishedRun:
    """Write a preprocessed data set, a model and its embeddings."""
    store = Store(root)
    people = _people(per_kind, one_pagers)
    dataset = content_key(
        "preprocess", {"made": "by hand", "a kind": per_kind, "of one page": one_pagers}, {}
    )
    with store.write("preprocess", dataset, IngestSettings().model_dump(mode="json"), {}) as folder:
        _write_dataset(folder, people)
    settings = TrainSettings(epochs=epochs).model_dump(mode="json")
    model = content_key("train", settings, {"preprocess": dataset})
    with store.write("train", model, settings, {"preprocess": dataset}) as folder:
        (folder / "training.json").write_text(json.dumps({"epochs": 4 * epochs, "heads": HEADS}))
    inputs = {"preprocess": dataset, "train": model}
    of_views = {"views": views, "coverage": {**(coverage or {})}}
    embeddings = content_key("embed", of_views, inputs)
    with store.write("embed", embeddings, of_views, inputs) as folder:
        for number, view in enumerate(views):
            np.save(folder / f"{view}.npy", _vectors(people, seed=number), allow_pickle=False)
        if coverage:
            (folder / COVERAGE).write_text(json.dumps(coverage))
    return FinishedRun(root, dataset, model, embeddings)


def keep_levels(run: FinishedRun, levels: SegmentLevels) -> SegmentLevels:
    """Put levels where their job would have put them."""
    with LEVELS.writing(Store(run.root), LevelsRequest(dataset=run.dataset, labels="")) as folder:
        (folder / "levels.json").write_text(levels.to_json())
    return levels


def keep_certificates(
    run: FinishedRun, partition: Partition, jaccard: Mapping[int, float], pair: tuple[int, ...] = ()
) -> None:
    """Put certificates of some segments where their job would have put them; two may be really one."""
    ids = partition.ids.tolist()
    sizes = partition.sizes
    found = {
        segment: Certificate(
            segment, sizes[segment], jaccard[segment], 0.4, 0.95, 0.8, 1.0, rival=ids[place - 1], moves=0.1
        )
        for place, segment in enumerate(ids)
    }
    for one in pair:
        found[one] = replace(found[one], same_as=sum(pair) - one, together=0.93)
    asked = CertifyRequest(
        dataset=run.dataset, embeddings=run.embeddings, weights=ViewWeights(), digest=partition.digest
    )
    with CERTIFICATES.writing(Store(run.root), asked) as folder:
        write_certificates(folder, found)


def keep_what_jobs_make(run: FinishedRun, n_clusters: int = 3) -> FinishedRun:
    """Put everything where the app would make it in the background, so that it starts nothing by itself."""
    store = Store(run.root)
    keep_levels(run, supported(n_clusters))
    embeddings = artifacts.open_embeddings(store, artifacts.open_dataset(store, run.dataset), run.embeddings)
    combined = pipeline.combine(embeddings, ViewWeights())
    cut = pipeline.cluster(combined, embeddings.inside, ClusterSettings(n_clusters=n_clusters))
    keep_certificates(run, cut, dict.fromkeys(cut.ids.tolist(), 0.9))
    asked = VectorsRequest(dataset=run.dataset, embeddings=run.embeddings, weights=ViewWeights())
    with LAYOUT.writing(store, asked) as folder:
        Layout(combined.vectors[:, :2], "PaCMAP", 0.5).to_files(folder)
    return run


HEADS: Final = {
    "network_share": 1.25,
    "mrr": {"0.0": 0.383, "0.6": 0.395, "1.25": 0.403},
    "blocks": {"url": ["pages", "rare", "steps", "place", "network"], "theme": ["shares"]},
    "beyond_chance": {"pages": [29, 128], "order": [12, 51], "themes": [2, 4]},
    "length_r2": 0.62,
}
"""What the training says of how its heads were made."""


@dataclass(frozen=True)
class _Person:
    user_id: str
    group: Group
    kind: int
    visits: tuple[tuple[int, ...], ...]  # pages of each session


def _people(per_kind: int, one_pagers: int) -> list[_Person]:
    people = [
        _Person(f"user_{kind}_{number:05d}", Group.SEGMENT, kind, _visits(kind, number))
        for kind in range(len(KINDS))
        for number in range(per_kind)
    ]
    people += [_Person(f"once_{n:02d}", Group.ONE_PAGE, n % 3, ((3 * (n % 3),),)) for n in range(one_pagers)]
    people += [_Person(f"bot_{n:02d}", Group.BOT_LIKE, n % 3, (tuple(range(9)),)) for n in range(BOTS)]
    people.append(_Person(FLOAT_LIKE_ID, Group.SEGMENT, 0, ((0, 1, 2), (0, 2))))
    return sorted(people, key=lambda person: person.user_id)


def _visits(kind: int, number: int) -> tuple[tuple[int, ...], ...]:
    own = tuple(3 * kind + step for step in range(3))
    return tuple(own for _ in range(1 + number % 3))


def _write_dataset(folder: Path, people: list[_Person]) -> None:
    sequences = _sequences(people)
    pq.write_table(sequences, folder / SEQUENCES)
    pq.write_table(pa.Table.from_pandas(_users(people, sequences), preserve_index=False), folder / USERS)
    pq.write_table(pa.Table.from_pandas(_pages(people), preserve_index=False), folder / PAGES)
    pq.write_table(pa.Table.from_pandas(_outcomes(people), preserve_index=False), folder / OUTCOMES)
    events = {PageEvents.PAGE: pa.array([2], pa.int32()), PageEvents.EVENT_NAME: ["view_cart"]}
    pq.write_table(pa.table(events | {PageEvents.EVENTS: pa.array([40], pa.int64())}), folder / PAGE_EVENTS)
    names = (Rejects.FILE, Rejects.COLUMN, Rejects.VALUE, Rejects.REASON)
    empty = {name: pa.array([], pa.string()) for name in names} | {Rejects.LINE: pa.array([], pa.int64())}
    pq.write_table(pa.table(empty), folder / REJECTS)
    (folder / RECEIPT).write_text(_receipt(people).model_dump_json())


def _sequences(people: list[_Person]) -> pa.Table:
    pages, times, sessions = [], [], []
    for person in people:
        flat = [(session, page) for session, visit in enumerate(person.visits) for page in visit]
        pages.append([page for _, page in flat])
        sessions.append([session for session, _ in flat])
        times.append(
            [
                FIRST_US + session * 1440 * MINUTE_US + step * MINUTE_US
                for step, (session, _) in enumerate(flat)
            ]
        )
    ids = [person.user_id for person in people]
    return pa.table([ids, pages, times, sessions], schema=SEQUENCE_SCHEMA)


def _users(people: list[_Person], sequences: pa.Table) -> pd.DataFrame:
    times = sequences.column("event_timestamp").to_pylist()
    kinds = np.array([person.kind for person in people])
    n = len(people)
    return pd.DataFrame(
        {
            Users.USER_ID: [person.user_id for person in people],
            Users.GROUP: [person.group.value for person in people],
            Users.PAGE_VIEWS: np.array([len(t) for t in times], dtype=np.int32),
            Users.SESSIONS: np.array([len(person.visits) for person in people], dtype=np.int32),
            Users.FIRST_TS: np.array([t[0] for t in times], dtype=np.int64),
            Users.LAST_TS: np.array([t[-1] for t in times], dtype=np.int64),
            Users.ENGAGEMENT_MSEC: pd.array([1000 * (k + 1) for k in kinds], dtype="Int64"),
            Users.BROWSER: np.array(["Chrome", "Safari", "Firefox"])[kinds],
            Users.DEVICE: np.array(["mobile", "desktop", "desktop"])[kinds],
            Users.COUNTRY: [None if i % 7 == 0 else "Italy" for i in range(n)],
            Users.SOURCE: np.array(["google / organic", "newsletter / email", "(direct) / (none)"])[kinds],
        }
    )


def _pages(people: list[_Person]) -> pd.DataFrame:
    views = np.bincount([p for person in people for visit in person.visits for p in visit], minlength=9)
    users = [sum(any(page in v for v in person.visits) for person in people) for page in range(9)]
    return pd.DataFrame(
        {
            Pages.PAGE: np.arange(9, dtype=np.int32),
            Pages.PAGE_LOCATION: list(ALL_PAGES),
            Pages.PAGE_TITLE: [HOSTILE_TITLE, *(f"Title {page}" for page in range(1, 9))],
            Pages.VIEWS: views.astype(np.int64),
            Pages.USERS: np.array(users, dtype=np.int64),
        }
    )


def _outcomes(people: list[_Person]) -> pd.DataFrame:
    buyers = [
        index for index, person in enumerate(people) if person.kind == 0 and person.group is Group.SEGMENT
    ]
    n = len(buyers)
    return pd.DataFrame(
        {
            Outcomes.USER: np.array(buyers, dtype=np.int32),
            Outcomes.EVENT_NAME: ["purchase"] * n,
            Outcomes.EVENTS: np.ones(n, dtype=np.int64),
            Outcomes.SESSIONS: np.ones(n, dtype=np.int32),
            Outcomes.FIRST_TS: np.full(n, FIRST_US, dtype=np.int64),
            Outcomes.REVENUE: np.full(n, 20.0),
            Outcomes.CURRENCY: pd.array([None] * n, dtype="str"),
        }
    )


def _vectors(people: list[_Person], seed: int, dims: int = 8) -> np.ndarray:
    """Unit vectors: each kind around an axis of its own; another seed is another set of axes."""
    random = np.random.default_rng(seed)
    axes = np.eye(dims)[random.permutation(dims)[: len(KINDS)]]
    noise = random.normal(scale=0.12, size=(len(people), dims))
    vectors = axes[[person.kind for person in people]] + noise
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _receipt(people: list[_Person]) -> Receipt:
    views = sum(len(visit) for person in people for visit in person.visits)
    of = {group.value: sum(person.group is group for person in people) for group in Group}
    file = FileReceipt(
        name="toy.csv",
        shape="flat csv",
        bytes=1,
        encoding="utf-8",
        records=views,
        read=views,
        rejected=0,
        columns={},
    )
    return Receipt(
        files=(file,), records=views, rejected=0, rejects_by_reason={},
        waterfall=(WaterfallStep(name="read", label="Read", records=0, left=views),),
        page_views_used=views, users=len(people), users_by_group=of,
        sessions=sum(len(person.visits) for person in people),
        sessions_by_gap=0, user_key="user_pseudo_id", id_kind="text", first_ts=FIRST_US,
        last_ts=FIRST_US + 3 * 1440 * MINUTE_US, time_unit="microseconds", time_zone=DATED, tied_page_views=0,
        truncated_days=(), duplicate_transactions=0, pii_masked={}, placeholders={},
        engagement_rule="sum of engagement_time_msec over all events of a user, then averaged over users",
        engagement_share=1.0, urls=UrlCount(raw=9, canonical=9, by_rule={}),
    )  # fmt: skip
