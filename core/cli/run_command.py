"""The command ``run``: its options, those of BigQuery and Spark among them, as settings, and the run itself.

What was not named on the command line stays as the settings have it. Before anything is read from
BigQuery, an estimate is shown. Spark is explained in docs/how-to/spark.md.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from core.base.errors import SettingsError
from core.base.places import PROGRAM
from core.base.raw_fields import FIELDS
from core.base.settings import (
    PRESETS,
    AnalyzeSettings,
    ClusterSettings,
    Device,
    IngestSettings,
    OutcomeCount,
    Preset,
    TrainSettings,
    ViewWeights,
    size_in_bytes,
)
from core.cli.console import ConsoleProgress, print_line
from core.labels.label_settings import LabelMode, LabelSettings, ThemeSource, default_taxonomy
from core.runs.later_stages import failure_lines
from core.runs.pipeline import STAGES, RunSettings
from core.scoring.bigquery_request import MAX_BYTES, PRICE_NOTE, PRICE_PER_TIB, BigQueryRequest, in_gigabytes
from core.scoring.spark.requirements import ALLOWED
from core.storage.disk import make_folder
from core.storage.locks import claim_folder
from core.storage.receipt import Receipt
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


def _bigquery_options(command: Command) -> Command:
    """Add the options of BigQuery to a command, which gets them by name."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_options(options: dict[str, Any], engine: str | None) -> dict[str, Any]:
    """Remove the options of BigQuery from ``options``, and return those that were given, by name.

    Raises:
        SettingsError: If some were named without that engine, or those that it needs were not.
    """
    names = ("table", "first", "last", "user_share", "billing_project", "max_bytes", "price_per_tib", "yes")
    taken = {name: options.pop(name) for name in names}
    given = {name: value for name, value in taken.items() if value is not None and value is not False}
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


def _read_days(out: Path, given: Mapping[str, Any], ingest: IngestSettings) -> tuple[Path, ...]:
    """Say what reading would cost, ask, and read: a file a day, in the run's own store.

    Raises:
        SettingsError: If nobody agreed.
        Beha2VecError: If BigQuery or the disk refuses.
    """
    from core.scoring import bigquery

    options = {name: value for name, value in given.items() if name != "yes"}
    options |= {name: options[name].date() for name in ("first", "last")}
    if "max_bytes" in options:
        options["max_bytes"] = size_in_bytes(options["max_bytes"])
    request = BigQueryRequest.checked(
        **options, user_key=ingest.user_key, mapping=ingest.mapping, join_logins=ingest.join_logins
    )
    store = Store(out / "stages")
    with ConsoleProgress() as progress:
        estimate = bigquery.estimate(store, request, progress)
    for line in estimate.sentences():
        print_line(f"{line}.", err=True)
    if estimate.to_read and not estimate.too_much and not given.get("yes"):
        _ask()
    with ConsoleProgress() as progress:
        return tuple(bigquery.read(store, estimate, progress))


def _ask() -> None:
    if not sys.stdin.isatty():
        raise SettingsError("Nothing was read, as nobody agreed to the cost", remedy="Add --yes")
    click.confirm("Read this from BigQuery?", abort=True, err=True)


_SPARK: Final = "spark"


_master_option = click.option("--master", metavar="URL", help=f"Spark: {ALLOWED}.")


def spark_options(command: Command) -> Command:
    """Add ``--engine`` and ``--master`` to a command."""
    engine = click.option(
        "--engine", type=click.Choice([_SPARK]), help="What does the work; by default this machine."
    )
    return engine(_master_option(command))


def spark_address(engine: str | None, master: str | None) -> str | None:
    """Return the address of the Spark master; None where Spark was not asked for.

    Raises:
        SettingsError: If one of the two was named without the other.
    """
    if engine != _SPARK and master is not None:
        raise SettingsError("--master is of Spark", remedy=f"Add --engine {_SPARK}, or leave it out")
    if engine == _SPARK and master is None:
        raise SettingsError(f"--engine {_SPARK} needs --master", allowed=ALLOWED)
    return master


_AUTO: Final = "auto"


