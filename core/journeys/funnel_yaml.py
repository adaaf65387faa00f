"""Funnels as YAML that a person can read, edit and send.

``funnels`` is a list of funnels. Each has ``steps``; a step is one of ``page``, ``template``, ``theme``,
``type`` or ``event`` with a text or a list of texts, any of which makes it. Further ``name``, ``order`` and
``within``::

    funnels:
    - name: Checkout
      within: session        # or user, or 30 minutes, 2 hours, 7 days
      order: loose           # or strict: the next page view
      steps:
      - template: /product/*
      - page: [/cart, /basket]
      - event: purchase
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from core.base import plain_yaml
from core.base.errors import InputError, SettingsError
from core.base.small_file import read_small
from core.journeys.funnel import Funnel, StepKind

FORM: Final = "funnels: [{name: Checkout, within: session, steps: [{page: /cart}, {event: purchase}]}]"
MOST_FUNNELS: Final = 20


def read_funnels(path: Path) -> tuple[Funnel, ...]:
    """Read a file of funnels.

    Raises:
        InputError: If it cannot be read or is not of that form.
    """
    return funnels_from_yaml(read_small(path), str(path))


def funnels_from_yaml(text: str | bytes, name: str) -> tuple[Funnel, ...]:
    """Read funnels.

    Args:
        text: The YAML.
        name: Of the file, for messages.

    Raises:
        InputError: If it is not YAML, or not of that form; it names the funnel and the step.
    """
    found = plain_yaml.mapping(text, name, "funnels", f"Write {FORM}").get("funnels")
    if not isinstance(found, list) or not 0 < len(found) <= MOST_FUNNELS:
        allowed = f"{FORM}, at most {MOST_FUNNELS} of them"
        raise InputError(f"{name} holds no list of funnels", allowed=allowed)
    return tuple(_funnel(data, f"{name}, funnel {number}") for number, data in enumerate(found, start=1))


def funnels_to_yaml(funnels: Sequence[Funnel]) -> str:
    """Write funnels as they are read."""
    plain = [
        funnel.model_dump(mode="json", exclude_defaults=True, exclude={"steps"})
        | {"steps": [{step.kind.value: list(step.any_of)} for step in funnel.steps]}
        for funnel in funnels
    ]
    text: str = yaml.safe_dump({"funnels": plain}, allow_unicode=True, sort_keys=False, width=110)
    return text


def _funnel(data: object, where: str) -> Funnel:
    if not isinstance(data, dict):
        raise InputError(f"{where} is {str(data)[:80]!r}", allowed=FORM)
    steps = data.get("steps")
    if not isinstance(steps, list):
        raise InputError(f"{where} has no list of steps", allowed=FORM)
    named = {str(key): value for key, value in data.items()}
    named["steps"] = tuple(_step(step, f"{where}, step {number}") for number, step in enumerate(steps, 1))
    try:
        return Funnel.checked(**named)
    except SettingsError as error:
        raise InputError(f"{where}: {error}", remedy="Correct the file") from error


def _step(data: object, where: str) -> dict[str, Any]:
    kinds = ", ".join(StepKind)
    if not isinstance(data, dict) or len(data) != 1:
        raise InputError(f"{where} is {str(data)[:80]!r}", allowed=f"one of {kinds}, with its patterns")
    [(kind, patterns)] = data.items()
    if kind not in set(StepKind):
        raise InputError(f"{where} has the level {str(kind)[:80]!r}", allowed=kinds)
    several = patterns if isinstance(patterns, list) else [patterns]
    return {"kind": kind, "any_of": tuple("" if one is None else str(one) for one in several)}
