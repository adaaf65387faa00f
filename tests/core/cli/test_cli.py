"""The command line as a scheduler sees it: exit statuses, stderr, files.

Most calls go through ``main`` in this process; what only a process can show has tests of its own.
"""

import json
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from unittest import mock

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.base.settings import Preset, TrainSettings
from core.labels.label_settings import LabelSettings, ThemeSource
from core.labels.label_yaml import read_taxonomy
from core.rules.conditions import RuleField
from core.runs.later_stages import FAILED_LOG
from core.runs.publish import RUN, WRITTEN
from core.runs.user_data import USER_DATA, USER_DATA_OF_LOGINS
from tests.core.cli.calls import BRIEF, ROOT, cli, one_line_error, process
from tests.llm_simulator import Reply, replies, simulating


def test_a_run_leaves_every_file_it_promises_and_no_other(finished: Path) -> None:
    """Whoever forgets users removes what :data:`WRITTEN` names: a file that is not in it would stay."""
    there = {path.name for path in finished.iterdir() if not path.name.startswith(".")}
    # the demo names no stream, by which GA4 would join users
    assert there == WRITTEN - {FAILED_LOG, USER_DATA, USER_DATA_OF_LOGINS} | {RUN, "stages"}


def test_the_fast_mode_runs_without_a_training_and_places_users_again(shop: Path, tmp_path: Path) -> None:
    out, scored = tmp_path / "out", tmp_path / "scored.parquet"
    brief = ("--clusters", 4, "--preset", "bag", "--labels", "off", "--mask-place", "/nowhere")
    done = cli("run", shop, "--out", out, *brief)
    assert done.returncode == 0, done.stderr
    assert "warning: These data have no place called /nowhere" in done.stderr
    done = cli("embed", shop, "--model", out / "model", "--out", scored)
    assert done.returncode == 0, done.stderr
    before, after = pd.read_parquet(out / "users.parquet"), pd.read_parquet(scored)
    assert before["cluster"].nunique() == 5  # and the users outside
    assert after.set_index("user_id")["cluster"].to_dict() == before.set_index("user_id")["cluster"].to_dict()


def test_rules_of_a_run_return_their_users_from_its_file(finished: Path, shop: Path) -> None:
    rows = json.loads((finished / "rules.json").read_text())
    assert {row["segment"] for row in rows} == {0, 1, 2, 3}
    tied = json.loads((finished / "receipt.json").read_text())["tied_page_views"]
    ties = (
        f"{tied:,} page views share their time with another one, and BigQuery does not tell which came first."
    )
    for row in [row for row in rows if row.get("recommended")]:
        sql = row["sql_duckdb"].replace("['shop.csv']", f"['{shop}']")
        assert len(duckdb.sql(sql).fetchall()) == row["users"], row["text"]
        asked = {condition["field"] for clause in row["conditions"] for condition in clause["any_of"]}
        limits = [text for text in row["limits"] if "stand for several addresses" not in text]
        assert limits == ([ties] if tied and RuleField.ENTRY in asked else [])


def test_users_have_the_ids_of_the_file_as_text(finished: Path, shop: Path) -> None:
    users = pq.read_table(finished / "users.parquet")
    assert [str(users.schema.field(name).type) for name in ("user_id", "cluster", "group")] == [
        "string", "int32", "string",
    ]  # fmt: skip
    raw = pd.read_csv(shop, dtype=str)
    seen = set(raw.loc[raw["event_name"] == "page_view", "user_pseudo_id"].dropna())
    ids = users.column("user_id").to_pylist()
    assert len(ids) == len(set(ids))
    assert set(ids) <= seen
    receipt = json.loads((finished / "receipt.json").read_text())
    assert receipt["users"] == len(ids)


def test_clusters_and_groups_agree(finished: Path) -> None:
    users = pq.read_table(finished / "users.parquet").to_pandas()
    inside = users["group"] == "segment"
    assert sorted(users.loc[inside, "cluster"].unique()) == [0, 1, 2, 3]
    assert set(users.loc[~inside, "cluster"]) == {-1}
    assert ((users["page_views"] == 1) == users["group"].str.startswith("one_page:")).all()


