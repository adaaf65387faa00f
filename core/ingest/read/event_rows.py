"""Detect tables with several rows per event, and keep what is needed of each row until events are whole.

Unnesting GA4's export makes such tables in two ways:

* *long form*       one row a parameter: ``event_params_key`` beside its value, or ``key, string_value, …``
* *a row an item*   one row an item of a cart, so that all else of an event is repeated,
                    a list of its parameters too, where there is one

Rows of an event agree in all other columns, wherever in the file they lie. So the fields of each row are
kept, the rest of it, and the parameter or item that distinguishes it
(:mod:`core.ingest.read.whole_events` puts rows together).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from core.base.errors import InputError
from core.base.raw_fields import PARAM_FIELDS, RAW_TEXT_COLUMNS
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.headers import EVENT_VALUE, HeaderMap, map_headers, normalise_header, normalise_spelling
from core.ingest.read.nested import PARAM_LISTS, VALUE_KINDS, WHOLE, map_names

DETAIL: Final = "detail"
"""Column that distinguishes the rows of an event: the key of a parameter, or an item."""
REST: Final = "rest"
"""Column of all other values, which must agree within an event."""
VALUES: Final = (*VALUE_KINDS, "plain_value")
"""Columns of a parameter's value, in order of precedence."""
STAGED: Final = (DETAIL, REST, *VALUES)
"""Columns of a raw part beside the fields, while events are in several rows."""

_ITEM: Final = re.compile(
    r"^items?_(0_)?(item_)?(id|name|sku|brand|variant|category\d?|list_\w+|price(_in_usd)?|quantity|revenue(_in_usd)?"
    r"|refund(_in_usd)?|coupon|affiliation|location_id|promotion_\w+|creative_\w+)$"
)
_OF_AN_ITEM: Final = frozenset(
    {"price", "price_in_usd", "quantity", "coupon", "affiliation", "location_id"}
    | {"promotion_id", "promotion_name", "creative_name", "creative_slot"}
)
"""Columns of an unnested item whose names do not contain "item"."""

_PARAMS: Final = "event_params."
_USUAL: Final = {**PARAM_FIELDS, Raw.PURCHASE_REVENUE: f"{_PARAMS}{EVENT_VALUE}"}
_PREFIX: Final = r"(?:event_params?|params?|ep)_"
_KEY: Final = re.compile(rf"^{_PREFIX}key$")
_VALUE: Final = re.compile(
    rf"^(?P<of>{_PREFIX})?(?:value|(?:value_)?(?P<kind>string|int|float|double)_value)$"
)
_BETWEEN: Final = "\x1f"
_ITEM_COLUMN, _REST_COLUMN = "item:", "rest:"


