"""The events of a raw export as SQL, one column a field, and how to recognise canonical pages in them.

The address in a raw export is not the one that cleaning made of it. SQL repeats on every address what
cleaning does (``rule_sql.py``), by the regular expressions that stand here; :func:`key_of` brings a canonical
page to the same text, so that both meet. What cleaning merged (``{id}``, ``{…}``) is a pattern, without the
pages that fit it and were left alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import quote, unquote

from core.base.raw_fields import RECORD_FIELDS
from core.base.schema import REQUIRED_FIELDS, Raw
from core.base.settings import IngestSettings, UrlSettings
from core.base.wording import common_origin
from core.ingest.account.waterfall import REJECT_REASONS
from core.ingest.clean.records import DIRECT, NO_ID, PLACEHOLDERS
from core.ingest.read.headers import normalise_header, normalise_spelling
from core.ingest.read.nested import PARAM_LISTS, VALUE_KINDS, bigquery_column, quote_bigquery
from core.labels.page_address import after_host
from core.rules.conditions import RuleCondition, RuleFeatures, RuleField
from core.storage.receipt import FileReceipt, Receipt

EDGES: Final = r"^[\x00-\x20]+|[\t\n\r]|[\x00-\x20]+$"
"""Pattern of the characters that a browser takes out of an address."""
SESSION: Final = r"(?i);(jsessionid|phpsessid|sid)=[^/;]*"
TAIL: Final = r"(?i)(/(index[.](html?|php))?)+$"
"""Pattern of what cleaning cuts off a path."""
MERGED_HOST: Final = r"^([a-z]+://)((www|shop)[.])+"
CODES: Final = (
    "(?i)(?:%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}"
    "|%f[0-4](?:%[89ab][0-9a-f]){3})+|%|[^%]+"
)
"""Pattern of the parts of a text: percent codes that form a letter, and the text between them."""
ALIKE: Final = {"\u03c2": "\u03c3", "\u0307": ""}
"""Letter whose lower case differs between Python and some database → the text that replaces it in both."""
_GAP: Final = r"[^/?&#]+"
"""Pattern of the text at a place where cleaning merged pages, …"""
_DATE: Final = r"([0-9]{4}(/[0-9]{1,2}){2}|[^/?&#]+)"
_TYPED: Final = "[^&#]+"
"""… where it is a date, and in a query."""
_MERGED: Final = re.compile(
    r"\{(?:…|n|id|date|uuid|key|address|birthdate|card|email|iban|ip|name|phone|token)\}"
)
_SLUG: Final = re.compile(r":[a-z]+|\{[^{}/]*\}")
_SENT_CODED: Final = re.compile("[^\x00-\x7f]+|[\"'<>`{}^|\\\\+]")


@dataclass(frozen=True)
class PageTest:
    """Test for the pages of a condition among all others, by their keys.

    Args:
        keys: Keys of single pages.
        patterns: Regular expressions (RE2) of which a key may match one instead.
        but: Keys that match a pattern, but belong to other pages.
        merged: Pages that stand for several addresses each.
        alike: Pages that differ from other pages only in percent encoding.
    """

    keys: tuple[str, ...]
    patterns: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()


def key_of(page: str, settings: UrlSettings) -> str:
    """Text by which SQL recognises a canonical page: it makes the same of the page's raw addresses.

    Args:
        page: Canonical address.
        settings: Settings by which addresses were cleaned.
    """
    page, route_mark, route = page.partition("#")
    page = re.sub(MERGED_HOST, r"\1", page) if settings.merge_hosts else page
    path, query = _halves(page, settings)
    route, query_part = _halves(route, settings)
    return re.sub(TAIL, "", path) + query + route_mark + route.rstrip("/") + query_part


def _halves(text: str, settings: UrlSettings) -> tuple[str, str]:
    path, mark, query = text.partition("?")
    path = _decoded(path)
    if settings.lower_path:
        path = path.lower()
        for letter, alike in ALIKE.items():
            path = path.replace(letter, alike)
    return path, mark + "&".join(sorted(map(_decoded, query.split("&"))))


def _decoded(text: str) -> str:
    return re.sub(CODES, lambda match: unquote(match[0]), text)


def parameters(pages: Iterable[str]) -> list[str]:
    """Names of the query parameters that canonical pages have, sorted."""
    queries = (part.partition("?")[2] for page in pages for part in page.split("#"))
    return sorted({part.partition("=")[0] for query in queries for part in query.split("&")} - {""})


def as_sent(text: str) -> str:
    """A regular expression for a text, with each of its special characters percent-encoded or not."""
    pattern, place = "", 0
    for match in _SENT_CODED.finditer(text):
        coded = "%20|%2B" if match[0] == "+" else quote(match[0], safe="")
        pattern += f"{re.escape(text[place : match.start()])}({re.escape(match[0])}|{coded})"
        place = match.end()
    return pattern + re.escape(text[place:])


def page_test(
    pages: Sequence[str],
    known: Sequence[str],
    settings: UrlSettings,
    *,
    condition: RuleCondition | None = None,
    literal: Callable[[str], str] = re.escape,
) -> PageTest:
    """Make the test that tells the pages of a condition from all others.

    Args:
        pages: The pages to tell apart, by canonical address.
        known: Key of each page of the data.
        settings: Settings by which addresses were cleaned.
        condition: The condition that they meet, if there is one.
        literal: Makes a regular expression that matches a text literally.
    """
    keys = {page: key_of(page, settings) for page in pages}
    pattern = _pattern(condition, pages, settings, literal) if condition else ""
    if pattern and {key for key in known if re.search(pattern, key)} == set(keys.values()):
        return PageTest((), (pattern,))
    merged = {page: key for page, key in keys.items() if _MERGED.search(key)}
    wide = tuple(_widened(key, literal) for key in merged.values())
    either = re.compile("|".join(wide) or "(?!)")
    others = {key for key in known if either.search(key) and not _MERGED.search(key)} - set(keys.values())
    single = sorted(set(keys.values()) - set(merged.values()))
    pages_of, known_of = Counter(keys.values()), Counter(known)
    alike = tuple(page for page, key in keys.items() if known_of[key] > pages_of[key])
    return PageTest(tuple(single), wide, tuple(sorted(others)), tuple(merged), alike)


def _pattern(
    condition: RuleCondition, pages: Sequence[str], settings: UrlSettings, literal: Callable[[str], str]
) -> str:
    """Pattern of the addresses of a folder or template; it still has to be checked against all pages."""
    origin = common_origin(pages)
    host = f"^{literal(key_of(origin, settings))}" if origin else "^[a-z]+://[^/]+"
    if condition.field is RuleField.FOLDER:
        return host + literal(key_of(f"{condition.value}.", settings).removesuffix("."))
    if condition.field is RuleField.TEMPLATE:
        path = key_of(after_host(condition.value).partition(" (")[0], settings)
        return host + _GAP.join(map(literal, _SLUG.split(path))) + "$"
    return ""


def _widened(key: str, literal: Callable[[str], str]) -> str:
    """The pattern of the addresses that cleaning merged into one."""
    queries = key.find("?") % (len(key) + 1)
    pattern, place = "", 0
    for match in _MERGED.finditer(key):
        gap = _TYPED if match.start() > queries else _DATE if match[0] == "{date}" else _GAP
        pattern += literal(key[place : match.start()]) + gap
        place = match.end()
    return f"^{pattern}{literal(key[place:])}$"


GA4_DIMENSIONS: Final = {
    "geo.continent": ("Continent", "continent"), "geo.sub_continent": ("Subcontinent", "subContinent"),
    "geo.region": ("Region", "region"), "geo.city": ("City", "city"),
    "device.operating_system": ("Operating system", "operatingSystem"),
    "device.language": ("Language code", "languageCode"),
    "device.web_info.hostname": ("Hostname", "hostName"),
    "device.mobile_brand_name": ("Device brand", "mobileDeviceBranding"),
    "device.mobile_model_name": ("Device model", "mobileDeviceModel"),
    "traffic_source.name": ("First user campaign", "firstUserCampaignName"),
    "platform": ("Platform", "platform"), "stream_id": ("Stream ID", "streamId"),
}  # fmt: skip
"""Column of GA4's export → name of the dimension in GA4 and in its API, for columns chosen as dimensions."""