def settings_of_options(options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Turn options into settings: ``ingest``, ``train``, … → setting → value, if the option was given.

    Raises:
        SettingsError: If an option cannot be parsed.
        InputError: If a file that an option names cannot be used.
    """
    from core.labels.label_yaml import read_corrections

    corrections, weights = options["corrections"], options["weights"]
    return {
        "ingest": _given(
            user_key=options["user_key"],
            mapping=_pairs("--column", options["column"], absent=True) or None,
            page_view=options["page_view"],
            stream=options["stream"],
            dimensions=options["dimension"] or None,
            join_logins=options["join_logins"] or None,
            strip_pages=options["strip_page"] or None,
            keep_places=options["keep_place"] or None,
            mask_places=options["mask_place"] or None,
            exclude_internal=False if options["keep_internal"] else None,
            exclude_debug=False if options["keep_debug"] else None,
            url={"merge_hosts": True} if options["merge_hosts"] else None,
        ),
        "label": _given(
            mode=options["labels"],
            **_taxonomy(options["taxonomy"]),
            overrides=read_corrections(corrections) if corrections else None,
            nli_model=options["nli_model"],
        ),
        "train": _given(epochs=options["epochs"], seed=options["seed"], device=options["device"]),
        "weights": _weights(weights) if weights is not None else {},
        "cluster": _given(
            **_clusters(options["clusters"]),
            seed=options["seed"],
        ),
        "analyze": _given(outcome=options["outcome"] or None, outcome_counts=options["outcome_counts"]),
    }


def _wanted_beside(options: Mapping[str, Any]) -> dict[str, Any]:
    """Named settings that change no stage: a run that is stepped into keeps its own.

    Raises:
        InputError: If the file of funnels cannot be used.
    """
    from core.journeys.funnel import read_funnels

    file = options["funnel"]
    return _given(named_anyway=options["name_anyway"], funnels=read_funnels(file) if file else None)


def _clusters(wanted: str | None) -> dict[str, Any]:
    """Settings for ``--clusters``: the number of segments, or that it is left to the evidence."""
    if wanted is None or wanted == _AUTO:
        return {} if wanted is None else {"auto": True}
    if not wanted.isdecimal():
        raise SettingsError(f"--clusters {wanted!r} is not possible", allowed=f"{_AUTO}, or a whole number")
    return {"n_clusters": int(wanted), "auto": False}


def _taxonomy(wanted: str | None) -> dict[str, Any]:
    """Settings for ``--taxonomy``: themes by a word, or from a file."""
    from core.labels.label_yaml import read_taxonomy

    if wanted is None:
        return {}
    shipped = {"taxonomy": default_taxonomy()}
    words = {
        "mined": shipped | {"themes": ThemeSource.MINED},
        "shop": shipped | {"themes": ThemeSource.TAXONOMY},
    }
    return words.get(wanted) or {"taxonomy": read_taxonomy(Path(wanted)), "themes": ThemeSource.TAXONOMY}


def _given(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever typer parsed; settings check it
    """Keep what was named on the command line, so that defaults are written only in settings."""
    return {name: value for name, value in values.items() if value is not None}


def _resumed_settings(
    out: Path, wanted: dict[str, dict[str, Any]], preset: Preset | None, from_stage: str
) -> RunSettings:
    """The settings of an earlier run, with what was named in their place, from a stage on.

    Raises:
        Beha2VecError: If there is no such run, or a stage that is not done again would change.
    """
    from core.runs.run import read_previous, resume_settings

    if preset is not None:
        wanted["train"] = PRESETS[preset] | wanted["train"]
    return resume_settings(read_previous(out), wanted, from_stage)


def _fresh_settings(wanted: dict[str, dict[str, Any]], preset: Preset | None) -> RunSettings:
    """The settings of a run from the start.

    Raises:
        SettingsError: If a value is outside its limits.
    """
    return RunSettings(
        ingest=IngestSettings.checked(**wanted["ingest"]),
        label=LabelSettings.checked(**wanted["label"]),
        train=TrainSettings.preset(preset or Preset.BALANCED, **wanted["train"]),
        weights=ViewWeights.checked(**wanted["weights"]),
        cluster=ClusterSettings.checked(**{"auto": True} | wanted["cluster"]),
        analyze=AnalyzeSettings.checked(**wanted["analyze"]),
    )


def _pairs(option: str, items: Sequence[str], absent: bool = False) -> dict[str, str]:
    split = [item.partition("=") for item in items]
    for (name, equals, value), item in zip(split, items, strict=True):
        if not (name and equals and (value or absent)):
            raise SettingsError(f"{option} {item!r} is not possible", allowed="NAME=VALUE")
    return {name.strip(): value.strip() for name, _, value in split}


def _weights(text: str) -> dict[str, float]:
    """Parse ``url=0.5,activity=0.3``; a view that is not named counts nothing."""
    pairs = _pairs("--weights", [item for item in text.split(",") if item.strip()])
    views = tuple(ViewWeights.model_fields)
    for name in pairs:
        if name not in views:
            raise SettingsError(f"--weights {name} is not possible", allowed=", ".join(views))
    try:
        return {view: float(pairs.get(view, 0.0)) for view in views}
    except ValueError as error:
        raise SettingsError(f"--weights {text!r} holds something that is not a number") from error


files = click.Path(path_type=Path)
"""Type of an argument that is a path."""


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
    f"{', '.join(FIELDS)}.",
)
@click.option("--page-view", metavar="NAME", help="Name of the events that are page views; found by itself.")
@click.option(
    "--dimension", multiple=True, metavar="COLUMN",
    help="Column kept as an attribute of users: user_properties.plan, region or items[].item_category, "
    "which gives pages their themes, too; up to 10.",
)  # fmt: skip
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
@click.option(
    "--join-logins",
    is_flag=True,
    help="Join the cookies of signed-in users: one that shows exactly one user_id becomes that user.",
)
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
    type=click.Choice([_SPARK, BIGQUERY]),
    help="Where the export lies, or what does the work; by default files, and this machine (docs/how-to/).",
)
@_master_option
@_bigquery_options
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
    wanted = settings_of_options(options)
    beside = _wanted_beside(options)
    preset = Preset(options["preset"]) if options["preset"] else None
    fresh = from_stage in (None, STAGES[0])
    _require_input(inputs, engine, fresh=fresh)
    if engine == BIGQUERY:
        make_folder(out)  # before anything is paid for
    # what an earlier run is asked for is still so when the new one goes on from it
    with claim_folder(out) if out.is_dir() else nullcontext():
        run_all = _runner(address, inputs, out, from_stage, memory, sample_users)
        if fresh:
            settings = _fresh_settings(wanted, preset)
        else:
            settings = _resumed_settings(out, wanted, preset, str(from_stage))
        settings = settings.model_copy(update=beside)
        if engine == BIGQUERY:
            inputs = _read_days(out, days, settings.ingest)
        with ConsoleProgress() as progress:
            record = run_all(out, inputs, settings, progress, fetch_hosts=fetch_host)
            receipt = Receipt.model_validate_json((out / "receipt.json").read_bytes())
    known = (*receipt.warnings, *_given_away(receipt.outcome_pages), *record["notes"])
    for warning in (*known, *failure_lines(record["failed"])):
        print_line(f"warning: {warning}.", err=True)
    if receipt.days:
        print_line(f"note: {receipt.days}", err=True)
    if receipt.undecided:
        print_line(f"note: {receipt.undecided}.", err=True)
    report = out / "report.html"
    print_line(f"{record['users']:,} users, {record['segments']} segments in {out}: see {report}", err=True)


def _runner(
    address: str | None,
    inputs: Sequence[Path],
    out: Path,
    from_stage: str | None,
    memory: str | None,
    sample_users: int | None,
) -> Callable[..., dict[str, Any]]:
    """Function that does the run: on a cluster, here in a bound of memory, or on what OUT holds.

    Raises:
        SettingsError: If options do not go together.
        ArtifactError: If OUT holds no run to step into.
    """
    from core.runs.run import NEEDED, read_previous
    from core.runs.run import run as run_all
    from core.scoring.bounded_run import run_bounded
    from core.scoring.bounds import Bounds

    bounds = Bounds.told(memory, sample_users)
    if from_stage not in (None, STAGES[0]):
        previous = read_previous(out)
        if not previous.sampled and (address or memory or sample_users):
            raise SettingsError(
                f"--from-stage {from_stage} works on this machine, on all that {out} holds at once",
                remedy=f"Leave out --engine {_SPARK}, --memory and --sample-users, or --from-stage",
            )
        if previous.sampled and not inputs:
            raise SettingsError(NEEDED.format(out), remedy=_with_input())
        if not previous.sampled:
            return partial(run_all, from_stage=from_stage)
        bounds = replace(bounds, share=previous.share)
    if address is not None:
        from core.scoring.on_spark import run_on_spark

        return partial(run_on_spark, master=address, bounds=bounds, from_stage=from_stage)
    return partial(run_bounded, bounds=bounds, from_stage=from_stage)


def _with_input() -> str:
    """The command as it was typed, with the place of what it lacks; in quotes, as a full stop follows."""
    return f"Name INPUT, the files of the export: “{PROGRAM} run INPUT {shlex.join(sys.argv[2:])}”"


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
