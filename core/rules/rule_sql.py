"""A rule as SQL on the raw export, for BigQuery and for DuckDB: the ids of the users it describes.

The query repeats what cleaning does: who counts as a user, what is left out, which addresses are one page.
It is written once; ``Dialect`` holds where the two databases differ. What it cannot repeat is said by
:func:`limits`. Text of strangers (addresses, sources, names of files) stands in literals only.

``AddressSql`` makes the page of an event, as ``core/ingest/clean/urls.py`` does of an address;
:func:`core.rules.raw_events.key_of` makes the same text of a canonical page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from core.base.attributes import attribute_words
from core.base.safe_text import without_invisible
from core.base.schema import SOURCES, Group, Raw, SourceBasis, SourceFields, Users
from core.base.settings import UrlSettings
from core.base.wording import pluralise
from core.ingest.clean import urls
from core.ingest.clean.locations import MAX_LENGTH
from core.ingest.clean.records import DIRECT, NO_SESSION, Fate
from core.ingest.observe import bots
from core.ingest.read.nested import OF_ITEMS, quote_bigquery
from core.ingest.sources.overlap import is_provisional
from core.rules.conditions import (
    DAY_US,
    VIEWED,
    Field,
    RuleClause,
    RuleCondition,
    RuleField,
    SegmentRule,
    is_attribute,
)
from core.rules.raw_events import (
    ALIKE,
    CODES,
    EDGES,
    LINE,
    MERGED_HOST,
    SESSION,
    TAIL,
    LoadedExport,
    PageTest,
    absent,
    bigquery_events,
    declared_days,
    duckdb_events,
    exported_name,
    indented,
    parameters,
    quote_duckdb,
    unreadable,
    whole_number,
)


@dataclass(frozen=True)
class Dialect:
    """SQL templates in which the databases differ; numbers are the places of arguments.

    Args:
        quote: Makes a literal of a text.
        matches: Whether a text (0) matches a pattern (1).
        extract: The group of a pattern (1) in a text (0), or an empty text.
        replace: A text (0) with all that matches a pattern (1) replaced (2).
        decode: A text (0), of whose parts (1) codes become letters.
        kept: The parameters of a query (0), each as (1) makes it of ``part``, that match (2), sorted.
    """

    quote: Callable[[str], str]
    matches: str
    extract: str
    replace: str
    decode: str
    kept: str


DUCKDB: Final = Dialect(
    quote_duckdb, "regexp_matches({0}, {1})", "regexp_extract({0}, {1}, 1)",
    "regexp_replace({0}, {1}, {2}, 'g')",
    "array_to_string([coalesce(try(url_decode(code)), code) FOR code IN regexp_extract_all({0}, {1})], '')",
    "array_to_string(list_sort(list_distinct([kept FOR kept IN "
    "[{1} FOR part IN string_split({0}, '&')] IF regexp_matches(kept, {2})])), '&')",
)  # fmt: skip
BIGQUERY: Final = Dialect(
    quote_bigquery, "regexp_contains({0}, {1})", "coalesce(regexp_extract({0}, {1}), '')",
    "regexp_replace({0}, {1}, {2})",
    "(SELECT coalesce(string_agg(CASE WHEN length(code) > 1 AND starts_with(code, '%') "
    "THEN safe_convert_bytes_to_string(from_hex(replace(code, '%', ''))) ELSE code END, '' "
    "ORDER BY place), '') FROM unnest(regexp_extract_all({0}, {1})) AS code WITH OFFSET AS place)",
    "array_to_string(ARRAY(SELECT DISTINCT kept FROM (SELECT {1} AS kept FROM unnest(split({0}, '&')) "
    "AS part) WHERE regexp_contains(kept, {2}) ORDER BY kept), '&')",
)  # fmt: skip


@dataclass(frozen=True)
class AddressSql:
    """Makes the SQL expression that turns a raw address into the key of its page.

    Args:
        dialect: SQL dialect of the database.
        settings: Settings by which addresses were cleaned.
        pages: Canonical addresses of the data: what none of them has is left out of the SQL.
    """

    dialect: Dialect
    settings: UrlSettings
    pages: Sequence[str]

    def key(self) -> str:
        """SQL expression of the page's key (as of ``raw_events.key_of``), from the address column."""
        settings = self.settings
        address = self._replaced(f"substr({Raw.PAGE_LOCATION}, 1, {MAX_LENGTH})", EDGES, "")
        path = self._replaced(self._part(address, "^([^?#]*)"), SESSION, "")
        path = f"replace({path}, {self.dialect.quote(chr(92))}, '/')"
        path = self._replaced(self._lower(self._decoded(path)), TAIL, "")
        if not settings.lower_path:  # the host has no case
            host = "^([^/]*//[^/]*)"
            path = f"lower({self._part(path, host)}) || {self._replaced(path, host, '')}"
        key = self._replaced(path, MERGED_HOST, r"\1") if settings.merge_hosts else path
        key += self._kept(self._part(address, "^[^?#]*[?]([^#]*)"))
        if any("#" in page for page in self.pages):
            begins = "^[^#]*#([^?]*)" if settings.keep_fragment else "^[^#]*#(!?/[^?]*)"
            route = self._part(address, begins)
            route = self._replaced(self._lower(self._decoded(route)), "/+$", "")
            query_part = self._kept(self._part(address, f"{begins.replace('(', '(?:')}[?](.*)"))
            whole = f"concat('#', {route}{query_part})"
            key += f" || {self._replaced(whole, '^#!?$', '')}"
        return key

    def _part(self, text: str, pattern: str) -> str:
        return self.dialect.extract.format(text, self.dialect.quote(pattern))

    def _replaced(self, text: str, pattern: str, new: str) -> str:
        return self.dialect.replace.format(text, self.dialect.quote(pattern), self.dialect.quote(new))

    def _decoded(self, text: str) -> str:
        return f"replace({self.dialect.decode.format(text, self.dialect.quote(CODES))}, ' ', '+')"

    def _lower(self, text: str) -> str:
        if not self.settings.lower_path:
            return text
        text = f"lower({text})"
        for letter, alike in ALIKE.items():
            if not all(map(str.isascii, self.pages)):
                text = f"replace({text}, {self.dialect.quote(letter)}, {self.dialect.quote(alike)})"
        return text

    def _kept(self, query: str) -> str:
        """SQL expression of the query parameters that make another page."""
        if not (names := parameters(self.pages)):
            return ""
        part, name = self._decoded("part"), "^([^=]*)"
        part = f"lower({self._part(part, name)}) || {self._replaced(part, name, '')}"
        wanted = f"^({'|'.join(map(re.escape, names))})=."
        kept_parameters = self.dialect.kept.format(query, part, self.dialect.quote(wanted))
        return f" || {self._replaced(kept_parameters, '^(.)', chr(92).join('?1'))}"


