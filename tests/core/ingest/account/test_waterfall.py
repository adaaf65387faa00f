from dataclasses import replace
from pathlib import Path

import pytest

from core.base.errors import InputError
from core.base.schema import Raw
from core.base.settings import IngestSettings
from tests.core.ingest.shop import Row, event, made_of, paths_of, raw_read, shop

STEPS = ["rejected", "not_page_view", "internal", "debug", "no_id_not_said", "stripped"]

ONE_OF_EACH: list[Row] = [
    {**event("u", 0), Raw.EVENT_TIMESTAMP: "soon"},
    {**event("u", 0, name="scroll"), Raw.EVENT_TIMESTAMP: None},
    event("u", 1, page=None),
    event("u", 2, name="scroll"),
    event(None, 3),
    event("(not set)", 3),
    event("u", 4, traffic_type="internal"),
    event("u", 5, debug_mode="1"),
    event("u", 6, "/thanks"),
    event("u", 7, "/a"),
    event("u", 8, "/b"),
    event("v", 9, "/a"),
]


def test_every_record_leaves_at_one_step_and_the_steps_add_up(tmp_path: Path) -> None:
    dataset = shop(tmp_path, *ONE_OF_EACH, strip_pages=("https://shop.example/thanks",))
    receipt = dataset.receipt
    assert [found.name for found in receipt.waterfall] == STEPS
    assert [found.records for found in receipt.waterfall] == [3, 1, 1, 1, 2, 1]
    assert [found.left for found in receipt.waterfall] == [9, 8, 7, 6, 4, 3]
    assert (receipt.records, receipt.rejected, receipt.page_views_used) == (12, 3, 3)
    assert receipt.rejects_by_reason == {
        "A page view without page_location": 1,
        "No event_timestamp": 1,
        "Not a time": 1,
    }
    assert receipt.users_by_group == {"segment": 1, "one_page": 1, "bot_like": 0}
    assert paths_of(dataset) == {"u": ["/a", "/b"], "v": ["/a"]}


def test_one_page_users_are_kept(tmp_path: Path) -> None:
    dataset = shop(tmp_path, event("u", 0), event("v", 0), event("v", 1))
    assert dataset.users["group"].tolist() == ["one_page", "segment"]


def test_rejects_after_reading_count_in_the_file_they_are_in(tmp_path: Path) -> None:
    files = [[event("u", 0), event("u", 1)], [event("u", 2), {**event("u", 3), Raw.EVENT_TIMESTAMP: "x"}]]
    dataset = made_of(tmp_path, raw_read(tmp_path / "raw", files))
    assert [(file.read, file.rejected) for file in dataset.receipt.files] == [(2, 0), (1, 1)]
    assert dataset.rejects.to_dict("records") == [
        {"file": "file1.csv", "line": 3, "column": "event_timestamp", "value": "x", "reason": "Not a time"}
    ]


def test_a_file_without_event_names_holds_page_views_only(tmp_path: Path) -> None:
    files = [
        [event("u", 0, "/a"), event("u", 1, "/b", name="scroll")],
        [event("u", 2, "/c"), event("u", 3, "/d")],
    ]
    dataset = made_of(tmp_path, raw_read(tmp_path / "raw", files, without={1: [Raw.EVENT_NAME]}))
    assert paths_of(dataset) == {"u": ["/a", "/c", "/d"]}


def test_an_exclusion_that_takes_most_is_said_aloud(tmp_path: Path) -> None:
    rows = [event("u", second, debug_mode="1") for second in range(3)] + [event("u", 9), event("u", 10)]
    [warning] = shop(tmp_path, *rows).receipt.warnings
    assert "3 of 5 page views" in warning
    assert "exclude_debug" in warning


