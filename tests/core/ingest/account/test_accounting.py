from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from core.base.schema import Raw, Rejects
from core.ingest.output_tables import REJECTS
from tests.core.ingest.shop import Row, event, made_of, raw_read


def broken(time: str | None) -> Row:
    return {**event("u", 0), Raw.EVENT_TIMESTAMP: time}


def test_rejects_of_both_sides_are_in_the_order_of_the_files(tmp_path: Path) -> None:
    raw = raw_read(
        tmp_path / "raw", [[event("u", 0), broken("x")], [broken("1989-01-01"), event("u", 1, page=None)]]
    )
    by_reader = pa.Table.from_pylist(
        [
            {
                Rejects.FILE: "file1.csv",
                Rejects.LINE: 9,
                Rejects.COLUMN: None,
                Rejects.VALUE: "a,b",
                Rejects.REASON: "Broken",
            },
            {
                Rejects.FILE: "file0.csv",
                Rejects.LINE: 1,
                Rejects.COLUMN: None,
                Rejects.VALUE: None,
                Rejects.REASON: "Broken",
            },
        ],
        schema=REJECTS,
    )
    files = tuple(file.model_copy(update={"records": file.records + 1, "rejected": 1}) for file in raw.files)
    dataset = made_of(tmp_path, replace(raw, rejects=by_reader, reasons={"Broken": 2}, files=files))
    found = list(dataset.rejects[["file", "line", "reason"]].itertuples(index=False, name=None))
    assert found == [
        ("file0.csv", 1, "Broken"),
        ("file0.csv", 3, "Not a time"),
        ("file1.csv", 2, "Not between the years 1990 and 2100"),
        ("file1.csv", 3, "A page view without page_location"),
        ("file1.csv", 9, "Broken"),
    ]
    assert dataset.receipt.rejects_by_reason["Broken"] == 2
    assert dataset.receipt.rejected == 5
    assert [(file.records, file.read, file.rejected) for file in dataset.receipt.files] == [
        (3, 1, 2),
        (3, 0, 3),
    ]


def test_values_are_masked_and_cut(tmp_path: Path) -> None:
    raw = raw_read(tmp_path / "raw", [[event("u", 0), broken("jane@x.com"), broken("#" * 5000)]])
    values = made_of(tmp_path, raw).rejects["value"].tolist()
    assert values == ["{email}", "#" * 200]