@dataclass(frozen=True)
class EventRows:
    """How several rows of a table make an event.

    Args:
        of: ``parameter`` or ``item``: what each row holds.
        sure: Whether the sample shows an event in several rows; for items, only the whole file may show it.
        fields: Field → name, of a whole event; a parameter's name is ``event_params.`` and its key.
        seen: Names that the columns and the sample show.
        read: Field or staged column → column that it is read from.
        numbering: Columns that only number the rows, which are ignored.
    """

    of: str
    sure: bool
    fields: HeaderMap
    seen: tuple[str, ...]
    read: HeaderMap
    numbering: tuple[str, ...]

    @property
    def keys(self) -> dict[str, str]:
        """Field → key of the parameter that it is read from."""
        plain = set(self.read.by_name)
        named = {field: name for field, name in self.fields.by_name.items() if field not in plain}
        return {field: name.removeprefix(_PARAMS) for field, name in named.items()}

    @property
    def note(self) -> str:
        """Note for the receipt: how events in several rows were detected, and how they are read."""
        names = self.read.by_name
        if self.of == "parameter":
            values = ", ".join(names[kind] for kind in VALUES if kind in names)
            how = f"one row a parameter, its key in {names[DETAIL]} and its value in {values}"
        else:
            items = ", ".join(name for field, name in names.items() if field.startswith(_ITEM_COLUMN))
            how = f"one row an item ({items})"
        ignored = f". {', '.join(self.numbering)} only numbers the rows" if self.numbering else ""
        return f"The file has {how}: rows that agree in all other columns are one event{ignored}"

    def shape(self, kind: str) -> str:
        """Name of the shape in the receipt, by the kind of file, where events are in several rows."""
        return f"long form {kind}" if self.of == "parameter" else f"{kind} with a row an item"

    def staged(self, read: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Turn the columns that were read into fields and :data:`STAGED` ones: name → text of every row."""
        if not read:
            return {}
        columns = {name: column for name, column in read.items() if name in (*RAW_TEXT_COLUMNS, *STAGED)}
        of_item = [column for name, column in read.items() if name.startswith(_ITEM_COLUMN)]
        rest = [column for name, column in read.items() if name.startswith(_REST_COLUMN)]
        columns |= {DETAIL: _joined(of_item)} if of_item else {}
        return columns | ({REST: _joined(rest)} if rest else {})

    def first_events(self, sample: Sequence[Sequence[str | None]]) -> list[tuple[str | None, ...]]:
        """Put rows with a parameter each together to events for a preview: one cell per name in ``seen``."""
        places = {name: at for at, name in reversed(list(enumerate(self.read.names)))}
        plain = [places[name] for name in self.seen if name in places]
        values = [self.read.columns[kind] for kind in VALUES if kind in self.read.columns]
        events: dict[tuple[str | None, ...], dict[str, str | None]] = {}
        for row in sample:
            event = events.setdefault(tuple(row[at] for at in plain), {})
            value = next((row[at] for at in values if row[at]), None)
            event.setdefault(f"{_PARAMS}{row[self.read.columns[DETAIL]]}", value)
        params = self.seen[len(plain) :]
        return [(*(cell or None for cell in who), *map(event.get, params)) for who, event in events.items()]


def may_have_event_rows(names: Sequence[str]) -> bool:
    """Whether the columns alone allow several rows an event."""
    plain = [normalise_spelling(name) for name in names]
    return any(_KEY.match(name) or name == "key" for name in plain) or bool(_item_columns(names))


def has_item(names: Sequence[str]) -> bool:
    """Whether any column describes an item; those inside lists of parameters do not count."""
    return bool(_item_columns([name for name in names if not _inside(name)]))


def find_event_rows(
    names: Sequence[str],
    sample: Sequence[Sequence[str | None]],
    settings: IngestSettings,
    usual: Mapping[str, str] | None = None,
) -> EventRows | None:
    """Detect whether a table has a row per parameter, or may have a row per item.

    Args:
        names: Its columns.
        sample: Some rows, each as wide as ``names``.
        settings: The analyst's mapping.
        usual: Field → usual name of its parameter, in a table whose events hold lists of parameters: then
            only items can be in rows, and lists are compared as a whole.

    Returns:
        None for a table with one row per event. Items may be in several rows although the sample shows none.

    Raises:
        InputError: If there are keys of parameters but no values, or rows of parameters that each hold a list
            of all parameters as well.
    """
    if usual is None:
        fields = map_headers(names, settings)
        return _of_parameters(names, sample, settings) or _of_items(names, sample, fields)
    inside = frozenset(at for at, name in enumerate(names) if _inside(name))
    plain = [at for at in range(len(names)) if at not in inside]
    some = [[row[at] for at in plain] for row in sample]
    if _of_parameters([names[at] for at in plain], some, settings):
        raise rows_beside_lists()
    return _of_items(names, sample, map_names(names, usual, settings), lists=True)


def with_all_values(names: Sequence[str]) -> tuple[str, ...]:
    """Add the columns of the other kinds of parameter values, which a sample may lack, to names."""
    kinds = "|".join(VALUE_KINDS)
    typed = [name for name in names if re.search(rf"(?:{kinds})$", name)]
    more = (re.sub(rf"(?:{kinds})$", kind, name) for name in typed for kind in VALUE_KINDS)
    return tuple(dict.fromkeys([*names, *more]))


def rows_beside_lists() -> InputError:
    """Make the error for events that have several rows and a list of all parameters in each."""
    return InputError(
        "This export has several rows an event, and the list of all parameters in each",
        allowed="one row an event, or an item; or one row a parameter, without such lists",
        remedy="Export without unnesting, or leave out the column event_params",
    )


def differ_in_items(
    names: Sequence[str], sample: Sequence[Sequence[str | None]], inside: Collection[int] = ()
) -> bool:
    """Whether two consecutive rows differ only in their item, parameters inside them included."""
    item = _item_columns(names).difference(inside)
    of_item = {at for at, name in enumerate(names) if normalise_header(name) in _OF_AN_ITEM}
    may_differ = item | of_item.difference(inside)
    for row, after in itertools.pairwise(sample):
        differs = {at for at in range(len(names)) if (row[at] or "") != (after[at] or "")}
        if differs & item and differs <= may_differ and all(any(r[at] for at in item) for r in (row, after)):
            return True
    return False


def _of_parameters(
    names: Sequence[str], sample: Sequence[Sequence[str | None]], settings: IngestSettings
) -> EventRows | None:
    key, values = _key_and_values(names, sample)
    if key is None:
        return None
    numbering = _numbering(names, sample, {key, *values.values()})
    others = [at for at in range(len(names)) if at not in (key, *values.values(), *numbering)]
    plain = [names[at] for at in others]
    keys = dict.fromkeys(row[key] for row in sample if row[key])
    seen = tuple(dict.fromkeys([*plain, *(f"{_PARAMS}{name}" for name in keys)]))
    map_headers(plain, settings)  # refuses a needed column that comes twice
    fields = map_names(seen, _USUAL, settings)
    places = {name: at for at, name in reversed(list(enumerate(names))) if at in others}
    read = {field: places[name] for field, name in fields.by_name.items() if name in places}
    read |= {f"{_REST_COLUMN}{at}": at for at in others if at not in read.values()}
    read |= {DETAIL: key, **values}
    ignored = tuple(names[at] for at in numbering)
    return EventRows("parameter", True, fields, seen, HeaderMap(tuple(names), read, {}), ignored)


def _key_and_values(
    names: Sequence[str], sample: Sequence[Sequence[str | None]]
) -> tuple[int | None, dict[str, int]]:
    """Find the column of the parameter key, and kind of value → column.

    A bare ``key`` beside only a ``value`` may be anything: then keys must be parameters that GA4 sends.
    """
    plain = [normalise_spelling(name) for name in names]
    matches = {at: match for at, name in enumerate(plain) if (match := _VALUE.match(name))}
    named = [at for at, match in matches.items() if match["of"]]
    keys = [at for at, name in enumerate(plain) if _KEY.match(name)]
    if not keys and "key" in plain and (named or _are_parameters(plain, matches, sample)):
        keys = [plain.index("key")]
    if not keys or _is_pivoted(names, {*keys, *matches}):
        return None, {}
    values = {matches[at]["kind"]: at for at in reversed(named or list(matches))}
    if not values:
        raise InputError(
            f"There is a column of parameter keys ({names[keys[0]]}), but none of their values",
            remedy="Export the values beside the keys: string_value, int_value, float_value, double_value",
        )
    return keys[0], {f"{kind}_value" if kind else VALUES[-1]: at for kind, at in values.items()}


def _is_pivoted(names: Sequence[str], taken: Collection[int]) -> bool:
    """Whether each parameter has a column: then ``event_params_key`` is the parameter "key"."""
    free = [
        name
        for at, name in enumerate(names)
        if at not in taken and re.match(_PREFIX, normalise_spelling(name))
    ]
    return any(map(_is_field, free))


def _are_parameters(
    plain: Sequence[str], values: Mapping[int, re.Match[str]], sample: Sequence[Sequence[str | None]]
) -> bool:
    if not values or any(match["kind"] for match in values.values()) or not sample:
        return bool(values)
    known = {*PARAM_FIELDS, "ga_session_number", "session_engaged"}
    return any(row[plain.index("key")] in known for row in sample)


def _of_items(
    names: Sequence[str],
    sample: Sequence[Sequence[str | None]],
    fields: HeaderMap,
    lists: bool = False,
) -> EventRows | None:
    inside = {at for at, name in enumerate(names) if lists and _inside(name)}
    mapped = {*fields.columns.values(), *inside}
    item = sorted(_item_columns(names) - mapped)
    if not item:
        return None
    of_item = {at for at, name in enumerate(names) if normalise_header(name) in _OF_AN_ITEM} - mapped
    numbering = _numbering(names, sample, {*mapped, *item, *of_item})
    rest = set(range(len(names))) - {*mapped, *item, *of_item, *numbering}
    roots = dict.fromkeys(name.partition(".")[0] for name in fields.names if _inside(name))
    every = (*fields.names, *(f"{root}.{WHOLE}" for root in roots if lists))
    read = {**fields.columns, **{f"{_ITEM_COLUMN}{at}": at for at in item}}
    read |= {f"{_REST_COLUMN}{at}": at for at in (*sorted(rest), *range(len(fields.names), len(every)))}
    seen, ignored = tuple(names), tuple(names[at] for at in numbering)
    sure = differ_in_items(names, [_without(row, numbering) for row in sample], inside)
    return EventRows("item", sure, fields, seen, HeaderMap(every, read, {}), ignored)


def _inside(name: str) -> bool:
    """Whether a name is of a parameter inside a list."""
    return name.partition(".")[0] in PARAM_LISTS


def _item_columns(names: Sequence[str]) -> set[int]:
    return {
        at
        for at, name in enumerate(names)
        if _ITEM.match(normalise_header(name)) or name.lower().startswith(("items.", "item."))
    }


def _numbering(
    names: Sequence[str], sample: Sequence[Sequence[str | None]], taken: Collection[int]
) -> list[int]:
    """Find columns that number rows, such as the index of a data frame or the offset of an unnesting.

    They differ within an event and say nothing about it. A column that is a field is never one.
    """
    free = [at for at in range(len(names)) if at not in taken and not _is_field(names[at])]
    return [at for at in free if len(sample) > 1 and _counts([row[at] for row in sample])]


def _is_field(name: str) -> bool:
    return bool(map_headers([name], IngestSettings()).columns)


def _counts(cells: Sequence[str | None]) -> bool:
    """Whether cells count up by 1 from 0 or 1, and may start again at the first number."""
    if not all(cell and cell.isascii() and cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell or 0) for cell in cells]
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    again = (after == numbers[0] for after in numbers[1:])
    return (
        numbers[0] in (0, 1)
        and 1 in steps
        and all(step == 1 or start for step, start in zip(steps, again, strict=True))
    )


def _without(row: Sequence[str | None], places: Collection[int]) -> list[str | None]:
    return [None if at in places else cell for at, cell in enumerate(row)]


def _joined(columns: Sequence[pa.Array]) -> pa.Array:
    """Join the cells of each row to a text; null where all are null."""
    if len(columns) == 1:
        return columns[0]
    text = pc.binary_join_element_wise(*columns, _BETWEEN, null_handling="replace", null_replacement="")
    filled = pc.not_equal(text, _BETWEEN * (len(columns) - 1))
    return pc.if_else(filled, text, pa.scalar(None, pa.string()))
