"""The query of one day: the columns and parameters that the readers of files use, and no others.

BigQuery bills columns. Which name is which field is decided by the rule of nested files, and the expression
behind a name is that of :mod:`core.ingest.read.nested`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from core.base.errors import InputError
from core.base.schema import GONE_FIELDS, REQUIRED_FIELDS, Raw
from core.base.settings import IngestSettings
from core.engines.bigquery_request import SHARES, BigQueryRequest, DayTable
from core.ingest.read.nested import PARAM_FIELDS, PARAM_LISTS, RECORD_FIELDS, bigquery_column, map_names

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField

_FIRST: Final = (Raw.EVENT_TIMESTAMP, Raw.USER_KEY)


def query_of(request: BigQueryRequest, table: DayTable) -> str:
    """The query of one day.

    Raises:
        InputError: If the table lacks a column that is needed or was asked for by name.
    """
    names = names_of(request, table)
    columns = ",\n  ".join(f"{bigquery_column(name)} AS {field}" for field, name in names.items())
    query = f"SELECT\n  {columns}\nFROM `{table.name}`"
    if request.thousandths == SHARES:
        return query
    user = f"CAST({bigquery_column(names[Raw.USER_KEY])} AS STRING)"
    return f"{query}\nWHERE ABS(MOD(FARM_FINGERPRINT({user}), {SHARES})) < {request.thousandths}"


def names_of(request: BigQueryRequest, table: DayTable) -> dict[str, str]:
    """Field → name, of the fields that a nested file with this schema would have.

    Rows are sorted by these in their order.
    """
    settings = IngestSettings.checked(user_key=request.user_key, mapping=request.mapping)
    plain = [name for name in table.columns if name not in PARAM_LISTS]
    inside = [*PARAM_FIELDS.values(), *([request.user_key] if "." in request.user_key else [])]
    found = map_names(tuple(dict.fromkeys([*plain, *inside])), RECORD_FIELDS, settings).by_name
    there = {
        field: found[field] for field in (*_FIRST, *found) if field in found and _has(table, found[field])
    }
    named = {**RECORD_FIELDS, Raw.USER_KEY: request.user_key, **request.mapping}
    for field in (*REQUIRED_FIELDS, *(field for field, name in request.mapping.items() if name)):
        if field not in there and field not in GONE_FIELDS:
            raise InputError(
                f"{table.name} has no {named[field]}, which is to be {field}",
                allowed=", ".join(table.columns),
            )
    return there


def _has(table: DayTable, name: str) -> bool:
    """Whether a table has a name; of a list of parameters any key can be asked for."""
    root, _, key = name.partition(".")
    return (root if root in PARAM_LISTS and key else name) in table.columns


def leaves(schema: Sequence[SchemaField], prefix: str = "") -> list[str]:
    """Plain columns, those inside of records, and lists of parameters; other lists are of no use."""
    names: list[str] = []
    for field in schema:
        if field.mode == "REPEATED":
            names += [prefix + field.name] if field.name in PARAM_LISTS else []
        elif field.field_type in ("RECORD", "STRUCT"):
            names += leaves(field.fields, f"{prefix}{field.name}.")
        else:
            names.append(prefix + field.name)
    return names
