"""The form for the language model: presets, fields that are kept at once, and the trial of a server."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import streamlit as st

from core.base.errors import Beha2VecError
from core.llm import DEFAULT_BASE_URL, LlmSettings
from core.llm.llm_settings import DEFAULT_API_VERSION
from core.saved import preferences
from pages.ui.chat import connection
from pages.ui.chat.connection import Configured, Trial
from pages.ui.shell import errors, state
from pages.ui.shell.text import md_text

_POLL_S: Final = 0.4


@dataclass(frozen=True)
class _Preset:
    """A kind of server that fills the form.

    Args:
        title: Its title.
        base_url: Address at which it answers by default.
        hint: What is special about it.
        api_version: Version of Azure's API; empty for other servers.
    """

    title: str
    base_url: str
    hint: str
    api_version: str = ""


_PRESETS: Final = (
    _Preset("From files", "", "Environment, `.streamlit/secrets.toml` or `config.env` say which server."),
    _Preset("OpenAI", DEFAULT_BASE_URL, "Needs a key of your account."),
    _Preset(
        "Azure", "https://YOUR-RESOURCE.openai.azure.com",
        "The model is the name of your deployment.", DEFAULT_API_VERSION,
    ),
    _Preset("Ollama", "http://localhost:11434/v1", "Runs here, without a key. Model names: `ollama list`."),
    _Preset(
        "vLLM", "http://localhost:8000/v1",
        "For tools, start it with `--enable-auto-tool-choice --tool-call-parser …`.",
    ),
    _Preset("llama.cpp", "http://localhost:8080/v1", "Runs here; any model name will do."),
)  # fmt: skip
_OWN: Final = "Another"

_ABILITIES: Final = {
    "streaming": (
        "Streams", "answers appear while they are written",
        "answers appear when they are whole",
    ),
    "schema": (
        "Obeys a JSON schema", "names and descriptions come in the form that is asked for",
        "the form is asked for in words, checked here, and repaired once",
    ),
    "tools": (
        "Calls tools", "it looks up the figures that it needs",
        "it gets figures that fit the question with it, and looks up nothing",
    ),
    "blocks": (
        "Chooses figures", "it chooses what to say and may remark on it; the app writes every number",
        "it chooses among a few figures and remarks nothing; the app writes every number",
    ),
}  # fmt: skip
"""Capability → its name, what follows from it, and what is done without it."""
_PLANS: Final = "it lists the figures that it needs first, in the form that is asked for"
"""Text for a model without tools that obeys a schema and chooses figures."""


def draw() -> None:
    """Draw where the settings come from, the fields, and the trial."""
    with st.container(border=True, key="model-card"):
        st.subheader("Language model", icon=":material/neurology:")
        st.caption(
            "Optional. Without one, questions are answered by rules, from your data. With one, questions in "
            "any words can be answered: the model chooses figures, and the app writes them. Nothing of "
            "your data is sent before you have read it and agreed to it."
        )
        _fields()
        with errors.shown():
            _state(connection.configured())


def _fields() -> None:
    chosen = preferences.load(state.store())
    preset = next((one.title for one in _PRESETS if one.base_url == chosen.base_url), _OWN)
    key = f"model-preset-{preset}"  # a typed address changes it as well: it needs a fresh field
    st.segmented_control(
        "Server", [*(one.title for one in _PRESETS), *([_OWN] if preset == _OWN else [])], default=preset,
        key=key, required=True, on_change=_take_preset, args=(key,),
    )  # fmt: skip
    hint = next(
        (one.hint for one in _PRESETS if one.title == preset), "Any server that speaks Chat Completions."
    )
    st.caption(hint)
    named_elsewhere = preset == _PRESETS[0].title
    left, right = st.columns(2)
    with left:
        if not named_elsewhere:
            _preference_field("base_url", "Address", "https://…/v1")
            _key_field()
    with left if named_elsewhere else right:
        _preference_field("model", "Model", "as the server calls it")
        if chosen.api_version:
            _preference_field("api_version", "API version", DEFAULT_API_VERSION)


def _take_preset(key: str) -> None:
    preset = next((one for one in _PRESETS if one.title == st.session_state[key]), None)
    if preset is None:
        return
    with errors.shown():
        preferences.change(state.store(), base_url=preset.base_url, api_version=preset.api_version)
    _forget_key()  # a key is never sent to another server than it was typed for


def _key_field() -> None:
    if connection.has_typed_key():
        st.text_input("Key", "kept for this session", disabled=True, key="key-is-kept", icon=":material/key:")
        st.button("Forget the key", key="forget-key", type="tertiary", on_click=_forget_key)
        return
    st.text_input(
        "Key", type="password", key="typed-key", autocomplete="off", icon=":material/key:",
        placeholder="stays in the memory of this session",
        on_change=lambda: connection.keep_key(str(st.session_state["typed-key"])),
        help="Never shown again, never written to disk. To keep one, put it into config.env or "
        ".streamlit/secrets.toml yourself.",
    )  # fmt: skip


def _forget_key() -> None:
    connection.keep_key("")
    st.session_state.pop("typed-key", None)


def _state(named: Configured | None) -> None:
    if named is None:
        st.badge("No model", icon=":material/cloud_off:", color="gray")
        st.caption(
            "Name a model and a server above, or set `BEHA2VEC_MODEL` and `OPENAI_API_KEY` or "
            "`OPENAI_BASE_URL`."
        )
        return
    tried = connection.trial(named.settings)
    _origins(named)
    with st.container(horizontal=True, vertical_alignment="center", key="connect-row"):
        running = tried is not None and tried.running
        st.button(
            _verb(tried), key="connect", icon=":material/power:",
            type="primary" if tried is None or tried.problem else "secondary", disabled=running,
            on_click=_connect,
            help="Sends a few short requests that hold nothing of yours but the key.",
        )  # fmt: skip
        if tried is not None and (running or named.origins.typed):
            st.button(
                "Cancel" if running else "Disconnect", key="disconnect", type="tertiary",
                on_click=connection.disconnect, args=(named.settings,),
            )  # fmt: skip
        _badge(named, tried)
    if tried is not None and tried.running:
        _watch(named.settings)
    elif tried is not None:
        _outcome(tried)


def _connect() -> None:
    """Begin a trial of the typed settings; the click itself may have ended the typing of a key."""
    with errors.shown():
        named = connection.configured()
        if named is not None:
            connection.begin(named.settings)


def _verb(tried: Trial | None) -> str:
    if tried is None or tried.running:
        return "Connect"
    return "Try again" if tried.problem else "Test again"


def _origins(named: Configured) -> None:
    """Draw where each setting comes from; the key itself is never drawn."""
    settings, origins = named.settings, named.origins
    key = f"set, from {origins.key}" if origins.key else "none"
    st.markdown(
        f"**{md_text(settings.model, 80)}** at **{md_text(settings.host, 80)}**  \n"
        f":small[Model: {origins.model} · address: {origins.server} · key: {key}]"
    )


def _badge(named: Configured, tried: Trial | None) -> None:
    if tried is None:
        said = "Not tried yet" if named.origins.typed else "Tried with the first question"
        st.badge(said, color="gray", icon=":material/help:")
    elif tried.running:
        st.badge("Connecting", color="blue", icon=":material/sync:")
    elif tried.found is None:
        st.badge("No answer", color="red", icon=":material/error:")
    else:
        st.badge(f"Connected in {tried.seconds:.1f} s", color="green", icon=":material/check_circle:")


@st.fragment(run_every=_POLL_S)
def _watch(settings: LlmSettings) -> None:
    """Draw the steps of a running trial; the page is drawn anew once it is over."""
    tried = connection.trial(settings)
    if tried is None or not tried.running:
        st.rerun()
    _steps(tried, over=False)
    st.caption(f"{tried.seconds:.0f} s")


def _steps(tried: Trial, *, over: bool) -> None:
    """Draw the steps of a trial; the last is open while the trial runs."""
    for number, step in enumerate(tried.steps, 1):
        waiting = number == len(tried.steps) and not over
        mark = ":material/hourglass_top:" if waiting else ":material/check:"
        st.caption(f"{mark} Asked for {step}")


def _outcome(tried: Trial) -> None:
    if tried.found is None:
        errors.show(tried.problem)
        return
    for name, (title, with_it, without) in _ABILITIES.items():
        has = bool(getattr(tried.found, name))
        without = _PLANS if name == "tools" and tried.found.schema and tried.found.blocks else without
        mark = ":green[:material/check_circle:]" if has else ":orange[:material/do_not_disturb_on:]"
        st.markdown(f"{mark} **{title}**{'' if has else ': no'} – {with_it if has else without}.")


_REFUSED: Final = "refused-"
"""Prefix of the session key that holds a refused text of a preference, and why."""


def _preference_field(name: str, label: str, placeholder: str) -> None:
    """Draw the field and, below it, why a typed text is not possible."""
    value = str(getattr(preferences.load(state.store()), name))
    key = f"pref-{name}-{zlib.crc32(value.encode())}"  # a fresh field when a preset changes the preference
    with st.container(key=f"field-{name}"):
        shown = st.text_input(
            label,
            value,
            key=key,
            placeholder=placeholder,
            max_chars=300,
            on_change=_keep_preference,
            args=(name, key),
        )
        refused, why = st.session_state.get(_REFUSED + name, (None, ""))
        if shown == refused:
            errors.show(why)


def _keep_preference(name: str, key: str) -> None:
    typed = str(st.session_state[key])
    try:
        preferences.change(state.store(), **{name: typed.strip()})
    except Beha2VecError as error:
        st.session_state[_REFUSED + name] = (typed, str(error))
