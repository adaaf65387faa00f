"""A rule as an audience of GA4: as what an analyst clicks, and as the request of Google's Admin API.

GA4 fills an audience from the last 30 days at most and then as events come in, counts addresses as they were
sent, and knows nothing of what cleaning left out: its users are not those of the loaded files.

Nothing is sent. A request (``POST v1alpha/properties/ID/audiences``) is checked against Google's published
schema, which lies in ``ga4_audience.json``: what may be in a request, without texts. What the schema says in
words only is kept by how requests are made: the outermost is an ``andGroup`` of ``orGroup``, which holds no
group; the filter of an event's parameters is one ``andGroup``, and ``eventCount`` stands alone in it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import jsonschema

from core.base.errors import InputError
from core.base.schema import CHANNEL, FIRST_CHANNEL, Users
from core.base.wording import common_origin
from core.rules.conditions import VIEWED, RuleClause, RuleCondition, RuleField, SegmentRule, is_attribute
from core.rules.raw_events import GA4_DIMENSIONS, LoadedExport, PageTest, as_sent, exported_name, key_of

_DIMENSIONS: Final = {
    Users.DEVICE: ("Device category", "deviceCategory"), Users.BROWSER: ("Browser", "browser"),
    Users.COUNTRY: ("Country", "country"),
    CHANNEL: ("Session default channel group", "sessionDefaultChannelGroup"),
    FIRST_CHANNEL: ("First user default channel group", "firstUserDefaultChannelGroup"),
}  # fmt: skip
"""Attribute of users → name of the dimension in GA4 and in its API."""
_SCOPES: Final = {"user_properties": ("user", "customUser"), "event_params": ("event", "customEvent")}
"""List of parameters → scope of a custom dimension in words, and in the API."""
MOST_CHARACTERS: Final = 500
"""Most characters of a line; pages that need more are asked for in several lines."""
_MOST_DAYS: Final = 60
"""Longest time window of a filter of the API, in days."""
_MEMBERSHIP_DAYS: Final = 30
_MOST_NAME: Final = 120
"""Most characters of a name or description that are kept."""
_SCHEMA: Final = Path(__file__).with_name("ga4_audience.json")
_ENDING: Final = r"/?([?#].*)?"
"""Pattern of what may follow an address of the same page, …"""
_BEFORE: Final = len("    OR Event session_start · parameter page_location matches regex ")
_PARAMETERS: Final = r"/?\?(.*&)?"
_AFTER: Final = r"([&#].*)?"
"""… and of what may follow a query parameter that makes another page."""


def ga4_text(rule: SegmentRule, export: LoadedExport) -> str:
    """The rule in the words of GA4's audience builder, a line a condition.

    Args:
        rule: The rule.
        export: The pages that its conditions count.

    Raises:
        InputError: If GA4 has no such dimension.
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
    conditions = dict.fromkeys(text for one in clause.any_of for text in _conditions(one, export))
    return [f"    {'OR ' if place else ''}{text}" for place, text in enumerate(conditions)]


def _conditions(condition: RuleCondition, export: LoadedExport) -> list[str]:
    """A condition as lines of which any may hold."""
    view = _line(export.receipt.page_view)
    often = f" · Event count > {condition.number - 1}" if condition.number > 1 else ""
    if condition.field in VIEWED:
        event = "session_start" if condition.field is RuleField.ENTRY else view
        places = [(how.lower(), value) for how, value in _addresses(condition, export)]
        words = {"contains": "contains", "full_regexp": "matches regex"}
        return [f"Event {event} · parameter page_location {words[how]} {at}{often}" for how, at in places]
    if condition.field == Users.SOURCE:
        source, _, medium = condition.value.partition(" / ")
        beside = f" and First user medium exactly matches (=) {medium}" if medium else ""
        return [f"First user source exactly matches (=) {source}{beside}"]
    if is_attribute(condition.field):
        named, _ = _dimension(condition.field, export)
        return [f"{named} exactly matches (=) {condition.value}"]
    if condition.field is RuleField.LAST_DAYS:
        return [f"Event {view} · Event count > 0, most recent time period {condition.number} days"]
    event = "session_start" if condition.field is RuleField.SESSIONS else view
    return [f"Event {event}{often or ' · Event count > 0'}"]


def _dimension(name: str, export: LoadedExport) -> tuple[str, str]:
    """Name of an attribute of users in GA4, and in its API.

    Raises:
        InputError: If GA4 does not have it.
    """
    settings = export.settings
    column = settings.columns.get(settings.dimension_keys.get(name, ""), "")
    place = exported_name(column)
    root, _, key = place.partition(".")
    if root in _SCOPES:
        scope, prefix = _SCOPES[root]
        return f"Custom dimension {key} ({scope}-scoped)", f"{prefix}:{key}"
    if name not in _DIMENSIONS and place not in GA4_DIMENSIONS:
        raise InputError(
            f"It is not known which dimension of GA4 the column {column or name!r} is",
            allowed=f"{', '.join(GA4_DIMENSIONS)}, user_properties.… and event_params.…",
            remedy="Take a rule without it, or load the column by its name in GA4's export",
        )
    return _DIMENSIONS.get(name) or GA4_DIMENSIONS[place]


