"""Channels of events: as GA4 exports them, else by GA4's default rules on source, medium and campaign.

A *visit* is what an event says of where its session came from. Different visits are few: the rules are
applied to each of them once, and an event has the code of its visit's channel.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from core.base.errors import InputError, control
from core.base.schema import CHANNEL, SOURCES, ChannelBasis, Raw, SourceBasis, SourceFields
from core.ingest.clean import records
from core.ingest.clean.channels import add_channel
from core.ingest.clean.personal_data import mask_url
from core.ingest.engine import Engine
from core.storage.receipt import FileReceipt

CODE: Final = "channel_code"
BASES: Final = tuple(ChannelBasis)
MAX_CHANNELS: Final = 100
"""Most channels that a file can name: a column with more holds something else."""

_VISIT, _BASIS = "visit", "channel_basis"
_EXPORTED, _SOURCE = "exported", "source"
_DIRECT: Final = "Direct"
_NOTHING: Final = 0
"""Code of an event without a source, in a file that has sources of sessions."""


@dataclass(frozen=True, eq=False)
class ChannelCodes:
    """Codes of the channels of an export.

    Args:
        visits: Table of the hash of a visit → code.
        names: Channel by code.
        bases: int8 array by code, index in :class:`~core.base.schema.ChannelBasis`.
        places: Places where the files have sources, the best first.
        collecting: Numbers of the files that have sources of sessions.
    """

    visits: ir.Table
    names: tuple[str, ...]
    bases: np.ndarray
    places: tuple[SourceFields, ...]
    collecting: tuple[int, ...]

    def add_to(self, events: ir.Table) -> ir.Table:
        """Add the column :data:`CODE` to records; null where neither they nor their file have a source."""
        known = events.mutate(**{_VISIT: _hash(_values(events, self.places))})
        known = known.left_join(self.visits, _VISIT).select(*events.columns, CODE)
        collects = known[Raw.FILE_NO].isin(list(self.collecting))
        nothing = ibis.ifelse(collects, ibis.literal(_NOTHING, "int16"), ibis.null("int16"))
        return known.mutate(**{CODE: known[CODE].fill_null(nothing)})


def written_visits(
    engine: Engine, staying: ir.Table, present: Collection[str], hosts: Collection[str]
) -> ir.Table | None:
    """Find the channel of every different visit: a table of its hash, its basis and its channel.

    Args:
        engine: Database of the tables.
        staying: The records that are used.
        present: Fields that any file has.
        hosts: The site's own hosts, which are no source.

    Returns:
        None where no record says where it came from.
    """
    places = _places(present)
    if not places and Raw.SESSION_CHANNEL not in present:
        return None
    values = _values(staying, places)
    seen = staying.group_by(**{_VISIT: _hash(values)}).agg(
        **{name: value.arbitrary() for name, value in values.items()}
    )
    kept = engine.keep("written_visits", seen)
    visits = _in_words_of_rules(kept, _filled(engine, kept, places))
    by_itself = visits[_EXPORTED].isnull() & visits[_SOURCE].lower().isin(list(hosts)).fill_null(False)
    named = add_channel(visits.filter(visits[_BASIS].notnull() & ~by_itself))
    channel = ibis.coalesce(named[_EXPORTED], named[CHANNEL])
    named = engine.ibis.create_table("visits", named.select(_VISIT, _BASIS, channel=channel))
    return named if engine.count(named.limit(1)) else None


def number_channels(
    engine: Engine, visits: ir.Table | None, files: Sequence[FileReceipt], present: Collection[str]
) -> ChannelCodes | None:
    """Give every pair of a basis and a channel a code.

    Args:
        engine: Database of the tables.
        visits: Result of :func:`written_visits`.
        files: The files, by their numbers.
        present: Fields that any file has.

    Raises:
        InputError: If the column of channels holds something else.
    """
    if visits is None:
        return None
    pairs = engine.arrow(visits.select(_BASIS, CHANNEL).distinct().order_by(_BASIS, CHANNEL))
    _refuse_other_texts(pairs, files)
    codes = pairs.append_column(CODE, pa.array(range(1, len(pairs) + 1), pa.int16()))
    numbered = visits.inner_join(engine.keep("channels", codes), [_BASIS, CHANNEL]).select(_VISIT, CODE)
    sources = {place.source for place in SOURCES[1:]}
    first_touch = BASES.index(ChannelBasis(SOURCES[0].basis))
    if set(pairs[_BASIS].to_pylist()) == {first_touch}:  # columns of sessions may be there, and empty
        sources = set()
    return ChannelCodes(
        visits=engine.keep("visit_channels", numbered),
        names=(_DIRECT, *(mask_url(name).text for name in pairs[CHANNEL].to_pylist())),
        bases=np.array([BASES.index(ChannelBasis.NOTHING), *pairs[_BASIS].to_pylist()], np.int8),
        places=_places(present),
        collecting=tuple(at for at, file in enumerate(files) if not sources.isdisjoint(file.columns)),
    )


def _refuse_other_texts(pairs: pa.Table, files: Sequence[FileReceipt]) -> None:
    exported = sum(basis == BASES.index(ChannelBasis.EXPORTED) for basis in pairs[_BASIS].to_pylist())
    if exported > MAX_CHANNELS:
        column = next(
            file.columns[Raw.SESSION_CHANNEL] for file in files if Raw.SESSION_CHANNEL in file.columns
        )
        raise InputError(
            f"The column {column!r} holds {exported:,} channels, and at most {MAX_CHANNELS} are possible",
            remedy=f"Say which column holds {Raw.SESSION_CHANNEL}, or that none does: {control('mapping')}",
        )


def _places(present: Collection[str]) -> tuple[SourceFields, ...]:
    """Places of sources that any file has; of files with ads clicks alone the place where those belong."""
    places = tuple(place for place in SOURCES if place.source in present)
    collected = tuple(place for place in SOURCES if place.source == Raw.COLLECTED_SOURCE)
    return places or (collected if Raw.ADS_CLICK in present else ())


def _filled(engine: Engine, visits: ir.Table, places: Sequence[SourceFields]) -> tuple[SourceFields, ...]:
    """Places of sources of sessions; that of the first touch, too, where no visit has a value of others.

    A query of BigQuery gives a column for each field, also where it is empty.
    """
    of_sessions = tuple(place for place in places if place in SOURCES[1:])
    fields = (Raw.SESSION_CHANNEL, *(place.source for place in of_sessions))
    clicks = [visits[Raw.ADS_CLICK]] if of_sessions else []
    known = ibis.or_(*clicks, *(records.absent(visits[field].strip()).notnull() for field in fields))
    return of_sessions if engine.count(visits.filter(known).limit(1)) else tuple(places)


def _values(events: ir.Table, places: Sequence[SourceFields]) -> dict[str, ir.Value]:
    """All that an event says of where its session came from, as written; of an ads click only that it was."""
    fields = (Raw.SESSION_CHANNEL, *(field for _, *fields in places for field in fields))
    clicked = records.user_id(events[Raw.ADS_CLICK]).notnull()  # an id, too: "null" and the like are none
    return {field: events[field] for field in fields} | {Raw.ADS_CLICK: clicked}


def _hash(values: Mapping[str, ir.Value]) -> ir.Value:
    """Hash values to 64 bits, enough to tell visits apart."""
    return ibis.struct(values).hash()


def _in_words_of_rules(visits: ir.Table, places: Sequence[SourceFields]) -> ir.Table:
    """The basis of visits, the channel as exported, and the values that GA4's default rules ask for.

    These are of the first place that has any; the last click of a session knows of clicks on ads.
    """
    text = {
        name: records.absent(visits[name].strip())  # "(not set)" must not hide the next place
        for name in visits.columns
        if name not in (_VISIT, Raw.ADS_CLICK)
    }
    exported, click = text[Raw.SESSION_CHANNEL], visits[Raw.ADS_CLICK]
    there = [exported.notnull()]
    rows: list[tuple[object, ...]] = [(BASES.index(ChannelBasis.EXPORTED), None, None, None, None)]
    for basis, *fields in places:
        values = [text[field] for field in fields]
        some = ibis.or_(*(value.notnull() for value in values))
        by_click = basis is SourceBasis.COLLECTED
        there.append(some | click if by_click else some)
        clicked = ibis.ifelse(click, "yes", None) if by_click else None
        rows.append((BASES.index(ChannelBasis(basis)), *values, clicked))
    kinds = {_BASIS: "int8", **dict.fromkeys((_SOURCE, "medium", "campaign", "ads_click"), "string")}
    chosen = {
        name: ibis.cases(*zip(there, column, strict=True), else_=None).cast(kind)
        for (name, kind), column in zip(kinds.items(), zip(*rows, strict=True), strict=True)
    }
    return visits.select(_VISIT, **{_EXPORTED: exported}, **chosen)
