"""How sure segments are, and how many there are, on the pages: measured, marked, chosen, kept back."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.base.progress import silent
from core.runs import artifacts, jobs, tasks
from core.runs.jobs import State
from core.runs.stages import CERTIFICATES
from core.saved import controls, saved_work
from core.saved.controls import Controls
from core.segments.levels import SmallKind
from core.storage.dataset import is_clustered
from core.storage.store import Store
from pages.ui.segments import certificates, session_segments
from pages.ui.segments.k_view import NAMED
from pages.ui.segments.session_segments import KEY
from pages.ui.shell.state import OF_MODEL
from pages.ui.shell.text import md_text
from tests.core.segments.made_levels import supported
from tests.pages.conftest import COMPARE_ONCE, OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import FinishedRun, keep_certificates, keep_levels

EXPLORE, PROFILES = "pages/segments/explore.py", "pages/segments/profiles.py"
COMPARE, EXPORT = "pages/segments/compare.py", "pages/use/export.py"


def shown(app: AppTest, run: FinishedRun) -> saved_work.Segmentation:
    found: saved_work.Segmentation = app.session_state[OF_MODEL][run.model][KEY].history[0]
    return found


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments are measured at the next run."""
    monkeypatch.setattr(certificates, "QUIET_S", 0.0)


