"""How to train: a preset, its expected time, and every hyperparameter with the limits that core checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt

from core.model.estimate import estimate_seconds
from core.sequences import UserSequences
from core.settings import Device, Preset, TrainSettings
from pages.ui.text import duration

PRESET_WORDS: Final = {
    Preset.FAST: "Fast",
    Preset.BALANCED: "Balanced",
    Preset.THOROUGH: "Thorough",
}


@dataclass(frozen=True)
class Knob:
    """One hyperparameter on the screen.

    Args:
        name: Of the setting.
        label: In plain words.
        help: What it does, and what more of it costs.
        choices: Values to choose from, where every value between would be too many; empty for a slider.
        step: Of the slider.
        top: End of the slider, where what core allows is more than anybody wants.
    """

    name: str
    label: str
    help: str
    choices: tuple[float, ...] = ()
    step: float = 1
    top: float | None = None


SIZES: Final = (16, 32, 64, 128, 256, 512)
RATES: Final = (1e-4, 3e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2)
KNOBS: Final = (
    Knob("epochs", "Epochs", "How often all users are gone through; time grows with it.", top=100),
    Knob("max_length", "Page views read", "The latest ones of each user.", SIZES),
    Knob("embedding_dim", "Numbers a user", "Size of the vector that is learned.", SIZES),
    Knob("hidden_dim", "Width", "Of the transformer; a multiple of the heads.", SIZES),
    Knob("layers", "Layers", "Of the transformer; time grows with it."),
    Knob("heads", "Attention heads", "Of each layer.", (1, 2, 4, 8, 16)),
    Knob("feedforward_dim", "Feed-forward width", "Inside each layer.", (*SIZES, 1024, 2048)),
    Knob(
        "dropout", "Dropout", "Share of the network left out at random while it learns.", step=0.05, top=0.8
    ),
    Knob("margin", "Triplet margin", "How much nearer a user's own slice must be.", step=0.05),
    Knob("learning_rate", "Learning rate", "Size of a step.", RATES),
    Knob("weight_decay", "Weight decay", "Keeps the weights small.", (0.0, 0.001, 0.01, 0.03, 0.1)),
    Knob("batch_size", "Users a step", "More is steadier and needs more memory.", (*SIZES[1:], 1024, 2048)),
    Knob("min_count", "Rare pages", "Pages viewed less often share their folder's entry.", top=50),
)


def limits(name: str) -> tuple[float, float]:
    """The lowest and highest value that core allows, read from the settings themselves."""
    low, high = 0.0, 0.0
    for rule in TrainSettings.model_fields[name].metadata:
        if isinstance(rule, Ge | Gt):
            low = float(rule.ge if isinstance(rule, Ge) else rule.gt)  # type: ignore[arg-type] # numbers here
        elif isinstance(rule, Le | Lt):
            high = float(rule.le if isinstance(rule, Le) else rule.lt)  # type: ignore[arg-type]
    return low, high


def train_form(sequences: UserSequences, start: TrainSettings | None) -> TrainSettings:
    """Draw the form.

    Args:
        sequences: Of the data set, for the expected time.
        start: Settings of the current model, to tell what would be different; None without a model.

    Returns:
        What is chosen now.

    Raises:
        SettingsError: If the values do not go together.
    """
    preset = st.segmented_control(
        "How thorough?", list(Preset), default=Preset.BALANCED, required=True, key="preset",
        format_func=lambda preset: _preset_words(preset, sequences),
    )  # fmt: skip
    chosen = Preset(preset or Preset.BALANCED)
    changes = _advanced(TrainSettings.preset(chosen), chosen)
    settings = TrainSettings.preset(chosen, **changes)
    st.markdown(
        f"Expected on this machine: **{_expected(settings, sequences)}**. {_same_as_before(settings, start)}"
    )
    return settings


def _preset_words(preset: Preset, sequences: UserSequences) -> str:
    return f"{PRESET_WORDS[preset]} · {_expected(TrainSettings.preset(preset), sequences)}"


def _expected(settings: TrainSettings, sequences: UserSequences) -> str:
    return duration(estimate_seconds(settings, sequences.n_users, sequences.n_views))


def _same_as_before(settings: TrainSettings, start: TrainSettings | None) -> str:
    return "The current model was trained with exactly these settings." if settings == start else ""


def _advanced(before: TrainSettings, preset: Preset) -> dict[str, Any]:
    """Every hyperparameter; keys carry the preset, so that another preset shows its own values."""
    box = st.expander("All settings", icon=":material/tune:")
    with box, st.grid(3, min_column_width=240, gap="medium", key="knobs"):
        changes = {knob.name: _widget(knob, getattr(before, knob.name), preset) for knob in KNOBS}
        changes["seed"] = st.number_input(
            "Seed", 0, int(limits("seed")[1]), before.seed, key=f"seed-{preset}",
            help="Same data, settings and seed give the same model on the same machine.",
        )  # fmt: skip
        changes["device"] = st.selectbox(
            "Where to compute", list(Device), key=f"device-{preset}", format_func=str.upper,
            help="AUTO takes a GPU when there is one.",
        )  # fmt: skip
    return changes


def _widget(knob: Knob, value: float, preset: Preset) -> float:
    low, high = limits(knob.name)
    if low == 0 and knob.name == "margin":
        low = knob.step  # core wants it above 0
    key = f"{knob.name}-{preset}"
    if knob.choices:
        choices = sorted({choice for choice in knob.choices if low <= choice <= high} | {value})
        return st.select_slider(knob.label, choices, value, key=key, help=knob.help)
    kind = type(value)
    top = min(high, knob.top or high)
    return st.slider(knob.label, kind(low), kind(top), value, kind(knob.step), key=key, help=knob.help)
