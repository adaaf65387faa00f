"""What holds for the transform as a whole: the same bytes always, and no personal data anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.base.errors import Cancelled
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.ingest import transform
from core.ingest.read.read_all import READ_SHARE
from tests.core.ingest.shop import Row, event, made_of, raw_read
from tests.core.ingest.test_reference import random_rows

ROWS = random_rows(np.random.default_rng(7), 400)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("expected")
    return contents(made_of(folder, raw_read(folder / "raw", [ROWS, ROWS[:50]]), threads=1).path)


@pytest.mark.parametrize(
    ("threads", "parts", "shuffled"), [(1, 1, False), (2, 1, False), (2, 7, True), (4, 40, True)]
)
def test_the_bytes_do_not_depend_on_threads_or_on_how_the_parts_lie(
    tmp_path: Path, expected: dict[str, bytes], threads: int, parts: int, shuffled: bool
) -> None:
    raw = raw_read(tmp_path / "raw", [ROWS, ROWS[:50]], parts=parts)
    if shuffled:
        order = np.random.default_rng(threads).permutation(len(raw.parts))
        raw = replace(raw, parts=tuple(raw.parts[place] for place in order))
    assert contents(made_of(tmp_path, raw, threads=threads).path) == expected


SECRETS = (
    "jane@x.com",
    "jane%40x.com",
    "4111111111111111",
    "DE89370400440532013000",
    "+491701234567",
    "s3cr3tvalue",
    "Mustermann",
)


def rows_with_secrets() -> list[Row]:
    rows = []
    for number, secret in enumerate(SECRETS):
        value = secret.replace("+", "%2B")
        rows += [
            event("u", number, f"/a/{value}" if number < 5 else "/a"),
            event("u", number, f"/s?q={value}" if number < 5 else "/s"),
            event("u", number, f"/x?email={value}&token={value}&name={value}#/?password={value}"),
            event("u", number, "/t", page_title=f"Hello {secret}" if number < 5 else "Hello"),
            event("u", number, page_referrer=f"https://x.example/?email={secret}"),
            {**event("u", number), Raw.EVENT_TIMESTAMP: f"email={secret}"},
            event("u", number, f"/rejected?token={value}&name={value}", name="scroll"),
        ]
        if number < 5:
            rows += [
                event("u", number, page=f"mailto:{secret}"),
                event("u", number, name=f"mail {secret}"),
                event("u", number, traffic_source_source=secret, device_browser=secret, geo_country=secret),
            ]
    return rows


def test_no_personal_data_is_written_to_any_file(tmp_path: Path) -> None:
    dataset = made_of(tmp_path, raw_read(tmp_path / "raw", [rows_with_secrets()]), IngestSettings())
    texts = [dataset.receipt.model_dump_json()]
    for path in dataset.path.glob("*.parquet"):
        texts.append(str(pq.read_table(path).to_pydict()))
    written = "\n".join(texts).lower()
    assert [secret for secret in SECRETS if secret.lower() in written] == []
    assert {"email", "card", "iban", "phone", "token", "name"} <= set(dataset.receipt.pii_masked)


def test_progress_goes_on_from_where_reading_ended(tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []

    def note(stage: str, fraction: float, message: str = "", **_: float) -> None:
        seen.append((stage, fraction))

    (tmp_path / "out").mkdir()
    transform(
        raw_read(tmp_path / "raw", [[event("u", 0)]]), IngestSettings(), tmp_path / "out", note, tmp_path
    )
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert READ_SHARE < fractions[0] < fractions[-1] == 1.0
    assert {stage for stage, _ in seen} == {"preprocess"}


def test_a_cancelled_run_writes_nothing(tmp_path: Path) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Cancelled("Preprocessing")

    (tmp_path / "out").mkdir()
    with pytest.raises(Cancelled):
        transform(
            raw_read(tmp_path / "raw", [[event("u", 0)]]), IngestSettings(), tmp_path / "out", stop, tmp_path
        )
    assert not list((tmp_path / "out").iterdir())


def test_placeholders_are_counted_as_they_are_written(tmp_path: Path) -> None:
    rows = [
        event("u", 0, geo_country="(not set)", device_browser="<Other>", page_title="Page Unavailable"),
        event("null", 1, geo_country="Spain", device_browser="", page_title="(not set)"),
        event("u", 2, geo_country="Spain", traffic_source_source="(direct)"),
    ]
    receipt = made_of(tmp_path, raw_read(tmp_path / "raw", [rows])).receipt
    assert receipt.placeholders == {
        "(not set)": 2,
        "(empty)": 1,
        "<Other>": 1,
        "Page Unavailable": 1,
        "null": 1,
    }