_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    Users.DEVICE: (Raw.DEVICE_CATEGORY,), Users.BROWSER: (Raw.DEVICE_BROWSER,),
    Users.COUNTRY: (Raw.GEO_COUNTRY,), RuleField.SESSIONS: (Raw.GA_SESSION_ID,),
    RuleField.ENTRY: (Raw.GA_SESSION_ID, LINE),
}  # fmt: skip
"""Field of a condition → columns of the export that it needs beside page views."""
REPEATED: Final = frozenset((
    urls.HOST, urls.MERGED, urls.PATH, urls.INDEX, urls.SLASH, urls.TRACKED, urls.PARAMS, urls.QUESTION,
    urls.FRAGMENT, urls.MASKED, urls.COLLAPSED,
))  # fmt: skip
"""Rules of cleaning that the SQL repeats; :func:`limits` names masked and collapsed pages of a rule."""
_NO_BOT: Final = "user_id NOT IN (SELECT user_id FROM bots)"


def duckdb_sql(rule: SegmentRule, export: LoadedExport) -> str:
    """DuckDB SQL for the users of a rule, on the loaded files in their folder.

    Returns:
        Empty where DuckDB cannot read the files as they are, or they lack an attribute, see :func:`limits`.
    """
    can = export.receipt.files and not unreadable(export.receipt) and not _computed(rule, export)
    return _Query(rule, export, DUCKDB).text() if can else ""


def bigquery_sql(rule: SegmentRule, export: LoadedExport) -> str:
    """BigQuery SQL for the users of a rule, on GA4's export for the days of the data.

    Returns:
        Empty where the export has no such column, see :func:`limits`.
    """
    if _computed(rule, export) or _unplaced(rule, export):
        return ""
    return f"{declared_days(export.receipt)}\n{_Query(rule, export, BIGQUERY).text()}"