TABLE: Final = "your-project.analytics_123456789.events_*"
"""Placeholder for the table of the analyst's own GA4 property."""
_READERS: Final = {
    "flat csv": "read_csv([{0}], all_varchar = true, header = true, quote = '\"', escape = '\"', "
                "union_by_name = true{1})",
    "flat ndjson": "read_ndjson([{0}]) AS record", "nested ndjson": "read_ndjson([{0}])",
    "flat parquet": "read_parquet([{0}]) AS record", "nested parquet": "read_parquet([{0}])",
}  # fmt: skip
"""Shape of files → how DuckDB reads them. Quotes and what is between columns are told: it guesses from the
first lines, which may have no quotes, and commas in every address."""
_UNPACKED: Final = " (gzip)"
"""Ending of the shape of files that DuckDB unpacks by itself."""
_UNITS: Final = {
    "microseconds": "try_cast({0} AS BIGINT)",
    "milliseconds": "CAST(round(try_cast({0} AS DOUBLE) * 1000) AS BIGINT)",
    "seconds": "CAST(round(try_cast({0} AS DOUBLE) * 1000000) AS BIGINT)",
    "nanoseconds": "try_cast({0} AS BIGINT) // 1000",
}
_ISO: Final = "epoch_us(try_cast({0} AS TIMESTAMPTZ))"
_KEPT: Final = (Raw.TRAFFIC_TYPE, Raw.DEBUG_MODE)
_FIRST_GROUP: Final = r"\1"
LINE: Final = "line"
"""Column with the position of an event in the files."""