@pytest.mark.usefixtures("at_once")
def test_segments_that_stay_are_measured_by_a_job(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    assert "Measuring how stable each segment is" in texts(app)
    ((_, request, subject),) = [one for one in fake_jobs.started if one[0] == CERTIFICATES.name]
    assert request["digest"] == shown(app, finished_run).partition.digest
    tasks.run(CERTIFICATES.name, finished_run.root, request, silent)
    fake_jobs.end(CERTIFICATES.name)
    app.run()
    assert not app.exception
    assert texts(app).count(md_text("given these vectors: highly stable")) == 3
    assert "Measuring" not in texts(app)
    assert (finished_run.root / CERTIFICATES.name / subject).is_dir()
    again = open_app(EXPLORE, data=finished_run.dataset, k="3")
    assert texts(again).count(md_text("given these vectors: highly stable")) == 3
    assert [one[0] for one in fake_jobs.started].count(CERTIFICATES.name) == 1


@pytest.mark.usefixtures("at_once")
def test_a_move_of_a_slider_takes_the_job_back(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_back: list[str] = []
    monkeypatch.setattr(jobs, "cancel", lambda _root, job: taken_back.append(job))
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    app.slider(key="k").set_value(4).run()
    assert taken_back == [f"job-{CERTIFICATES.name}"]
    measured = [request for task, request, _ in fake_jobs.started if task == CERTIFICATES.name]
    assert measured[-1]["digest"] == shown(app, finished_run).partition.digest != measured[0]["digest"]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("state", "said"), [(State.FAILED, "The disk is full"), (State.DONE, "what was measured is missing")]
)
def test_what_could_not_be_measured_is_said_and_not_tried_again(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, state: State, said: str
) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    fake_jobs.end(CERTIFICATES.name, state, error="The disk is full.")
    app.run()
    assert f"could not be measured: {said}" in texts(app)
    assert [one[0] for one in fake_jobs.started].count(CERTIFICATES.name) == 1


def test_segments_that_move_on_are_not_measured(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    app.slider(key="k").set_value(4).run()
    assert CERTIFICATES.name not in [task for task, _, _ in fake_jobs.started]


def test_a_doubtful_segment_says_so_wherever_it_is_called_whoever_named_it(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    saved_work.rename(Store(finished_run.root), finished_run.model, {0: "Readers"})
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    assert "doubtful" not in texts(app)
    keep_certificates(finished_run, shown(app, finished_run).partition, {0: 0.5, 1: 0.8, 2: 0.9})
    app.run()
    assert md_text("Stability .50 [.40–.95], given these vectors: doubtful · nearest: 3 · ") in texts(app)
    assert ":gray-badge[doubtful]" in texts(app)
    listed = app.selectbox(key=f"listed-of-{finished_run.model}").options
    assert [name for name in listed if "doubtful" in name] == ["1 · Readers (doubtful)"]
    assert saved_work.names(Store(finished_run.root), finished_run.model) == {0: "Readers"}
    app.switch_page(COMPARE).run()
    assert "1 · Readers (doubtful)" in app.selectbox(key="compare-first").options
    assert md_text("Stability .50 [.40–.95], given these vectors: doubtful · nearest: 3 · ") in texts(app)
    app.switch_page("pages/use/export.py").run()
    assert not app.exception


def test_two_that_are_really_one_are_named_merged_by_a_click_and_undone(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    first = shown(app, finished_run).partition
    assert "really one" not in texts(app)
    keep_certificates(finished_run, first, {0: 0.5, 1: 0.9, 2: 0.4}, pair=(0, 2))
    app.run()
    told = "are really one: together their stability is .93, alone .50 and .40, given these vectors."
    assert md_text(told) in texts(app)
    app.button(key="merge-0-2").click().run()
    assert not app.exception
    merged = shown(app, finished_run).partition
    assert merged.sizes == {0: first.sizes[0] + first.sizes[2], 1: first.sizes[1]}
    assert "really one" not in texts(app)
    app.button(key="undo-by-hand").click().run()
    assert shown(app, finished_run).partition.digest == first.digest
    assert md_text(told) in texts(app)


def test_a_small_kind_is_named_and_made_a_segment_by_a_click(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    """Twelve of the 24 users of the first kind of visitor."""
    dataset = artifacts.open_dataset(Store(finished_run.root), finished_run.dataset)
    users = np.flatnonzero(is_clustered(dataset.users))[:12]
    kind = SmallKind(users=tuple(users.tolist()), share=1 / 6, agreement=0.78, gain=2.0)
    keep_levels(finished_run, supported(3).model_copy(update={"small_kinds": (kind,)}))
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    assert "A small kind beside these: 12 users (16.7%), 100% of whom view" in texts(app).replace("\\", "")
    app.button(key="make-small-0").click().run()
    assert not app.exception
    (edit,) = shown(app, finished_run).partition.edits
    assert edit.text == "Made 4 of 12 users: a small kind"
    assert "A small kind beside these" not in texts(app)


def test_where_no_segments_are_supported_none_is_called_stable(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    keep_levels(finished_run, supported())
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    keep_certificates(finished_run, shown(app, finished_run).partition, {0: 0.5, 1: 0.8, 2: 0.9})
    app.run()
    told = texts(app).replace("\\", "")
    assert "Stability .50" in told
    assert "Stability .90" in told
    assert ": stable" not in told and "highly stable" not in told


def test_the_chat_says_how_sure_a_segment_is(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    keep_certificates(finished_run, shown(app, finished_run).partition, {0: 0.5, 1: 0.8, 2: 0.9})
    app.sidebar.chat_input(key="question").set_value("How sure is segment 1?").run()
    assert not app.exception
    assert "By Hennig's words it is doubtful" in texts(app).replace("\\", "")


def test_a_first_segmentation_starts_at_the_suggestion(open_app: OpenApp, finished_run: FinishedRun) -> None:
    keep_levels(finished_run, supported(3))
    app = open_app(EXPLORE, data=finished_run.dataset)
    assert app.slider(key="k").value == 3
    assert app.query_params["k"] == "3"
    assert controls.load(Store(finished_run.root), finished_run.model).n_clusters is None
    assert "use_level_3" not in [button.key for button in app.button]


def test_what_the_analyst_chose_stands(open_app: OpenApp, finished_run: FinishedRun) -> None:
    keep_levels(finished_run, supported(3))
    controls.save(Store(finished_run.root), finished_run.model, Controls(n_clusters=5))
    assert open_app(EXPLORE, data=finished_run.dataset).slider(key="k").value == 5


def test_evidence_that_comes_later_moves_nothing_and_offers_its_number(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset)
    keep_levels(finished_run, supported(3))
    app.run()
    assert app.slider(key="k").value == 6
    app.slider(key="k").run()
    assert app.slider(key="k").value == 6
    app.button(key="use_level_3").click().run()
    assert app.slider(key="k").value == 3
    assert controls.load(Store(finished_run.root), finished_run.model).n_clusters == 3


def test_who_names_a_segment_has_chosen_their_number(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset)
    next(field for field in app.text_input if field.placeholder == "Segment 2").set_value("Mine").run()
    keep_levels(finished_run, supported(3))
    assert open_app(EXPLORE, data=finished_run.dataset).slider(key="k").value == 6


def test_numbers_are_compared_by_themselves_on_the_first_visit_and_once(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_segments, "compare_once", COMPARE_ONCE)
    app = open_app(EXPLORE, data=finished_run.dataset)
    app.run()
    assert [task for task, _, _ in fake_jobs.started].count("choose_k") == 1
    assert "The segments stay as they are until you choose" in texts(app)


def test_another_number_is_read_before_it_is_chosen(open_app: OpenApp, finished_run: FinishedRun) -> None:
    keep_levels(finished_run, supported(3))
    app = open_app(EXPLORE, data=finished_run.dataset)
    pills = app.pills(key=f"looked_at_k-{finished_run.model}")
    assert pills.options == ["2", *map(str, range(4, 16))]
    pills.set_value(2).run()
    assert not app.exception
    read = next(
        table.value for table in app.dataframe if "Of the clustered users" in str(table.proto.columns)
    )
    assert app.slider(key="k").value == 3
    assert "These users do not support it." in texts(app)
    app.button(key="use_looked_at").click().run()
    assert app.slider(key="k").value == 2
    sizes = shown(app, finished_run).partition.sizes
    assert sorted(sizes.values()) == sorted(read["users"].tolist())


def test_where_there_is_nothing_names_are_kept_back_until_they_are_asked_for(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    store = Store(finished_run.root)
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    names = {field.placeholder: field.value for field in app.text_input if field.key.startswith("name-")}
    assert all(names.values())  # these three kinds have names
    saved_work.rename(store, finished_run.model, {1: "My own"})
    keep_levels(finished_run, supported())
    app.run()
    assert app.info[0].value.startswith("No separate segments: users differ by degree.")
    assert NAMED in texts(app)
    fields = [field.value for field in app.text_input if field.key.startswith("name-")]
    assert fields == [names["Segment 1"], "My own", names["Segment 3"]]
    app.button(key="name_anyway").click().run()
    fields = [field.value for field in app.text_input if field.key.startswith("name-")]
    assert fields == ["", "My own", ""]
    assert "Named for" not in texts(app)
    assert "How users with purchase differ from the others" in texts(app)
    assert "25 clustered users with purchase, compared with 48 clustered users without" in texts(app)
    app.multiselect(key="outcome").set_value([]).run()
    assert "With an outcome chosen, the sources, devices and pages that go with it are listed here" in texts(
        app
    )
    for page in (PROFILES, COMPARE):
        app.switch_page(page).run()
        assert not app.exception
        assert md_text("No separate segments: users differ by degree") in texts(app)
        assert "Named for" not in texts(app)
    assert not controls.load(store, finished_run.model).named_anyway