@pytest.mark.parametrize(
    ("rows", "settings", "words"),
    [
        ([], {}, "no records"),
        ([event("u", 0, traffic_type="internal")], {}, "exclude_internal"),
        ([event("u", 0, debug_mode="1")], {}, "exclude_debug"),
        ([event(None, 0)], {}, "--user-key COLUMN"),
        (
            [event("u", 0, name="scroll"), event("u", 0, name="view_item")],
            {},
            r"scroll \(1\), view_i",
        ),
        ([{**event("u", 0), Raw.EVENT_TIMESTAMP: "soon"}], {}, "line 2: Not a time \\('s…'\\)"),
        (
            [{**event("u", 0), Raw.EVENT_TIMESTAMP: "12.10.2026 09:30"}],
            {},
            r"read as ISO 8601 \(2026-10-12 09:30",
        ),
        ([event("u", 0, page="(not set)")], {}, "page_location"),
        ([event("u", 0, "/a")], {"strip_pages": ("https://shop.example/a",)}, "strip_pages"),
        ([event("u", 0, debug_mode="1"), event("u", 0, traffic_type="internal")], {}, "exclude_debug"),
    ],
)
def test_the_step_that_took_everything_is_named(
    tmp_path: Path, rows: list[Row], settings: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        shop(tmp_path, *rows, **settings)
    assert not list((tmp_path / "out").iterdir())


def test_a_bot_that_is_everybody_is_kept_unless_excluded(tmp_path: Path) -> None:
    rows = [event("bot", second, f"/{second % 7}") for second in range(400)]
    assert shop(tmp_path / "in", *rows).receipt.users_by_group["bot_like"] == 1
    with pytest.raises(InputError, match="exclude_bots"):
        shop(tmp_path / "out", *rows, exclude_bots=True)


def test_pages_left_out_may_take_users_with_them_and_must_exist(tmp_path: Path) -> None:
    rows = [event("u", 0, "/a"), event("u", 1, "/thanks"), event("v", 0, "/thanks")]
    dataset = shop(
        tmp_path, *rows, strip_pages=("https://shop.example/thanks", "https://shop.example/nowhere")
    )
    stripped = next(found for found in dataset.receipt.waterfall if found.name == "stripped")
    assert (stripped.records, stripped.users) == (2, 1)
    assert paths_of(dataset) == {"u": ["/a"]}
    assert dataset.users["group"].tolist() == ["one_page"]
    assert any("/nowhere" in warning for warning in dataset.receipt.warnings)


def storage(said: str | None, user: str | None = None, name: str = "page_view") -> Row:
    return {**event(user, 0, name=name), Raw.ANALYTICS_STORAGE: said}


def test_events_of_every_kind_are_accounted_for_by_cause(tmp_path: Path) -> None:
    rows = [
        storage("Yes", "u"), storage("Yes", "u", "scroll"),
        storage("No"), storage("no", name="purchase"), storage(" denied ", name="scroll"),
        storage("Yes"), storage("true", name="scroll"),
        storage("Unset"), storage(None), storage("7", name="scroll"),
        event(None, 0, debug_mode="1"), event("u", 0, name="scroll", debug_mode="1"),
    ]  # fmt: skip
    receipt = shop(tmp_path, *rows).receipt
    assert [(one.cause, one.page_views, one.other_events) for one in receipt.left_out] == [
        ("debug", 1, 1), ("no_id_denied", 1, 2), ("no_id_no_cookie", 1, 1), ("no_id_not_said", 2, 1),
    ]  # fmt: skip
    assert (receipt.page_views_used, receipt.other_events_used) == (1, 1)


def test_what_bots_did_is_left_out_with_them(tmp_path: Path) -> None:
    rows = [event("bot", second, f"/{second % 7}") for second in range(400)]
    rows += [event("bot", 401, name="scroll"), event("u", 0), event("u", 1, name="scroll")]
    receipt = shop(tmp_path, *rows, exclude_bots=True).receipt
    [bots] = receipt.left_out
    assert (bots.cause, bots.page_views, bots.other_events) == ("bot_like", 400, 1)
    assert receipt.other_events_used == 1


def test_what_comes_before_a_login_is_said_to_and_which_key_keeps_it(tmp_path: Path) -> None:
    before = event(None, 0, **{Raw.BROWSER_ID: "1.2"})
    rows = [before, before | {Raw.EVENT_NAME: "scroll"}, event("u", 1), event(None, 2)]
    receipt = shop(tmp_path, *rows, user_key="user_id").receipt
    assert [(one.cause, one.page_views, one.other_events) for one in receipt.left_out] == [
        ("before_login", 1, 1), ("no_id_not_said", 1, 0),
    ]  # fmt: skip
    [warning] = receipt.warnings
    assert "1 page view and 1 other event came before a login" in warning
    assert "user_pseudo_id as the user key keeps them" in warning


def of_stream(platform: str | None, stream: str, second: int, name: str = "page_view") -> Row:
    return {**event("u", second, name=name), Raw.PLATFORM: platform, Raw.STREAM_ID: stream}


SITE_AND_APP = [
    of_stream("WEB", "111", 0), of_stream("WEB", "111", 1), of_stream("ANDROID", "222", 2, "screen_view"),
    of_stream(None, "222.0", 3, "screen_view"), of_stream("ANDROID", "222", 4, "purchase"),
]  # fmt: skip


def test_screens_of_an_app_are_never_dropped_without_a_word(tmp_path: Path) -> None:
    dataset = shop(tmp_path, *SITE_AND_APP)
    [warning] = dataset.receipt.warnings
    assert warning.startswith("2 screen_view events of an app (222: 1, ANDROID 222: 1) are no page views")
    assert dataset.receipt.left_out == ()
    assert dataset.users["stream_id"].tolist() == ["222"]


def test_screens_that_somebody_without_an_id_saw_are_counted_by_their_cause(tmp_path: Path) -> None:
    of_nobody = [
        of_stream("ANDROID", "222", second, name) for second, name in enumerate(["screen_view", "scroll"])
    ]
    receipt = shop(tmp_path, *SITE_AND_APP, *({**row, Raw.USER_KEY: None} for row in of_nobody)).receipt
    assert receipt.warnings[0].startswith("2 screen_view events of an app")
    [left] = receipt.left_out
    assert (left.cause, left.page_views, left.other_events, left.screen_views) == ("no_id_not_said", 0, 2, 1)


@pytest.mark.parametrize(
    ("stream", "view", "used"),
    [("web", "page_view", (2, 0)), ("222", "screen_view", (2, 1)), ("Android", "screen_view", (1, 1))],
)
def test_a_stream_can_be_chosen_by_its_platform_or_its_id(
    tmp_path: Path, stream: str, view: str, used: tuple[int, int]
) -> None:
    raw = replace(raw_read(tmp_path / "raw", [SITE_AND_APP]), page_view=view)
    receipt = made_of(tmp_path, raw, IngestSettings(stream=stream)).receipt
    [other] = receipt.left_out
    assert (other.cause, other.page_views + other.other_events) == ("other_stream", 5 - sum(used))
    assert (receipt.page_views_used, receipt.other_events_used) == used