def _addresses(condition: RuleCondition, export: LoadedExport) -> list[tuple[str, str]]:
    """Ways to match the address, of which any may hold: ``CONTAINS`` for a folder, else regular expressions.

    Pages are split over expressions of :data:`MOST_CHARACTERS` at most; where views are counted it is one, as
    counts of parts do not add up in GA4.
    """
    test = export.test_with(condition, as_sent)
    if condition.field is RuleField.FOLDER and test.patterns:
        origin = export.features.origin.partition("://")[2]
        return [("CONTAINS", _line(origin + condition.value))]
    parts = _parts(test, export)
    if condition.number > 1:
        return [("FULL_REGEXP", _line(_pattern(parts)))]
    groups: list[list[_Part]] = []
    for part in parts:
        if groups and len(_pattern([*groups[-1], part])) <= MOST_CHARACTERS - _BEFORE:
            groups[-1].append(part)
        else:
            groups.append([part])
    return [("FULL_REGEXP", _line(_pattern(group))) for group in groups]


class _Part(NamedTuple):
    """The key of a page or folder (which ends in a slash), or a regular expression for several pages."""

    text: str
    is_literal: bool


def _parts(test: PageTest, export: LoadedExport) -> list[_Part]:
    """What the pages of a test are matched by.

    A folder of which the data have no other page stands for its pages, and for those that it gets later.
    """
    merged = {key_of(page, export.settings.url): pattern
              for page, pattern in zip(test.merged, test.patterns, strict=False)}  # fmt: skip
    inside = {*test.keys, *merged}
    folders = _whole_folders(inside, export.keys)
    left = sorted(key for key in inside if not key.startswith(tuple(folders)))
    patterns = [merged[key] for key in left if key in merged] if merged else test.patterns
    literal = [key for key in left if key not in merged]
    written = [*(pattern.removeprefix("^").removesuffix("$") for pattern in patterns),
               *(as_sent(key) for key in literal if "?" in key)]  # fmt: skip
    ended = [_PARAMETERS.join(part.split(r"\?")) + (_AFTER if r"\?" in part else _ENDING) for part in written]
    ended += [as_sent(folder[:-1]) + r"/?\?.*" for folder in folders if "?" in folder]
    paths = sorted(key for key in (*folders, *literal) if "?" not in key)
    return [*(_Part(part.replace(r"\-", "-"), is_literal=False) for part in ended),
            *(_Part(key, is_literal=True) for key in paths)]  # fmt: skip


def _whole_folders(inside: Collection[str], known: Collection[str]) -> list[str]:
    """The widest folders of which all known pages are inside, if these are two at least."""
    of_inside, of_known = (
        Counter(folder for key in keys for folder in _folders_of(key)) for keys in (inside, {*known})
    )
    whole = {folder for folder, pages in of_inside.items() if 2 <= pages == of_known[folder]}
    return sorted(folder for folder in whole if whole.isdisjoint(_folders_of(folder[:-1])))


def _folders_of(key: str) -> list[str]:
    """All folders of a page: ``https://x.example/a/``, ``…/a/b/``, and ``…/a/b?`` of one with a query."""
    origin = common_origin([key])
    path, query, _ = re.sub("#.*", "", key).removeprefix(origin).partition("?")
    folders = [f"{origin}{path[: slash.end()]}" for slash in re.finditer("(?<=.)/", path)]
    return [*folders, f"{origin}{path}?"] if query else folders


def _pattern(parts: Sequence[_Part]) -> str:
    """A single case-insensitive regular expression for any of the parts."""
    paths = [part.text.split("/") for part in parts if part.is_literal]
    each = [part.text for part in parts if not part.is_literal]
    each += [_any_of(paths) + _ENDING] if paths else []
    if len(each) == 1:
        return f"(?i)^{each[0]}$"
    shared = common_origin(each)
    return f"(?i)^{shared}({'|'.join(part.removeprefix(shared) for part in each)})$"


def _any_of(paths: Iterable[Sequence[str]]) -> str:
    """A regular expression for any of some paths, given by their parts; what they share is said once."""
    after: dict[str, list[Sequence[str]]] = {}
    for first, *rest in paths:
        after.setdefault(first, []).append(rest)
    each = []
    for first, rests in after.items():
        longer = [rest for rest in rests if rest]
        below = f"/{_any_of(longer)}" if longer else ""
        here = as_sent(first).replace(r"\-", "-") if first or longer else ".*"  # all of a folder
        each.append(here + (f"({below})?" if below and len(longer) < len(rests) else below))
    return each[0] if len(each) == 1 else f"({'|'.join(each)})"


