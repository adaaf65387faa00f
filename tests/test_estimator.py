"""The class for notebooks: results of the command line, scikit-learn's habits, and errors in one line."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from beha2vec import Beha2Vec, Beha2VecError

ROOT = Path(__file__).resolve().parent.parent
BRIEF = {"n_clusters": 3, "preset": "bag", "options": "--labels off"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("notebook") / "shop.csv"
    command = [sys.executable, "-m", "core", "sample", "--users", "250", "--out", str(made)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return made


@pytest.fixture(scope="module")
def fitted(shop: Path) -> Iterator[Beha2Vec]:
    yield Beha2Vec(**BRIEF).fit(shop)


def test_results_are_those_of_the_command_line(shop: Path, fitted: Beha2Vec, tmp_path: Path) -> None:
    options = "--clusters 3 --preset bag --seed 0 --labels off --weights url=0.5,theme=0.3,type=0.2"
    command = [
        sys.executable,
        "-m",
        "core",
        "run",
        str(shop),
        "--out",
        str(tmp_path / "out"),
        *options.split(),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for name in ("users.parquet", "clusters.json", "profiles.json", "differences.parquet"):
        assert (fitted.out_ / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), name
    users = pq.read_table(tmp_path / "out" / "users.parquet").to_pandas().set_index("user_id")
    pd.testing.assert_series_equal(fitted.labels_, users["cluster"])
    assert fitted.embedding_.shape == (len(users), len(users["embedding"].iloc[0]))


def test_tables_in_memory_give_the_segments_of_their_file(shop: Path, fitted: Beha2Vec) -> None:
    read = duckdb.sql(f"SELECT * FROM read_csv('{shop}', all_varchar=true)")
    for table in (read.df(), read.to_arrow_table(), read):
        made = Beha2Vec(**BRIEF).fit(table)
        pd.testing.assert_series_equal(made.labels_, fitted.labels_)


def test_new_users_are_placed_by_the_model_and_a_saved_model_does_the_same(
    shop: Path, fitted: Beha2Vec, tmp_path: Path
) -> None:
    placed = fitted.predict(shop)
    inside = fitted.labels_[fitted.labels_ >= 0]
    assert (placed[inside.index] == inside).mean() > 0.99
    fitted.save(tmp_path / "model")
    again = Beha2Vec.load(tmp_path / "model")
    pd.testing.assert_series_equal(again.predict(shop), placed)
    pd.testing.assert_frame_equal(again.transform(shop), fitted.transform(shop))
    with pytest.raises(Beha2VecError, match="exists already"):
        fitted.save(tmp_path / "model")
    whole = Beha2Vec.load(fitted.out_)
    pd.testing.assert_frame_equal(whole.profiles_, fitted.profiles_)


def test_it_is_shown_as_a_table_and_a_map(fitted: Beha2Vec) -> None:
    page = fitted._repr_html_()
    assert all(name in page for name in fitted.segments_["name"].head(3))
    drawn = fitted.plot_map().to_dict()
    (points,) = drawn["datasets"].values()
    assert len(points) == len(fitted.users_) and {"x", "y", "segment"} <= points[0].keys()


def test_parameters_are_those_of_scikit_learn() -> None:
    made = clone(Beha2Vec(n_clusters=4, weights=(0.4, 0.4, 0.2)).set_params(random_state=7))
    assert made.get_params() == {
        "n_clusters": 4, "weights": (0.4, 0.4, 0.2), "preset": "fast", "random_state": 7, "options": "",
        "out": None, "verbose": False,
    }  # fmt: skip


def test_before_fit_nothing_can_be_asked(shop: Path) -> None:
    for ask in (Beha2Vec().transform, Beha2Vec().predict, Beha2Vec().save):
        with pytest.raises(NotFittedError):
            ask(shop)
    with pytest.raises(NotFittedError):
        Beha2Vec().plot_map()


ROWS = pd.DataFrame(
    {
        "user_pseudo_id": ["a", "b"], "event_name": "page_view",
        "event_timestamp": [1_700_000_000_000_000] * 2,
        "page_location": ["https://s.example/a", "https://s.example/b"],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (ROWS.drop(columns="user_pseudo_id"), "user_pseudo_id"),
        (ROWS.drop(columns="page_location"), "page_location"),
        (ROWS.assign(user_pseudo_id=[object(), "b"]), "Ids are text"),
        (ROWS.assign(event_timestamp=float("nan")), "page view"),
        (ROWS.head(0), ""),
        (7, "A int cannot be read"),
    ],
)
def test_what_cannot_be_used_is_one_line(data: object, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as Jupyter does
    with pytest.raises(Beha2VecError) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Beha2Vec(**BRIEF).fit(data)
    assert why in str(caught.value) and str(caught.value).isprintable()


def test_a_folder_without_files_or_without_a_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(Beha2VecError, match=r"[^\n]+"):
        Beha2Vec(**BRIEF).fit(tmp_path)
    with pytest.raises(Beha2VecError, match="neither a run nor a model"):
        Beha2Vec.load(tmp_path)
    with pytest.raises(Beha2VecError, match="3 or 4 numbers"):
        Beha2Vec(weights=(1, 0)).fit(tmp_path)
