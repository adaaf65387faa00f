"""Names of the nested export (:mod:`core.ingest.read.nested`) as expressions of BigQuery's SQL.

The one place where that SQL is written: a rule's query and what is read for a run pick fields out of an
event by it, as the readers of files do.
"""

from __future__ import annotations

from typing import Final

from core.ingest.read.nested import PARAM_LISTS

_TEXT: Final = (
    "COALESCE(NULLIF(p.value.string_value, ''), CAST(p.value.int_value AS STRING), "
    "CAST(COALESCE(p.value.float_value, p.value.double_value) AS STRING))"
)


def quote_bigquery(text: str) -> str:
    """A literal on one line."""
    text = text.replace("\0", "").replace("\\", "\\\\").replace("'", "\\'")
    return "'" + text.replace("\n", "\\n").replace("\r", "\\r") + "'"


def bigquery_column(name: str) -> str:
    """The value behind a name: of a parameter that is sent twice the first that is not empty, as text.

    Args:
        name: ``event_name``, ``device.web_info.browser`` or ``event_params.page_location``; but for the key
            of a parameter, its parts are names that the schema of a table has.
    """
    root, _, key = name.partition(".")
    if root not in PARAM_LISTS:
        return name
    return (
        f"(SELECT {_TEXT} AS text FROM UNNEST({root}) AS p WITH OFFSET AS place "
        f"WHERE p.key = {quote_bigquery(key)} ORDER BY text IS NULL, place LIMIT 1)"
    )
