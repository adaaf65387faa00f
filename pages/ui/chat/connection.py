"""The language model of this session: which one, whether it answers, what it can, and consent to send text.

A key that was typed lives in the session's memory only. What a server can is found out once for the whole
process, in a thread, so that every page and a reloaded one see the same trial. Consent is asked for before a
session's first call, and can be taken back any time.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import streamlit as st
from pydantic import SecretStr

from core.base.errors import Beha2VecError, ResourceError
from core.llm import CallLog, Capabilities, LlmSettings, ServerLlm
from core.llm.llm_settings import (
    AZURE_KEY_VARIABLE,
    AZURE_URL_VARIABLE,
    KEY_VARIABLE,
    MODEL_VARIABLE,
    NO_KEY,
    URL_VARIABLE,
    VERSION_VARIABLES,
    Origins,
    origins,
    places,
)
from core.runs.pipeline import LLM_LOG
from core.saved import preferences
from core.saved.model_tasks import ModelTask
from core.writing.payload import Payload
from pages.ui.shell import errors, state
from pages.ui.shell.text import count, md_text

_DECISIONS: Final = "llm_consent"
TEXT_HEIGHT_PX: Final = 260
VALUES: Final = "Send the figures' values too (off: only their names leave; the app writes the values)"
Decide = Callable[[bool], None]


def given(settings: LlmSettings) -> bool | None:
    """Whether this session agreed to send to a server and model; None before it decided."""
    decided: dict[tuple[str, str], bool] = st.session_state.get(_DECISIONS, {})
    return decided.get(_about(settings))


def decide(settings: LlmSettings, agreed: bool) -> None:
    """Keep for this session whether it agrees to send to a server and model."""
    st.session_state[_DECISIONS] = {**st.session_state.get(_DECISIONS, {}), _about(settings): agreed}


def revoke() -> None:
    """Forget every decision: the next call asks again."""
    st.session_state.pop(_DECISIONS, None)


def ask(task: ModelTask, decide: Decide, key: str) -> None:
    """Draw what would be sent, where to and at what price, with buttons to decide.

    Args:
        task: The request that waits for the decision.
        decide: Called with True to agree, False to decline.
        key: Prefix of the widgets' keys.
    """
    payloads = task.payloads
    if not payloads:  # decided elsewhere meanwhile
        st.rerun()
    host, many = md_text(payloads[0].host, 80), len(payloads) > 1
    st.markdown(
        f"{count(len(payloads), 'text')} would be sent to **{host}**, word for word:"
        if many
        else f"This text would be sent to **{host}**, word for word:"
    )
    st.code(_shown(payloads), language=None, wrap_lines=True, height=TEXT_HEIGHT_PX)
    chosen = preferences.load(state.store())
    field = f"values-{key}"
    st.checkbox(VALUES, chosen.send_values, key=field, on_change=_settle, args=(task, field))
    st.markdown(
        f"{count(sum(one.characters for one in payloads), 'character')}, about "
        f"{sum(one.tokens for one in payloads):,} tokens. {price(_total(payloads))}"
    )
    st.caption(
        "What the model asks to look up follows, under the same rules: no user ids, no rows, no figure of "
        "few users or of all but few. Each look-up, and one chance to correct a mistake, sends all of it "
        f"once more: at most {chosen.max_tokens:,} tokens for one answer. A few short requests of ours, with "
        "your key and nothing of your data, have asked this server what it can. Every request is written "
        "down under Settings, where you can take this back."
    )
    decision_buttons(lambda: decide(True), lambda: decide(False), key)


def _settle(task: ModelTask, key: str) -> None:
    with errors.shown():
        task.settle(preferences.change(state.store(), send_values=bool(st.session_state[key])))


def decision_buttons(agree: Callable[[], None], decline: Callable[[], None], key: str) -> None:
    """Draw the buttons that agree or decline for this session."""
    with st.container(horizontal=True):
        agreed = st.button(
            "Agree for this session", key=f"agree-{key}", type="primary", icon=":material/check:"
        )
        refused = st.button("No, stay offline", key=f"decline-{key}")
    if agreed or refused:
        (agree if agreed else decline)()
        st.rerun()


def _shown(payloads: Sequence[Payload]) -> str:
    """The full text that would be sent; several texts are numbered."""
    if len(payloads) == 1:
        return payloads[0].text
    return "\n\n".join(
        f"── Text {number} of {len(payloads)} ──\n\n{one.text}" for number, one in enumerate(payloads, 1)
    )


def _total(payloads: Sequence[Payload]) -> float | None:
    """The estimated price of all texts together; None if any price is unknown."""
    amounts = [one.price for one in payloads if one.price is not None]
    return sum(amounts) if len(amounts) == len(payloads) else None


def price(amount: float | None) -> str:
    """Sentence on an estimated price in US dollars; with None, that no price is known."""
    if amount is None:
        return "No price is known for this model; set it under Settings."
    return f"Estimated price with the answer: {dollars(amount)}."


def dollars(amount: float) -> str:
    """An amount in US dollars, in words; small amounts are not shown as zero."""
    if 0 < amount < 0.0001:
        return "under 0.0001 US dollars"
    return f"{amount:.4f} US dollars"


def _about(settings: LlmSettings) -> tuple[str, str]:
    return settings.base_url, settings.model


_TYPED_KEY: Final = "llm_typed_key"
_TRIAL_S: Final = 60.0
"""Seconds for the three questions of a trial together; what is unanswered by then counts as not supported."""


@dataclass(frozen=True)
class Configured:
    """The configured model, and where each setting comes from."""

    settings: LlmSettings
    origins: Origins


@dataclass
class Trial:
    """A trial that finds out what a server can, in a thread.

    Args:
        begun: When it began, in seconds of the monotonic clock.
        steps: What was asked for so far, in words.
        found: What the server can; None until then, and where it gave no answer.
        problem: Why it gave no answer; else empty.
        ended: When it ended, by the clock of ``begun``; None while it runs.
        stop: Set to stop the trial.
        over: Set once it has ended.
    """

    begun: float = field(default_factory=time.monotonic)
    steps: tuple[str, ...] = ()
    found: Capabilities | None = None
    problem: str = ""
    ended: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether the trial is still running."""
        return not self.over.is_set()

    @property
    def seconds(self) -> float:
        """Seconds that the trial has taken so far, or took."""
        return (self.ended or time.monotonic()) - self.begun

    def run(self, settings: LlmSettings, log_folder: Path) -> None:
        """Run the trial; called in a separate thread."""

        def step(what: str) -> None:
            self.steps = (*self.steps, what)

        try:
            llm = ServerLlm(settings, CallLog(log_folder))  # nothing is sent that cannot be written down
            self.found = llm.capabilities(self.stop.is_set, _TRIAL_S, step)
        except Beha2VecError as error:
            self.problem = str(error)
        except Exception as error:  # a thread's error reaches nobody by itself
            self.problem = f"The trial broke off: {type(error).__name__}"
            raise
        finally:
            self.ended = time.monotonic()
            self.over.set()


