"""A later export held against what a model folder keeps of its training."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from core.base.errors import InputError
from core.base.progress import silent
from core.base.settings import PRESETS, ClusterSettings, IngestSettings, Preset, TrainSettings, ViewWeights
from core.ingest.sample import write_sample
from core.labels.label_settings import LabelMode, LabelSettings
from core.periods.drift import drift
from core.runs import pipeline
from core.runs.frozen import FrozenModel
from core.runs.later_export import Trained, place_both
from core.runs.pipeline import RunSettings
from core.runs.run import run
from core.runs.since_training import export_since_training
from core.storage.store import Store
from tests.core.cli.test_cli import cli, one_line_error
from tests.core.runs.test_later_export import embedded

CUT = "20251216"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo shop's files before and after a day, the latter also of other people, and changed."""
    folder = tmp_path_factory.mktemp("shop")
    write_sample(folder / "all.csv", 600, 1, silent)
    table = pd.read_csv(folder / "all.csv", dtype=str, keep_default_na=False)
    early, late = (table[table["event_date"] < CUT], table[table["event_date"] >= CUT])
    others = late.assign(user_pseudo_id="x" + late["user_pseudo_id"])
    views = others["page_location"]
    new = views.str.split("/").str[:3].str.join("/") + "/campaign/" + (views.str.len() % 3).astype(str)
    moved = others["user_pseudo_id"].map(hash) % 2 == 0
    files = {
        "before": early, "after": late, "others": others,
        "changed": others.assign(page_location=views.where(~moved, new)),
        "renamed": late.assign(page_location="https://other.example/" + late["page_location"].str[8:]),
    }  # fmt: skip
    for name, rows in files.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def model(shop: Path) -> Path:
    settings = RunSettings(
        label=LabelSettings(mode=LabelMode.OFF), train=TrainSettings.checked(**PRESETS[Preset.BAG]),
        cluster=ClusterSettings(n_clusters=3, auto=False),
    )  # fmt: skip
    run(shop / "out", [shop / "before.csv"], settings, silent)
    return shop / "out" / "model"


def test_the_folder_says_of_others_what_the_training_data_say(shop: Path, model: Path) -> None:
    found = export_since_training([shop / "others.csv"], model, silent)
    store, frozen = Store(shop / "store"), FrozenModel.read(model)
    before, later = (
        pipeline.preprocess(store, [shop / f"{name}.csv"], IngestSettings(), silent)
        for name in ("before", "others")
    )
    trained = Trained(before, None, pipeline.train(store, before, None, BAG, silent))
    combined = pipeline.combine(pipeline.embed(store, before, None, trained.model, silent), ViewWeights())
    made = embedded(store, trained, later, shop / "others.csv")
    both = place_both(made, trained, combined, frozen.partition)
    wanted = drift(both.period, both.after)
    assert (
        found.drift.table.drop(columns=["p_value"])
        .round(4)
        .equals(wanted.table.drop(columns=["p_value"]).round(4))
    )
    assert found.users == len(both.after.place)


BAG = TrainSettings.checked(**PRESETS[Preset.BAG])


def test_the_command_tells_a_change_by_words_status_and_file(
    shop: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same, other = tmp_path / "same.json", tmp_path / "changed.json"
    assert cli("drift", shop / "before.csv", "--model", model, "--json", same).returncode == 0
    assert capsys.readouterr().out.startswith("No sign that what users do has changed")
    assert cli("drift", shop / "changed.csv", "--model", model, "--json", other).returncode == 3
    told = capsys.readouterr().out
    assert told.startswith("What users do has changed since the training period")
    assert "Train again" in told
    assert "Nobody is known again" in told
    assert "- New: /campaign/" in told
    one, two = (json.loads(path.read_text()) for path in (same, other))
    assert (one["alarm"], two["alarm"], two["train_again"]) == (False, True, True)
    assert two["lines"] == told.splitlines()
    assert {row["change"] for row in two["pages"]} >= {"new", "less"}
    assert not one["pages"]


def test_another_site_and_a_folder_of_an_earlier_release_are_refused(
    shop: Path, model: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="pages may live for days only"):
        export_since_training([shop / "renamed.csv"], model, silent)
    old = shutil.copytree(model, tmp_path / "model")
    for name in ("training_period.json", "training_period.npz", "sealed.json"):
        (old / name).unlink()
    said = one_line_error(cli("drift", shop / "after.csv", "--model", old))
    assert "keeps nothing of its training period" in said
    assert "--from-stage analyze" in said


def test_no_option_is_named_that_the_command_does_not_have(model: Path, tmp_path: Path) -> None:
    export = tmp_path / "of_another_tool.csv"
    export.write_text(
        "user_pseudo_id,event_timestamp,event_name,page_location\n1.2,1700000000,page,https://shop.example/a\n"
    )
    said = one_line_error(cli("drift", export, "--model", model))
    assert "No page view is left of 1 records" in said
    assert "events that it was trained with" in said
    assert "--page-view" not in said


def test_the_remedy_writes_what_was_missing(shop: Path, model: Path, tmp_path: Path) -> None:
    out = shutil.copytree(model.parent, tmp_path / "out")
    for name in ("training_period.json", "training_period.npz", "sealed.json"):
        (out / "model" / name).unlink()
    assert cli("run", "--out", out, "--from-stage", "analyze").returncode == 0
    assert (out / "model" / "training_period.json").read_bytes() == (
        model / "training_period.json"
    ).read_bytes()
    assert FrozenModel.read(out / "model").training is not None


def test_a_week_against_a_month_ends_with_0_and_says_why(
    shop: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(shop / "changed.csv", dtype=str, keep_default_na=False)
    week = table[table["event_date"] < "20251223"]
    week.to_csv(tmp_path / "week.csv", index=False)
    to = tmp_path / "drift.json"
    assert cli("drift", tmp_path / "week.csv", "--model", model, "--json", to).returncode == 0
    told = capsys.readouterr().out
    assert re.match(
        r"Whether users changed cannot be told: this export covers [78] days, the training \d\d\n", told
    )  # in UTC
    assert re.search(r"People do less in [78] days than in", told)
    assert "Pages:" not in told
    found = json.loads(to.read_text())
    assert (found["alarm"], found["comparable"], found["p_value"], found["pages"]) == (False, False, None, [])
