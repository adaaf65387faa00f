"""What ``run`` and ``embed`` are asked with where a Spark cluster is to do it (docs/how-to/spark.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
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


def spark_run(
    address: str, sample_users: int | None, others: Mapping[str, object]
) -> Callable[..., dict[str, Any]]:
    """What does a run on Spark.

    Args:
        address: Of the master.
        sample_users: Users to train on.
        others: Options that do not go with Spark, as they were named.

    Raises:
        SettingsError: If one of those was named.
    """
    named = [option for option, value in others.items() if value is not None]
    if named:
        raise SettingsError(
            f"{' and '.join(named)} does not go with --engine {SPARK}",
            remedy="Leave one of them out: a cluster starts from the files, and has memory of its own",
        )
    from core.engines.on_spark import SAMPLE_USERS, run_on_spark

    n_users = SAMPLE_USERS if sample_users is None else sample_users
    return partial(run_on_spark, master=address, sample_users=n_users)


def spark_embed(address: str) -> Callable[..., int]:
    """What places users on Spark."""
    from core.engines.on_spark import embed_on_spark

    return partial(embed_on_spark, master=address)
