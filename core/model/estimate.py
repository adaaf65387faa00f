"""How long a training will take, roughly, before it starts. Knows no torch, so that a page can ask."""

from __future__ import annotations

import math
import os
from typing import Final

from core.settings import TrainSettings

START_S: Final = 8.0
"""Starting the child process, loading torch, building the vocabulary and the slices."""
USER_EPOCH_S: Final = 1.2e-4
"""One user in one epoch on two cores, with the default network and short visits (docs/method.md)."""
REFERENCE_CORES: Final = 2
REFERENCE_VIEWS: Final = 6.0
"""Page views a user in the measured run."""


def estimate_seconds(settings: TrainSettings, n_users: int, n_views: int, cores: int | None = None) -> float:
    """Expected wall time of a training on the CPU.

    Args:
        settings: What will be trained.
        n_users: Users of the data set.
        n_views: Page views of all users.
        cores: CPU cores; None takes this machine's.

    Returns:
        Seconds. A guide for a person: within a factor of two on a quiet machine.
    """
    views_a_user = min(n_views / max(n_users, 1), settings.max_length)
    length = 0.5 + 0.5 * views_a_user / REFERENCE_VIEWS
    speed = math.pow((cores or os.cpu_count() or 1) / REFERENCE_CORES, 0.7)  # more cores help, not fully
    return START_S + settings.epochs * n_users * USER_EPOCH_S * _size(settings) * length / speed


def _size(settings: TrainSettings) -> float:
    """Work a page view, relative to the default network: 1 for the defaults."""
    default = TrainSettings()
    return 0.5 + 0.5 * _weights(settings) / _weights(default)


def _weights(settings: TrainSettings) -> float:
    """Multiplications a page view: attention, feed-forward, and the projection to the embedding."""
    attention = 4 * settings.hidden_dim**2
    forward = 2 * settings.hidden_dim * settings.feedforward_dim
    return settings.layers * (attention + forward) + settings.hidden_dim * settings.embedding_dim
