"""Map the columns of a file to fields, by the header rule, aliases, and the analyst's mapping.

The rule: lower-case, ``.`` to ``_``, strip one leading ``event_params_`` (or ``event_param_``, ``param_``,
``ep_``) and a trailing value type (``_string_value``), then look the name up among the aliases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from core.base.errors import InputError, SettingsError, control
from core.base.raw_fields import FIELDS, RAW_FIELDS, RAW_TEXT_COLUMNS
from core.base.schema import REMOVED_FIELDS, REQUIRED_FIELDS, SOURCES, Raw
from core.base.settings import IngestSettings
from core.ingest.read.tools import TOOLS, AnalyticsTool, tool_of

DEFAULT_USER_KEY: Final = "user_pseudo_id"
SIGNED_IN_KEY: Final = "user_id"

EVENT_VALUE: Final = "value"
"""GA4's parameter for the value of any event; used as revenue only where no column holds revenue."""
_LAST: Final = {
    Raw.EVENT_TIMESTAMP: "time",
    Raw.PAGE_LOCATION: "page_path pagepathlevel1",  # a path alone has lost its host
    Raw.PURCHASE_REVENUE: EVENT_VALUE,
}
"""Field → aliases that are used only if there is no better one."""
ALIASES: Final = {
    name: tuple(
        " ".join((plain, *(tool.columns.get(name, "") for tool in TOOLS), _LAST.get(name, ""))).split()
    )
    for name, _, _, plain, _ in RAW_FIELDS
    if plain
}
"""Field → normalised names, best first."""
USER_KEYS: Final = frozenset(
    (
        *ALIASES[Raw.USER_KEY],
        *(name for tool in TOOLS for name in tool.only_here.get(Raw.USER_KEY, "").split()),
    )
)
"""Columns by which analytics tools identify users."""
BROWSER_KEYS: Final = USER_KEYS - {"distinct_id", "properties_distinct_id"}
"""Columns that always identify the browser; the other user keys identify the account after a sign-in."""

_KNOWN = frozenset(alias for aliases in ALIASES.values() for alias in aliases)
_MIN_KNOWN = 3  # of a line of column names among the data
_PREFIX = re.compile(r"^(event_params|event_param|param|ep)_(?=.)")
_VALUE_TYPE = re.compile(r"(?<=.)(_value)?_(string|int|float|double)_value$")
_LIKELY_KEY = re.compile(
    r"user|client|customer|visitor|member|account|login|crm|person|distinct|amplitude_id"
)


@dataclass(frozen=True)
class HeaderMap:
    """The mapping from fields to the columns of a file.

    Args:
        names: The columns as the file spells them.
        columns: Field → index into ``names``.
        candidates: Field → all columns that could hold it, best first.
        tool: Analytics tool that has such columns; empty for GA4 and custom tables.
    """

    names: tuple[str, ...]
    columns: Mapping[str, int]
    candidates: Mapping[str, tuple[str, ...]]
    tool: str = ""

    @property
    def by_name(self) -> dict[str, str]:
        """Field → column as the file spells it."""
        return {field: self.names[index] for field, index in self.columns.items()}


def normalise_header(name: str) -> str:
    """Normalise the name of a column: ``Event_Params.page_title.string_value`` → ``page_title``."""
    plain = normalise_spelling(name)
    return _VALUE_TYPE.sub("", _PREFIX.sub("", plain))


def map_headers(names: Sequence[str], settings: IngestSettings) -> HeaderMap:
    """Map fields to the columns of a file; fields without a column are left out.

    Raises:
        InputError: If a column that is needed appears twice.
        SettingsError: If the analyst's mapping names a field that does not exist.
    """
    spellings = [(normalise_header(name), normalise_spelling(name)) for name in names]
    tool = tool_of({plain for plain, _ in spellings})
    aliases = {field: _aliases(field, tool, settings) for field in FIELDS}
    found = {field: indices for field in aliases if (indices := _candidates(aliases[field], spellings))}
    columns = {field: indices[0] for field, indices in found.items()}
    columns.update(_overrules(names, settings))
    ignored = [field for field, column in settings.mapping.items() if not column]
    ignored += [] if settings.join_logins else [Raw.LOGIN]
    if settings.mapping.get(Raw.TRAFFIC_SOURCE):  # by the analyst's word no other place counts
        ignored += [field for _, *fields in SOURCES[1:] for field in fields if field not in settings.mapping]
    revenue = columns.get(Raw.PURCHASE_REVENUE)
    in_usd = revenue is not None and _is_in_usd(names[revenue])
    if in_usd:
        ignored.append(Raw.CURRENCY)  # that of the purchase, not of this column
    if revenue is not None and Raw.REFUND_VALUE not in settings.mapping:  # in the currency of the revenue
        alike = [place for place in found.get(Raw.REFUND_VALUE, ()) if _is_in_usd(names[place]) is in_usd]
        columns |= {Raw.REFUND_VALUE: alike[0]} if alike else {}
        ignored += [] if alike else [Raw.REFUND_VALUE]
    columns = {
        field: columns[field] for field in RAW_TEXT_COLUMNS if field in columns and field not in ignored
    }
    _refuse_doubles(names, columns)
    candidates = {field: tuple(dict.fromkeys(names[i] for i in indices)) for field, indices in found.items()}
    return HeaderMap(tuple(names), columns, candidates, tool.name if tool else "")