def is_of_ga4(receipt: Receipt) -> bool:
    """Whether all files have GA4's columns: only then may GA4 and BigQuery have the events."""
    if any(file.tool for file in receipt.files):
        return False
    columns = [file.columns.get(Raw.EVENT_TIMESTAMP, Raw.EVENT_TIMESTAMP) for file in receipt.files]
    return all(normalise_header(name) == Raw.EVENT_TIMESTAMP for name in columns)


@dataclass(frozen=True, eq=False)
class LoadedExport:
    """What the SQL of rules needs to know of the data set.

    Args:
        features: Pages, and the folders, themes, … they belong to.
        receipt: Files, columns, and what was left out.
        settings: How the files were cleaned.
    """

    features: RuleFeatures
    receipt: Receipt
    settings: IngestSettings

    @property
    def is_ga4(self) -> bool:
        """Whether the files are GA4's."""
        return is_of_ga4(self.receipt)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Key of each page, by page index (:func:`key_of`)."""
        return tuple(key_of(page, self.settings.url) for page in self.features.pages)

    @cached_property
    def hosts(self) -> list[str]:
        """Hosts of the site itself, which are no source of a visit."""
        return sorted({page.partition("://")[2].partition("/")[0] for page in self.features.pages} - {""})

    def test(self, condition: RuleCondition) -> PageTest:
        """The test for the pages that a condition counts, cached.

        Raises:
            InputError: If the data have no such page.
        """
        if condition not in self._tests:
            self._tests[condition] = self.test_with(condition, re.escape)
        return self._tests[condition]

    def test_with(self, condition: RuleCondition, literal: Callable[[str], str]) -> PageTest:
        """The test for a condition's pages; ``literal`` makes a pattern that matches a text literally."""
        pages = [self.features.pages[page] for page in self.features.pages_of(condition).tolist()]
        return page_test(pages, self.keys, self.settings.url, condition=condition, literal=literal)

    @cached_property
    def left_out(self) -> PageTest:
        """The test for the pages that the analyst left out."""
        return page_test(self.settings.strip_pages, self.keys, self.settings.url)

    @cached_property
    def _tests(self) -> dict[RuleCondition, PageTest]:
        return {}


def quote_duckdb(text: str) -> str:
    """Quote a text as a literal of DuckDB; zero bytes are dropped."""
    return "'" + text.replace("\0", "").replace("'", "''") + "'"


def unreadable(receipt: Receipt) -> list[str]:
    """Reasons, in sentences, why DuckDB cannot read the export's files as they are; empty if it can."""
    broken = not receipt.rejects_by_reason.keys() <= set(REJECT_REASONS.values())
    return sorted({_hindrance(file, broken) for file in receipt.files} - {""})


