"""Funnels: their steps, order and limit, as settings, as text of a link and as YAML.

In YAML, ``funnels`` is a list of funnels. Each has ``steps``; a step is one of ``page``, ``template``,
``theme``, ``type`` or ``event`` with a text or a list of texts, any of which makes it. Further ``name``,
``order`` and ``within``::

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

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote, unquote

import yaml
from pydantic import Field, field_validator

from core.base import small_file
from core.base.errors import InputError, SettingsError
from core.base.settings import Settings
from core.base.small_file import read_small_file

MAX_STEPS: Final = 20
MAX_PATTERNS: Final = 50
"""Patterns of a step, at most."""
MAX_UNITS: Final = 10_000
SECONDS: Final = {"minute": 60, "hour": 3_600, "day": 86_400}
"""Unit of a time limit → its seconds."""
SESSION, USER = "session", "user"
_WITHIN_FORM: Final = f"{SESSION}, {USER}, or a time such as 30 minutes, 2 hours, 7 days"

_LIMIT: Final = re.compile(rf"(\d{{1,5}}) ?({'|'.join(SECONDS)})s?")
_KEPT: Final = "/*:?=&-_. "
"""Characters that a link keeps as they are; those that separate its parts are encoded as %3B, %7C, …."""


class StepKind(StrEnum):
    """What a step is made by: seeing a page of some name at a level, or an event."""

    PAGE = "page"
    TEMPLATE = "template"
    THEME = "theme"
    TYPE = "type"
    EVENT = "event"


class StepOrder(StrEnum):
    """Whether other page views may lie between a step and the next (loose) or not (strict)."""

    LOOSE = "loose"
    """The next step may be any later page view or event."""
    STRICT = "strict"
    """The next step must be the next page view, or an event before it."""


class FunnelStep(Settings):
    """One step: whatever matches any of its patterns."""

    kind: StepKind
    any_of: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_PATTERNS)]
    """Names of the kind, in which ``*`` stands for any text; case does not matter."""

    @field_validator("any_of")
    @classmethod
    def _says_something(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if not all(pattern.strip() for pattern in patterns):
            raise ValueError("an empty pattern matches nothing; * matches everything")
        return tuple(dict.fromkeys(pattern.strip() for pattern in patterns))

    @property
    def title(self) -> str:
        """The title of the step: its patterns."""
        return " or ".join(self.any_of)


class Funnel(Settings):
    """A funnel: steps in order, within a limit; one that is listed twice asks for two visits."""

    steps: Annotated[tuple[FunnelStep, ...], Field(min_length=1, max_length=MAX_STEPS)]
    order: StepOrder = StepOrder.LOOSE
    within: str = USER
    """``session``, ``user``, or the time from the first step to the last: ``30 minutes``, ``7 days``."""
    name: Annotated[str, Field(max_length=80)] = ""

    @field_validator("within")
    @classmethod
    def _is_a_limit(cls, value: str) -> str:
        value = value.strip().lower()
        if value in (SESSION, USER):
            return value
        found = _LIMIT.fullmatch(value)
        if not found or not 0 < int(found[1]) <= MAX_UNITS:
            raise ValueError(f"it must be {_WITHIN_FORM}")
        return limit_text(int(found[1]), found[2])

    @property
    def limit(self) -> tuple[int, str] | None:
        """Number and unit of the time limit; None within a session or a user."""
        found = _LIMIT.fullmatch(self.within)
        return (int(found[1]), found[2]) if found else None

    @property
    def limit_us(self) -> int | None:
        """The time limit in microseconds; None within a session or a user."""
        return None if self.limit is None else self.limit[0] * SECONDS[self.limit[1]] * 1_000_000

    @property
    def title(self) -> str:
        """The title of the funnel: its name, else its first and last step."""
        ends = dict.fromkeys((self.steps[0].title, self.steps[-1].title))
        return self.name or " → ".join(ends)

    @property
    def meaning(self) -> str:
        """The funnel's order and limit in words."""
        follows = "right after the other" if self.order is StepOrder.STRICT else "after the other"
        where = {SESSION: "within one session", USER: "in the user's whole time"}
        return f"one step {follows}, {where.get(self.within, f'within {self.within} of the first')}"


def limit_text(number: int, unit: str) -> str:
    """Write a time limit as funnels have it: ``1 hour``; the unit is one of :data:`SECONDS`."""
    return f"{number} {unit}{'' if number == 1 else 's'}"


def funnel_to_link(funnel: Funnel) -> str:
    """Write a funnel for a link, without its name: ``user;loose;page:/cart|/basket;event:purchase``."""
    steps = [
        f"{step.kind}:{'|'.join(quote(one, safe=_KEPT) for one in step.any_of)}" for step in funnel.steps
    ]
    return ";".join([funnel.within, funnel.order, *steps])


def funnel_from_link(text: str) -> Funnel:
    """Read a funnel that :func:`funnel_to_link` has written.

    Raises:
        SettingsError: If the text is none.
    """
    within, _, rest = text.partition(";")
    order, _, steps = rest.partition(";")
    parts = [step.partition(":") for step in steps.split(";") if step]
    values = [
        {"kind": kind, "any_of": tuple(unquote(one) for one in patterns.split("|"))}
        for kind, _, patterns in parts
    ]
    return Funnel.checked(within=within, order=order, steps=tuple(values))


_YAML_FORM: Final = "funnels: [{name: Checkout, within: session, steps: [{page: /cart}, {event: purchase}]}]"
_MAX_FUNNELS: Final = 20


def read_funnels(path: Path) -> tuple[Funnel, ...]:
    """Read a file of funnels.

    Raises:
        InputError: If it cannot be read or is not of that form.
    """
    return funnels_from_yaml(read_small_file(path), str(path))


def funnels_from_yaml(text: str | bytes, name: str) -> tuple[Funnel, ...]:
    """Read funnels from YAML.

    Args:
        text: The YAML.
        name: Of the file, for messages.

    Raises:
        InputError: If it is not YAML, or not of that form; it names the funnel and the step.
    """
    found = small_file.parse_mapping(text, name, "funnels", f"Write {_YAML_FORM}").get("funnels")
    if not isinstance(found, list) or not 0 < len(found) <= _MAX_FUNNELS:
        allowed = f"{_YAML_FORM}, at most {_MAX_FUNNELS} of them"
        raise InputError(f"{name} holds no list of funnels", allowed=allowed)
    return tuple(_funnel(data, f"{name}, funnel {number}") for number, data in enumerate(found, start=1))


def funnels_to_yaml(funnels: Sequence[Funnel]) -> str:
    """Write funnels as YAML, in the form that is read."""
    plain = [
        funnel.model_dump(mode="json", exclude_defaults=True, exclude={"steps"})
        | {"steps": [{step.kind.value: list(step.any_of)} for step in funnel.steps]}
        for funnel in funnels
    ]
    text: str = yaml.safe_dump({"funnels": plain}, allow_unicode=True, sort_keys=False, width=110)
    return text


def _funnel(data: object, where: str) -> Funnel:
    if not isinstance(data, dict):
        raise InputError(f"{where} is {str(data)[:80]!r}", allowed=_YAML_FORM)
    steps = data.get("steps")
    if not isinstance(steps, list):
        raise InputError(f"{where} has no list of steps", allowed=_YAML_FORM)
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
