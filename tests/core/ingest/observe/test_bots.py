from pathlib import Path

from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.observe import bots
from tests.core.ingest.shop import Row, event, made_of, raw_read, shop, step


def clicks(user: str, count: int, every: float, **fields: str) -> list[Row]:
    """Page views of one user, some seconds apart (never a round number of them)."""
    return [event(user, 0.001 + number * every, f"/{number % 9}", **fields) for number in range(count)]


def bot_like(folder: Path, *rows: Row) -> list[str]:
    users = shop(folder, *rows).users
    return users.loc[users["group"] == "bot_like", "user_id"].tolist()


def test_a_keen_shopper_is_no_bot(tmp_path: Path) -> None:
    rows = clicks("keen", 170, 1.0) + clicks("reader", 500, 40.0) + clicks("hasty", bots.PACED_VIEWS - 1, 1.0)
    assert bot_like(tmp_path, *rows) == []


def test_hundreds_of_views_without_a_pause_are(tmp_path: Path) -> None:
    rows = clicks("bot", bots.PACED_VIEWS, 1.0) + clicks("keen", 170, 1.0)
    assert bot_like(tmp_path, *rows) == ["bot"]


def test_a_run_ends_with_its_user_and_with_a_pause(tmp_path: Path) -> None:
    rows = [row for number in range(4) for row in clicks(f"u{number}", 200, 1.0)]
    pauses = clicks("p", 200, 1.0) + [event("p", 1000.5 + number, "/x") for number in range(200)]
    assert bot_like(tmp_path, *rows, *pauses) == []


def test_thousands_of_events_in_a_day_are(tmp_path: Path) -> None:
    busy = [event("bot", 3.5 * number, name="scroll") for number in range(bots.EVENTS_A_DAY)]
    spread = [event("fan", 120.5 * number, name="scroll") for number in range(bots.EVENTS_A_DAY)]
    assert bot_like(tmp_path, event("bot", 0), event("fan", 0), *busy, *spread) == ["bot"]


def test_a_browser_that_nobody_looks_at_is_where_others_look(tmp_path: Path) -> None:
    silent = clicks("silent", bots.UNENGAGED_VIEWS, 60.0)
    engaged = [event(f"u{number}", 0.5, engagement_time_msec="9") for number in range(3)]
    assert bot_like(tmp_path / "others", *silent, *engaged) == ["silent"]
    assert bot_like(tmp_path / "nobody", *silent, *(event(f"u{number}", 0.5) for number in range(3))) == []


def test_rounded_times_say_nothing_about_pace(tmp_path: Path) -> None:
    rows = [{**row, Raw.EVENT_TIMESTAMP: "1600000000000000"} for row in clicks("u", 400, 1.0)]
    assert bot_like(tmp_path, *rows) == []


def test_bots_are_left_out_only_when_asked_to(tmp_path: Path) -> None:
    rows = [*clicks("bot", 400, 1.0), event("u", 0.5), event("u", 1.5)]
    raw = raw_read(tmp_path / "raw", [rows])
    kept = made_of(tmp_path / "kept", raw)
    assert (kept.receipt.users_by_group["bot_like"], kept.receipt.page_views_used) == (1, 402)
    gone = made_of(tmp_path / "gone", raw, IngestSettings(exclude_bots=True))
    assert (step(gone, "bot_like"), gone.receipt.users, gone.receipt.page_views_used) == (400, 1, 2)
