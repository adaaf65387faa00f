"""The rules of a run as records, a row a segment and length, each in four languages.

``ga4_text`` is the rule as what an analyst clicks in GA4's audience builder. GA4 fills an audience from the
last 30 days at most and then as events come in, counts addresses as they were sent, and knows nothing of what
cleaning left out: its users are not those of the loaded files.

``run_sql`` is the rule as DuckDB SQL on the files of a run, for exports that DuckDB cannot read as they are.
A run has no changes by hand, so nobody in its files is set aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.base.schema import Group
from core.base.wording import common_origin
from core.rules.beam_search import FoundRules, MeasuredShare, RuleFit
from core.rules.conditions import (
    ATTRIBUTES,
    DAY_US,
    MEASURES,
    VIEWED,
    RuleClause,
    RuleCondition,
    RuleFeatures,
    RuleField,
    SegmentRule,
)
from core.rules.raw_events import LoadedExport, PageTest, as_sent, quote_duckdb
from core.rules.rule_sql import bigquery_sql, duckdb_sql, limits
from core.storage.dataset import SEQUENCES, USERS

_DIMENSIONS: Final = {
    RuleField.DEVICE: "Device category", RuleField.BROWSER: "Browser", RuleField.COUNTRY: "Country",
}  # fmt: skip
_ENDING: Final = r"/?([?#].*)?"
"""Pattern of what may follow an address of the same page, …"""
_PARAMETERS: Final = r"\?(.*&)?"
_AFTER: Final = r"([&#].*)?"
"""… and of what may follow a query parameter that makes another page."""


def ga4_text(rule: SegmentRule, export: LoadedExport) -> str:
    """The rule in the words of GA4's audience builder, a line a condition.

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
    conditions = dict.fromkeys(_condition(one, export) for one in clause.any_of)
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
    """Condition on the address: ``contains`` for a folder, else a regular expression."""
    test = export.test_with(condition, as_sent)
    if condition.field is RuleField.FOLDER and test.patterns:
        origin = export.features.origin.partition("://")[2]
        return f"contains {_line(origin + condition.value)}"
    return f"matches regex {_line(_pattern(test))}"


def _pattern(test: PageTest) -> str:
    """A single case-insensitive regular expression for all pages of a test."""
    parts = [*(part.removeprefix("^").removesuffix("$") for part in test.patterns), *map(as_sent, test.keys)]
    parts = [part.replace(r"\-", "-") for part in parts]
    parts = [_PARAMETERS.join(part.split(r"\?")) + (_AFTER if r"\?" in part else _ENDING) for part in parts]
    if len(parts) == 1:
        return f"(?i)^{parts[0]}$"
    shared = common_origin(parts)
    return f"(?i)^{shared}({'|'.join(part.removeprefix(shared) for part in parts)})$"


def _line(text: str) -> str:
    return " ".join(text.split())


def run_sql(rule: SegmentRule, features: RuleFeatures) -> str:
    """SQL for the users of a rule, on ``users.parquet`` and ``sequences.parquet`` in the folder of a run.

    Args:
        rule: The rule.
        features: Features of the run's data set, whose page indices the files have.
    """
    where = [f"\"group\" = '{Group.SEGMENT}'"]
    where += [_clause(clause, features) for clause in rule.clauses]
    return (
        f"SELECT user_id\nFROM '{USERS}' JOIN '{SEQUENCES}' USING (user_id)\nWHERE "
        + "\n  AND ".join(where)
        + "\nORDER BY user_id"
    )


def _clause(clause: RuleClause, features: RuleFeatures) -> str:
    either = " OR ".join(_holds(condition, features) for condition in clause.any_of)
    return f"NOT ({either})" if clause.negated else f"({either})"


def _holds(condition: RuleCondition, features: RuleFeatures) -> str:
    field, number = condition.field, condition.number
    if field in ATTRIBUTES:
        return f"coalesce({field} = {quote_duckdb(condition.value)}, false)"
    if field is RuleField.LAST_DAYS:
        latest = f"(SELECT max(event_timestamp[-1]) FROM '{SEQUENCES}')"
        return f"event_timestamp[-1] > {latest} - {number * DAY_US}"
    if field in MEASURES:
        return f"{field} >= {number}"
    among = f"page[i] IN ({', '.join(map(str, features.pages_of(condition)))})"
    if field is RuleField.ENTRY:
        among += " AND (i = 1 OR session[i] <> session[i - 1])"
    return f"len([i FOR i IN range(1, len(page) + 1) IF {among}]) >= {number}"


def rule_records(
    found: Mapping[int, FoundRules], names: Mapping[int, str], export: LoadedExport
) -> list[dict[str, Any]]:
    """Records of the rules, one for each segment and length; one with the reason if none is recommended.

    Args:
        found: Segment → its rules.
        names: Segment → its name.
        export: What the SQL needs to know of the files.
    """
    records = []
    for segment, rules in found.items():
        head = {"key": f"segment:{segment}", "segment": segment, "name": names[segment]}
        chosen = rules.recommended
        if chosen is None:
            records.append(head | {"length": 0, "conditions": [], "text": rules.reason})
        for fit in rules.fits:
            own = {"length": fit.rule.length, "recommended": fit is chosen}
            records.append(head | own | _fit_record(fit, export))
    return records


def _fit_record(fit: RuleFit, export: LoadedExport) -> dict[str, Any]:
    """Record of a rule: how well it fits, and its text for each tool.

    Args:
        fit: The rule, judged.
        export: What the SQL needs to know of the files.
    """
    return {
        "conditions": fit.rule.model_dump(mode="json")["clauses"],
        "text": f"{fit.rule.words(export.features.origin)}.",
        "verdict": fit.verdict,
        **_share("precision", fit.precision),
        **_share("recall", fit.recall),
        "f1": fit.f1,
        "f1_of_everybody": fit.f1_of_everybody,
        "users": fit.users,
        "judged_on": fit.judged,
        "asks_what_no_model_read": fit.rule.held_out,
        "ga4": ga4_text(fit.rule, export) if export.is_ga4 else "",
        "sql_bigquery": bigquery_sql(fit.rule, export) if export.is_ga4 else "",
        "sql_duckdb": duckdb_sql(fit.rule, export) or run_sql(fit.rule, export.features),
        "limits": list(limits(fit.rule, export)),
    }


def _share(name: str, measured: MeasuredShare) -> dict[str, float | None]:
    """Fields of a share and its interval; None where nobody counts, as JSON has no NaN."""
    low, high = measured.interval
    values = {name: measured.share, f"{name}_low": low, f"{name}_high": high}
    return {key: value if measured.n else None for key, value in values.items()}
