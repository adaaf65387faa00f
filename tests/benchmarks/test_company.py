"""Several people on the real server: nothing fails, and nobody sees another's settings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.company.__main__ import main, summary, waits
from benchmarks.company.load import K_MOVE, Interaction, Load, Measured, drive
from benchmarks.company.server import Server, running
from benchmarks.company.session import InteractionFailed, Session
from core.base.schema import View
from core.base.settings import ViewWeights
from core.saved.controls import reweighted
from tests.core.segments.made_levels import supported
from tests.pages.fixtures_segments import FinishedRun, keep_levels, write_run

MOVED = reweighted(ViewWeights(), tuple(View), View.URL, 5)
"""What counts once somebody moves the weight of pages to 5 %."""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, FinishedRun]]:
    folder = tmp_path_factory.mktemp("company")
    made = write_run(folder / "cache", views=("url", "theme", "type"))
    keep_levels(made, supported(6))  # the job that measures them would take its time
    with running(made.root, folder / "server") as server:
        yield server, made


def link(made: FinishedRun, **more: str) -> dict[str, str]:
    return {"data": made.dataset, "model": made.model, **more}


RULE_CARDS = 2
"""One-page users and those who look automated have cards too."""


def segments(session: Session) -> list[str]:
    """The users of each card, in order."""
    return [text for text in session.texts if re.search(r"^(:small\[)?\*\*[\d,]+\*\* users \(", text)]


def counts(session: Session) -> list[str]:
    """What each view really counts."""
    return [text for text in session.texts if text.startswith("counts **")]


def said(session: Session) -> set[str]:
    """Numbers of segments that the page says."""
    return {number for text in session.texts for number in re.findall(r"in (\d+) segments", text)}


def test_two_people_at_work_see_no_failure(company: tuple[Server, FinishedRun]) -> None:
    server, made = company
    measured = asyncio.run(drive(server, link(made), Load(2, 120, (0.05, 0.2), moves=8)))
    assert measured.failures == []
    kinds = [each.kind for each in measured.interactions]
    assert len(kinds) == 16
    assert {"open explore", K_MOVE, "compare"} < set(kinds)
    assert measured.cpu_s > 0
    assert measured.memory_mb


async def _alike(server: Server, made: FinishedRun) -> tuple[list[str], list[str]]:
    async with (
        Session(server.port, link(made, k="4")) as one,
        Session(server.port, link(made, k="4")) as other,
    ):
        await one.open("explore")
        await other.open("explore")
        assert segments(one) == segments(other)
        assert len(segments(one)) == 4 + RULE_CARDS
        await asyncio.gather(one.slide("k", 5), other.slide("k", 5))
        return segments(one), segments(other)


def test_the_same_settings_show_two_people_the_same_segments(company: tuple[Server, FinishedRun]) -> None:
    one, other = asyncio.run(_alike(*company))
    assert one == other
    assert len(one) == 5 + RULE_CARDS


async def _apart(server: Server, made: FinishedRun) -> None:
    async with (
        Session(server.port, link(made, k="5")) as one,
        Session(server.port, link(made, k="3")) as other,
    ):
        await one.open("explore")
        await other.open("explore")
        by_default = counts(other)
        await asyncio.gather(one.slide("w_url", 5), other.slide("k", 4))
        assert counts(one) != by_default == counts(other)
        mine = segments(one)
        assert (len(mine), len(segments(other))) == (5 + RULE_CARDS, 4 + RULE_CARDS)
        await other.open("compare")
        assert said(other) == {"4"}
        await one.open("compare")
        assert said(one) == {"5"}
        await one.open("explore")
        assert (segments(one), counts(one) != by_default) == (mine, True)


def test_nobody_sees_the_number_of_segments_or_the_weights_of_another(
    company: tuple[Server, FinishedRun],
) -> None:
    asyncio.run(_apart(*company))


async def _without_data(server: Server) -> list[str]:
    async with Session(server.port, {}) as session:
        await session.open("explore")
        with pytest.raises(KeyError):
            await session.slide("k", 3)
        return session.texts


def test_a_page_without_data_has_no_slider(company: tuple[Server, FinishedRun]) -> None:
    assert "needs a data set" in " ".join(asyncio.run(_without_data(company[0])))


def test_a_server_that_goes_away_is_a_failure(tmp_path: Path) -> None:
    async def cut_off() -> None:
        with running(tmp_path / "cache", tmp_path / "server") as server:
            session = Session(server.port, {})
            await session.__aenter__()
            await session.open()
        with pytest.raises(InteractionFailed, match="connection"):
            await session.open("explore")

    asyncio.run(cut_off())


@pytest.mark.parametrize("asked", [["--sessions", "0"], ["--minutes", "1000"], ["--pause", "-1", "1"]])
def test_what_has_no_end_is_refused_in_words(asked: list[str]) -> None:
    refused = CliRunner().invoke(main, asked)
    assert refused.exit_code == 2
    assert asked[0] in refused.output


def test_waits_are_told_by_kind() -> None:
    measured = Measured([Interaction("compare", 1.0), Interaction(K_MOVE, 3.0)], [700.0, 800.0], cpu_s=0.4)
    assert "| all | 2 | 2.00 s | 2.90 s | 3.00 s |" in waits(measured)
    assert "| compare | 1 | 1.00 s |" in waits(measured)
    assert "0 failures of 2 interactions" in summary(measured, 4)
    assert "200 ms an interaction, 0.10 cores" in summary(measured, 4)
