"""The Labels page: without data, before and after labelling, a correction and its way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.base.errors import Beha2VecError
from core.base.progress import silent
from core.base.schema import View
from core.base.settings import IngestSettings
from core.labels import labelling
from core.labels.fetching.fetch_outcomes import FetchOutcome, OutcomeTally
from core.labels.label_settings import (
    LabelClass,
    LabelMode,
    LabelSettings,
    Override,
    Taxonomy,
    ThemeSource,
    default_taxonomy,
)
from core.labels.llm_classifier import SYSTEM, Estimate
from core.labels.review import Review
from core.runs import artifacts, jobs, pipeline, tasks
from core.runs.jobs import State
from core.saved import label_decisions, saved_work
from core.storage.dataset import Dataset
from core.storage.store import Store
from pages.ui.labels import (
    label_corrections,
    label_jobs,
    label_table,
    taxonomy_form,
)
from pages.ui.shell import state
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import HOSTILE_TITLE, FinishedRun

PAGE = "pages/prepare/labels.py"
RULES = LabelSettings(mode=LabelMode.RULES)
AUTO = LabelSettings(mode=LabelMode.AUTO)
CART = "shop.example/cart"


def save(settings: LabelSettings) -> None:
    label_decisions.change(state.store(), **dict(settings))


def label(run: FinishedRun, settings: LabelSettings) -> dict[str, Any]:
    """Do what the job would."""
    request = {"dataset": run.dataset, "label": settings.model_dump(mode="json")}
    return tasks.run("label", run.root, request, silent)


def test_what_documents_a_constant_is_not_on_the_page(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert "the view says little" not in texts(app)


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_before_labelling_it_offers_to_start(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert "9 pages get a theme and a type" in "".join(element.value for element in app.markdown)
    app.button(key="start-labels").click().run()
    ((task, request, subject),) = fake_jobs.started
    assert (task, subject) == ("label", finished_run.dataset)
    assert (request["label"]["mode"], request["fetch_hosts"]) == ("auto", [])
    assert request["model"] == finished_run.model
    assert "Labelling pages" in texts(app)


def test_labels_are_shown_with_who_decided(open_app: OpenApp, finished_run: FinishedRun) -> None:
    save(RULES)
    label(finished_run, RULES)
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert "Who decided" in texts(app)
    tables = [element.value for element in app.dataframe]
    rungs = next(table for table in tables if "rung" in table and "view" in table)
    assert {"Themes", "Types"} == set(rungs["view"])
    assert rungs["share"].sum() == pytest.approx(2.0)
    assert HOSTILE_TITLE not in texts(app)


def test_labels_that_are_off_are_said(open_app: OpenApp, finished_run: FinishedRun) -> None:
    save(LabelSettings(mode=LabelMode.OFF))
    app = open_app(PAGE, data=finished_run.dataset)
    assert "Labelling is off" in app.info[0].value
    assert "start-labels" not in {button.key for button in app.button}


def test_a_correction_wins_is_kept_and_can_be_undone(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    save(RULES)
    correction = Override(view=View.TYPE, target=CART, value="Blog")
    label_decisions.correct(state.store(), [correction])
    assert label_decisions.load(state.store()).overrides == (correction,)
    label(finished_run, label_decisions.load(state.store()))
    dataset = artifacts.open_dataset(Store(finished_run.root), finished_run.dataset)
    found = pipeline.find_labels(Store(finished_run.root), dataset, label_decisions.load(state.store()))
    assert found is not None
    row = found.table.iloc[dataset.pages["page_location"].tolist().index(CART)]
    assert (row["type"], row["type_rung"]) == ("Blog", "override")
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="undo-label").click().run()
    assert label_decisions.load(state.store()).overrides == ()
    assert [task for task, _, _ in fake_jobs.started] == ["label"]


def test_an_edited_cell_becomes_a_correction(
    fake_jobs: FakeJobs, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        label_table.st, "session_state", {"t": {"edited_rows": {0: {"type": "Search"}, 1: {"theme": None}}}}
    )
    monkeypatch.setattr(label_table.state, "dataset", lambda: None)
    label_table._edited("t", pd.DataFrame({"template": ["/a/:slug", "/b"]}), "template")
    assert label_decisions.load(state.store()).overrides == (
        Override(view=View.TYPE, target="/a/:slug", value="Search"),
    )


def test_users_are_placed_by_the_labels_as_they_are(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="start-labels").click().run()
    result = {"dataset": finished_run.dataset, "labels": "l", "model": finished_run.model}
    fake_jobs.end("label", State.DONE, result=result | {"embeddings": finished_run.embeddings})
    app.run()
    assert saved_work.chosen_vectors(Store(finished_run.root), finished_run.model) == finished_run.embeddings


def test_nothing_is_fetched_without_consent(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert app.button(key="fetch").disabled
    label_jobs.start(finished_run.dataset, LabelSettings(mode=LabelMode.OFF))
    assert fake_jobs.started == []


def test_a_page_that_is_too_long_for_a_correction_is_said(
    finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_table.st, "session_state", {"t": {"edited_rows": {0: {"type": "Search"}}}})
    monkeypatch.setattr(label_table.state, "dataset", lambda: None)
    said: list[object] = []
    monkeypatch.setattr(label_table.errors, "show", said.append)
    label_table._edited("t", pd.DataFrame({"template": ["/" + "a" * 1_000_000]}), "template")
    assert "target" in str(said[0])
    assert label_decisions.load(state.store()).overrides == ()


def test_settings_that_change_during_a_job_replace_it_and_keep_its_consent(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    save(RULES)
    label(finished_run, RULES)
    fake_jobs.start(finished_run.root, "label", {"fetch_hosts": ["shop.example"]}, finished_run.dataset, None)
    label_decisions.correct(state.store(), [Override(view=View.TYPE, target=CART, value="Blog")])
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="undo-label").click().run()
    assert not app.exception
    assert fake_jobs.replaced
    assert fake_jobs.started[-1][1]["fetch_hosts"] == ["shop.example"]


def test_a_correction_whose_label_is_gone_is_marked_and_can_be_deleted(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    save(RULES)
    label(finished_run, RULES)
    kept, gone = (Override(view=View.TYPE, target=CART, value=value) for value in ("Blog", "Gone"))
    save(RULES.model_copy(update={"overrides": (kept, gone.model_copy(update={"target": "/x"}))}))
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert "1 correction of yours does nothing" in app.warning[0].value
    listed = next(one.value for one in app.dataframe if "Your label" in one.value)
    assert listed["Your label"].tolist() == ["Gone", "Blog"]
    assert listed["State"].tolist() == [label_corrections.STALE, label_corrections.IN_FORCE]
    app.button(key="delete-stale").click().run()
    assert label_decisions.load(state.store()).overrides == (kept,)
    assert [task for task, _, _ in fake_jobs.started] == ["label"]


@pytest.mark.parametrize(
    "text",
    [
        '{"corrections": [{"view": "type", "target": "/a", "value": "Blog"}]}',
        "# mine\n---\ncorrections:\n- {view: type, target: /a, value: Blog}\n",
    ],
)
def test_corrections_are_told_from_a_taxonomy_and_brought_once(finished_run: FinishedRun, text: str) -> None:
    dataset = artifacts.open_dataset(Store(finished_run.root), finished_run.dataset)
    taxonomy_form._bring(text.encode(), "mine.yaml", default_taxonomy(), dataset)
    taxonomy_form._bring(text.encode(), "mine.yaml", default_taxonomy(), dataset)
    assert label_decisions.load(state.store()).overrides == (
        Override(view=View.TYPE, target="/a", value="Blog"),
    )


def test_a_taxonomy_that_speaks_of_corrections_is_a_taxonomy(finished_run: FinishedRun) -> None:
    theme = "- name: {}\n  descriptions:\n  - |\n    corrections: to orders\n"
    text = (
        "themes:\n"
        + theme.format("A")
        + theme.format("B")
        + "types:\n"
        + theme.format("C")
        + theme.format("D")
    )
    dataset = artifacts.open_dataset(Store(finished_run.root), finished_run.dataset)
    taxonomy_form._bring(text.encode(), "mine.yaml", default_taxonomy(), dataset)
    assert [one.name for one in label_decisions.load(state.store(), dataset).taxonomy.themes] == ["A", "B"]


@pytest.mark.parametrize("correction", ["view: type, value: Nonsense", "view: url, value: Blog"])
def test_corrections_that_no_page_can_get_are_refused(finished_run: FinishedRun, correction: str) -> None:
    with pytest.raises(Beha2VecError):
        text = f"corrections:\n- {{target: /a, {correction}}}\n"
        dataset = artifacts.open_dataset(Store(finished_run.root), finished_run.dataset)
        taxonomy_form._bring(text.encode(), "mine.yaml", default_taxonomy(), dataset)
    assert label_decisions.load(state.store()).overrides == ()


def test_the_way_back_to_the_default_is_there_while_an_edit_is_wrong(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = tuple(LabelClass(name=name, descriptions=("things",)) for name in "AB")
    save(LabelSettings(mode=LabelMode.RULES, taxonomy=Taxonomy(themes=two, types=two)))
    twice = pd.DataFrame({"Name": ["A", "A"]} | dict.fromkeys(taxonomy_form.DESCRIPTIONS, ["things"] * 2))
    monkeypatch.setattr(taxonomy_form, "_table", lambda *_: twice)
    app = open_app(PAGE, data=finished_run.dataset)
    assert "at least 2 themes are needed" in app.error[0].value
    app.button(key="reset-taxonomy").click().run()
    dataset = artifacts.open_dataset(Store(finished_run.root), finished_run.dataset)
    assert label_decisions.load(state.store(), dataset).taxonomy == default_taxonomy()


@pytest.fixture
def sections(finished_run: FinishedRun, tmp_path: Path) -> Dataset:
    """Another site, with three folders of four pages, labelled by the themes that are found in it."""
    pages = [
        f"https://site.example/{folder}/{page}" for folder in ("alpha", "beta", "gamma") for page in "wxyz"
    ]
    rows = [f"page_view,{at}000000,u{at % 3},{page}" for at, page in enumerate(pages, 1_700_000_000)]
    path = tmp_path / "site.csv"
    path.write_text("\n".join(["event_name,event_timestamp,user_pseudo_id,page_location", *rows]))
    store = Store(finished_run.root)
    dataset = pipeline.preprocess(store, [path], IngestSettings(), silent)
    label_decisions.choose(store, dataset, default_taxonomy(), ThemeSource.MINED)
    save(RULES)
    pipeline.label(store, dataset, label_decisions.load(store, dataset), silent)
    return dataset


def test_the_sites_own_themes_are_offered_with_their_shares_and_kept(
    open_app: OpenApp, fake_jobs: FakeJobs, sections: Dataset
) -> None:
    app = open_app(PAGE, data=sections.key)
    assert not app.exception
    told = "**Alpha** 33.3% · **Beta** 33.3% · **Gamma** 33.3%: together 100.0% of all page views"
    assert told in texts(app)
    app.button(key="own-themes-yes").click().run()
    kept = label_decisions.load(state.store(), sections)
    assert kept.themes is ThemeSource.TAXONOMY
    assert {(one.name, one.folders) for one in kept.taxonomy.themes} == {
        ("Alpha", ("alpha",)), ("Beta", ("beta",)), ("Gamma", ("gamma",))
    }  # fmt: skip
    assert label_decisions.load(state.store()).taxonomy == default_taxonomy()  # of other sites
    ((task, request, _),) = fake_jobs.started
    assert (task, request["label"]["themes"]) == ("label", "taxonomy")
    pipeline.label(state.store(), sections, kept, silent)
    assert "own-themes-yes" not in {button.key for button in open_app(PAGE, data=sections.key).button}


def test_the_shop_themes_stay_a_choice(open_app: OpenApp, fake_jobs: FakeJobs, sections: Dataset) -> None:
    app = open_app(PAGE, data=sections.key)
    app.button(key="own-themes-no").click().run()
    kept = label_decisions.load(state.store(), sections)
    assert (kept.themes, kept.taxonomy) == (ThemeSource.TAXONOMY, default_taxonomy())
    app.button(key="mine-themes").click().run()
    assert label_decisions.load(state.store(), sections).themes is ThemeSource.MINED


def test_a_site_without_themes_of_its_own_is_said(open_app: OpenApp, finished_run: FinishedRun) -> None:
    save(RULES)
    label(finished_run, RULES)
    app = open_app(PAGE, data=finished_run.dataset)
    assert "has no themes of its own" in texts(app)
    assert "The shop themes that come with this tool are used." in texts(app)


def test_where_no_page_has_a_theme_none_is_said_to_be_used(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(RULES)
    monkeypatch.setattr(labelling, "_unknown", lambda *_: 1.0)
    label(finished_run, RULES)
    nobody = pd.DataFrame({Review.VIEW: ["theme"], Review.RUNG: ["Unknown"], Review.SHARE: [1.0]})
    monkeypatch.setattr(label_table, "coverage", lambda *_: nobody)
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert "None of the shop themes that come with this tool fits." in texts(app)
    assert [warning.value for warning in app.warning] == [
        "**No page has a theme.** Models leave themes out until some pages have one: correct the most viewed "
        "pages below."
    ]


def test_themes_are_merged_when_they_are_saved(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    save(RULES)
    label(finished_run, RULES)
    app = open_app(PAGE, data=finished_run.dataset)
    assert app.button(key="save-taxonomy").disabled
    app.multiselect(key="merged-themes").select("Apparel").select("Footwear").run()
    app.text_input(key="merged-name").input("To wear").run()
    app.button(key="save-taxonomy").click().run()
    dataset = artifacts.open_dataset(Store(finished_run.root), finished_run.dataset)
    names = [one.name for one in label_decisions.load(state.store(), dataset).taxonomy.themes]
    assert names == ["To wear", *(one.name for one in default_taxonomy().themes[2:])]


def test_a_view_that_is_mostly_unknown_is_said_and_can_be_left_out(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    themes = tuple(LabelClass(name=name, descriptions=("of nothing here",)) for name in "AB")
    nothing = RULES.model_copy(update={"taxonomy": default_taxonomy().model_copy(update={"themes": themes})})
    save(nothing)
    label(finished_run, nothing)
    app = open_app(PAGE, data=finished_run.dataset, model=finished_run.model)
    assert "of the page views have no theme" in app.warning[0].value
    app.button(key="leave-out-theme").click().run()
    assert not app.exception
    weights = state.controls(finished_run.model).weights
    assert (weights.theme, weights.url > 0) == (0.0, True)
    assert "leave-out-theme" not in {button.key for button in app.button}


def test_what_fetching_did_is_shown(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    save(RULES)
    label(finished_run, RULES)
    fake_jobs.start(finished_run.root, "label", {"fetch_hosts": []}, finished_run.dataset, None)
    outcomes = [
        {"outcome": "robots.txt", "pages": 3, "example": "https://shop.example/a", "reason": "/a is closed"},
        {"outcome": "fetched", "pages": 1, "example": "https://shop.example/b", "reason": ""},
    ]
    fake_jobs.end("label", result={"fetched": outcomes})
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert "1 of 4 pages could be read" in texts(app)
    report = next(one.value for one in app.dataframe if "reason" in one.value)
    assert report["outcome"].tolist() == ["Not asked for: robots.txt forbids it", "Read now"]


@pytest.mark.parametrize(("model", "said"), [("gpt-4o", "US dollars"), ("own", "not in the price table")])
def test_what_a_language_model_costs_is_said_before(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch, model: str, said: str
) -> None:
    label(finished_run, RULES)
    save(LabelSettings(mode=LabelMode.LLM))
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("BEHA2VEC_MODEL", model)
    monkeypatch.setattr(label_jobs, "llm_cost", lambda *_: (Estimate(7, 8_000, 1_000, 28_000),) * 2)
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert "14 questions" in texts(app)
    assert said in texts(app)


def test_the_model_of_the_settings_is_asked_and_its_key_is_in_no_request(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.env").write_text(
        "BEHA2VEC_MODEL=own\nOPENAI_BASE_URL=http://127.0.0.1:1/v1\nOPENAI_API_KEY=sk-of-the-test\n"
    )
    label(finished_run, AUTO)
    save(LabelSettings(mode=LabelMode.LLM))
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="agree-labels").click().run()
    ((_, request, _),) = fake_jobs.started
    assert request["label"]["mode"] == LabelMode.LLM
    assert request["asked"] == "own @ http://127.0.0.1:1/v1"
    assert "sk-of-the-test" not in str(request)
    assert fake_jobs.environment is not None
    assert fake_jobs.environment["OPENAI_API_KEY"] == "sk-of-the-test"


def named(tmp_path: Path) -> None:
    """A server in a file, which nobody has agreed to ask."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.env").write_text(
        "BEHA2VEC_MODEL=own\nOPENAI_BASE_URL=http://127.0.0.1:1/v1\nOPENAI_API_KEY=sk-of-the-test\n"
    )