def test_supported_numbers_are_written_and_each_segment_has_a_certificate(finished: Path) -> None:
    clusters = json.loads((finished / "clusters.json").read_text())
    assert (clusters["verdict"] == "segments") == (clusters["suggested_k"] is not None)
    assert all(row["evidence"]["over_gradient"] > 0 for row in clusters["levels"][-1:])
    assert [row["k"] for row in clusters["levels"]][-1:] == [clusters["suggested_k"]] * bool(
        clusters["levels"]
    )
    aspects = {"pages", "order", "tempo", "activity", "returns", "labels"}
    assert {"pages"} <= set(clusters["views"]) <= aspects
    assert len(clusters["gains"]) > 1 and max(clusters["gains"]) > 0
    sure = [one["certificate"] for one in clusters["segments"] if one["kind"] == "segment"]
    assert all(0 <= one["low"] <= one["high"] <= 1 and one["word"] for one in sure)
    assert clusters["verdict_text"].split(":")[0] in (finished / "report.html").read_text()


def test_names_describe_where_no_segments_are_supported_unless_they_are_to_be_kept_back(
    finished: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(finished, tmp_path / "out")
    told = []
    with mock.patch("core.segments.levels.unsupported", return_value=True):
        for option in ([], ["--keep-names-back"], []):  # as it was asked for before
            assert cli("run", "--out", out, "--from-stage", "analyze", *option).returncode == 0
            clusters = json.loads((out / "clusters.json").read_text())["segments"]
            told.append([one["name"] for one in clusters if one["kind"] == "segment"])
    named, numbers, again = told
    assert numbers == again == [f"Segment {number}" for number in (1, 2, 3, 4)]
    assert not set(named) & set(numbers)


def test_another_process_gives_the_same_bytes(finished: Path, shop: Path, tmp_path: Path) -> None:
    done = process("run", shop, "--out", tmp_path / "again", *BRIEF, PYTHONHASHSEED="7")
    assert done.returncode == 0, done.stderr
    assert [f"{stage}:" in done.stderr for stage in ("preprocess", "train", "cluster")] == [True] * 3
    for name in ("users.parquet", "embeddings.parquet", "sequences.parquet", "profiles.json"):
        assert (tmp_path / "again" / name).read_bytes() == (finished / name).read_bytes(), name


def test_stepping_in_at_cluster_does_not_train_again(finished: Path, tmp_path: Path) -> None:
    out = shutil.copytree(finished, tmp_path / "out")
    weights = out / "model" / "weights.safetensors"
    before = (weights.read_bytes(), json.loads((out / "run.json").read_text())["keys"])
    done = cli("run", "--out", out, "--from-stage", "cluster", "--clusters", 3)
    assert done.returncode == 0, done.stderr
    assert "train" not in done.stderr
    assert (weights.read_bytes(), json.loads((out / "run.json").read_text())["keys"]) == before
    users = pq.read_table(out / "users.parquet").to_pandas()
    assert users["cluster"].max() == 2


def test_new_users_are_embedded_and_assigned(finished: Path, shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "scored.parquet"
    done = cli("embed", shop, "--model", finished / "model", "--out", out)
    assert done.returncode == 0, done.stderr
    scored = pq.read_table(out).to_pandas().set_index("user_id")
    users = pq.read_table(finished / "users.parquet").to_pandas().set_index("user_id")
    assert list(scored.columns) == ["embedding", "cluster", "segment", "group", "known_share"]
    assert (scored["group"] == users["group"]).all()
    same = scored["cluster"] == users["cluster"]
    pd.testing.assert_series_equal(scored["segment"][same], users["segment"][same])
    assert users["segment"][same & (users["cluster"] < 0)].notna().any()  # of one-page segments, too
    assert scored.index.equals(users.index)
    assert (scored["cluster"] == users["cluster"]).mean() > 0.99  # the same users land where they were


def test_next_pages_are_written_where_they_are_asked_for(finished: Path, shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "scored.parquet"
    done = cli("embed", shop, "--model", finished / "model", "--out", out, "--next", 5)
    assert done.returncode == 0, done.stderr
    scored = pq.read_table(out).to_pandas()
    assert scored["next_pages"].map(len).between(1, 5).all()
    assert (scored["next_pages"].map(len) == scored["next_scores"].map(len)).all()
    assert all(np.all(np.diff(scores) <= 0) for scores in scored["next_scores"])
    facts = json.loads((finished / "model" / "next_pages.json").read_text())
    assert set(np.concatenate(scored["next_pages"])) <= set(facts["pages"])
    table = pq.read_table(finished / "next_pages.parquet").to_pandas()
    assert sorted(set(table["segment"])) == [0, 1, 2, 3]
    assert "What next" in (finished / "report.html").read_text(encoding="utf-8")


def test_how_users_differ_is_written_with_a_column_each_and_stands_in_the_report(finished: Path) -> None:
    found = json.loads((finished / "facets.json").read_text())
    beside = json.loads((finished / "clusters.json").read_text())["segments_tell_outcome"]
    users = pq.read_table(finished / "users.parquet").to_pandas()
    told = [facet for facet in found if not facet["left_out"]]
    assert {"stage", "loyalty"} <= {facet["kind"] for facet in told}
    for facet in told:
        sizes = users[f"facet: {facet['kind']}"].value_counts()
        assert {one["name"]: one["users"] for one in facet["levels"]} == sizes.drop(
            "", errors="ignore"
        ).to_dict()
    assert beside is None or 0 <= beside["low"] <= beside["value"] <= beside["high"] <= 1
    report = (finished / "report.html").read_text(encoding="utf-8")
    assert "How users differ" in report
    assert beside is None or beside["text"] in report


def test_a_model_without_next_pages_says_so(finished: Path, shop: Path, tmp_path: Path) -> None:
    model = shutil.copytree(finished / "model", tmp_path / "model")
    (model / "next_pages.json").unlink()
    (model / "sealed.json").unlink()  # an earlier release wrote neither
    scored = ("embed", shop, "--model", model, "--out", tmp_path / "scored.parquet")
    assert "holds no next pages" in one_line_error(cli(*scored, "--next", 5))
    assert cli(*scored).returncode == 0


def test_users_who_saw_only_unknown_pages_are_embedded(finished: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text(
        "event_name,event_timestamp,user_pseudo_id,page_location\n"
        "page_view,1700000000000000,007,https://elsewhere.example/never/seen\n"
        "page_view,1700000001000000,1.10,https://elsewhere.example/a\n"
        "page_view,1700000002000000,1.10,https://elsewhere.example/b\n"
    )
    out = tmp_path / "scored.parquet"
    assert cli("embed", new, "--model", finished / "model", "--out", out).returncode == 0
    scored = pq.read_table(out).to_pandas()
    assert list(scored["user_id"]) == ["007", "1.10"]
    assert scored["cluster"].iloc[0] == -1
    assert scored["cluster"].iloc[1] in range(4)
    assert all(abs((vector**2).sum() - 1) < 1e-4 for vector in scored["embedding"])


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--clusters", "1"], "n_clusters"),
        (["--clusters", "many"], "many"),
        (["--weights", "url=0.5,colour=1"], "colour"),
        (["--weights", "url=x"], "not a number"),
        (["--weights", "url=0"], "above 0"),
        (["--outcome", "no_such_event"], "no_such_event"),
        (["--from-stage", "dinner"], "dinner"),
        (["--labels", "guess"], "guess"),
        (["--taxonomy", "/absent.yaml"], "absent.yaml"),
        (["--preset", "turbo"], "turbo"),
        (["--nonsense"], "nonsense"),
    ],
)
def test_bad_options_are_one_line(finished: Path, args: list[str], named: str) -> None:
    before = (finished / "users.parquet").read_bytes()
    start = [] if "--from-stage" in args or "--preset" in args else ["--from-stage", "combine"]
    assert named in one_line_error(cli("run", "--out", finished, *start, *args))
    assert (finished / "users.parquet").read_bytes() == before


def test_a_terminated_run_says_so_and_leaves_the_last_one(finished: Path, tmp_path: Path) -> None:
    out = shutil.copytree(finished, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    more = ("--out", str(out), "--from-stage", "train", "--epochs", "100")
    command = [sys.executable, "-m", "core", "run", *more]
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while not any(out.glob("stages/checkpoints/*/*")) and running.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.terminate()
    _, said = running.communicate(timeout=120)
    assert running.returncode == 130
    assert "Traceback" not in said
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before


def test_options_of_a_skipped_stage_are_refused(finished: Path) -> None:
    line = one_line_error(cli("run", "--out", finished, "--from-stage", "cluster", "--epochs", 9))
    assert "epochs" in line
    assert "--from-stage train" in line


def test_other_files_than_the_first_time_are_refused(finished: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("event_name,event_timestamp,user_pseudo_id,page_location\n")
    done = cli("run", other, "--out", finished, "--from-stage", "cluster", "--clusters", 3)
    assert "other files" in one_line_error(done)


def test_no_input_no_run_and_no_file(tmp_path: Path) -> None:
    assert "No INPUT" in one_line_error(cli("run", "--out", tmp_path / "o"))
    assert "nothing.csv" in one_line_error(cli("run", tmp_path / "nothing.csv", "--out", tmp_path / "o"))
    done = cli("run", "--out", tmp_path / "o", "--from-stage", "cluster")
    assert "no finished run" in one_line_error(done)


def test_more_segments_than_users(tmp_path: Path) -> None:
    rows = [f"page_view,{1_700_000_000 + i},u{i % 5},https://a.example/p{i % 7}" for i in range(40)]
    small = tmp_path / "small.csv"
    small.write_text("event_name,event_timestamp,user_pseudo_id,page_location\n" + "\n".join(rows) + "\n")
    line = one_line_error(
        cli("run", small, "--out", tmp_path / "o", "--clusters", 20, "--epochs", 1, "--labels", "off")
    )
    assert "20" in line


def test_a_place_that_cannot_be_written_is_said_before_the_work(
    finished: Path, shop: Path, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("x")
    assert "taken" in one_line_error(cli("run", shop, "--out", taken, "--epochs", 1))
    done = cli("embed", shop, "--model", finished / "model", "--out", tmp_path)
    assert "is a folder" in one_line_error(done)
    done = cli("embed", shop, "--model", finished / "model", "--out", tmp_path / "x.csv")
    assert "x.csv would hold Parquet. Allowed: a name ending in .parquet" in one_line_error(done)


def test_a_folder_that_is_no_model(shop: Path, tmp_path: Path) -> None:
    done = cli("embed", shop, "--model", tmp_path, "--out", tmp_path / "x.parquet")
    assert "not the model folder" in one_line_error(done)


def test_stepping_in_with_the_same_zip(shop: Path, tmp_path: Path) -> None:
    lines = shop.read_text().splitlines()[:1500]
    half = len(lines) // 2
    with zipfile.ZipFile(tmp_path / "days.zip", "w") as file:
        file.writestr("day1.csv", "\n".join(lines[:half]) + "\n")
        file.writestr("day2.csv", "\n".join([lines[0], *lines[half:]]) + "\n")
    out = tmp_path / "out"
    plain = ("--clusters", 3, "--epochs", 1, "--labels", "off")
    assert cli("run", tmp_path / "days.zip", "--out", out, *plain).returncode == 0
    again = cli("run", tmp_path / "days.zip", "--out", out, "--from-stage", "cluster", "--clusters", 4)
    assert again.returncode == 0, again.stderr


def test_a_preset_given_later_keeps_the_other_settings(finished: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(finished, tmp_path / "copy")
    record = json.loads((copy / "run.json").read_text())
    record["settings"]["train"]["seed"] = 7
    (copy / "run.json").write_text(json.dumps(record))
    made = {"users": 0, "segments": 0, "notes": [], "failed": {}}
    with mock.patch("core.runs.run.run", return_value=made) as run:
        done = cli("run", "--out", copy, "--from-stage", "train", "--preset", "thorough")
    assert done.returncode == 0, done.stderr
    assert run.call_args.args[2].train == TrainSettings.preset(Preset.THOROUGH, seed=7)


def test_pages_left_out_in_training_are_left_out_for_new_users(tmp_path: Path) -> None:
    """Order pages collapse to one in training; a new export must leave out each of them just the same."""
    rows = ["event_name,event_timestamp,user_pseudo_id,page_location"]
    for user in range(60):
        pages = [f"p{(user + step) % 6}" for step in range(5)]
        pages += [f"order/{1000 + user}"] if user % 2 else []
        rows += [
            f"page_view,{1_700_000_000 + i},u{user:03d},https://a.example/{p}" for i, p in enumerate(pages)
        ]
    export = tmp_path / "a.csv"
    export.write_text("\n".join(rows) + "\n")
    out, scored = tmp_path / "out", tmp_path / "scored.parquet"
    strip = ["--strip-page", "https://a.example/order/{id}"]
    done = cli("run", export, "--out", out, "--clusters", 2, "--epochs", 1, *strip)
    assert done.returncode == 0, done.stderr
    assert cli("embed", export, "--model", out / "model", "--out", scored).returncode == 0
    before = np.stack(list(pq.read_table(out / "users.parquet").to_pandas()["embedding"]))
    after = np.stack(list(pq.read_table(scored).to_pandas()["embedding"]))
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_pages_are_labelled_and_it_is_said_who_decided(finished: Path) -> None:
    labels = pq.read_table(finished / "labels.parquet").to_pandas()
    pages = {"Homepage", "Product", "Cart & checkout", "Search", "Account"}
    assert pages <= set(labels["type"])
    assert set(labels["type_rung"].dropna()) >= {"events", "rules"}
    assert set(labels.loc[labels["type"] == "Search", "theme"]) == {"No theme"}
    clusters = json.loads((finished / "clusters.json").read_text())
    assert clusters["absent_views"] == []
    assert len({segment["name"] for segment in clusters["segments"]}) == len(clusters["segments"])
    assert {segment["kind"] for segment in clusters["segments"]} == {"segment", "one_page"}
    assert all(one["name_fits"] for one in clusters["segments"] if one["kind"] == "segment")
    assert all(one["by_construction"] == (one["kind"] == "one_page") for one in clusters["segments"])
    assert pq.read_schema(finished / "embeddings.parquet").names == ["user_id", "url", "theme", "type"]


def test_one_page_users_are_in_segments_by_rule(finished: Path) -> None:
    users = pq.read_table(finished / "users.parquet", columns=["cluster", "group", "segment", "page_views"])
    table = users.to_pandas()
    listed = json.loads((finished / "clusters.json").read_text())["segments"]
    by_rule = {one["group"]: one for one in listed if one["kind"] == "one_page"}
    assert by_rule
    once = table[table["group"].str.startswith("one_page")]
    assert (once["page_views"] == 1).all()
    assert once.groupby("group").size().to_dict() == {key: one["users"] for key, one in by_rule.items()}
    assert once["segment"].notna().all()
    assert sum(one["share"] for one in by_rule.values()) == pytest.approx(1)
    assert all(one["by_construction"] and not one["name_evidence"] for one in by_rule.values())
    rows = json.loads((finished / "profiles.json").read_text())["segments"]
    counted = {row["key"]: row["users"] for row in rows}
    assert counted["group:one_page"] == len(once) == sum(counted[key] for key in by_rule)
    assert counted["all"] == len(table)


def test_look_alikes_of_a_list_are_written_and_no_id_is_said(finished: Path, tmp_path: Path) -> None:
    users = pd.read_parquet(finished / "users.parquet", columns=["user_id", "cluster"])
    seeds = users.loc[users["cluster"] == 0, "user_id"].head(15).tolist()
    (tmp_path / "ids.csv").write_text("user_id\n" + "\n".join([*seeds, "no-one"]))
    done = cli("lookalikes", tmp_path / "ids.csv", "--out", finished, "--to", tmp_path / "a.csv", "--top", 5)
    assert done.returncode == 0, done.stderr
    assert "16 ids read (first line taken as a header): 15 known users, 1 unknown" in done.stderr
    assert not any(one in done.stderr for one in [*seeds, "no-one"])
    found = pd.read_csv(tmp_path / "a.csv", dtype=str)
    assert len(found) == 5
    assert set(found["user_id"]) <= set(users["user_id"]) - set(seeds)


@pytest.mark.parametrize(
    ("content", "named"),
    [(b"", "is empty"), (b"\x89PNG\r\n\0", "a PNG image"), (b"no-one\n", "nobody of the list is in")],
)
def test_a_list_that_leads_nowhere_is_one_line(
    finished: Path, tmp_path: Path, content: bytes, named: str
) -> None:
    (tmp_path / "ids.csv").write_bytes(content)
    done = cli("lookalikes", tmp_path / "ids.csv", "--out", finished, "--to", tmp_path / "a.csv")
    assert named in one_line_error(done)
    assert not (tmp_path / "a.csv").exists()


def test_a_taxonomy_of_ones_own_and_labels_off(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    taxonomy = tmp_path / "taxonomy.yaml"
    taxonomy.write_text(
        "themes: [{name: Sleep, descriptions: [tents and sleeping bags]}, "
        "{name: Move, descriptions: [bikes, boots and packs]}]\n"
        "types: [{name: Product, descriptions: [one product]}, "
        "{name: Other, descriptions: [anything else]}]\n",
        encoding="utf-8",
    )
    quick = ("--from-stage", "label", "--preset", "bag")
    done = cli("run", "--out", out, *quick, "--taxonomy", taxonomy)
    assert done.returncode == 0, done.stderr
    labels = pq.read_table(out / "labels.parquet").to_pandas()
    assert set(labels["theme"]) <= {"Sleep", "Move", "Unknown"}
    assert set(labels["type"]) <= {"Product", "Other", "Unknown"}
    for word, themes in (("mined", {"Tents", "Jackets"}), ("shop", {"Footwear", "Sports & outdoor"})):
        done = cli("run", "--out", out, "--from-stage", "label", "--taxonomy", word, "--labels", "rules")
        assert done.returncode == 0, done.stderr
        assert themes <= set(pq.read_table(out / "labels.parquet")["theme"].to_pylist())
        used = LabelSettings.model_validate_json((out / "model" / "labelling.json").read_bytes())
        assert used.themes is ThemeSource.TAXONOMY  # new users' pages get these themes, not others
        assert used.taxonomy == read_taxonomy(out / "taxonomy.yaml")
        assert themes <= {one.name for one in used.taxonomy.themes}
    off = ("run", "--out", out, "--from-stage", "label", "--labels", "off")
    assert "A step of a type is not possible" in one_line_error(cli(*off))  # its funnel asks for one
    (tmp_path / "pages.yaml").write_text("funnels: [{steps: [{page: '*'}]}]", encoding="utf-8")
    done = cli(*off, "--funnel", tmp_path / "pages.yaml")
    assert done.returncode == 0, done.stderr
    assert not (out / "labels.parquet").exists()
    assert not (out / "taxonomy.yaml").exists()
    assert json.loads((out / "clusters.json").read_text())["absent_views"] == ["theme", "type"]


def test_what_a_language_model_costs_is_said_before_it_is_asked(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    with simulating(replies(Reply("no money left", status=402))) as simulator:
        monkeypatch.setenv("OPENAI_BASE_URL", simulator.base_url)
        monkeypatch.setenv("BEHA2VEC_MODEL", "gpt-4o-mini")
        done = cli("run", "--out", out, "--from-stage", "label", "--labels", "llm")
    assert done.returncode == 2
    host = simulator.base_url.split("/")[2]
    said = done.stderr.index(f"questions to gpt-4o-mini at {host}")
    assert said < done.stderr.index("no money left")
    assert re.search(r"cost: .* characters out, about [\d,]+ tokens in all, about \$0\.\d\d", done.stderr)


def test_figures_of_ga4s_report_are_compared_with_a_run(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = json.loads((finished / "receipt.json").read_text())["as_ga4"]["figures"][1]
    wanted = sessions["ga4"] + 3
    report = tmp_path / "report.csv"
    report.write_text("Views\n1\n")
    done = cli("reconcile", report, f"sessions={wanted:,.0f}", "--out", finished)
    assert done.returncode == 0, done.stderr
    printed = capsys.readouterr().out
    assert f"Sessions: {wanted:,.0f} in GA4's report, to these files −3 not explained" in printed
    assert sum("in GA4's report" in line for line in printed.splitlines()) == 2
    assert sum("in these files as GA4 counts" in line for line in printed.splitlines()) >= 4
    assert "Sessions: 'many' is no number" in one_line_error(
        cli("reconcile", "sessions=many", "--out", finished)
    )
    assert "cannot be read" in one_line_error(cli("reconcile", "gone.csv", "--out", finished))
    (tmp_path / "receipt.json").write_text("{}")
    assert "receipt.json is damaged" in one_line_error(cli("reconcile", "--out", tmp_path))