def _hindrance(file: FileReceipt, broken: bool) -> str:
    """Why DuckDB cannot read a file: its shape, missing columns, encoding or broken lines."""
    shape = file.shape.removesuffix(_UNPACKED)
    if shape not in _READERS or not set(REQUIRED_FIELDS) <= file.columns.keys():
        return file.shape
    if shape.endswith("parquet"):
        return ""
    if not file.encoding.startswith("utf-8"):
        return f"{file.shape} in {file.encoding}"
    return f"{file.shape} with broken lines" if broken and file.rejected else ""


def duckdb_events(export: LoadedExport, fields: Collection[str]) -> str:
    """DuckDB query of the loaded files' events; ``fields``: further :class:`core.base.schema.Raw` columns."""
    groups = dict[tuple[str, str, tuple[tuple[str, str], ...]], list[str]]()
    for file in export.receipt.files:
        alike = (file.shape.removesuffix(_UNPACKED), file.delimiter, tuple(file.columns.items()))
        groups.setdefault(alike, []).append(quote_duckdb(file.name))
    unit = export.receipt.time_unit
    parts = []
    for (shape, delimiter, columns), names in groups.items():
        columns_of = {field: _duckdb_column(name, shape) for field, name in columns}
        time = _UNITS.get(unit, _ISO).format(columns_of[Raw.EVENT_TIMESTAMP])
        named, view = columns_of.get(Raw.EVENT_NAME), quote_duckdb(export.receipt.page_view)
        view = f"trim({named}) = {view}" if named else "true"
        delimiter_option = (
            f", delim = {quote_duckdb(delimiter)}" if delimiter else ""
        )  # an older receipt has none
        source = _READERS[shape].format(", ".join(names), delimiter_option)
        more = [
            (field, columns_of.get(field, "CAST(NULL AS VARCHAR)"))
            for field in _wanted(fields, export.settings)
        ]
        parts.append(
            _selected(columns_of[Raw.USER_KEY], time, view, columns_of[Raw.PAGE_LOCATION], more, source)
        )
    events = "\nUNION ALL\n".join(parts)
    number = f", row_number() OVER () AS {LINE}" if LINE in fields else ""
    return f"SELECT *{number}\nFROM (\n{indented(events)}\n)\nWHERE {_counts(export.settings, quote_duckdb)}"


def bigquery_events(export: LoadedExport, fields: Collection[str]) -> str:
    """BigQuery query of GA4's events between ``first_day`` and ``last_day``; ``fields``: further columns."""
    key, view = export.settings.user_key, quote_bigquery(export.receipt.page_view)
    more = [(field, _exported(field, export.settings)) for field in _wanted(fields, export.settings)]
    events = _selected(
        "user_id" if key == "user_id" else "user_pseudo_id", "event_timestamp",
        f"event_name = {view}", bigquery_column(RECORD_FIELDS[Raw.PAGE_LOCATION]), more, f"`{TABLE}`",
    )  # fmt: skip
    number = f", 0 AS {LINE}" if LINE in fields else ""
    events += "\nWHERE _TABLE_SUFFIX BETWEEN first_day AND last_day"
    return (
        f"SELECT *{number}\nFROM (\n{indented(events)}\n)\nWHERE {_counts(export.settings, quote_bigquery)}"
    )


def _exported(field: str, settings: IngestSettings) -> str:
    """BigQuery expression of a field."""
    if field in RECORD_FIELDS:
        return bigquery_column(RECORD_FIELDS[field])
    return f"CAST({bigquery_column(exported_name(settings.columns[field]))} AS STRING)"


def exported_name(column: str) -> str:
    """Name of a column in GA4's export to BigQuery; empty where it is not known.

    Args:
        column: The column as a file spells it: ``geo.region``, ``geo_region``, ``user_properties.plan``.
    """
    plain = normalise_spelling(column)
    for root in PARAM_LISTS:
        if plain.startswith(f"{root}_"):
            return f"{root}.{column.strip()[len(root) + 1 :]}"
    return next((name for name in GA4_DIMENSIONS if name.replace(".", "_") == plain), "")


