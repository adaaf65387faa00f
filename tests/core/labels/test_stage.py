"""What a result of the label stage is named after, and which pages may be fetched."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from benchmarks.labels.tiny_nli import save_entailment_model
from core.base.errors import ResourceError, SettingsError
from core.base.progress import silent
from core.data.dataset import Dataset
from core.labels import label_cache, ladder, stage
from core.labels.fetching.fetch_outcomes import FetchOutcome
from core.labels.label_settings import LabelMode, LabelSettings
from core.llm import CallLog, LlmSettings
from tests.llm_simulator import labeller, question, simulating

URLS = ["https://shop.example/a", "https://blog.example:8080/b", "https://[foo/c", "no page"]


@pytest.fixture
def dataset() -> Dataset:
    pages = pd.DataFrame({"page_location": URLS})
    return cast(Dataset, SimpleNamespace(key="d", pages=pages, page_events=pd.DataFrame()))


def test_a_result_is_named_after_the_version_of_the_rungs(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = LabelSettings(mode=LabelMode.RULES)
    before = stage.ingredients(dataset, rules, tmp_path)
    monkeypatch.setattr(label_cache, "VERSION", label_cache.VERSION + 1)
    assert stage.ingredients(dataset, rules, tmp_path) != before


def test_a_result_is_named_after_the_language_model(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    found = []
    for model in ("a", "b", ""):
        monkeypatch.setenv("BEHA2VEC_MODEL", model)
        found.append(stage.ingredients(dataset, LabelSettings(mode=LabelMode.LLM), tmp_path)["llm"])
    assert found == ["a @ http://127.0.0.1:1/v1", "b @ http://127.0.0.1:1/v1", "missing"]
    assert "llm" not in stage.ingredients(dataset, LabelSettings(), tmp_path)


def test_a_result_is_named_after_the_weights_of_the_entailment_model(
    dataset: Dataset, tmp_path: Path
) -> None:
    settings = LabelSettings(mode=LabelMode.NLI, nli_model=str(tmp_path))
    missing = stage.ingredients(dataset, settings, tmp_path)["nli"]
    save_entailment_model(tmp_path, ["boots"])
    first = stage.ingredients(dataset, settings, tmp_path)["nli"]
    save_entailment_model(tmp_path, ["boots", "shoes"])
    second = stage.ingredients(dataset, settings, tmp_path)["nli"]
    assert missing == "missing"
    assert len({missing, first, second}) == 3


@pytest.mark.parametrize("mode", [LabelMode.NLI, LabelMode.LLM])
def test_a_model_that_was_asked_for_must_be_there_before_a_result_is_looked_up(
    mode: LabelMode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BEHA2VEC_MODEL", "OPENAI_MODEL", "AZURE_OPENAI_DEPLOYMENT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ResourceError):
        stage.require_models(LabelSettings(mode=mode, nli_model=str(tmp_path)))
    stage.require_models(LabelSettings())


@pytest.mark.parametrize("host", ["other.example", "shop.example:8080", "blog.example"])
def test_a_host_without_pages_is_refused(dataset: Dataset, tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match=r"Allowed: shop\.example, blog\.example:8080"):
        stage.fetch_pages(dataset, [host], tmp_path, silent)


def test_only_pages_of_the_hosts_agreed_to_are_looked_at(dataset: Dataset, tmp_path: Path) -> None:
    dataset.pages["page_location"] = ["https://shop.example/cart", *URLS[1:]]
    report = stage.fetch_pages(dataset, [" SHOP.example "], tmp_path, silent)
    assert {outcome: tally.count for outcome, tally in report.outcomes.items()} == {FetchOutcome.REFUSED: 1}


def test_a_language_model_gets_no_user_id_and_every_call_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "_add_embedding", lambda *_: None)  # it could know before the model is asked
    titles = ["Qwertz", "Qwertz of 12345678"]
    pages = pd.DataFrame({
        "page": [0, 1], "page_location": ["https://s.example/qw", "https://s.example/er"],
        "page_title": titles, "views": [50, 50], "users": [40, 40],
    })  # fmt: skip
    events = pd.DataFrame({"page": [], "event_name": [], "events": []})
    users = pd.DataFrame({"user_id": ["12345678"]})
    made = cast(Dataset, SimpleNamespace(key="d", pages=pages, page_events=events, users=users))
    with simulating(labeller(lambda _: "Unknown")) as simulator:
        for name, value in LlmSettings(model="m", base_url=simulator.base_url).as_environment().items():
            monkeypatch.setenv(name, value)
        mode = LabelSettings(mode=LabelMode.LLM)
        stage.label_dataset(made, mode, tmp_path, tmp_path / "cache", silent, log_dir=tmp_path / "log")
    sent = [page for body in simulator.requests for page in question(body)["pages"]]
    assert {title for page in sent for title in page["titles"]} == {"Qwertz"}
    assert len(CallLog(tmp_path / "log").read()) == len(simulator.requests) > 0
