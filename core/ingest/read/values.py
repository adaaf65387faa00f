"""Typed columns as the text they would have had in a CSV."""

from __future__ import annotations

from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from core.ingest.sources.text import is_utf8

_EXACT_INTEGERS = float(2**53)


class NotText(ValueError):
    """A column whose values are not plain; the message is its type."""


def to_text(array: pa.Array) -> pa.Array:
    """Text of every value: whole numbers without a fraction, times as microseconds UTC, days as YYYYMMDD.

    Empty text is null. Bytes are taken to be UTF-8 and not checked (see :func:`broken_rows`).

    Args:
        array: A column of any plain type.

    Raises:
        NotText: If the type is a list, a record or another one without a plain text.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return to_text(array.dictionary_decode())
    if kind == pa.uuid():
        return _uuid_text(array.storage)
    if pa.types.is_floating(kind):
        return _number_text(array)
    if pa.types.is_timestamp(kind):
        return pc.cast(
            pc.cast(pc.cast(array, pa.timestamp("us", kind.tz), safe=False), pa.int64()), pa.string()
        )
    if pa.types.is_date(kind):
        return pc.strftime(pc.cast(array, pa.timestamp("s")), format="%Y%m%d")
    if pa.types.is_nested(kind):
        raise NotText(str(kind))
    try:
        text = pc.cast(array, pa.string(), safe=False)
    except pa.ArrowException as error:
        raise NotText(str(kind)) from error
    return pc.if_else(pc.equal(pc.binary_length(text), 0), pa.scalar(None, pa.string()), text)


def _uuid_text(array: pa.FixedSizeBinaryArray) -> pa.Array:
    """As it is usually written; each different one is written once."""
    coded = array.dictionary_encode()
    texts = pa.array([str(UUID(bytes=value)) for value in coded.dictionary.to_pylist()], pa.string())
    return texts.take(coded.indices)


def broken_rows(text: pa.Array) -> list[int]:
    """Rows of a text column that are not valid UTF-8."""
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        values = pc.cast(text, pa.binary()).to_pylist()
        return [row for row, value in enumerate(values) if value is not None and not is_utf8(value)]
    return []


def _number_text(array: pa.Array) -> pa.Array:
    """Whole numbers lose the ``.0`` that they got when a column with gaps was made one of fractions."""
    present = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    numbers = pc.cast(present, pa.float64())
    is_whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _EXACT_INTEGERS))
    whole = pc.cast(pc.if_else(is_whole, numbers, pa.scalar(None, pa.float64())), pa.int64())
    return pc.coalesce(pc.cast(whole, pa.string()), pc.cast(present, pa.string()))