def test_before_consent_pages_are_labelled_without_the_model(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs, tmp_path: Path
) -> None:
    named(tmp_path)
    save(LabelSettings(mode=LabelMode.LLM))
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="start-labels").click().run()
    ((_, request, _),) = fake_jobs.started
    assert (request["label"]["mode"], request["asked"]) == (LabelMode.AUTO, "")
    assert fake_jobs.environment is None


def test_the_words_of_the_first_question_are_shown_and_offline_is_kept(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs, tmp_path: Path
) -> None:
    named(tmp_path)
    label(finished_run, AUTO)
    save(LabelSettings(mode=LabelMode.LLM))
    app = open_app(PAGE, data=finished_run.dataset)
    (shown,) = [code.value for code in app.code if '"pages": [{"id": "P1"' in code.value]
    assert shown.startswith(SYSTEM)
    app.button(key="decline-labels").click().run()
    assert not [button for button in app.button if button.key == "agree-labels"]
    assert "stay offline" in texts(app)
    assert fake_jobs.started == []


def test_revoking_stops_a_job_that_asks_the_model(
    open_app: OpenApp,
    finished_run: FinishedRun,
    fake_jobs: FakeJobs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cancelled: list[str] = []
    monkeypatch.setattr(jobs, "cancel", lambda _root, job: cancelled.append(job))
    named(tmp_path)
    label(finished_run, AUTO)
    save(LabelSettings(mode=LabelMode.LLM))
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="agree-labels").click().run()
    app.switch_page("pages/use/settings.py").run()
    app.button(key="revoke").click().run()
    assert not app.exception
    assert cancelled == ["job-label"]
    assert fake_jobs.started[0][1]["asked"]