def limits(rule: SegmentRule, export: LoadedExport) -> tuple[str, ...]:
    """Sentences on what the SQL cannot repeat exactly; none where it returns the very users of the rule."""
    receipt, fields = export.receipt, {condition.field for condition in rule.conditions}
    hindered, computed, unplaced = unreadable(receipt), _computed(rule, export), _unplaced(rule, export)
    tests = [export.test(condition) for condition in rule.conditions if condition.field in VIEWED]
    merged, alike = (
        len({page for test in tests for page in getattr(test, kind)}) for kind in ("merged", "alike")
    )
    odd = sum(views for name, views in receipt.urls.by_rule.items() if name not in REPEATED)
    tied = receipt.tied_page_views if RuleField.ENTRY in fields else 0
    replaced = sum(step.records for step in receipt.waterfall if step.name == Fate.OTHER_TABLE.name.lower())
    provisional = sum(is_provisional(file.name) for file in receipt.files)
    sentences = {
        f"{merged} pages of this rule stand for several addresses, which cleaning merged or masked: the SQL "
        "takes every address of their form.": merged,
        f"{alike} pages of this rule are written as others are but for signs that are encoded: the SQL takes "
        "both.": alike,
        f"{odd:,} page views were cleaned by rules that the SQL does not repeat.": odd,
        f"{tied:,} page views share their time with another one, and BigQuery does not tell which came "
        "first.": tied,
        f"{replaced:,} page views are of days that another table has, too: DuckDB counts them, the run does "
        "not.": replaced,
        f"The data have {pluralise(provisional, 'intraday or fresh table')}: the SQL of BigQuery reads daily "
        "tables alone.": provisional,
        "The run counts the cookies of a signed-in user as one, the SQL counts each.": bool(receipt.logins),
        f"{receipt.repeated_events:,} events stand in more than one file.": receipt.repeated_events,
        f"DuckDB cannot read these files as they are ({', '.join(hindered)}): its SQL reads the files that a "
        "run leaves.": hindered,
        f"No column of the export is the {' and '.join(computed)} of a user: there is no SQL for BigQuery, "
        "and that of DuckDB reads the files that a run leaves.": computed,
        f"There is no SQL for BigQuery: it is not known where GA4's export has {' and '.join(unplaced)}. "
        "A name such as user_properties.plan says it.": unplaced,
    }  # fmt: skip
    return tuple(text for text, applies in sentences.items() if applies)


def _attributes(rule: SegmentRule) -> list[str]:
    """Attributes of users that a rule asks for."""
    return [field for field in dict.fromkeys(one.field for one in rule.conditions) if is_attribute(field)]


def _computed(rule: SegmentRule, export: LoadedExport) -> list[str]:
    """Names of the attributes of a rule that are no column of the export: channels, and values of items."""
    settings = export.settings
    columns = {*_COLUMNS, Users.SOURCE} | {
        key
        for key, field in settings.dimension_keys.items()
        if not settings.columns[field].startswith(OF_ITEMS)
    }
    return [attribute_words(name).name for name in _attributes(rule) if name not in columns]


def _unplaced(rule: SegmentRule, export: LoadedExport) -> list[str]:
    """Columns of a rule's dimensions of which it is not known where GA4's export to BigQuery has them."""
    fields = (export.settings.dimension_keys.get(name, "") for name in _attributes(rule))
    names = (export.settings.columns[field] for field in fields if field)
    return [name for name in names if not exported_name(name) and not name.startswith(OF_ITEMS)]


