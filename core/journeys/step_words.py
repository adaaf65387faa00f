"""A step that more or fewer users take than others do, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.base.wording import percent
from core.journeys.moves import END, FROM, START, TO
from core.profiles.profile_columns import Col


def step_sentence(step: Mapping[Any, Any]) -> str:
    """``More go from /cart to /checkout: 45% of 220 users who were there, others 30.1% of 1,204``.

    Args:
        step: A row of :func:`core.journeys.step_table.step_table` with others.
    """
    doing, there = f"go from {step[FROM]} to {step[TO]}", " who were there"
    if step[FROM] == START:
        doing, there = f"begin at {step[TO]}", ""
    elif step[TO] == END:
        doing = f"end at {step[FROM]}"
    elif step[FROM] == step[TO]:
        doing = f"open {step[FROM]} again right away"
    here, others = (
        f"{percent(step[share], 1, step[n])} of {step[n]:,}"
        for share, n in ((Col.SHARE, Col.N), (Col.REST_SHARE, Col.REST_N))
    )
    more = "More" if step[Col.DIFFERENCE] > 0 else "Fewer"
    return f"{more} {doing}: {here} users{there}, others {others}"
