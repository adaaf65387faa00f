"""A rule as data: conditions that an analyst, GA4 and SQL understand alike."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, model_validator

from core.base.settings import Settings

MOST: Final = 12
"""Conditions of a rule."""


class RuleField(StrEnum):
    """What a condition looks at."""

    PAGE = "page"
    FOLDER = "folder"
    TEMPLATE = "template"
    THEME = "theme"
    TYPE = "type"
    ENTRY = "entry"
    """The first page of a session."""
    SOURCE = "source"
    """The first one of a user."""
    DEVICE = "device"
    BROWSER = "browser"
    COUNTRY = "country"
    PAGE_VIEWS = "page_views"
    SESSIONS = "sessions"
    LAST_DAYS = "last_days"
    """Whether the last page view lies within so many days before the last one of the data."""


VIEWED: Final = (
    RuleField.PAGE, RuleField.FOLDER, RuleField.TEMPLATE, RuleField.TYPE, RuleField.THEME, RuleField.ENTRY,
)  # fmt: skip
"""Fields that count page views of some pages; the easiest to say first."""
ATTRIBUTES: Final = (RuleField.SOURCE, RuleField.DEVICE, RuleField.BROWSER, RuleField.COUNTRY)
"""Fields that no model has read."""
MEASURES: Final = (RuleField.PAGE_VIEWS, RuleField.SESSIONS, RuleField.LAST_DAYS)
"""Fields that are a number of the user."""
_KINDS: Final = {
    RuleField.FOLDER: "in", RuleField.TEMPLATE: "like", RuleField.THEME: "about", RuleField.TYPE: "of type",
}  # fmt: skip
_ARE: Final = {
    RuleField.SOURCE: "first came from", RuleField.DEVICE: "mostly used", RuleField.BROWSER: "mostly used",
    RuleField.COUNTRY: "mostly came from",
}  # fmt: skip


class RuleCondition(Settings):
    """One question that a user answers with yes or no.

    Args:
        field: What is looked at.
        value: The page, theme, device, …; empty of a measure.
        number: Page views (of an entry: sessions) that are needed; of a measure its least value, or days.
    """

    field: RuleField
    value: str = ""
    number: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    @model_validator(mode="after")
    def _has_a_value(self) -> RuleCondition:
        if (self.field in MEASURES) == bool(self.value):
            raise ValueError(f"{self.field} {'takes no' if self.value else 'needs a'} value")
        return self

    def words(self, origin: str = "", *, negated: bool = False) -> str:
        """The condition as the end of "users who …".

        Args:
            origin: Scheme and host that all addresses share; left out.
            negated: Whether it must not hold.
        """
        if self.field in ATTRIBUTES:
            return f"{'not: ' if negated else ''}{_ARE[self.field]} {self.value}"
        if self.field is RuleField.LAST_DAYS:
            days = "the last day" if self.number == 1 else f"the last {self.number} days"
            return f"were {'not ' if negated else ''}seen within {days} of the data"
        if self.field in MEASURES:
            what = str(self.field).replace("_", " ")
            return f"had {'fewer than' if negated else 'at least'} {self.number} {what}"
        shown = self.value.removeprefix(origin) or self.value
        return _viewed(self.field, shown, self.number, negated)


class RuleClause(Settings):
    """Conditions of which one must hold, or none.

    Args:
        any_of: The conditions.
        negated: Whether none of them may hold.
    """

    any_of: Annotated[tuple[RuleCondition, ...], Field(min_length=1, max_length=MOST)]
    negated: bool = False

    def words(self, origin: str = "") -> str:
        """The clause as the end of "users who …"."""
        joint = " and " if self.negated else " or "
        return joint.join(condition.words(origin, negated=self.negated) for condition in self.any_of)


class SegmentRule(Settings):
    """Who belongs, in a few conditions: every clause must hold, which is what an audience of GA4 can say.

    Args:
        clauses: The parts of the rule.
    """

    clauses: Annotated[tuple[RuleClause, ...], Field(min_length=1, max_length=MOST)]

    @property
    def conditions(self) -> Iterator[RuleCondition]:
        """All conditions, in order."""
        return (condition for clause in self.clauses for condition in clause.any_of)

    @property
    def length(self) -> int:
        """Number of conditions."""
        return sum(len(clause.any_of) for clause in self.clauses)

    @property
    def held_out(self) -> bool:
        """Whether it asks for something that no model has read."""
        return any(condition.field in ATTRIBUTES for condition in self.conditions)

    def words(self, origin: str = "") -> str:
        """The rule in English, without a full stop."""
        parts = [
            f"({clause.words(origin)})"
            if len(clause.any_of) > 1 and not clause.negated and len(self.clauses) > 1
            else clause.words(origin)
            for clause in self.clauses
        ]
        return f"Users who {', and '.join(parts)}"


def _viewed(field: RuleField, shown: str, number: int, negated: bool) -> str:
    often = f" {'fewer than' if negated else 'at least'} {number} times" if number > 1 else ""
    never = negated and number == 1
    if field is RuleField.ENTRY:
        return f"{'never ' if never else ''}began a session on {shown}{often}"
    what = f"{'pages' if often else 'a page'} {_KINDS[field]} {shown}" if field in _KINDS else shown
    return f"{'did not view' if never else 'viewed'} {what}{often}"