def _line(text: str) -> str:
    return " ".join(text.split())


Filter = dict[str, Any]
"""A part of a request."""


def ga4_audience(rule: SegmentRule, export: LoadedExport, name: str) -> Filter:
    """Make the request of the Admin API that creates the rule's audience.

    Args:
        rule: The rule.
        export: The pages that its conditions count.
        name: Name of the audience.

    Raises:
        InputError: If the API cannot express a condition.
    """
    included = [clause for clause in rule.clauses if not clause.negated]
    excluded = [one for clause in rule.clauses if clause.negated for one in clause.any_of]
    groups = [_or_group(clause.any_of, export) for clause in included]
    seen = {"eventFilter": {"eventName": _line(export.receipt.page_view)}}
    clauses = [_clause("INCLUDE", groups or [{"orGroup": {"filterExpressions": [seen]}}])]
    if excluded:
        clauses.append(_clause("EXCLUDE", [_or_group(excluded, export)]))
    request: Filter = {
        "displayName": _line(name)[:_MOST_NAME],
        "description": f"{_line(rule.words(export.features.origin))}."[:_MOST_NAME],
        "membershipDurationDays": _MEMBERSHIP_DAYS,
        **({"exclusionDurationMode": "EXCLUDE_PERMANENTLY"} if excluded else {}),
        "filterClauses": clauses,
    }
    check_audience(request)
    return request


def check_audience(request: Filter) -> None:
    """Check a request against Google's schema: a dry run, without a network.

    Raises:
        InputError: If the schema does not allow it; names the place.
    """
    error = jsonschema.exceptions.best_match(_validator().iter_errors(request))
    if error is not None:
        raise InputError(
            f"The audience breaks Google's schema at {error.json_path}: {error.message}",
            remedy="Correct it there, or make the audience of the rule anew",
        )


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))


def _clause(kind: str, groups: list[Filter]) -> Filter:
    return {
        "clauseType": kind,
        "simpleFilter": {
            "scope": "AUDIENCE_FILTER_SCOPE_ACROSS_ALL_SESSIONS",
            "filterExpression": {"andGroup": {"filterExpressions": groups}},
        },
    }


def _or_group(conditions: Sequence[RuleCondition], export: LoadedExport) -> Filter:
    filters = [one for condition in conditions for one in _filters(condition, export)]
    return {"orGroup": {"filterExpressions": filters}}


def _filters(condition: RuleCondition, export: LoadedExport) -> list[Filter]:
    """Filters of a condition, of which any may hold.

    Raises:
        InputError: If the API cannot express it.
    """
    view = _line(export.receipt.page_view)
    if condition.field in VIEWED:
        if condition.number > 1:
            raise InputError(
                f"GA4's API cannot count views of some pages (“{condition.words(export.features.origin)}”): "
                "a filter with eventCount ignores its other filters",
                remedy="Take a rule without “times”, or click the audience together from the text for GA4",
            )
        event = "session_start" if condition.field is RuleField.ENTRY else view
        return [_event(event, _matching("pageLocation", *at)) for at in _addresses(condition, export)]
    if condition.field == Users.SOURCE:
        field = "firstUserSourceMedium" if " / " in condition.value else "firstUserSource"
        return [{"dimensionOrMetricFilter": _matching(field, "EXACT", condition.value)}]
    if is_attribute(condition.field):
        _, field = _dimension(condition.field, export)
        return [{"dimensionOrMetricFilter": _matching(field, "EXACT", condition.value)}]
    if condition.field is RuleField.LAST_DAYS:
        if condition.number > _MOST_DAYS:
            raise InputError(
                f"GA4's API cannot look {condition.number} days back",
                allowed=f"{_MOST_DAYS} days at most",
                remedy="Take a rule with fewer days",
            )
        return [_event(view, _more_than(0) | {"inAnyNDayPeriod": condition.number})]
    event = "session_start" if condition.field is RuleField.SESSIONS else view
    return [_event(event, _more_than(condition.number - 1))]


def _event(name: str, parameter: Filter) -> Filter:
    """A filter of events with a single filter of their parameters or their count."""
    inside = {"andGroup": {"filterExpressions": [{"dimensionOrMetricFilter": parameter}]}}
    return {"eventFilter": {"eventName": name, "eventParameterFilterExpression": inside}}


def _more_than(number: int) -> Filter:
    value = {"operation": "GREATER_THAN", "value": {"int64Value": str(number)}}
    return {"fieldName": "eventCount", "numericFilter": value}


def _matching(field: str, how: str, text: str) -> Filter:
    """A filter of a dimension; expressions ignore the case by the filter and not by ``(?i)``."""
    value = text.removeprefix("(?i)")
    return {
        "fieldName": field,
        "stringFilter": {"matchType": how, "value": value, "caseSensitive": how == "EXACT"},
    }
