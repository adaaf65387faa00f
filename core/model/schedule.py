"""How many steps, of how many users, at which learning rate; and how long that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from core.base.settings import Encoder, TrainSettings

_SMALLEST_BATCH: Final = 32
STEPS_AN_EPOCH: Final = 16
"""Fewest steps for each epoch asked for, about: small data get smaller batches, then more epochs."""
_WARM_UP: Final = 0.15
_START_DIVISOR: Final = 25.0
_END_DIVISOR: Final = 1e4

_START_S: Final = 2.0
_VIEW_S: Final = 5e-6
_LAYER_S: Final = 5e-6
_MEASURED_HIDDEN_DIM: Final = 64
"""Seconds before the first step, for each page view of a user in each step, and for each layer it passes.
Measured on two free cores of an AMD EPYC server, demo shop of 20,000 users; other machines differ."""


@dataclass(frozen=True)
class Schedule:
    """How many steps a training has, and of how many users.

    Args:
        batch_size: Users a step.
        steps_per_epoch: Steps in which every user comes once (but for a remainder below one batch).
        steps: Steps in all.
    """

    batch_size: int
    steps_per_epoch: int
    steps: int

    @property
    def epochs(self) -> int:
        """Epochs begun; the last one may be cut short by ``max_user_steps``."""
        return math.ceil(self.steps / self.steps_per_epoch)

    @property
    def user_steps(self) -> int:
        """Users in all steps together, each as often as it comes."""
        return self.steps * self.batch_size


def plan(n_users: int, settings: TrainSettings) -> Schedule:
    """Choose the batch size and the number of steps for ``n_users`` users.

    Large data see fewer epochs: ``max_user_steps`` bounds the work. Small data see more.
    """
    wanted = min(settings.batch_size, max(_SMALLEST_BATCH, n_users // STEPS_AN_EPOCH))
    batch_size = min(wanted, n_users)
    steps_per_epoch = n_users // batch_size
    repeats = math.ceil(STEPS_AN_EPOCH / steps_per_epoch)
    steps = settings.epochs * steps_per_epoch * repeats
    affordable = max(1, settings.max_user_steps // batch_size)
    return Schedule(batch_size, steps_per_epoch, min(steps, affordable))


def peak_rate(batch_size: int, settings: TrainSettings) -> float:
    """Highest learning rate for a batch size: that of the settings × √(batch_size / settings.batch_size).

    A gradient over fewer users is noisier; with Adam this keeps the noise of the weights as it is (Malladi et
    al. 2022).
    """
    return settings.learning_rate * math.sqrt(batch_size / settings.batch_size)


def one_cycle(step: int, steps: int, peak: float) -> float:
    """Learning rate of step 0 to steps − 1: up to ``peak`` and down, by half cosines (Smith, Topin 2018)."""
    top = _WARM_UP * steps - 1
    if step <= top:
        return _between(peak / _START_DIVISOR, peak, step / top)
    return _between(peak, peak / _START_DIVISOR / _END_DIVISOR, (step - top) / (steps - 1 - top))


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def estimate_seconds(n_users: int, mean_length: float, settings: TrainSettings) -> float:
    """About how long a training takes on two free CPU cores.

    Args:
        n_users: Users that train (see :func:`core.model.population.choose_users`).
        mean_length: Mean page views of such a user.
        settings: The settings of the training.
    """
    if settings.encoder is Encoder.BAG:
        return 0.0  # a second at 50,000 users
    views = plan(n_users, settings).user_steps * min(mean_length, 2 * settings.max_length)
    a_view = _VIEW_S + _LAYER_S * settings.layers
    return _START_S + views * a_view * settings.hidden_dim / _MEASURED_HIDDEN_DIM
