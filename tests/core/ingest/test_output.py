"""When users did what is no page view."""

from __future__ import annotations

from pathlib import Path

from core.base.schema import Raw
from tests.core.ingest.shop import Row, event, shop


def deed(user: str, second: int, name: str, session: str | None = "1", **fields: str) -> Row:
    return {**event(user, second, page=None, name=name, **fields), Raw.GA_SESSION_ID: session}


def done(folder: Path, *rows: Row, **settings: object) -> list[tuple[object, ...]]:
    """User, event, session and page views before, of every event in order."""
    dataset = shop(folder, *rows, **settings)
    found = dataset.events
    ids = dataset.sequences.user_id.to_pylist()
    columns = zip(found.user, found.name, found.session, found.after, strict=True)
    return [
        (ids[user], found.names[name], int(session), int(after)) for user, name, session, after in columns
    ]


def test_events_stand_between_the_page_views_that_they_came_between(tmp_path: Path) -> None:
    rows = [
        deed("u", 5, "scroll"), event("u", 4, "/b"), event("u", 0, "/a"), deed("u", 1, "add_to_cart"),
        deed("v", 0, "session_start"), event("v", 1, "/a"), deed("v", 2, ""), deed("nobody", 1, "scroll"),
    ]  # fmt: skip
    assert done(tmp_path, *rows) == [
        ("u", "add_to_cart", 0, 1), ("u", "scroll", 0, 2), ("v", "session_start", 0, 0),
    ]  # fmt: skip


def test_events_of_one_moment_keep_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [deed("u", 1, "first_visit"), event("u", 1, "/a"), deed("u", 1, "view_item"), event("u", 1, "/b")]
    assert done(tmp_path, *rows) == [("u", "first_visit", 0, 0), ("u", "view_item", 0, 1)]


def test_sessions_without_a_page_view_come_after_those_with_one(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"),
        deed("u", 10, "like", "elsewhere"),
        deed("u", 20, "like", "elsewhere"),
        deed("u", 30, "like", "nowhere"),
        {**event("u", 40, "/b"), Raw.GA_SESSION_ID: "2"},
        deed("u", 50, "buy", "1"),
        deed("u", 60, "buy", "2"),
        deed("u", 60, "late", None),
        event("v", 0, "/a"),
        deed("v", 9, "like", "nowhere"),
    ]
    found = done(tmp_path, *rows)
    assert [line[:2] + line[3:] for line in found[:6]] == [
        ("u", "like", 1), ("u", "like", 1), ("u", "like", 1),
        ("u", "buy", 2), ("u", "buy", 2), ("u", "late", 2),
    ]  # fmt: skip
    sessions = [line[2] for line in found]
    assert sessions[3:5] == [0, 1]
    assert sessions[0] == sessions[1]
    assert sorted({sessions[0], sessions[2], sessions[5]}) == [2, 3, 4]
    assert sessions[6] == 1


def test_a_repeated_transaction_is_no_second_purchase(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"),
        deed("u", 1, "purchase", transaction_id="T1"),
        deed("u", 2, "purchase", transaction_id="T1"),
        deed("u", 3, "purchase", transaction_id="T2"),
    ]
    assert [line[1] for line in done(tmp_path, *rows)] == ["purchase", "purchase"]


def test_a_page_that_is_left_out_is_an_event(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"), deed("u", 1, "scroll"), event("u", 2, "/thanks"), deed("u", 3, "scroll"),
        event("u", 4, "/b"), event("gone", 0, "/thanks"), deed("gone", 1, "scroll"),
    ]  # fmt: skip
    assert done(tmp_path, *rows, strip_pages=("https://shop.example/thanks",)) == [
        ("u", "scroll", 0, 1), ("u", "page:https://shop.example/thanks", 0, 1), ("u", "scroll", 0, 1),
    ]  # fmt: skip


def test_events_of_users_that_are_left_out_leave_with_them(tmp_path: Path) -> None:
    bot = [event("bot", n, f"/{n % 7}") for n in range(400)]
    rows = [*bot, deed("bot", 1, "scroll"), event("zoe", 0, "/y"), deed("zoe", 1, "scroll")]
    assert done(tmp_path, *rows, exclude_bots=True) == [("zoe", "scroll", 0, 1)]


def test_personal_data_in_an_event_name_is_masked(tmp_path: Path) -> None:
    assert done(tmp_path, event("u", 0), deed("u", 1, "mail jane@x.com"))[0][1] == "mail {email}"


def test_without_events_there_are_none(tmp_path: Path) -> None:
    assert done(tmp_path, event("u", 0)) == []
