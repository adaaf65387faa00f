"""What ``run`` and ``embed`` are asked with where a Spark cluster is to do it (docs/how-to/spark.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from core.base.errors import SettingsError
from core.engines.spark.requirements import ALLOWED

SPARK: Final = "spark"
Command = TypeVar("Command", bound=Callable[..., Any])


master_option = click.option("--master", metavar="URL", help=f"Spark: {ALLOWED}.")


def spark_options(command: Command) -> Command:
    """Add ``--engine`` and ``--master`` to a command."""
    engine = click.option(
        "--engine", type=click.Choice([SPARK]), help="What does the work; by default this machine."
    )
    return engine(master_option(command))


def spark_address(engine: str | None, master: str | None) -> str | None:
    """The master, if Spark was asked for.

    Raises:
        SettingsError: If one of the two was named without the other.
    """
    if engine != SPARK and master is not None:
        raise SettingsError("--master is of Spark", remedy=f"Add --engine {SPARK}, or leave it out")
    if engine == SPARK and master is None:
        raise SettingsError(f"--engine {SPARK} needs --master", allowed=ALLOWED)
    return master
