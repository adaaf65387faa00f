"""JSON lines in which parameters are folded away, as the cells of a CSV may be.

Either a name holds JSON as text, which ``TO_JSON_STRING`` writes, or a tool has flattened the lists:
``event_params.0.key`` beside ``event_params.0.value.string_value``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson

from core.ingest.read.delimited_layout import KEY, RECORD_COLUMNS, VALUE, Shape, holding_json, read_within
from core.ingest.read.nested import PARAM_LISTS, BrokenRecord, Record, decode_texts


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

    def read_for(self, names: Iterable[str]) -> Folds:
        """Leave out texts that none of the names is inside of, which need not be JSON."""
        return replace(self, texts=read_within(self.texts, names))

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
            is_key, slot = _slot(name)
            if slot and (cell := plain.pop(name)) not in (None, ""):
                (keys if is_key else values).setdefault(slot, cell)
        listed = [{"key": str(key), "value": values.get(slot)} for slot, key in keys.items()]
        return plain | inside | ({"event_params": listed} if listed else {})

    def unfold_sample(self, records: Sequence[Record]) -> tuple[dict[str, Any], ...]:
        """Records to be looked at; a broken one stays so, with no names but those of its plain values."""
        unfolded = []
        for record in records:
            try:
                unfolded.append(self.unfold(record))
            except BrokenRecord:
                hidden = set(self.texts).difference(PARAM_LISTS)
                unfolded.append({name: value for name, value in record.items() if name not in hidden})
        return tuple(unfolded)


@lru_cache(1 << 12)
def _slot(name: str) -> tuple[bool, str]:
    """Whether a name is that of a key, and the number in it; empty of any other name."""
    key = KEY.match(name)
    found = key or VALUE.match(name)
    return bool(key), found[1] if found else ""


def find_folds(sample: Sequence[Record]) -> Folds | None:
    """How the records of a sample are folded; None if they are not."""
    cells = {
        name: [text for record in sample if isinstance(text := record.get(name), str)]
        for name in RECORD_COLUMNS
    }
    texts = holding_json(cells)
    dotted = any(map(KEY.match, {name for record in sample for name in record}))
    return Folds(texts, dotted) if texts or dotted else None