@dataclass(frozen=True)
class _Query:
    """Makes the query of a rule for a database."""

    rule: SegmentRule
    export: LoadedExport
    dialect: Dialect

    @cached_property
    def fields(self) -> list[Field]:
        return list(dict.fromkeys(condition.field for condition in self.rule.conditions))

    @cached_property
    def tests(self) -> dict[RuleCondition, PageTest]:
        """Condition → test for its pages, of the conditions that count page views."""
        return {
            condition: self.export.test(condition)
            for condition in self.rule.conditions
            if condition.field in VIEWED
        }

    @property
    def sources(self) -> Sequence[SourceFields]:
        """Places where the export has a source of traffic, the best first."""
        there = {field for file in self.export.receipt.files for field in file.columns}
        return [place for place in SOURCES if place.source in there] or SOURCES[:1]

    @property
    def by_session(self) -> bool:
        return bool({RuleField.SESSIONS, RuleField.ENTRY} & set(self.fields))

    @property
    def has_bots(self) -> bool:
        n_bots = self.export.receipt.users_by_group.get(Group.BOT_LIKE, 0)
        return n_bots > 0 or self.export.settings.exclude_bots

    def text(self) -> str:
        attributes = _attributes(self.rule)
        needed = [column for field in self.fields for column in self._columns(field)]
        if Users.SOURCE in attributes:
            needed += [name for place in self.sources for name in (place.source, place.medium)]
        needed += [Raw.ENGAGEMENT_TIME_MSEC] if self.has_bots else []
        events = duckdb_events if self.dialect is DUCKDB else bigquery_events
        parts = {"events": events(self.export, dict.fromkeys(needed)), "views": self._views()}
        parts |= {"totals": self._totals()} | {
            self._alias(name): self._attribute(name) for name in attributes
        }
        parts |= {"bots": self._bots()} if self.has_bots else {}
        where = ["page_views >= 2", *map(self._clause, self.rule.clauses)]
        where += [_NO_BOT] if self.has_bots else []
        joined = "".join(f"\nLEFT JOIN {self._alias(name)} USING (user_id)" for name in attributes)
        tables = ",\n".join(f"{name} AS (\n{indented(body)}\n)" for name, body in parts.items())
        description = " ".join(without_invisible(self.rule.words(self.export.features.origin)).split())
        return (
            f"-- {description}\nWITH {tables}\nSELECT user_id\nFROM totals{joined}\nWHERE "
            + "\n  AND ".join(where)
            + "\nORDER BY user_id"
        )

    def _columns(self, field: Field) -> tuple[str, ...]:
        """Columns of the export that a field needs beside page views."""
        dimension = self.export.settings.dimension_keys.get(field)
        return (dimension,) if dimension else _COLUMNS.get(field, ())

    def _alias(self, name: str) -> str:
        """Name in the SQL of an attribute: that of a dimension may be any word."""
        return self.export.settings.dimension_keys.get(name, name)

    def _views(self) -> str:
        """Subquery of page views with the key of their page, and their session where it is needed."""
        source = "events"
        if self.by_session:
            source = f"(\n{indented(self._with_sessions())}\n)"
        pages = (*self.export.features.pages, *self.export.settings.strip_pages)
        page = AddressSql(self.dialect, self.export.settings.url, pages).key()
        views = f"SELECT *, {page} AS page\nFROM {source}\nWHERE is_view"
        if self.export.settings.strip_pages:
            left_out = self._among(self.export.left_out)
            views = f"SELECT *\nFROM (\n{indented(views)}\n)\nWHERE NOT ({left_out})"
        if RuleField.ENTRY in self.fields:
            step = f"row_number() OVER (PARTITION BY user_id, session ORDER BY ts, {LINE})"
            views = f"SELECT *, {step} AS step\nFROM (\n{indented(views)}\n)"
        return views

    def _quoted(self, values: Collection[str]) -> str:
        return ", ".join(map(self.dialect.quote, values))

    def _with_sessions(self) -> str:
        """Subquery of events with their session; without an id a pause begins another session."""
        quote = self.dialect.quote
        number = whole_number(absent(Raw.GA_SESSION_ID, quote, NO_SESSION), quote)
        events = f"SELECT *, {number} AS session_id\nFROM events"
        gap = self.export.settings.session_gap_minutes * 60_000_000
        alike = "OVER (PARTITION BY user_id, session_id IS NULL ORDER BY ts)"
        starts = f"CASE WHEN ts - lag(ts) {alike} <= {gap} THEN 0 ELSE 1 END"
        events = f"SELECT *, {starts} AS starts\nFROM (\n{indented(events)}\n)"
        session = f"coalesce(session_id, concat('after a pause ', CAST(sum(starts) {alike} AS STRING)))"
        return f"SELECT *, {session} AS session\nFROM (\n{indented(events)}\n)"

    def _totals(self) -> str:
        counts = [f"countif({self._test(condition)}) AS {self._name(condition)}" for condition in self.tests]
        counts += ["count(DISTINCT session) AS sessions"] if RuleField.SESSIONS in self.fields else []
        counts += ["max(ts) AS last_ts"] if RuleField.LAST_DAYS in self.fields else []
        listed = ",\n  ".join(["user_id", "count(*) AS page_views", *counts])
        return f"SELECT\n  {listed}\nFROM views\nGROUP BY user_id"

    def _name(self, condition: RuleCondition) -> str:
        return f"views_{list(self.tests).index(condition) + 1}"

    def _test(self, condition: RuleCondition) -> str:
        either = self._among(self.tests[condition])
        return f"step = 1 AND ({either})" if condition.field is RuleField.ENTRY else either

    def _among(self, test: PageTest) -> str:
        """Expression for whether a page passes a test."""
        listed = ",\n      ".join(map(self.dialect.quote, test.keys))
        parts = [f"page IN (\n      {listed}\n    )"] if test.keys else []
        if test.patterns:
            alike = self.dialect.matches.format("page", self.dialect.quote("|".join(test.patterns)))
            parts.append(f"{alike} AND page NOT IN ({self._quoted(test.but)})" if test.but else alike)
        return " OR ".join(parts)

    def _attribute(self, name: str) -> str:
        """Subquery of each user's most frequent value; of sources, the first of the best basis."""
        if name == Users.SOURCE:
            value, basis, order = *self._source(), "basis, first_ts"
        else:
            also = () if name in self.export.settings.dimension_keys else (DIRECT,)
            value, basis, order = (
                absent(self._columns(name)[0], self.dialect.quote, also), "0", "events DESC"
            )  # fmt: skip
        field = self._alias(name)
        groups = (
            f"SELECT user_id, {value} AS {field}, {basis} AS basis, count(*) AS events, min(ts) AS first_ts\n"
            "FROM events\nGROUP BY 1, 2, 3"
        )
        return (
            f"SELECT user_id, {field}\nFROM (\n{indented(groups)}\n)\nWHERE {field} IS NOT NULL\n"
            f"QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY {order}, {field}) = 1"
        )

    def _source(self) -> tuple[str, str]:
        """Expressions of an event's source and medium, from the first place that has any, and its basis."""
        quote, hosts = self.dialect.quote, self.export.hosts
        value, basis, bases = "NULL", "0", list(SourceBasis)
        for number, (kind, source, medium, _) in reversed(list(enumerate(self.sources, start=1))):
            both = f"{absent(source, quote, hosts)} || coalesce(' / ' || {absent(medium, quote, ())}, '')"
            if number == len(self.sources):  # what is left
                value, basis = both, str(bases.index(kind))
            else:
                there = f"CASE WHEN {absent(source, quote, ())} IS NOT NULL THEN"
                value, basis = (
                    f"{there} {both} ELSE {value} END",
                    f"{there} {bases.index(kind)} ELSE {basis} END",
                )
        return value, basis

    def _bots(self) -> str:
        """Subquery of users who look automated, as in ``core/ingest/observe/bots.py``.

        Pages that are left out by choice count, too.
        """
        pause = f"ts - lag(ts) OVER (PARTITION BY user_id ORDER BY ts) > {bots.PACE_SECONDS * 1e6:.0f}"
        paces = (
            f"SELECT user_id, ts, CASE WHEN {pause} THEN 1 ELSE 0 END AS paused\nFROM events\nWHERE is_view"
        )
        run = "sum(paused) OVER (PARTITION BY user_id ORDER BY ts)"
        runs = f"SELECT user_id, {run} AS run\nFROM (\n{indented(paces)}\n)"
        tests = [
            f"SELECT user_id FROM events\nGROUP BY user_id, floor(ts / {bots.DAY})\n"
            f"HAVING count(*) >= {bots.EVENTS_A_DAY}"
        ]
        if not self.export.receipt.rounded_times:
            tests.append(
                f"SELECT user_id FROM (\n{indented(runs)}\n)\nGROUP BY user_id, run\n"
                f"HAVING count(*) >= {bots.PACED_VIEWS}"
            )
        if (self.export.receipt.engagement_share or 0) >= bots.ENGAGED_SHARE:
            engaged = f"sum(coalesce(SAFE_CAST({Raw.ENGAGEMENT_TIME_MSEC} AS FLOAT64), 0))"
            if self.dialect is DUCKDB:
                engaged = engaged.replace("SAFE_CAST", "try_cast").replace("FLOAT64", "DOUBLE")
            tests.append(
                f"SELECT user_id FROM events\nGROUP BY user_id\n"
                f"HAVING countif(is_view) >= {bots.UNENGAGED_VIEWS} AND {engaged} = 0"
            )
        return "\nUNION DISTINCT\n".join(tests)

    def _clause(self, clause: RuleClause) -> str:
        either = " OR ".join(map(self._holds, clause.any_of))
        return f"NOT ({either})" if clause.negated else f"({either})"

    def _holds(self, condition: RuleCondition) -> str:
        if condition in self.tests:
            return f"{self._name(condition)} >= {condition.number}"
        if is_attribute(condition.field):
            return f"coalesce({self._alias(condition.field)} = {self.dialect.quote(condition.value)}, false)"
        if condition.field is RuleField.LAST_DAYS:
            staying = f" WHERE {_NO_BOT}" if self.export.settings.exclude_bots else ""
            return f"last_ts > (SELECT max(last_ts) FROM totals{staying}) - {condition.number * DAY_US}"
        return f"{condition.field} >= {condition.number}"