def configured() -> Configured | None:
    """The model named by the settings; None without one.

    Raises:
        SettingsError: If what they name is not possible.
        ResourceError: If a file with settings cannot be read.
    """
    asked = places(_typed(), folder=state.config_dir())
    try:
        settings = LlmSettings.from_sources(list(asked.values()))
    except ResourceError:
        return None
    return Configured(settings, origins(asked, settings))


def trial(settings: LlmSettings) -> Trial | None:
    """The latest trial of a server, begun in any session; None before the first."""
    return _trials().get(_name(settings))


def begin(settings: LlmSettings) -> Trial:
    """Begin a trial of a server, or return the one that is running."""
    known = trial(settings)
    if known is not None and known.running:
        return known
    fresh = _trials()[_name(settings)] = Trial()
    threading.Thread(target=fresh.run, args=(settings, log_folder()), daemon=True, name="trial").start()
    return fresh


def answered(settings: LlmSettings) -> Trial:
    """The latest trial of a server if it succeeded or is running, else a new one."""
    known = trial(settings)
    return known if known is not None and known.found is not None else begin(settings)


def disconnect(settings: LlmSettings) -> None:
    """Forget what a server can, and stop a running trial."""
    known = _trials().pop(_name(settings), None)
    if known is not None:
        known.stop.set()


def usable() -> Configured | None:
    """The model that may be asked; None where there is none.

    A typed server must have answered a trial: half an address is no server. One named by the environment or a
    file needs none.
    """
    try:
        named = configured()
    except Beha2VecError:
        return None
    if named is None:
        return None
    tried = trial(named.settings)
    return named if not named.origins.typed or (tried is not None and tried.found is not None) else None


def log_folder() -> Path:
    """Folder of the log of calls."""
    return state.store().root / LLM_LOG


def call_log() -> CallLog:
    """Open the log of all calls.

    Raises:
        ResourceError: If the folder cannot be used.
    """
    return CallLog(log_folder())


def keyless(settings: LlmSettings) -> LlmSettings:
    """The settings of a server without its key, to be kept for longer than the session."""
    return settings.model_copy(update={"api_key": SecretStr(NO_KEY)})


def keep_key(key: str) -> None:
    """Keep a typed key for this session; an empty one forgets it."""
    st.session_state[_TYPED_KEY] = key.strip()


def has_typed_key() -> bool:
    """Whether a key was typed in this session."""
    return bool(st.session_state.get(_TYPED_KEY))


def _typed() -> dict[str, str]:
    """Settings that the analyst typed, by the names of the environment variables."""
    chosen = preferences.load(state.store())
    key = str(st.session_state.get(_TYPED_KEY, ""))
    if chosen.api_version:
        server = {AZURE_URL_VARIABLE: chosen.base_url, AZURE_KEY_VARIABLE: key}
        return {MODEL_VARIABLE: chosen.model, **server, VERSION_VARIABLES[0]: chosen.api_version}
    return {MODEL_VARIABLE: chosen.model, URL_VARIABLE: chosen.base_url, KEY_VARIABLE: key}


@st.cache_resource(show_spinner=False)
def _trials() -> dict[tuple[str, str], Trial]:
    return {}


def _name(settings: LlmSettings) -> tuple[str, str]:
    """Name of a trial in the process: the server, and the session's key as a hash only."""
    secret = f"{settings.api_version} {settings.api_key.get_secret_value()}"
    return settings.identity, hashlib.sha256(secret.encode()).hexdigest()
