"""The demo shop: what later tests rely on when they take it as their oracle."""

import csv
import gzip
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from core.base.errors import InputError, ResourceError, SettingsError
from core.ingest.sample import generate, truth_path, write_sample
from core.ingest.sample.site import SEGMENTS, Role, build_site

USERS = 6_000
NAMES = [segment.name for segment in SEGMENTS]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that the tests only read."""
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    write_sample(path, USERS, 3)
    return path


@pytest.fixture(scope="module")
def events(shop: Path) -> pd.DataFrame:
    return pd.read_csv(shop, dtype=str)


@pytest.fixture(scope="module")
def truth(shop: Path) -> pd.Series:
    return pd.read_csv(truth_path(shop), dtype=str).set_index("user_pseudo_id")["segment"]


@pytest.fixture(scope="module")
def walks(events: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """One row a user: pages in order, times in seconds, segment."""
    views = events[(events.event_name == "page_view") & events.user_pseudo_id.notna()]
    views = views.assign(
        page=views.page_location.str.lower().str.replace(r"[?#].*|/$|/index\.html", "", regex=True),
        second=views.event_timestamp.astype("int64") / 1e6,
    ).sort_values(["user_pseudo_id", "second"], kind="stable")
    walks = views.groupby("user_pseudo_id").agg(pages=("page", list), seconds=("second", list))
    return walks.join(truth)


def auc(walks: pd.DataFrame, twins: tuple[str, str], features: object) -> float:
    """How well two segments are told apart, out of sample, by users with at least three page views."""
    pair = walks[walks.segment.isin(twins) & (walks.pages.str.len() >= 3)]
    model = LogisticRegression(C=10, max_iter=1_000)
    scores = cross_val_score(model, features(pair), pair.segment == twins[0], cv=4, scoring="roc_auc")
    return float(scores.mean())


def bag(walks: pd.DataFrame) -> object:
    return TfidfVectorizer(analyzer=lambda pages: pages).fit_transform(walks.pages)


def bigrams(walks: pd.DataFrame) -> object:
    analyzer = lambda pages: list(pairwise(pages))  # noqa: E731
    return TfidfVectorizer(analyzer=analyzer).fit_transform(walks.pages)


def tempo(walks: pd.DataFrame) -> np.ndarray:
    return np.array([[np.median(np.log1p(np.clip(np.diff(s), 0, 1_800)))] for s in walks.seconds])


def test_order_twins_differ_in_order_only(walks: pd.DataFrame) -> None:
    twins = ("compare_then_read", "read_then_compare")
    assert auc(walks, twins, bag) < 0.6
    assert auc(walks, twins, tempo) < 0.6
    assert auc(walks, twins, bigrams) > 0.8


def test_tempo_twins_differ_in_tempo_only(walks: pd.DataFrame) -> None:
    twins = ("quick_checker", "slow_considerer")
    assert auc(walks, twins, bag) < 0.6
    assert auc(walks, twins, bigrams) < 0.6
    assert auc(walks, twins, tempo) > 0.8


def test_content_segments_differ_in_content(walks: pd.DataFrame) -> None:
    assert auc(walks, ("camper", "climber"), bag) > 0.8


def test_visits_are_heavy_tailed(walks: pd.DataFrame) -> None:
    lengths = walks[walks.segment.isin(NAMES)].pages.str.len()
    assert 4.5 < lengths.mean() < 6
    assert lengths.median() in (2, 3)
    assert 0.33 < (lengths == 1).mean() < 0.43
    assert 60 < lengths.max() <= 180


def test_the_truth_names_every_id_once(events: pd.DataFrame, truth: pd.Series) -> None:
    assert truth.index.is_unique
    assert len(truth) == USERS
    assert set(truth.index) == set(events.user_pseudo_id.dropna())
    assert set(truth) == {*NAMES, "bot", "internal", "debug"}
    assert (truth == "bot").sum() == 2


def test_ids_are_text_that_a_number_would_change(truth: pd.Series) -> None:
    ids = truth.index
    assert ids.str.fullmatch(r"\d{7,10}\.\d{10,18}").all()
    assert (ids.str.endswith("0")).any()
    assert (ids.str.len() > 25).any()
    assert np.mean([str(float(i)) != i for i in ids[:1_000]]) > 0.9


def test_about_ten_events_a_user_over_ninety_days(events: pd.DataFrame) -> None:
    assert 9 < len(events) / USERS < 12
    assert events.event_date.nunique() == 90
    assert events.event_date.is_monotonic_increasing
    local = pd.to_datetime(events.event_timestamp.astype("int64") + 3_600_000_000, unit="us")
    assert (local.dt.strftime("%Y%m%d") == events.event_date).all()


def test_what_real_exports_hold_is_there(events: pd.DataFrame) -> None:
    views = events[events.event_name == "page_view"]
    assert 0.02 < events.user_pseudo_id.isna().mean() < 0.045
    assert events[events.user_pseudo_id.isna()].ga_session_id.isna().all()
    landings = views[views.entrances == "1"]
    assert 0.15 < landings.page_location.str.contains("gclid=").mean() < 0.25
    bare = views.page_location.str.lower().str.replace(r"[?#].*|/$|/index\.html", "", regex=True)
    assert views.page_location.nunique() > 5 * bare.nunique()
    assert views.page_location.str.contains("email=|phone=|mail=", regex=True).sum() >= 3
    assert events.traffic_type.eq("internal").any()
    assert events.debug_mode.eq("1").any()
    tied = (
        events.duplicated(["user_pseudo_id", "event_timestamp"], keep=False) & events.user_pseudo_id.notna()
    )
    assert set(events.event_name[tied]) >= {"page_view", "session_start", "first_visit"}


def test_engagement_comes_with_the_next_event(events: pd.DataFrame) -> None:
    landings = events[(events.entrances == "1") & (events.event_name == "page_view")]
    first = events[events.event_name.isin(["session_start", "first_visit"])]
    assert landings.engagement_time_msec.isna().all()
    assert first.engagement_time_msec.isna().all()
    assert events[events.event_name == "user_engagement"].engagement_time_msec.notna().mean() > 0.95


def test_events_fire_on_the_right_pages(events: pd.DataFrame) -> None:
    path = events.page_location.str.lower()
    for event, part in {
        "view_item": "/shop/", "view_search_results": "/search", "login": "/account/login",
        "begin_checkout": "/checkout/address", "purchase": "/ordercompleted",
    }.items():  # fmt: skip
        assert path[events.event_name == event].str.contains(part).all(), event


def test_reloads_record_a_purchase_twice(events: pd.DataFrame) -> None:
    orders = events[events.event_name == "purchase"]
    known = orders[orders.transaction_id != "(not set)"]
    assert orders.transaction_id.notna().all()
    assert known.transaction_id.duplicated().any()
    assert (
        (known.groupby("transaction_id")[["user_pseudo_id", "purchase_revenue"]].nunique() <= 1).all().all()
    )
    assert 0.005 < orders.user_pseudo_id.nunique() / USERS < 0.05


def test_device_tells_little_about_the_segment(events: pd.DataFrame, truth: pd.Series) -> None:
    mobile = events.drop_duplicates("user_pseudo_id").set_index("user_pseudo_id").device_category.eq("mobile")
    shares = mobile.groupby(truth.reindex(mobile.index)).mean().reindex(NAMES)
    assert shares.max() - shares.min() < 0.25


def test_the_site_is_of_believable_size() -> None:
    site = build_site()
    assert 500 <= len(site.path) <= 620
    assert len(set(site.path)) == len(site.path)
    assert sorted(set(site.role.tolist())) == list(Role)


def test_same_seed_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from core.ingest.sample import write_sample; "
        "write_sample(pathlib.Path(sys.argv[1]), 300, 5)"
    )
    made = []
    for hash_seed in ("1", "2"):
        path = tmp_path / f"{hash_seed}.csv.gz"
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=env)
        made.append(path.read_bytes() + truth_path(path).read_bytes())
    assert made[0] == made[1]


def test_another_seed_is_another_shop(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_sample(tmp_path / f"{seed}.csv", 20, seed)
    assert (tmp_path / "0.csv").read_bytes() != (tmp_path / "1.csv").read_bytes()


def test_gz_holds_the_same_rows(tmp_path: Path) -> None:
    write_sample(tmp_path / "a.csv", 20, 0)
    assert write_sample(tmp_path / "b.csv.gz", 20, 0) == tmp_path / "b.truth.csv"
    assert gzip.decompress((tmp_path / "b.csv.gz").read_bytes()) == (tmp_path / "a.csv").read_bytes()


def test_every_row_has_as_many_fields_as_the_header(shop: Path) -> None:
    with shop.open(newline="", encoding="utf-8") as file:
        widths = {len(row) for row in csv.reader(file, strict=True)}
    assert len(widths) == 1


@pytest.mark.parametrize("users", [1, 2, 7])
def test_a_tiny_shop_is_a_shop(users: int) -> None:
    chunks = list(generate(users, 0))
    assert sum(len(chunk.user_id) for chunk in chunks) == users
    assert "page_view" in chunks[0].events.column("event_name").to_pylist()


@pytest.mark.parametrize(("users", "seed"), [(0, 0), (-3, 0), (10_000_001, 0), (5, -1)])
def test_impossible_numbers_are_refused(tmp_path: Path, users: int, seed: int) -> None:
    with pytest.raises(SettingsError, match=r"not possible.*Allowed"):
        write_sample(tmp_path / "x.csv", users, seed)
    with pytest.raises(SettingsError):
        next(generate(users, seed))
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_csv_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"shop\.xlsx.*\.csv"):
        write_sample(tmp_path / "shop.xlsx", 5, 0)


def test_a_cancelled_run_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    write_sample(path, 5, 0)
    before = path.read_bytes()

    def stop(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(path, 9, 1, stop)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["shop.csv", "shop.truth.csv"]


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match="file cannot be used: File exists"):
        write_sample(tmp_path / "file" / "shop.csv", 5, 0)
