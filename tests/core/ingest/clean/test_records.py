from collections.abc import Callable
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa
import pytest

from core.base.schema import Raw
from core.ingest.clean import records
from core.ingest.engine import open_engine
from tests.core.ingest.shop import event, paths_of, shop, step

NOON = 1_611_230_400_000_000  # 2021-01-21 12:00:00 UTC, microseconds


def computed(
    folder: Path, texts: list[str | None], function: Callable[[ir.StringValue], ir.Value]
) -> list[object]:
    """What an expression makes of some texts."""
    with open_engine(folder, threads=1) as engine:
        table = engine.keep("texts", pa.table({"text": pa.array(texts, pa.string()), "n": range(len(texts))}))
        made = engine.arrow(table.select("n", value=function(table.text)).order_by("n"))
    return made["value"].to_pylist()


TIMES = {
    "1611230400000000": (NOON, "us"),
    "1611230400": (NOON, "s"),
    "1611230400000": (NOON, "ms"),
    "1611230400000000000": (NOON, "ns"),
    "1611230400000000999": (NOON, "ns"),
    "1611230400.5": (NOON + 500_000, "s"),
    "1611230400000.25": (NOON + 250, "ms"),
    "1.6112304e15": (NOON, "us"),
    "1.6112304E+09": (NOON, "s"),
    " 1611230400 ": (NOON, "s"),
    "1611230400000000.0": (NOON, "us"),
    "2021-01-21T12:00:00Z": (NOON, "iso with zone"),
    "2021-01-21 12:00:00 UTC": (NOON, "iso with zone"),
    "2021-01-21T14:00:00+02:00": (NOON, "iso with zone"),
    "2021-01-21 07:00:00-05": (NOON, "iso with zone"),
    "2021-01-21T17:30:00.000001+0530": (NOON + 1, "iso with zone"),
    "2021-01-21 13:00:00 Europe/Berlin": (NOON, "iso with zone"),
    "2021-01-21T12:00:00": (NOON, "iso"),
    "2021-01-21 12:00:00.000001": (NOON + 1, "iso"),
    "2021-01-21": (NOON - 12 * 3_600_000_000, "iso"),
    "631152000": (631_152_000_000_000, "s"),
    "631152000000": (631_152_000_000_000, "ms"),
    "631152000000000": (631_152_000_000_000, "us"),
    "631152000000000000": (631_152_000_000_000, "ns"),
    "1996-02-29 00:00:00": (825_552_000_000_000, "iso"),
    "4102444799": (4_102_444_799_000_000, "s"),
}
OUTSIDE = [
    "631151999",
    "4102444800",
    "20210121",
    "0",
    "-5",
    "1989-12-31",
    "2100-01-01",
    "290000-01-01",
    "1e30",
]
NO_NUMBERS = [
    "0x1f",
    "0X1F",
    "0b11",
    "0B11",
    "1_000",
    "1_000.5",
    "1_0e1",
    "１３",
    "٣",
    "1,5",
    "nan",
    "inf",
    "-Infinity",
    "1e400",
]
NO_TIMES = ["", "abc", "21/01/2021 12:00", "2021-13-01", "1,611", "NaT", None]
NO_TIMES += ["0x5b4fae7b2f0c7", "1_605_951_606_059_719", "16_05951606", "1.6_05951606059719e15", "infinity"]
NO_TIMES += [
    "0b1011011010011111010111001111011001011110000110001111",
    "１６０５９５１６０６０５９７１９",
    *NO_NUMBERS,
]


def test_times_in_every_way_they_are_written(tmp_path: Path) -> None:
    assert computed(tmp_path, list(TIMES), records.microseconds) == [moment for moment, _ in TIMES.values()]
    assert computed(tmp_path, list(TIMES), records.unit) == [unit for _, unit in TIMES.values()]


def test_times_that_cannot_be(tmp_path: Path) -> None:
    assert computed(tmp_path, [*OUTSIDE, *NO_TIMES], records.microseconds) == [None] * (
        len(OUTSIDE) + len(NO_TIMES)
    )
    assert computed(tmp_path, OUTSIDE[:-1], records.unit) == [records.OUTSIDE] * (len(OUTSIDE) - 1)
    assert computed(tmp_path, NO_TIMES, records.unit) == [None] * len(NO_TIMES)


def test_engagement_as_text(tmp_path: Path) -> None:
    texts = ["13", "13.0", "0", "1e3", "", "-1", "abc", None, "2000000000000", *NO_NUMBERS]
    assert computed(tmp_path, texts, records.milliseconds) == [13, 13, 0, 1000, *[None] * (len(texts) - 4)]


