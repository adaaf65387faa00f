"""The form for a training: a preset, its expected time, and every hyperparameter within core's limits.

A training that ended before it was done can go on from its last checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt

from core.base.contention import slowdown
from core.base.settings import Device, Encoder, Preset, TrainSettings
from core.model.population import choose_users
from core.model.schedule import estimate_seconds
from core.runs import jobs
from core.runs.jobs import JobView, State
from core.runs.tasks import TrainRequest
from core.saved import label_decisions
from core.storage.dataset import Dataset
from core.storage.sequences import UserSequences
from pages.ui.labels import label_jobs
from pages.ui.shell import errors, job_panel, state
from pages.ui.shell.text import time_range


def start_training(dataset: Dataset, settings: TrainSettings) -> None:
    """Start a training as a background job, with the labels as they are decided now."""
    order = label_jobs.may_ask(label_decisions.load(state.store(), dataset))
    request = TrainRequest(dataset=dataset.key, label=order.settings, asked=order.asked, settings=settings)
    job_panel.start("train", request, dataset.key, environment=order.environment)


def stopped_training(dataset_key: str) -> JobView | None:
    """The last training of a data set, if it was stopped or failed; else None."""
    found = (job for job in jobs.recent(state.store().root) if job.task == "train")
    last = next((job for job in found if job.subject == dataset_key), None)
    if last is None or last.state not in (State.FAILED, State.CANCELLED):
        return None
    job_panel.forget_failure("train")
    return last


def offer_to_go_on(last: JobView) -> None:
    """Draw how a training ended, with a button to go on with it."""
    with st.container(border=True, key="unfinished"):
        if last.state is State.FAILED:
            errors.show_job(last)
        else:
            st.write(f"The last training was stopped at {last.fraction:.0%}. Its checkpoint is kept.")
        st.button("Go on with it", icon=":material/resume:", key="go-on", on_click=_go_on, args=(last,))


def _go_on(last: JobView) -> None:
    with errors.shown():
        asked_for = TrainRequest.checked(**job_panel.request_of(last))
        order = label_jobs.may_ask(asked_for.label)
        request = asked_for.model_copy(update={"label": order.settings, "asked": order.asked})
        job_panel.start("train", request, last.subject, environment=order.environment)


_START_S: Final = 10.0
"""Seconds to start the process, load torch, and make a vector for every user in the end."""
_BUSY_S: Final = 30
"""Seconds for which a measurement of how busy the machine is stays valid."""
_BUSY_FROM: Final = 1.5
"""Slowdown, against a free machine, from which the machine is called busy."""
_COMPARED: Final = "a minute"
"""Time, in words, of the comparison after a training, for 2,000 to 100,000 users; twice on a busy machine."""
_FASTER, _SLOWER = 1.5, 2.5
"""How far a time expected before anything has run may be off: other machines are faster or slower than the
one it was measured on, and other programs come and go."""
_SHARED: Final = 0.5
"""Power of the slowdown that a training feels: it took 2.0, 4.1 and 4.2 times as long as on a free machine
where two threads of this process took 5.1, 6.9 and 22 times as long. It has a session of its own, to which
the operating system gives a share of its own, and not all of it is arithmetic."""
_PRESET_WORDS: Final = {
    Preset.BAG: "Bag of pages",
    Preset.FAST: "Fast",
    Preset.BALANCED: "Balanced",
    Preset.THOROUGH: "Thorough",
}
"""Labels without expected times, which change with how busy the machine is: Streamlit keeps what was chosen
by its words, and other words would be another choice."""
_BAG_WORDS: Final = (
    "The quickest, as nothing is trained. A user is which pages were seen, not in which order or how fast; "
    "themes and types play no part. Trust, on Segments, of a trained model says whether that is as good here."
)


@dataclass(frozen=True)
class TrainingField:
    """A hyperparameter on the screen.

    Args:
        name: Name of the setting.
        label: Its label in plain words.
        help: What it does, and what more of it costs.
        choices: Values to choose from, where every value between would be too many; empty for a slider.
        step: Step of the slider.
        top: End of the slider, where what core allows is more than anybody wants.
    """

    name: str
    label: str
    help: str
    choices: tuple[float, ...] = ()
    step: float = 1
    top: float | None = None


_SIZES: Final = (16, 32, 64, 128, 256, 512)
_RATES: Final = (1e-4, 3e-4, 1e-3, 2e-3, 4e-3, 6e-3, 1e-2)
_AMOUNTS: Final = (100_000, 250_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 20_000_000)
KNOBS: Final = (
    TrainingField("epochs", "Epochs", "How often all users are gone through; time grows with it.", top=100),
    TrainingField("max_user_steps", "Users seen in all", "Bounds the time on large data.", _AMOUNTS),
    TrainingField("max_length", "Page views read", "The latest ones of each user.", _SIZES),
    TrainingField(
        "embedding_dim", "Numbers out", "Size of the vector that the transformer makes of a user.", _SIZES
    ),
    TrainingField("hidden_dim", "Width", "Of the transformer; a multiple of twice the heads.", _SIZES),
    TrainingField("layers", "Layers", "Of the transformer; time grows with it."),
    TrainingField("heads", "Attention heads", "Of each layer.", (1, 2, 4, 8, 16)),
    TrainingField("feedforward_dim", "Feed-forward width", "Inside each layer.", (*_SIZES, 1024, 2048)),
    TrainingField("margin", "Margin", "Triplet loss: how much nearer a user's own slice must be.", step=0.05),
    TrainingField("learning_rate", "Learning rate", "Size of a step, at its highest.", _RATES),
    TrainingField("weight_decay", "Weight decay", "Keeps the weights small.", (0.0, 0.001, 0.01, 0.03, 0.1)),
    TrainingField(
        "page_dropout", "Pages left out", "Replaced by their folder, as if new.", step=0.05, top=0.5
    ),
    TrainingField(
        "batch_size", "Users a step", "More is steadier and needs more memory.", (*_SIZES[1:], 1024, 2048)
    ),
    TrainingField("min_count", "Rare pages", "Pages viewed less often share their folder's entry.", top=50),
)


def limits(name: str) -> tuple[float, float]:
    """The lowest and highest value that core allows for a setting, read from the settings themselves."""
    low, high = 0.0, 0.0
    for rule in TrainSettings.model_fields[name].metadata:
        if isinstance(rule, Ge | Gt):
            low = float(rule.ge if isinstance(rule, Ge) else rule.gt)  # type: ignore[arg-type] # numbers here
        elif isinstance(rule, Le | Lt):
            high = float(rule.le if isinstance(rule, Le) else rule.lt)  # type: ignore[arg-type] # numbers here
    return low, high


def usual_expectation(dataset: Dataset) -> str:
    """Sentence on the expected time of a training with the usual settings.

    Raises:
        InputError: If the data set is too small to train on.
    """
    return _expectation(TrainSettings.preset(Preset.BALANCED), _learners(dataset.key, dataset.sequences))


def train_form(dataset: Dataset, current: TrainSettings | None) -> TrainSettings:
    """Draw the form for a training, with its expected time.

    Args:
        dataset: What will be trained on, for the expected time.
        current: Settings of the current model, to tell when nothing would be different.

    Returns:
        What is chosen now.

    Raises:
        SettingsError: If the values do not go together.
        InputError: If the data set is too small to train on.
    """
    learners = _learners(dataset.key, dataset.sequences)
    preset = st.segmented_control(
        "How thorough?", list(Preset), default=_preset_of(current), required=True,
        format_func=_PRESET_WORDS.__getitem__,
    )  # fmt: skip
    st.caption(" · ".join(_preset_words(preset, learners) for preset in Preset))
    chosen = Preset(preset or Preset.BALANCED)
    if chosen is Preset.BAG:
        st.caption(_BAG_WORDS)
    changes = {} if chosen is Preset.BAG else _advanced(TrainSettings.preset(chosen), chosen)
    settings = TrainSettings.preset(chosen, **changes)
    same = "The current model was trained with exactly these settings." if settings == current else ""
    st.markdown(f"{_expectation(settings, learners)} {same}")
    return settings


def _preset_of(current: TrainSettings | None) -> Preset:
    """The preset that the current model was trained with; else the balanced one."""
    return next((one for one in Preset if TrainSettings.preset(one) == current), Preset.BALANCED)


@st.cache_data(max_entries=16, show_spinner=False)
def _learners(dataset_key: str, _sequences: UserSequences) -> tuple[int, float]:
    """Number of users that the model would learn from, and their mean page views."""
    training = choose_users(_sequences).training
    return len(training), float(_sequences.lengths[training].mean())


def _preset_words(preset: Preset, learners: tuple[int, float]) -> str:
    return f"{_PRESET_WORDS[preset]}: {_expected(TrainSettings.preset(preset), learners)}"


def _expected(settings: TrainSettings, learners: tuple[int, float]) -> str:
    free = _on_a_free_machine(settings, learners)
    likely = free * _slowdown() ** _SHARED
    return time_range(likely / _FASTER, likely * _SLOWER)


def _expectation(settings: TrainSettings, learners: tuple[int, float]) -> str:
    """Sentence on the expected time, which names other programs where they make it longer."""
    busy = _slowdown() >= _BUSY_FROM
    why = ", longer than usual, as other programs keep this machine busy" if busy else " on two CPU cores"
    then = "" if settings.encoder is Encoder.BAG else f", then {_COMPARED} to compare numbers of segments"
    took = f"**{_expected(settings, learners)}**{why}{then}"
    return f"Expected: {took}. Once it runs, its own pace tells it better."


def _on_a_free_machine(settings: TrainSettings, learners: tuple[int, float]) -> float:
    return _START_S + estimate_seconds(*learners, settings)


@st.cache_data(ttl=_BUSY_S, show_spinner=False)
def _slowdown() -> float:
    return slowdown()


def _advanced(before: TrainSettings, preset: Preset) -> dict[str, Any]:
    """Draw every hyperparameter; keys carry the preset, so that another preset shows its values."""
    box = st.expander("All settings", icon=":material/tune:")
    with box, st.grid(3, min_column_width=240, gap="medium", key="knobs"):
        changes: dict[str, Any] = {
            knob.name: _widget(knob, getattr(before, knob.name), preset) for knob in KNOBS
        }
        changes["ignore_length"] = st.toggle(
            "Ignore how much users view", before.ignore_length, key=f"ignore_length-{preset}",
            help="Takes out of the vectors all that tells how many pages a user views; else a part of it is "
            "left. Segments then differ by "
            "which pages, in which order and how fast.",
        )  # fmt: skip
        changes["seed"] = st.number_input(
            "Seed", 0, int(limits("seed")[1]), before.seed, key=f"seed-{preset}",
            help="Same data, settings and seed give the same model on the same machine.",
        )  # fmt: skip
        changes["device"] = st.selectbox(
            "Where to compute", list(Device), key=f"device-{preset}", format_func=str.upper,
            help="AUTO takes a GPU when there is one.",
        )  # fmt: skip
    return changes


def _widget(knob: TrainingField, value: float, preset: Preset) -> float:
    low, high = limits(knob.name)
    if low == 0 and knob.name == "margin":
        low = knob.step  # core wants it above 0
    key = f"{knob.name}-{preset}"
    if knob.choices:
        choices = sorted({choice for choice in knob.choices if low <= choice <= high} | {value})
        return st.select_slider(
            knob.label, choices, value, key=key, help=knob.help, format_func="{:,}".format
        )
    kind = type(value)
    top = min(high, knob.top or high)
    return st.slider(knob.label, kind(low), kind(top), value, kind(knob.step), key=key, help=knob.help)