def require(header: HeaderMap, file: str, settings: IngestSettings) -> None:
    """Check that every required field has a column.

    Raises:
        InputError: If a required field has no column; lists the columns of the file and the names tried.
    """
    missing = [field for field in REQUIRED_FIELDS if field not in header.columns]
    if not missing:
        return
    if Raw.USER_KEY in missing and _has_signed_in_key(header, settings):
        raise InputError(
            f"{file} has no {DEFAULT_USER_KEY}, but it has {SIGNED_IN_KEY}",
            remedy=f"Identify users by it, which may be personal data: {control('user_key')}",
        )
    tool = tool_of(set(map(normalise_header, header.names)))
    tried = "; ".join(f"{_label(field)} as {', '.join(_aliases(field, tool, settings))}" for field in missing)
    raise InputError(
        f"{file} has no column for {' and '.join(_label(field) for field in missing)}. "
        f"Its columns are: {_listed(header.names)}",
        allowed=tried,
        remedy="Rename the column, or say which one it is: "
        + control("user_key" if missing == [Raw.USER_KEY] else "mapping"),
    )


def looks_like_header(fields: Sequence[str]) -> bool:
    """Whether a record in the middle of a file is a line of column names, not data."""
    if len(fields) < _MIN_KNOWN:
        return False
    names = {normalise_header(field) for field in fields}
    return len(names & _KNOWN) >= _MIN_KNOWN and not names.isdisjoint(ALIASES[Raw.EVENT_TIMESTAMP])


def user_keys(names: Sequence[str], mapped: Sequence[str]) -> tuple[str, ...]:
    """List normalised names of columns that could identify a user, the likely ones first.

    Args:
        names: All columns of the file.
        mapped: Columns that are already mapped to another field, which are not offered.
    """
    free = dict.fromkeys(normalise_header(name) for name in names if name not in set(mapped))
    anonymous = _aliases(Raw.USER_KEY, tool_of(set(map(normalise_header, names))), IngestSettings())
    known = [name for name in (*anonymous, SIGNED_IN_KEY) if name in free]
    likely = [name for name in free if name not in known and is_likely_key(name)]
    return tuple(dict.fromkeys((*known, *likely, *free)))


def is_likely_key(name: str) -> bool:
    """Whether the name of a column suggests that it identifies users."""
    plain = normalise_header(name)
    return plain in USER_KEYS or bool(_LIKELY_KEY.search(plain))


def normalise_spelling(name: str) -> str:
    """Lower-case a name, strip blanks and a byte order mark, and join its parts by ``_``."""
    plain = name.strip().strip("\ufeff").strip().lower()
    return re.sub(r"[.\s]+", "_", plain)


def _aliases(field: str, tool: AnalyticsTool | None, settings: IngestSettings) -> tuple[str, ...]:
    chosen = normalise_header(settings.user_key)
    if field == Raw.BROWSER_ID:
        return () if chosen == DEFAULT_USER_KEY else (DEFAULT_USER_KEY,)
    if field == Raw.LOGIN:
        return (SIGNED_IN_KEY,)
    if field == Raw.USER_KEY and chosen != DEFAULT_USER_KEY:
        return (chosen,)
    only = tool.only_here.get(field, "").split() if tool else ()
    return tuple(only) or ALIASES[field]


def _is_in_usd(name: str) -> bool:
    return normalise_header(name).endswith("_in_usd")


def _candidates(aliases: Sequence[str], spellings: Sequence[tuple[str, str]]) -> list[int]:
    rank = {alias: place for place, alias in enumerate(aliases)}
    ranked = [
        (rank[plain], plain != whole, index)  # an unprefixed column before a parameter of that name
        for index, (plain, whole) in enumerate(spellings)
        if plain in rank
    ]
    return [index for _, _, index in sorted(ranked)]


def _overrules(names: Sequence[str], settings: IngestSettings) -> dict[str, int]:
    unknown = [field for field in settings.mapping if field not in {*FIELDS, *REMOVED_FIELDS}]
    if unknown:
        raise SettingsError(
            f"mapping has the field {unknown[0]!r}, which does not exist", allowed=", ".join(FIELDS)
        )
    exact = {name: index for index, name in reversed(list(enumerate(names)))}
    plain = {normalise_header(name): index for name, index in exact.items()}
    wanted = {field: column for field, column in settings.columns.items() if column}
    places = {
        field: exact.get(column, plain.get(normalise_header(column))) for field, column in wanted.items()
    }
    return {field: place for field, place in places.items() if place is not None}


def _refuse_doubles(names: Sequence[str], columns: Mapping[str, int]) -> None:
    for field, index in columns.items():
        if list(names).count(names[index]) > 1:
            raise InputError(
                f"The column {names[index]!r} ({field}) appears {list(names).count(names[index])} times",
                remedy="Rename or remove the copies, so that it is clear which one to read",
            )


def _has_signed_in_key(header: HeaderMap, settings: IngestSettings) -> bool:
    is_default = normalise_header(settings.user_key) == DEFAULT_USER_KEY
    return is_default and any(normalise_header(name) == SIGNED_IN_KEY for name in header.names)


def _label(field: str) -> str:
    return "the user" if field == Raw.USER_KEY else field


def _listed(names: Sequence[str], most: int = 40) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more


@contextmanager
def errors_naming_file(file: str) -> Iterator[None]:
    """Put the name of the file before an input error raised inside the block.

    Raises:
        InputError: The original error, with the name.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{file}: {error.problem}", allowed=error.allowed, remedy=error.remedy) from error
