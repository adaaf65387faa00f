"""Rules as they leave: a row a segment and length, with the rule in four languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.rules.ga4 import ga4_text
from core.rules.judging import FoundRules, MeasuredShare, RuleFit
from core.rules.raw_events import LoadedExport
from core.rules.rule_sql import bigquery_sql, duckdb_sql, limits
from core.rules.run_sql import run_sql


def rule_records(
    found: Mapping[int, FoundRules], names: Mapping[int, str], export: LoadedExport
) -> list[dict[str, Any]]:
    """A row a segment and length; where no rule is recommended also one of length 0 that says why.

    Args:
        found: Segment → its rules.
        names: Segment → what it is called.
        export: What the SQL has to know.
    """
    records = []
    for segment, rules in found.items():
        head = {"key": f"segment:{segment}", "segment": segment, "name": names[segment]}
        chosen = rules.recommended
        if chosen is None:
            records.append(head | {"length": 0, "conditions": [], "text": rules.reason})
        for fit in rules.fits:
            own = {"length": fit.rule.length, "recommended": fit is chosen}
            records.append(head | own | fit_record(fit, export))
    return records


def fit_record(fit: RuleFit, export: LoadedExport) -> dict[str, Any]:
    """A rule, how well it fits, and what to paste where.

    Args:
        fit: The rule, judged.
        export: What the SQL has to know.
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
    """Nothing where nobody counts: JSON knows no NaN."""
    low, high = measured.interval
    values = {name: measured.share, f"{name}_low": low, f"{name}_high": high}
    return {key: value if measured.n else None for key, value in values.items()}
