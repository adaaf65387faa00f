"""Input that is not as GA4 writes it, from files to a data set: one clear line, or every record counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import InputError
from core.base.progress import silent
from core.base.settings import IngestSettings
from core.runs import pipeline
from core.storage.receipt import Receipt
from core.storage.store import Store
from tests.core.ingest.raw import HEADER, ROW, csv_of, write
from tests.core.ingest.read.test_ndjson import event, lines
from tests.core.ingest.read.unnested import as_csv

WEB, APP = {"platform": "WEB", "stream_id": "1"}, {"platform": "ANDROID", "stream_id": "2"}
SCREEN = {**APP, "event_name": "screen_view"}


def receipt_of(folder: Path, files: dict[str, str], **settings: object) -> Receipt:
    """Prepare files; in the toy records debug mode is on."""
    for name, content in files.items():
        write(folder / "in" / name, content)
    chosen = IngestSettings.checked(exclude_debug=False, **settings)
    receipt = pipeline.preprocess(Store(folder / "cache"), [folder / "in"], chosen, silent).receipt
    assert sum(file.read for file in receipt.files) + receipt.rejected == receipt.records
    return receipt


def left_out(receipt: Receipt) -> dict[str, int]:
    return {one.cause: one.page_views + one.other_events for one in receipt.left_out}


@pytest.mark.parametrize("privacy", ["No", 5, ["No"]], ids=["text", "number", "list"])
@pytest.mark.parametrize("kind", ["json", "parquet", "csv"])
def test_privacy_info_of_another_type_says_nothing_of_consent(
    tmp_path: Path, kind: str, privacy: object
) -> None:
    page = [{"key": "page_location", "value": {"string_value": "/a"}}]
    rows = [event(user, event_params=page, privacy_info=privacy) for user in ("u1", "u2")]
    rows.append({**rows[0], "user_pseudo_id": None})
    if kind == "parquet":
        (tmp_path / "in").mkdir()
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in" / "a.parquet")
    files = {"json": {"a.json": lines(*rows)}, "csv": {"a.csv": cells(rows)}}.get(kind, {})
    receipt = receipt_of(tmp_path, files)
    assert (receipt.records, receipt.rejected, receipt.users) == (3, 0, 2)
    assert left_out(receipt) == {"no_id_not_said": 1}


def cells(rows: list[dict[str, Any]]) -> str:
    """A table with JSON in its cells."""
    texts = [
        {name: value if isinstance(value, str | None) else json.dumps(value) for name, value in row.items()}
        for row in rows
    ]
    return as_csv(texts)


@pytest.mark.parametrize(
    ("who", "users", "before"),
    [
        ([("c1", "ann"), ("c1", "bob"), ("c1", None), ("c2", "ann")], 2, 1),
        ([*((f"c{number}", "ann") for number in range(40)), ("c3", None)], 1, 1),
    ],
    ids=["one cookie, two users", "one user, forty cookies"],
)
def test_users_who_sign_in_are_told_apart_by_what_they_sign_in_with(
    tmp_path: Path, who: list[tuple[str, str | None]], users: int, before: int
) -> None:
    rows = [event(cookie, user_id=user) for cookie, user in who]
    receipt = receipt_of(tmp_path, {"a.json": lines(*rows)}, user_key="user_id")
    assert (receipt.users, receipt.page_views_used) == (users, len(who) - before)
    assert left_out(receipt) == {"before_login": before}


@pytest.mark.parametrize(
    ("column", "settings", "used", "causes", "words"),
    [
        ("called", {"mapping": {"page_title": "called"}}, 2, {}, "page_title is missing in 1 of 2 files"),
        ("platform", {"stream": "web"}, 1, {"other_stream": 1}, "platform is missing in 1 of 2 files"),
    ],
)
def test_a_chosen_column_may_be_missing_in_one_of_two_files(
    tmp_path: Path, column: str, settings: dict[str, object], used: int, causes: dict[str, int], words: str
) -> None:
    with_it = csv_of(f"{ROW},WEB", header=f"{HEADER},{column}").replace(",page_title", ",other")
    without = csv_of(ROW).replace(",page_title", ",other")
    receipt = receipt_of(tmp_path, {"a.csv": with_it, "b.csv": without}, **settings)
    assert (receipt.page_views_used, left_out(receipt)) == (used, causes)
    assert words in receipt.warnings


def test_a_day_on_which_nobody_signs_in_is_read(tmp_path: Path) -> None:
    """NDJSON has no name for what is null in every record; a table without the column is another one."""
    days = {"a.json": lines(event("c1", user_id="ann")), "b.json": lines(event("c2"))}
    assert left_out(receipt_of(tmp_path, days, user_key="user_id")) == {"before_login": 1}
    with pytest.raises(InputError, match=r"a\.csv has no column for the user.*--user-key COLUMN"):
        receipt_of(tmp_path / "table", {"a.csv": csv_of(ROW)}, user_key="user_id")


def test_a_fresh_table_that_does_not_say_its_day_is_named(tmp_path: Path) -> None:
    files = {"events_20210121.csv": csv_of(ROW), "events_fresh.csv": csv_of(ROW, ROW)}
    receipt = receipt_of(tmp_path, files)
    assert (receipt.page_views_used, left_out(receipt)) == (3, {})
    assert any(text.startswith("events_fresh.csv does not say of which day") for text in receipt.warnings)


@pytest.mark.parametrize(
    ("rows", "stream", "words"),
    [
        (
            [event("u", **WEB), event("v", **SCREEN), event("v", **SCREEN)],
            "IOS",
            "'IOS' was chosen, and there is ANDROID 2 (0 page views in 2 records), WEB 1 (1 page view in 1 "
            "record). Choose another stream: --stream NAME.",
        ),
        ([event("u")], "WEB", "'WEB' was chosen, and there is no named stream (1 page view in 1 record)"),
    ],
)
def test_a_stream_that_is_not_there_is_said_with_those_that_are(
    tmp_path: Path, rows: list[dict[str, Any]], stream: str, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        receipt_of(tmp_path, {"a.json": lines(*rows)}, stream=stream)
    assert words in str(caught.value)
