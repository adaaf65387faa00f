"""The rules of a run as records, a row a segment and length, each in four languages.

``run_sql`` is the rule as DuckDB SQL on the files of a run, for exports that DuckDB cannot read as they are.
A run has no changes by hand, so nobody in its files is set aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.base.errors import InputError
from core.base.schema import Group
from core.rules.beam_search import FoundRules, MeasuredShare, RuleFit
from core.rules.conditions import (
    DAY_US,
    MEASURES,
    RuleClause,
    RuleCondition,
    RuleFeatures,
    RuleField,
    SegmentRule,
    is_attribute,
)
from core.rules.ga4 import ga4_audience, ga4_text
from core.rules.raw_events import LoadedExport, duckdb_identifier, quote_duckdb
from core.rules.rule_sql import bigquery_sql, duckdb_sql, limits
from core.storage.dataset import SEQUENCES, USERS


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
    if is_attribute(field):
        return f"coalesce({duckdb_identifier(field)} = {quote_duckdb(condition.value)}, false)"
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
            records.append(head | own | _fit_record(fit, export, names[segment]))
    return records


def _fit_record(fit: RuleFit, export: LoadedExport, name: str) -> dict[str, Any]:
    """Record of a rule: how well it fits, and its text for each tool.

    Args:
        fit: The rule, judged.
        export: What the SQL needs to know of the files.
        name: The segment's name.
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
        **(
            _ga4(fit, export, name) if export.is_ga4 else {"ga4": "", "ga4_audience": None, "ga4_refused": ""}
        ),
        "sql_bigquery": bigquery_sql(fit.rule, export) if export.is_ga4 else "",
        "sql_duckdb": duckdb_sql(fit.rule, export) or run_sql(fit.rule, export.features),
        "limits": list(limits(fit.rule, export)),
    }


def _ga4(fit: RuleFit, export: LoadedExport, name: str) -> dict[str, Any]:
    """The rule for GA4: what is clicked, and the audience of its API, or why there is none."""
    made: dict[str, Any] = {"ga4": "", "ga4_audience": None, "ga4_refused": ""}
    try:
        made["ga4"] = ga4_text(fit.rule, export)
        made["ga4_audience"] = ga4_audience(fit.rule, export, name)
    except InputError as error:
        made["ga4_refused"] = str(error)
    return made


def _share(name: str, measured: MeasuredShare) -> dict[str, float | None]:
    """Fields of a share and its interval; None where nobody counts, as JSON has no NaN."""
    low, high = measured.interval
    values = {name: measured.share, f"{name}_low": low, f"{name}_high": high}
    return {key: value if measured.n else None for key, value in values.items()}
