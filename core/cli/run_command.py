"""The command ``run``: every option of a whole run, and what does it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from core.base.errors import SettingsError
from core.base.schema import RAW_TEXT_COLUMNS
from core.base.settings import Device, OutcomeCount, Preset
from core.cli.bigquery_options import BIGQUERY, bigquery_options, read_days, take_options
from core.cli.console import ConsoleProgress, say
from core.cli.run_options import fresh_settings, resumed_settings, wanted_beside, wanted_settings
from core.cli.spark_options import SPARK, master_option, spark_address
from core.data.receipt import Receipt
from core.labels.label_settings import LabelMode
from core.runs.later_stages import said
from core.runs.pipeline import STAGES
from core.storage.claims import claimed
from core.storage.disk import make_folder

files = click.Path(path_type=Path)
"""An argument that is a path."""


@click.command()
@click.argument("inputs", nargs=-1, type=files, metavar="INPUT...")
@click.option("--out", type=files, required=True, help="Folder for the results.")
@click.option(
    "--clusters",
    metavar="auto|K",
    help="Number of segments; auto, the default, takes what the users support.",
)
@click.option(
    "--weights", help="Weight of each view, such as url=0.5,theme=0.3,type=0.2; activity is the fourth."
)
@click.option(
    "--labels",
    type=click.Choice([mode.value for mode in LabelMode]),
    help="How far to go for page themes and types; auto by default.",
)
@click.option(
    "--taxonomy",
    metavar="mined|shop|FILE",
    help="Themes of the site's own, those of a shop that come with the tool, or yours (YAML); by default "
    "the better of the first two.",
)
@click.option("--corrections", type=files, metavar="FILE", help="Your corrections of labels (YAML).")
@click.option("--nli-model", help="Folder or hub id of the model of --labels nli.")
@click.option(
    "--fetch-host", multiple=True, metavar="HOST", help="Host whose pages may be fetched, this once."
)
@click.option(
    "--outcome",
    multiple=True,
    metavar="OUTCOME",
    help="What counts as success, any of several: an event, page:/path or template:/path/:slug; none "
    "for no outcome. By default purchase, else a lead or a sign-up, where the data has it.",
)
@click.option(
    "--outcome-counts",
    type=click.Choice([count.value for count in OutcomeCount]),
    help="Of several outcomes of a user, whether any counts, or the first alone; any by default.",
)
@click.option("--funnel", type=files, metavar="FILE", help="Funnels to count for every segment (YAML).")
@click.option(
    "--name-anyway/--keep-names-back",
    default=None,
    help="Whether segments have names, as a description, where the users support no number of them: yes.",
)
@click.option(
    "--preset",
    type=click.Choice([preset.value for preset in Preset]),
    help="How much training; balanced by default.",
)
@click.option("--epochs", type=int, help="Passes over the users, instead of the preset's.")
@click.option("--seed", type=int, help="Seed of training and clustering; 0 by default.")
@click.option(
    "--device",
    type=click.Choice([device.value for device in Device]),
    help="Where the model runs; auto by default.",
)
@click.option("--user-key", help="Column that identifies a user; user_pseudo_id by default.")
@click.option(
    "--column",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Where the header rule is wrong; FIELD= where no column is that field. A FIELD is one of "
    f"{', '.join(RAW_TEXT_COLUMNS)}.",
)
@click.option("--page-view", metavar="NAME", help="Name of the events that are page views; found by itself.")
@click.option("--stream", metavar="NAME", help="Platform or stream_id whose events alone are used.")
@click.option(
    "--strip-page", multiple=True, metavar="PAGE", help="Canonical page to leave out of the sequences."
)
@click.option(
    "--keep-place",
    multiple=True,
    metavar="PLACE",
    help="Place that is not personal, as receipt.json names it.",
)
@click.option("--mask-place", multiple=True, metavar="PLACE", help="Place to mask, as receipt.json names it.")
@click.option("--keep-internal", is_flag=True, help="Keep traffic_type=internal.")
@click.option("--keep-debug", is_flag=True, help="Keep debug_mode=1.")
@click.option("--merge-hosts", is_flag=True, help="Drop www. and shop. from hosts.")
@click.option(
    "--memory",
    metavar="SIZE",
    help="Most memory to take, such as 4GB; by default half of what is free. Beyond it, a sample of the "
    "users is trained on, and all are placed part by part.",
)
@click.option("--sample-users", type=int, metavar="N", help="Train on about so many users; place all.")
@click.option(
    "--from-stage",
    type=click.Choice(STAGES),
    help="First stage to do again, on what OUT holds; with INPUT where only a sample was trained on.",
)
@click.option(
    "--engine",
    type=click.Choice([SPARK, BIGQUERY]),
    help="Where the export lies, or what does the work; by default files, and this machine (docs/how-to/).",
)
@master_option
@bigquery_options
def run(
    inputs: tuple[Path, ...],
    out: Path,
    from_stage: str | None,
    fetch_host: tuple[str, ...],
    memory: str | None,
    sample_users: int | None,
    engine: str | None,
    master: str | None,
    **options: Any,  # noqa: ANN401 - what click parsed
) -> None:
    """Segment the users of an export: files in, OUT/users.parquet, profiles and a report out."""
    address = spark_address(engine, master)
    days = take_options(options, engine)
    wanted = wanted_settings(options)
    beside = wanted_beside(options)
    preset = Preset(options["preset"]) if options["preset"] else None
    fresh = from_stage in (None, STAGES[0])
    _require_input(inputs, engine, fresh=fresh)
    if engine == BIGQUERY:
        make_folder(out)  # before anything is paid for
    # what an earlier run is asked for is still so when the new one goes on from it
    with claimed(out) if out.is_dir() else nullcontext():
        run_all = _runner(address, inputs, out, from_stage, memory, sample_users)
        if fresh:
            settings = fresh_settings(wanted, preset)
        else:
            settings = resumed_settings(out, wanted, preset, str(from_stage))
        settings = settings.model_copy(update=beside)
        if engine == BIGQUERY:
            inputs = read_days(out, days, settings.ingest)
        with ConsoleProgress() as progress:
            record = run_all(out, inputs, settings, progress, fetch_hosts=fetch_host)
            receipt = Receipt.model_validate_json((out / "receipt.json").read_bytes())
    known = (*receipt.warnings, *_given_away(receipt.outcome_pages), *record["notes"])
    for warning in (*known, *said(record["failed"])):
        say(f"warning: {warning}.", err=True)
    if receipt.days:
        say(f"note: {receipt.days}", err=True)
    if receipt.undecided:
        say(f"note: {receipt.undecided}.", err=True)
    report = out / "report.html"
    say(f"{record['users']:,} users, {record['segments']} segments in {out}: see {report}", err=True)


def _runner(
    address: str | None,
    inputs: Sequence[Path],
    out: Path,
    from_stage: str | None,
    memory: str | None,
    sample_users: int | None,
) -> Callable[..., dict[str, Any]]:
    """What does the run: a cluster, this machine in a bound of memory, or on what OUT holds.

    Raises:
        SettingsError: If options do not go together.
        ArtifactError: If OUT holds no run to step into.
    """
    from core.engines.bounded_run import run_bounded
    from core.engines.bounds import Bounds
    from core.runs.run import NEEDED, read_previous
    from core.runs.run import run as run_all

    bounds = Bounds.told(memory, sample_users)
    if from_stage not in (None, STAGES[0]):
        previous = read_previous(out)
        if not previous.sampled and (address or memory or sample_users):
            raise SettingsError(
                f"--from-stage {from_stage} works on this machine, on all that {out} holds at once",
                remedy=f"Leave out --engine {SPARK}, --memory and --sample-users, or --from-stage",
            )
        if previous.sampled and not inputs:
            raise SettingsError(NEEDED.format(out), remedy=_with_input())
        if not previous.sampled:
            return partial(run_all, from_stage=from_stage)
        bounds = replace(bounds, share=previous.share)
    if address is not None:
        from core.engines.on_spark import run_on_spark

        return partial(run_on_spark, master=address, bounds=bounds, from_stage=from_stage)
    return partial(run_bounded, bounds=bounds, from_stage=from_stage)


def _with_input() -> str:
    """The command as it was typed, with the place of what it lacks; in quotes, as a full stop follows."""
    return f"Name INPUT, the files of the export: “python -m core run INPUT {shlex.join(sys.argv[2:])}”"


def _require_input(inputs: Sequence[Path], engine: str | None, *, fresh: bool) -> None:
    if engine == BIGQUERY and (inputs or not fresh):
        raise SettingsError(f"--engine {engine} reads tables, so there is no INPUT and no later --from-stage")
    if fresh and not inputs and engine != BIGQUERY:
        raise SettingsError("No INPUT was given", allowed="files, folders or patterns of a GA4 export")


def _given_away(outcome_pages: Sequence[str]) -> list[str]:
    """At most one sentence: which pages give the outcome away, and the options that leave them out."""
    options = " ".join(f"--strip-page {page}" for page in outcome_pages)
    seen = f"Buyers see {', '.join(outcome_pages)} when they buy or afterwards, which gives the purchase away"
    return [f"{seen}. Leave it out before you compare buyers with others: {options}"] if outcome_pages else []