def test_labels_of_a_model_that_only_the_settings_name_are_found(
    open_app: OpenApp, finished_run: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = LabelSettings(mode=LabelMode.LLM)
    save(settings)
    looked_for: list[str] = []
    monkeypatch.setattr(pipeline, "find_labels", lambda *asked: looked_for.append(str(asked[3:])[2:-3]))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.env").write_text("BEHA2VEC_MODEL=own\nOPENAI_API_KEY=k\n")
    assert not open_app(PAGE, data=finished_run.dataset).exception
    assert looked_for[0] == "own @ https://api.openai.com/v1"


def test_without_any_model_the_way_to_one_is_shown(open_app: OpenApp, finished_run: FinishedRun) -> None:
    label(finished_run, RULES)
    save(LabelSettings(mode=LabelMode.LLM))
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert "No model is connected" in texts(app)


def test_the_price_counts_what_is_sent_and_what_comes_back() -> None:
    asked = Estimate(calls=100, sent=1_000_000, received=100_000, characters=3_500_000)
    assert label_jobs.price("gpt-4o", asked) == "about 3.50 US dollars"


def test_tables_are_put_together_once_for_each_state_of_the_labels(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(RULES)
    label(finished_run, RULES)
    made: list[object] = []
    whole = label_table.review.by_template
    monkeypatch.setattr(label_table.review, "by_template", lambda *a: made.append(a) or whole(*a))
    app = open_app(PAGE, data=finished_run.dataset)
    app.run()
    assert len(made) == 1


def test_a_job_says_what_became_of_the_pages_it_was_to_fetch(
    finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = {FetchOutcome.ROBOTS: OutcomeTally("https://shop.example/a", "/a is closed", 1)}
    monkeypatch.setattr(labelling, "fetch_pages", lambda *_: outcomes)
    said: list[tuple[str, float, str]] = []
    request = {"dataset": finished_run.dataset, "label": RULES.model_dump(mode="json")}
    result = tasks.run(
        "label",
        finished_run.root,
        request | {"fetch_hosts": ["shop.example"]},
        lambda name, fraction, message="", **_: said.append((name, fraction, message)),
    )
    assert result["fetched"] == [
        {"outcome": "robots.txt", "pages": 1, "example": "https://shop.example/a", "reason": "/a is closed"}
    ]
    assert ("fetched", 1.0, "robots.txt 1") in said
