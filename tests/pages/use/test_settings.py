"""The Settings page: without a model, with one that answers, with one that does not; and what is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from core.llm import CallLog, LlmSettings, LoggedCall
from core.runs.pipeline import LLM_LOG
from core.saved import preferences
from core.storage.store import Store
from pages.ui.chat import connection
from pages.ui.shell import state
from tests.llm_simulator import Reply, Simulator, replies, simulating
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.simulated_writer import MODEL, writer

PAGE, DATA = "pages/use/settings.py", "pages/prepare/data.py"
KEY = "sk-secret-of-the-test"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulating(writer()) as running:
        yield running


def typed(app: AppTest, base_url: str, model: str = MODEL) -> AppTest:
    app.segmented_control[0].set_value("Ollama").run()
    field(app, "Address").set_value(base_url).run()
    return field(app, "Model").set_value(model).run()


def field(app: AppTest, label: str) -> TextInput:
    return next(one for one in app.main.text_input if one.label == label)


def connected(app: AppTest) -> AppTest:
    """Press Connect and wait until the trial is over."""
    app.button(key="connect").click().run()
    deadline = time.monotonic() + 30
    while "Connecting" in texts(app) and time.monotonic() < deadline:
        time.sleep(0.1)
        app.run()
    assert not app.exception
    return app


def everything(app: AppTest) -> str:
    """All that is drawn, the values of all fields included."""
    return f"{app.main}{app.sidebar}"


def test_without_a_model_it_says_so_and_how_to_name_one(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "BEHA2VEC_MODEL" in texts(app)
    assert "No model, nothing to agree to" in texts(app)
    assert "No call yet" in texts(app)
    assert not [button for button in app.button if button.key == "connect"]
    assert app.toggle(key="pref-expert_sql").value is False


def test_a_server_is_tried_and_what_it_can_is_said(open_app: OpenApp, simulator: Simulator) -> None:
    app = connected(typed(open_app(PAGE), simulator.base_url))
    words = texts(app)
    assert "**Streams** – answers appear while they are written." in words
    assert "**Obeys a JSON schema**: no – the form is asked for in words" in words
    assert "**Calls tools**: no" in words
    assert "**Chooses figures** – it chooses what to say" in words
    assert len(app.dataframe[0].value) == len(simulator.requests)


def test_a_server_that_does_not_answer_is_an_error_in_words(open_app: OpenApp) -> None:
    with simulating(replies(Reply("the model is not loaded", status=404))) as simulator:
        app = connected(typed(open_app(PAGE), simulator.base_url))
    assert "the model is not loaded" in app.error[0].value
    assert app.button(key="connect").label == "Try again"


def test_an_impossible_address_is_an_error_in_words(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    app.segmented_control[0].set_value("Ollama").run()
    field(app, "Address").set_value("ftp://somewhere").run()
    assert not app.exception
    assert field(app, "Address").value == "ftp://somewhere"  # to be mended
    assert preferences.load(state.store()).base_url == "http://localhost:11434/v1"
    assert "http://" in app.error[0].value.replace("\\", "").replace("\u2060", "")
    field(app, "Model").set_value(MODEL).run()
    assert len(app.error) == 1  # it stays until the address is right
    field(app, "Address").set_value("http://localhost:9/v1").run()
    assert not app.error


def test_a_typed_key_is_sent_and_neither_shown_nor_written(
    open_app: OpenApp, simulator: Simulator, tmp_path: Path
) -> None:
    app = typed(open_app(PAGE), simulator.base_url)
    app.text_input(key="typed-key").set_value(KEY).run()
    app = connected(app)
    assert set(simulator.keys) == {f"Bearer {KEY}"}
    assert "key: set, from typed here" in texts(app)
    assert KEY not in everything(app)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if KEY.encode() in path.read_bytes()]
    app.button(key="forget-key").click().run()
    assert "key: none" in texts(app)


def test_a_key_whose_typing_ends_with_the_click_on_connect_is_sent(
    open_app: OpenApp, simulator: Simulator
) -> None:
    app = typed(open_app(PAGE), simulator.base_url)
    app.text_input(key="typed-key").set_value(KEY)  # and no run before the click
    connected(app)
    assert set(simulator.keys) == {f"Bearer {KEY}"}


def test_another_server_never_gets_the_key_that_was_typed_for_this_one(open_app: OpenApp) -> None:
    app = typed(open_app(PAGE), "http://localhost:1/v1")
    app.text_input(key="typed-key").set_value(KEY).run()
    app.segmented_control[0].set_value("vLLM").run()
    assert "key: none" in texts(app)


def test_the_environment_is_named_as_the_source(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHA2VEC_MODEL", "gpt-4o-mini")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    app = open_app(PAGE)
    assert "Model: the environment · address: the environment · key: set, from the environment" in texts(app)
    assert KEY not in everything(app)
    assert app.number_input(key="price-sent-gpt-4o-mini").value == 0.15


def test_values_survive_a_page_switch_and_a_new_session(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app(PAGE)
    app.number_input(key="pref-fewest_users").set_value(50).run()
    app.toggle(key="pref-expert_sql").set_value(True).run()
    app = typed(app, "http://localhost:1/v1")
    app.number_input(key=f"price-sent-{MODEL}").set_value(1.5).run()
    app.switch_page(DATA).run()
    app.switch_page(PAGE).run()
    for again in (app, open_app(PAGE)):
        assert again.number_input(key="pref-fewest_users").value == 50
        assert again.toggle(key="pref-expert_sql").value is True
        assert field(again, "Model").value == MODEL
        assert again.number_input(key=f"price-sent-{MODEL}").value == 1.5
    kept = preferences.load(Store(tmp_path / "cache"))
    assert (kept.fewest_users, kept.prices[MODEL].sent, kept.expert_sql) == (50, 1.5, True)


def test_a_call_can_be_read_whole_and_the_log_cleared(open_app: OpenApp, tmp_path: Path) -> None:
    log = CallLog(tmp_path / "cache" / LLM_LOG)
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
    log.write(
        LoggedCall("host", "gpt-4o", [{"role": "user", "content": "How many?"}], answer="[[F1]]", usage=usage)
    )
    app = open_app(PAGE)
    (row,) = app.dataframe[0].value.to_dict("records")
    assert (row["Server"], row["Sent"], row["US dollars"], row["Outcome"]) == ("host", 10**6, 2.5, "answered")
    app.button(key="clear-calls").click().run()
    assert "No call yet" in texts(app)
    assert log.read() == []


def test_nothing_of_the_process_holds_a_typed_key(open_app: OpenApp, simulator: Simulator) -> None:
    app = typed(open_app(PAGE), simulator.base_url)
    app.text_input(key="typed-key").set_value(KEY).run()
    connected(app)
    ((name, trial),) = connection._trials().items()
    held = f"{name} {vars(trial)}"
    assert MODEL in held
    assert KEY not in held
    assert not [one for one in vars(trial).values() if isinstance(one, LlmSettings)]
