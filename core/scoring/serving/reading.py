"""Read a request's events into the raw records that readers of NDJSON make: flat, or nested as in BigQuery.

The same names, mapping and user key count as in the run that the model comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson

from core.base.errors import InputError, reworded_for_frozen_model
from core.base.raw_fields import RECORD_FIELDS
from core.base.settings import IngestSettings
from core.ingest.in_memory import Record
from core.ingest.read.headers import require
from core.ingest.read.nested import (
    PARAM_LISTS,
    BrokenRecord,
    InexactId,
    ReadPlan,
    decode_exactly,
    make_plan,
    map_names,
    names_in,
    read_record,
)

_PLANS: Final = 64
"""Most sets of names in events whose mapping to fields is kept."""


class NotJson(Exception):
    """Error of a body that is no JSON."""


def parse_body(body: bytes) -> Any:  # noqa: ANN401 - JSON may be anything
    """Parse a request's body as JSON.

    Raises:
        NotJson: If it is none; the message says where.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotJson(str(error)) from error


class EventReader:
    """Reads raw records from events.

    Args:
        settings: Settings of the run that the model comes from.
    """

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._plan_of = lru_cache(_PLANS)(self._make_plan)

    def read(self, events: Sequence[Mapping[str, Any]], body: bytes) -> list[Record]:
        """Read the raw records of events.

        Args:
            events: Parsed JSON objects, flat or nested as in BigQuery.
            body: The whole request, to be parsed anew where an id was written as a number with a fraction.

        Raises:
            InputError: If an event is broken, or a field is missing that a sequence is made of.
        """
        try:
            return self._rows(events)
        except InexactId:
            return self._rows(decode_exactly(body)["events"])
        except RecursionError as error:
            raise InputError("The events are nested too deeply") from error

    def _rows(self, events: Sequence[Mapping[str, Any]]) -> list[Record]:
        number = 0
        try:
            seen: dict[str, None] = {}
            for number, event in enumerate(events):  # noqa: B007 - of the broken one
                seen.update(dict.fromkeys(names_in(event)))
            nested = any(event.get(root) is not None for event in events for root in PARAM_LISTS)
            plan = self._plan_of(tuple(seen), nested, frozenset(key for event in events for key in event))
            rows: list[Record] = []
            for number, event in enumerate(events):  # noqa: B007
                rows.append(dict(zip(plan.fields, read_record(event, plan), strict=True)))
        except (BrokenRecord, TypeError) as error:
            raise InputError(f"Event {number} cannot be read: {error}") from error
        return rows

    @reworded_for_frozen_model()
    def _make_plan(self, seen: tuple[str, ...], nested: bool, keys: frozenset[str]) -> ReadPlan:
        header = map_names(seen, RECORD_FIELDS if nested else {}, self._settings)
        require(header, "The request", self._settings)
        return make_plan(header, keys)