def declared_days(receipt: Receipt) -> str:
    """BigQuery statements that declare ``first_day`` and ``last_day``, for the analyst to change."""
    days = [f"{receipt.clock.moment(ts):%Y%m%d}" for ts in (receipt.first_ts, receipt.last_ts)]
    return "".join(
        f"DECLARE {name} STRING DEFAULT '{day}';\n"
        for name, day in zip(("first_day", "last_day"), days, strict=True)
    )


def absent(column: str, quote: Callable[[str], str], also: Iterable[str] = (DIRECT,)) -> str:
    """SQL expression of a column, null where its text is a placeholder (``(not set)``) or in ``also``."""
    nothing = ", ".join(map(quote, (*PLACEHOLDERS, *also)))
    return f"CASE WHEN trim({column}) NOT IN ({nothing}) THEN {column} END"


def whole_number(text: str, quote: Callable[[str], str]) -> str:
    """SQL expression that removes the ``.0`` of ids stored as floats; ``text``: SQL of the id."""
    return f"regexp_replace({text}, {quote('^([0-9]+)[.]0+$')}, {quote(_FIRST_GROUP)})"


def indented(text: str) -> str:
    """Indent the lines of a text by two spaces."""
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _wanted(fields: Collection[str], settings: IngestSettings) -> list[str]:
    streams = (Raw.PLATFORM, Raw.STREAM_ID) if settings.stream else ()
    return [field for field in dict.fromkeys((*fields, *_KEPT, *streams)) if field != LINE]


def _selected(
    user: str, time: str, view: str, location: str, more: Sequence[tuple[str, str]], source: str
) -> str:
    columns = [(user, "user_id"), (time, "ts"), (view, "is_view"), (location, Raw.PAGE_LOCATION)]
    named = [*columns, *((column, name) for name, column in more)]
    listed = ",\n  ".join(f"{column} AS {name}" for column, name in named)
    return f"SELECT\n  {listed}\nFROM {source}"


def _counts(settings: IngestSettings, quote: Callable[[str], str]) -> str:
    """Condition for the events that count, as in ``core/ingest/clean/records.py``."""
    nobody, nowhere = (", ".join(map(quote, texts)) for texts in (NO_ID, (*PLACEHOLDERS, DIRECT)))
    conditions = [
        f"lower(trim(user_id)) NOT IN ({nobody})",
        "ts IS NOT NULL",
        f"(NOT is_view OR trim({Raw.PAGE_LOCATION}) NOT IN ({nowhere}))",
    ]
    if settings.stream:
        names = (Raw.PLATFORM, whole_number(Raw.STREAM_ID, quote))
        either = (f"coalesce(lower(trim({name})), '')" for name in names)
        conditions.append(f"{quote(settings.stream.lower())} IN ({', '.join(either)})")
    if settings.exclude_internal:
        conditions.append(f"coalesce(lower(trim({Raw.TRAFFIC_TYPE})), '') <> 'internal'")
    if settings.exclude_debug:
        conditions.append(f"coalesce(lower(trim({Raw.DEBUG_MODE})), '') NOT IN ('1', 'true', '1.0')")
    return "\n  AND ".join(conditions)


def _duckdb_column(name: str, shape: str) -> str:
    root, _, key = name.partition(".")
    if key and shape in ("flat ndjson", "flat parquet"):  # a name as it stands, or a place in a record
        whole = f"/{name.replace('~', '~0').replace('/', '~1')}"
        places = (quote_duckdb(place) for place in (whole, whole.replace(".", "/")))
        return f"coalesce({', '.join(f'to_json(record) ->> {place}' for place in places)})"
    if not shape.startswith("nested"):
        return f"CAST({duckdb_identifier(name)} AS VARCHAR)"
    if root not in PARAM_LISTS:
        return f"CAST({'.'.join(map(duckdb_identifier, name.split('.')))} AS VARCHAR)"
    value = f"to_json([p.value FOR p IN {root} IF p.key = {quote_duckdb(key)}][1])"
    return f"coalesce({', '.join(f'{value} ->> {quote_duckdb(kind)}' for kind in VALUE_KINDS)})"


def duckdb_identifier(name: str) -> str:
    """Quote the name of a column for DuckDB."""
    return '"' + name.replace('"', '""') + '"'