def test_revenue_as_text(tmp_path: Path) -> None:
    texts = ["13.5", "-13.5", "0", "1e3", "", "abc", None, "1e16", *NO_NUMBERS]
    assert computed(tmp_path, texts, records.money) == [13.5, -13.5, 0, 1000, *[None] * (len(texts) - 4)]


def test_numbers_in_other_spellings_are_rejected_as_times_and_absent_elsewhere(tmp_path: Path) -> None:
    hexadecimal = {**event("u", 0), Raw.EVENT_TIMESTAMP: hex(NOON)}
    odd = event("u", 1, **{Raw.BATCH_PAGE_ID: "0x1", Raw.ENGAGEMENT_TIME_MSEC: "1_000"})
    dear = [
        event("u", second, name="purchase", **{Raw.PURCHASE_REVENUE: value})
        for second, value in enumerate(["1_000", "inf", "9e31", "9e31", "12.5"])
    ]
    dataset = shop(tmp_path, hexadecimal, odd, *dear * 2)
    assert dataset.receipt.rejects_by_reason == {"Not a time": 1}
    assert dataset.outcomes["revenue"].tolist() == [25.0]
    assert dataset.users["engagement_msec"].isna().all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "(not set)",
        "null",
        "NULL",
        "nan",
        "NaN",
        "undefined",
        "None",
        "(data deleted)",
        "<Other>",
        "Unknown ",
    ],
)
def test_texts_that_stand_for_nobody(tmp_path: Path, text: str) -> None:
    assert computed(tmp_path, [text, None], records.user_id) == [None, None]


@pytest.mark.parametrize(
    "text", ["1026932.0858862293", "0123", "1e5", " a ", "nanny", "null-island", "(direct)", "é"]
)
def test_ids_stay_exactly_as_they_are(tmp_path: Path, text: str) -> None:
    assert computed(tmp_path, [text], records.user_id) == [text]


def test_placeholders_are_absent_but_direct_is_a_source(tmp_path: Path) -> None:
    texts = [
        "",
        "  ",
        "(not set)",
        "<Other>",
        "(other)",
        "(data deleted)",
        "<obfuscated>",
        "(direct)",
        "Germany",
    ]
    assert computed(tmp_path, texts, records.absent) == [*[None] * 7, "(direct)", "Germany"]
    assert computed(tmp_path, texts, lambda text: records.absent(text, records.DIRECT)) == [
        *[None] * 8,
        "Germany",
    ]


def test_blanks_around_the_last_placeholder_change_nothing(tmp_path: Path) -> None:
    texts = ["<obfuscated> ", "\t<obfuscated>", "www.shop.example ", "www.shop.example/", "x", "=", "Ä"]
    found = computed(tmp_path, texts, lambda text: records.absent(text, "www.shop.example"))
    assert found == [None, None, None, *texts[3:]]


def test_order_is_by_time_then_batch_then_place(tmp_path: Path) -> None:
    def batch(page: int | None, ordering: int, index: int) -> dict[str, str]:
        columns = (Raw.BATCH_PAGE_ID, Raw.BATCH_ORDERING_ID, Raw.BATCH_EVENT_INDEX)
        return {name: str(value) for name, value in zip(columns, (page, ordering, index), strict=True)}

    dataset = shop(
        tmp_path,
        event("u", 5, "/last"),
        event("u", 1, "/e", **batch(10, 1, 1)),
        event("u", 1, "/d", **batch(9, 2, 2)),
        event("u", 1, "/c", **batch(9, 2, 1)),
        event("u", 1, "/b", **batch(9, 1, 7)),
        event("u", 0, "/a"),
    )
    assert paths_of(dataset) == {"u": ["/a", "/b", "/c", "/d", "/e", "/last"]}


def test_ties_keep_the_order_of_the_file(tmp_path: Path) -> None:
    dataset = shop(tmp_path, *(event("u", 1, page) for page in ("/z", "/a", "/m")))
    assert paths_of(dataset) == {"u": ["/z", "/a", "/m"]}
    assert dataset.receipt.tied_page_views == 2


def test_internal_and_debug_traffic_is_left_out_by_choice(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"),
        event("u", 1, "/b", traffic_type="internal"),
        event("u", 2, "/c", debug_mode="1"),
        event("u", 3, "/d", debug_mode="0"),
        event("u", 4, "/e", debug_mode="true", traffic_type="Internal"),
    ]
    excluded = shop(tmp_path / "out", *rows)
    assert paths_of(excluded) == {"u": ["/a", "/d"]}
    assert (step(excluded, "internal"), step(excluded, "debug")) == (2, 1)
    kept = shop(tmp_path / "in", *rows, exclude_internal=False, exclude_debug=False)
    assert paths_of(kept) == {"u": ["/a", "/b", "/c", "/d", "/e"]}
    assert (step(kept, "internal"), step(kept, "debug")) == (0, 0)
