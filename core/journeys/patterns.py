"""Names that match a text with wild cards, found once among the different names and never by a regex.

A text is taken apart at its ``*`` and its parts are looked for from left to right, so that no text can take
longer than its length times that of the name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.base.errors import SettingsError
from core.journeys.funnel import Funnel, FunnelStep, StepKind
from core.journeys.places import Level
from core.profiles.outcomes import path_of


def matches(pattern: str, text: str) -> bool:
    """Whether a text is what a pattern says, in which ``*`` stands for any text, also none.

    Args:
        pattern: The pattern, in the case of the text.
        text: What is looked at.
    """
    first, *parts = pattern.split("*")
    if not parts:
        return text == first
    last = parts.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in parts:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def matching(patterns: Iterable[str], names: Sequence[str]) -> np.ndarray:
    """Which names match any of some patterns: bool of shape (n_names,).

    An address is matched with its host and without it.

    Args:
        patterns: Texts with ``*``; case does not matter.
        names: What things are called.
    """
    wanted = [pattern.casefold() for pattern in patterns]
    answers = {
        name: any(matches(pattern, text) for pattern in wanted for text in _texts(name))
        for name in dict.fromkeys(names)
    }
    return np.fromiter((answers[name] for name in names), dtype=bool, count=len(names))


def _texts(name: str) -> set[str]:
    name = name.casefold()
    return {name, path_of(name)} if "/" in name else {name}


@dataclass(frozen=True, eq=False)
class StepMarks:
    """What makes one step.

    Args:
        pages: bool of shape (n_pages,), the pages that do.
        events: bool of shape (n_names,), the events that do.
    """

    pages: np.ndarray
    events: np.ndarray

    @property
    def found(self) -> bool:
        """Whether anything does."""
        return bool(self.pages.any() or self.events.any())


def any_of(marks: Sequence[StepMarks]) -> StepMarks:
    """What makes any of some steps."""
    pages, events = ([getattr(step, part) for step in marks] for part in ("pages", "events"))
    return StepMarks(np.logical_or.reduce(pages), np.logical_or.reduce(events))


@dataclass(frozen=True, eq=False)
class FunnelSite:
    """What steps can be made of.

    Args:
        names: Level → what each page is called there, by page index.
        events: Names of events.
    """

    names: Mapping[Level, Sequence[str]]
    events: tuple[str, ...] = ()

    def marks(self, step: FunnelStep) -> StepMarks:
        """What makes a step.

        Raises:
            SettingsError: If these pages have no names at its level.
        """
        pages = np.zeros(len(self.names[Level.PAGE]), dtype=bool)
        if step.kind is StepKind.EVENT:
            return StepMarks(pages, matching(step.any_of, self.events))
        names = self.names.get(Level(step.kind))
        if names is None:
            raise SettingsError(
                f"A step of a {step.kind} is not possible: these pages have none",
                allowed=", ".join([*self.names, StepKind.EVENT]), remedy="Label the pages, or name others",
            )  # fmt: skip
        return StepMarks(matching(step.any_of, names), np.zeros(len(self.events), dtype=bool))

    def different(self, step: FunnelStep, marks: StepMarks) -> int:
        """How many different names of its kind a step matches."""
        if step.kind is StepKind.EVENT:
            return int(marks.events.sum())
        names = self.names[Level(step.kind)]
        return len({names[page] for page in np.flatnonzero(marks.pages).tolist()})

    def marks_of(self, funnel: Funnel) -> list[StepMarks]:
        """The same of every step.

        Raises:
            SettingsError: If these pages have no names at the level of one.
        """
        return [self.marks(step) for step in funnel.steps]
