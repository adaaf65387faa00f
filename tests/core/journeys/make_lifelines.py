"""Writes lifelines.json: random users and what lifelines says of them.

lifelines 0.30 needs pandas 2 and the app pandas 3, so it runs in an environment of its own:
``python tests/core/journeys/make_lifelines.py`` where ``pip install lifelines`` was run.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

END = 100
"""Minute of the last page view of all."""


def case(random: np.random.Generator) -> dict[str, object]:
    from lifelines import KaplanMeierFitter  # not where the tests run

    n = int(random.integers(1, 25))
    begins = random.integers(0, END, n)
    took = np.minimum(random.integers(0, 30, n), END - begins)
    had = random.random(n) < random.choice([0.1, 0.5, 1.0])
    fitted = KaplanMeierFitter().fit(np.where(had, took, END - begins), had)
    table = fitted.survival_function_.join(fitted.confidence_interval_)
    events = fitted.event_table
    return {
        "begins": begins.tolist(),
        "took": [int(t) if h else None for t, h in zip(took, had, strict=True)],
        "curve": table[events["observed"] > 0].round(9).reset_index().to_numpy().tolist(),
        "at_risk": events.loc[events["observed"] > 0, "at_risk"].astype(int).tolist(),
    }


if __name__ == "__main__":
    cases = [case(np.random.default_rng(seed)) for seed in range(220)]
    text = json.dumps(cases, separators=(",", ":")).replace('},{"begins"', '},\n{"begins"')
    Path(__file__).with_name("lifelines.json").write_text(text + "\n")
