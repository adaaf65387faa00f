"""JSON lines in which parameters are folded away, as the cells of a CSV may be.

Either a name holds JSON as text, which ``TO_JSON_STRING`` writes, or a tool has flattened the lists:
``event_params.0.key`` beside ``event_params.0.value.string_value``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from core.ingest.read.delimited_layout import KEY, RECORD_COLUMNS, VALUE, Shape, holds_json
from core.ingest.read.nested import BrokenRecord, Record, decode_texts


@dataclass(frozen=True)
class Folds:
    """How the records of a file are folded.

    Args:
        texts: Names whose texts are JSON.
        dotted: Whether parameters have names with a number.
    """

    texts: tuple[str, ...]
    dotted: bool

    @property
    def shape(self) -> str:
        """As in the receipt."""
        return (Shape.CONSOLE if self.texts else Shape.DOTTED).of("ndjson")

    def unfold(self, record: Record, decode: Callable[[str], Any] = orjson.loads) -> dict[str, Any]:
        """The record as the export nests it.

        Raises:
            BrokenRecord: If a text is not JSON.
        """
        inside = decode_texts(record, self.texts, decode)
        plain = {name: value for name, value in record.items() if name not in inside}
        keys: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for name in record if self.dotted else ():
            if key := KEY.match(name):
                keys[key[1]] = plain.pop(name)
            elif value := VALUE.match(name):
                if (cell := plain.pop(name)) not in (None, ""):
                    values.setdefault(value[1], cell)
        listed = [{"key": str(key), "value": values.get(slot)} for slot, key in keys.items() if key]
        return plain | inside | ({"event_params": listed} if listed else {})

    def unfold_sample(self, records: Sequence[Record]) -> tuple[dict[str, Any], ...]:
        """Records to take names from; a broken one is left as it is: it is rejected when it is read."""
        unfolded = []
        for record in records:
            try:
                unfolded.append(self.unfold(record))
            except BrokenRecord:
                unfolded.append(dict(record))
        return tuple(unfolded)


def find_folds(sample: Sequence[Record]) -> Folds | None:
    """How the records of a sample are folded; None if they are not."""
    cells = {
        name: [text for record in sample if isinstance(text := record.get(name), str)]
        for name in RECORD_COLUMNS
    }
    told = any(texts and holds_json(name, texts) for name, texts in cells.items())
    # one that the sample has no text of may have some further on
    texts = tuple(name for name, found in cells.items() if told and (not found or holds_json(name, found)))
    dotted = any(map(KEY.match, {name for record in sample for name in record}))
    return Folds(texts, dotted) if told or dotted else None
