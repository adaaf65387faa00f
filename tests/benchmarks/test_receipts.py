"""Users in a file beside those that are shown."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.receipts import counted, main

HEAD = "event_name,event_timestamp,user_pseudo_id,page_location\n"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Six who saw two pages, one who saw one, one who saw none; three of them bought, one twice."""
    views = [f"page_view,{1_700_000_000 + at},u{at % 7},https://s.e/{at // 7}\n" for at in range(13)]
    bought = [f"purchase,{1_700_000_100 + at},{user},\n" for at, user in enumerate(("u0", "u6", "u9", "u0"))]
    file = tmp_path / "export.csv"
    file.write_text(HEAD + "".join(views + bought))
    return file


def test_every_buyer_is_in_one_place(export: Path) -> None:
    assert list(counted(export)) == [("purchase", 3, 3, 1, 1, 1)]
    assert CliRunner().invoke(main, [str(export)]).exit_code == 0


def test_a_buyer_who_is_not_shown_is_found(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.receipts._users_of_events", lambda _: {"purchase": 4})
    assert CliRunner().invoke(main, [str(export)]).exit_code == 1
