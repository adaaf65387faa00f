"""What ``run --engine bigquery`` is asked with, and the estimate that comes before anything is read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from core.base.errors import SettingsError
from core.base.settings import IngestSettings, size_in_bytes
from core.cli.console import ConsoleProgress, say
from core.engines.bigquery_request import (
    MAX_BYTES,
    PRICE_NOTE,
    PRICE_PER_TIB,
    BigQueryRequest,
    in_gigabytes,
)
from core.storage.store import Store

BIGQUERY: Final = "bigquery"
Command = TypeVar("Command", bound=Callable[..., Any])

_DAY: Final = click.DateTime(["%Y-%m-%d", "%Y%m%d"])
_OPTIONS: Final = (
    click.option("--table", metavar="PROJECT.DATASET.events_*", help="BigQuery: tables, a star for the day."),
    click.option("--from", "first", type=_DAY, metavar="YYYY-MM-DD", help="BigQuery: first day to read."),
    click.option("--to", "last", type=_DAY, metavar="YYYY-MM-DD", help="BigQuery: last day to read."),
    click.option(
        "--user-share", type=float, metavar="SHARE",
        help="BigQuery: read this share of the users, each with all events; all by default.",
    ),
    click.option("--billing-project", metavar="PROJECT", help="BigQuery: who pays; by default the tables'."),
    click.option(
        "--max-bytes", metavar="SIZE",
        help=f"BigQuery: most that may be billed, such as 500GB; {in_gigabytes(MAX_BYTES)} by default.",
    ),
    click.option(
        "--price-per-tib", type=float, metavar="DOLLARS",
        help=f"BigQuery: for the estimate; by default {PRICE_PER_TIB:g}, the {PRICE_NOTE}.",
    ),
    click.option("--yes", is_flag=True, help="BigQuery: read without asking, once the estimate was shown."),
)  # fmt: skip


def bigquery_options(command: Command) -> Command:
    """Add the options to a command, which gets them by name."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_options(options: dict[str, Any], engine: str | None) -> dict[str, Any]:
    """Take the options of BigQuery out of all options.

    Raises:
        SettingsError: If some were named without that engine, or those that it needs were not.
    """
    names = ("table", "first", "last", "user_share", "billing_project", "max_bytes", "price_per_tib", "yes")
    found = {name: options.pop(name) for name in names}
    given = {name: value for name, value in found.items() if value is not None and value is not False}
    spelt = {"first": "--from", "last": "--to"}
    if engine != BIGQUERY and given:
        named = ", ".join(spelt.get(name, f"--{name.replace('_', '-')}") for name in given)
        raise SettingsError(
            f"{named} belongs to BigQuery", remedy=f"Add --engine {BIGQUERY}, or leave it out"
        )
    missing = [name for name in ("table", "first", "last") if engine == BIGQUERY and name not in given]
    if missing:
        named = ", ".join(spelt.get(name, f"--{name}") for name in missing)
        raise SettingsError(f"--engine {BIGQUERY} needs {named}", allowed="--table, --from and --to")
    return given


def read_days(out: Path, given: Mapping[str, Any], ingest: IngestSettings) -> tuple[Path, ...]:
    """Say what reading would cost, ask, and read: a file a day, in the run's own store.

    Raises:
        SettingsError: If nobody agreed.
        Beha2VecError: If BigQuery or the disk refuses.
    """
    from core.engines import bigquery

    asked = {name: value for name, value in given.items() if name != "yes"}
    asked |= {name: asked[name].date() for name in ("first", "last")}
    if "max_bytes" in asked:
        asked["max_bytes"] = size_in_bytes(asked["max_bytes"])
    request = BigQueryRequest.checked(**asked, user_key=ingest.user_key, mapping=ingest.mapping)
    store = Store(out / "stages")
    with ConsoleProgress() as progress:
        estimate = bigquery.estimate(store, request, progress)
    for line in estimate.sentences():
        say(f"{line}.", err=True)
    if estimate.to_read and not estimate.too_much and not given.get("yes"):
        _ask()
    with ConsoleProgress() as progress:
        return tuple(bigquery.read(store, estimate, progress))


def _ask() -> None:
    if not sys.stdin.isatty():
        raise SettingsError("Nothing was read, as nobody agreed to the cost", remedy="Add --yes")
    click.confirm("Read this from BigQuery?", abort=True, err=True)
