"""A rule as DuckDB SQL on the files of a run, for exports that DuckDB cannot read as they are.

A run has no changes by hand, so nobody in its files is set aside.
"""

from __future__ import annotations

from core.base.schema import Group
from core.data.dataset import SEQUENCES, USERS
from core.rules.conditions import ATTRIBUTES, MEASURES, RuleClause, RuleCondition, RuleField, SegmentRule
from core.rules.features import DAY_US, RuleFeatures
from core.rules.raw_events import quote_duckdb


def run_sql(rule: SegmentRule, features: RuleFeatures) -> str:
    """The users of a rule from ``users.parquet`` and ``sequences.parquet``, in the folder of the run.

    Args:
        rule: The rule.
        features: The pages, by the numbers that the files have.
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
