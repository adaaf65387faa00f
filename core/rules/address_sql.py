"""The page of an event as SQL of BigQuery or DuckDB: what ``core/ingest/clean/urls.py`` does to an address.

:func:`core.rules.addresses.key_of` makes the same text of a canonical page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from core.base.schema import Raw
from core.base.settings import UrlSettings
from core.ingest.clean.locations import LONGEST
from core.ingest.read.nested import quote_bigquery
from core.rules.addresses import (
    ALIKE,
    CODES,
    EDGES,
    MERGED_HOST,
    SESSION,
    TAIL,
    parameters,
)
from core.rules.raw_events import quote_duckdb


@dataclass(frozen=True)
class Dialect:
    """Where the databases differ.

    Args:
        quote: Makes a literal.
        matches: Whether a text (0) matches a pattern (1).
        extract: The group of a pattern (1) in a text (0), or nothing.
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
    """An address as the page that it is of.

    Args:
        dialect: Of the database.
        settings: How addresses were cleaned.
        pages: Canonical addresses that occur: what none of them has is not looked for.
    """

    dialect: Dialect
    settings: UrlSettings
    pages: Sequence[str]

    def key(self) -> str:
        """The expression, of the column of addresses."""
        settings = self.settings
        address = self._replaced(f"substr({Raw.PAGE_LOCATION}, 1, {LONGEST})", EDGES, "")
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
            asked = self._kept(self._part(address, f"{begins.replace('(', '(?:')}[?](.*)"))
            whole = f"concat('#', {route}{asked})"
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
        """The end of an address that is a query: the parameters that make another page."""
        if not (names := parameters(self.pages)):
            return ""
        part, name = self._decoded("part"), "^([^=]*)"
        part = f"lower({self._part(part, name)}) || {self._replaced(part, name, '')}"
        wanted = f"^({'|'.join(map(re.escape, names))})=."
        kept = self.dialect.kept.format(query, part, self.dialect.quote(wanted))
        return f" || {self._replaced(kept, '^(.)', chr(92).join('?1'))}"
