"""How much the server's memory grows while a large export is uploaded through a browser.

    python -m benchmarks.upload --megabytes 2000

A demo shop of about that size is written to disk, dropped into the real app (a process of its own on a free
port of this machine) by Chromium, and removed with all else. The server's resident memory is looked at ten
times a second: before the file is dropped, while it comes, and while the app looks into it. A child does
that, whose memory is in the last column alone. All are MB of a million bytes.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import click
from playwright.sync_api import Page, sync_playwright

from benchmarks.company.server import MEGABYTE, Server, running
from benchmarks.growth import EVERY_S, resident
from benchmarks.tables import markdown
from core.base.progress import silent
from core.ingest.sample import write_sample

BYTES_A_USER: Final = 3_190
"""Bytes of a user in an export of the demo shop, on average."""
PATIENCE_MS: Final = 180_000


class Upload(NamedTuple):
    """What an upload took; memory in MB before, at most while it came, while the app looked, with a child."""

    megabytes: float
    wall_s: float
    before: float
    peak: float
    looking: float
    with_child: float


def upload(page: Page, server: Server, csv: Path, arrived: Path) -> Upload:
    """Drop a file into the app, and measure the server until the app has looked into the file.

    Args:
        page: A new browser page.
        server: A running app.
        csv: The file.
        arrived: Path at which it arrives.
    """
    page.goto(f"http://127.0.0.1:{server.port}/")
    zone = page.locator(".st-key-dropped input[type=file]")
    zone.wait_for(state="attached", timeout=PATIENCE_MS)
    page.wait_for_timeout(2_000)  # what drawing the page needs is there
    size, before = csv.stat().st_size, server.memory_mb()
    began = time.perf_counter()
    zone.set_input_files(csv)
    # a name is claimed by an empty file
    coming, _ = watched(page, server, lambda: arrived.exists() and arrived.stat().st_size >= size)
    wall = time.perf_counter() - began
    looking, with_child = watched(page, server, page.get_by_text("Check what was found").is_visible)
    return Upload(size / MEGABYTE, wall, before, max(before, coming), looking, with_child)


def watched(page: Page, server: Server, done: Callable[[], bool]) -> tuple[float, float]:
    """Watch the server's memory until something is done; the most, in MB: its own, and with all it started.

    Args:
        page: A browser page, which does the waiting.
        server: A running app.
        done: Called after each look.

    Raises:
        TimeoutError: If it is not done in time.
    """
    own = whole = 0.0
    until = time.monotonic() + PATIENCE_MS / 1_000
    while True:
        own = max(own, server.memory_mb())
        whole = max(whole, resident(server.process.pid) / MEGABYTE)
        if done():
            return own, whole
        if time.monotonic() > until:
            raise TimeoutError(f"Not done within {PATIENCE_MS / 1_000:.0f} s")
        page.wait_for_timeout(1_000 * EVERY_S)


@click.command(help=__doc__)
@click.option("--megabytes", type=int, default=200, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where the files lie meanwhile.")
def main(megabytes: int, folder: Path | None) -> None:
    """Measure and print."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise click.ClickException("There is no Chromium on this machine")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        csv = work / "export.csv"
        write_sample(csv, round(megabytes * MEGABYTE / BYTES_A_USER), 0, silent)
        with running(work / "cache", work / "app") as server, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            took = upload(chromium.new_page(), server, csv, work / "app" / "input" / csv.name)
            chromium.close()
    head = ["MB", "s", "server before", "highest", "growth", "looked into", "with the child"]
    growth = took.peak - took.before
    shown = (*took[:4], growth, took.looking, took.with_child)
    print(markdown(head, [[f"{value:,.1f}" for value in shown]]))


if __name__ == "__main__":
    main()
