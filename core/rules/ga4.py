"""A rule as what an analyst clicks in GA4's audience builder.

GA4 fills an audience from the last 30 days at most and then as events come in, counts addresses as they were
sent, and knows nothing of what cleaning left out: its users are not those of the loaded files.
"""

from __future__ import annotations

from typing import Final

from core.base.wording import common_origin
from core.rules.addresses import PageTest, as_sent
from core.rules.conditions import VIEWED, RuleClause, RuleCondition, RuleField, SegmentRule
from core.rules.raw_events import LoadedExport

_DIMENSIONS: Final = {
    RuleField.DEVICE: "Device category", RuleField.BROWSER: "Browser", RuleField.COUNTRY: "Country",
}  # fmt: skip
_ENDING: Final = r"/?([?#].*)?"
"""What may follow an address that cleaning made one page of, …"""
_PARAMETERS: Final = r"\?(.*&)?"
_AFTER: Final = r"([&#].*)?"
"""… and what may stand before and behind a parameter that makes another page."""


def ga4_text(rule: SegmentRule, export: LoadedExport) -> str:
    """The rule in words of the audience builder, a line a condition.

    Args:
        rule: The rule.
        export: The pages that its conditions count.
    """
    included = [clause for clause in rule.clauses if not clause.negated]
    excluded = [one for clause in rule.clauses if clause.negated for one in clause.any_of]
    lines = ["Include users when (each group: scope Across all sessions)"]
    for number, clause in enumerate(included, start=1):
        lines += [f"  {'AND group' if number > 1 else 'Group'} {number}", *_either(clause, export)]
    if not included:
        lines += ["  Group 1", f"    Event {_line(export.receipt.page_view)}"]
    if excluded:
        lines += ["Add group to exclude: Permanently exclude users when"]
        lines += [*_either(RuleClause(any_of=tuple(excluded)), export)]
    return "\n".join(lines)


def _either(clause: RuleClause, export: LoadedExport) -> list[str]:
    conditions = [_condition(one, export) for one in clause.any_of]
    return [f"    {'OR ' if place else ''}{text}" for place, text in enumerate(conditions)]


def _condition(condition: RuleCondition, export: LoadedExport) -> str:
    view = _line(export.receipt.page_view)
    often = f" · Event count > {condition.number - 1}" if condition.number > 1 else ""
    if condition.field in VIEWED:
        event = "session_start" if condition.field is RuleField.ENTRY else view
        return f"Event {event} · parameter page_location {_address(condition, export)}{often}"
    if condition.field is RuleField.SOURCE:
        source, _, medium = condition.value.partition(" / ")
        beside = f" and First user medium exactly matches (=) {medium}" if medium else ""
        return f"First user source exactly matches (=) {source}{beside}"
    if condition.field in _DIMENSIONS:
        return f"{_DIMENSIONS[condition.field]} exactly matches (=) {condition.value}"
    if condition.field is RuleField.LAST_DAYS:
        return f"Event {view} · Event count > 0, most recent time period {condition.number} days"
    event = "session_start" if condition.field is RuleField.SESSIONS else view
    return f"Event {event}{often or ' · Event count > 0'}"


def _address(condition: RuleCondition, export: LoadedExport) -> str:
    """How the pages are told; one folder is contained, all else is a pattern."""
    test = export.test_with(condition, as_sent)
    if condition.field is RuleField.FOLDER and test.patterns:
        origin = export.features.origin.partition("://")[2]
        return f"contains {_line(origin + condition.value)}"
    return f"matches regex {_line(_pattern(test))}"


def _pattern(test: PageTest) -> str:
    """One regular expression without case for all pages of a test."""
    parts = [*(part.removeprefix("^").removesuffix("$") for part in test.patterns), *map(as_sent, test.keys)]
    parts = [part.replace(r"\-", "-") for part in parts]
    parts = [_PARAMETERS.join(part.split(r"\?")) + (_AFTER if r"\?" in part else _ENDING) for part in parts]
    if len(parts) == 1:
        return f"(?i)^{parts[0]}$"
    shared = common_origin(parts)
    return f"(?i)^{shared}({'|'.join(part.removeprefix(shared) for part in parts)})$"


def _line(text: str) -> str:
    return " ".join(text.split())
