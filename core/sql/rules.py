"""Check what a query is made of: one SELECT, listed tables, listed functions. Everything else is refused.

The query is read by DuckDB itself (``json_serialize_sql``), never by patterns over its text, so comments,
quotes and letter case hide nothing. What is not in these lists is refused, so that a function of a later
DuckDB release is refused too until somebody has looked at it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import duckdb

_MAX_SQL_LENGTH: Final = 10_000
"""Most characters of a query."""
_MAX_DEPTH: Final = 100
"""Most levels of a parsed query."""

_OPERATORS: Final = "+ - * / // % ~~ !~~ ~~* !~~* || list_value struct_pack row"
"""Those that the parser spells as functions."""
_OF_ONE_VALUE: Final = """
    abs ceil ceiling floor round trunc sign sqrt ln log log2 log10 exp pow power mod fmod greatest least
    coalesce ifnull nullif isnan lower upper trim ltrim rtrim length strlen substr substring left right
    contains starts_with ends_with prefix suffix instr strpos position split_part like_escape ilike_escape
    not_like_escape not_ilike_escape regexp_matches concat date_part date_trunc date_diff datediff year month
    day hour dayofweek week to_days to_hours to_minutes to_seconds to_weeks to_months to_years
"""
"""One value to one value; none can make it grow."""
_OF_MANY_VALUES: Final = """
    count count_star sum avg mean min max median mode any_value first last stddev stddev_samp stddev_pop
    variance var_samp var_pop quantile quantile_cont quantile_disc arg_max arg_min max_by min_by corr
    covar_samp covar_pop bool_and bool_or product skewness kurtosis regr_slope regr_intercept regr_r2
"""
_OVER_A_WINDOW: Final = """
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
"""
_FUNCTIONS: Final = frozenset(f"{_OPERATORS} {_OF_ONE_VALUE} {_OF_MANY_VALUES} {_OVER_A_WINDOW}".split())
_SOURCES: Final = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST"})
"""Kinds of tables that may stand behind FROM."""
_NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"})
"""Kinds of query; recursive ones are not among them."""
_CLASSES: Final = frozenset(
    {"STAR", "CONSTANT", "COLUMN_REF", "FUNCTION", "WINDOW", "COMPARISON", "CONJUNCTION", "OPERATOR", "CASE"}
    | {"CAST", "BETWEEN", "SUBQUERY", "COLLATE", "TYPE"}
)
"""Kinds of expression; parameters, lambdas and positional references are not among them."""


class RefusedSql(Exception):
    """The query is not of the allowed form; the message says what is wrong with it."""


def check(con: duckdb.DuckDBPyConnection, sql: str, tables: Collection[str]) -> duckdb.Statement:
    """Check that a query is one SELECT over listed tables that calls listed functions only.

    Args:
        con: Any connection: reads the query, and does not run it.
        sql: The query.
        tables: Names that may stand behind FROM, in lower case.

    Returns:
        The statement, to be run instead of the text.

    Raises:
        RefusedSql: If it is not.
    """
    statement = _only_select(con, sql)
    answer = con.execute("SELECT json_serialize_sql($1::VARCHAR)", [statement.query]).fetchall()[0][0]
    try:
        parsed = json.loads(answer)
    except RecursionError as error:
        raise RefusedSql("The query is nested too deeply") from error
    if parsed.get("error") or len(parsed.get("statements", ())) != 1:
        raise RefusedSql("Only a SELECT can be run")
    nodes = [node for node, _ in _walk(parsed["statements"], 0)]
    ctes = {name for node in nodes for name in _cte_names(node)}
    # a name given in one place is no licence to read a system view of that name in another
    _expect(ctes.isdisjoint(_system_views(con)), "A name given by WITH is that of a system view")
    for node in nodes:
        _check_node(node, {*tables, *ctes})
    return statement


def _system_views(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {str(name).lower() for (name,) in con.execute("SELECT view_name FROM duckdb_views()").fetchall()}


def _only_select(con: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    import duckdb

    if len(sql) > _MAX_SQL_LENGTH:
        raise RefusedSql(f"The query has {len(sql):,} characters; at most {_MAX_SQL_LENGTH:,} are allowed")
    if "\0" in sql:
        raise RefusedSql("The query holds a zero byte")
    try:
        statements = con.extract_statements(sql)
    except duckdb.Error as error:
        raise RefusedSql(str(error).splitlines()[0]) from error
    if len(statements) != 1:
        raise RefusedSql(f"The text holds {len(statements)} statements; exactly one is allowed")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise RefusedSql(f"This is a statement of type {statements[0].type.name}; only SELECT is allowed")
    return statements[0]


def _walk(value: object, depth: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Every object of the parsed query, with its depth."""
    if depth > _MAX_DEPTH:
        raise RefusedSql("The query is nested too deeply")
    if isinstance(value, Mapping):
        yield value, depth
        for part in value.values():
            yield from _walk(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part, depth + 1)


def _cte_names(node: Mapping[str, Any]) -> list[str]:
    """Names that a node gives by WITH."""
    ctes = node.get("cte_map")
    return [str(entry["key"]).lower() for entry in ctes.get("map", ())] if isinstance(ctes, Mapping) else []


def _check_node(node: Mapping[str, Any], tables: Collection[str]) -> None:
    kind, group = str(node.get("type", "")), node.get("class")
    if "from_table" in node or kind.endswith("_NODE"):
        _expect(kind in _NODES, f"A query of kind {kind} is not allowed")
    if "sample" in node and "query_location" in node:
        _expect(kind in _SOURCES, f"{kind} cannot stand behind FROM")
        _expect(not node.get("at_clause"), "AT is not allowed")
    if kind == "BASE_TABLE":
        _check_table(node, tables)
    if group is not None:
        _expect(group in _CLASSES, f"An expression of kind {group} is not allowed")
    if "function_name" in node:
        _check_function(node)


def _check_table(node: Mapping[str, Any], tables: Collection[str]) -> None:
    name = str(node.get("table_name", ""))
    path = node.get("qualified_name", {}).get("path", [name])
    plain = not node.get("schema_name") and not node.get("catalog_name") and len(path) == 1
    _expect(plain and name.lower() in tables, f"There is no table {'.'.join(map(str, path))!r}")


def _check_function(node: Mapping[str, Any]) -> None:
    name = str(node["function_name"]).lower()
    plain = not node.get("schema") and not node.get("catalog")
    _expect(plain and name in _FUNCTIONS, f"The function {name!r} is not allowed")


def _expect(fine: bool, problem: str) -> None:
    if not fine:
        raise RefusedSql(problem)
