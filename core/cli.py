"""The command line: the same stages without a screen.

Exit status: 0 when done; 2 for bad input, with one line that says what was wrong, the value, what is
allowed and what to do; 130 when interrupted. Progress goes to stderr.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import click
import typer

from core.console import ConsoleProgress
from core.errors import Beha2VecError, Cancelled, SettingsError
from core.pipeline import STAGES, RunSettings
from core.settings import (
    AnalyzeSettings,
    ClusterSettings,
    Device,
    IngestSettings,
    Preset,
    TrainSettings,
    ViewWeights,
)

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, help=__doc__)

BAD_INPUT, INTERRUPTED = 2, 130

Inputs = Annotated[list[Path] | None, typer.Argument(metavar="INPUT...", help="Files, folders or patterns.")]


@app.command()
def run(
    inputs: Inputs = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
    clusters: Annotated[int | None, typer.Option(help="Number of segments, K.")] = None,
    weights: Annotated[str | None, typer.Option(help="url=0.5,theme=0.3,type=0.2")] = None,
    labels: Annotated[str, typer.Option(help="Page labels: off.")] = "off",
    outcome: Annotated[str | None, typer.Option(help="Event that counts as success.")] = None,
    preset: Annotated[Preset | None, typer.Option(help="How much training.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the users.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of training and clustering.")] = None,
    device: Annotated[Device | None, typer.Option(help="Where the model runs.")] = None,
    user_key: Annotated[str | None, typer.Option(help="Column that identifies a user.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="FIELD=COLUMN, where the header rule is wrong.")
    ] = None,
    strip_page: Annotated[
        list[str] | None, typer.Option(help="Canonical page to leave out of the sequences.")
    ] = None,
    keep_internal: Annotated[bool | None, typer.Option("--keep-internal", help="Keep internal traffic.")] = None,
    keep_debug: Annotated[bool | None, typer.Option("--keep-debug", help="Keep debug_mode=1.")] = None,
    merge_hosts: Annotated[bool | None, typer.Option("--merge-hosts", help="Drop www. and shop.")] = None,
    from_stage: Annotated[
        str | None, typer.Option(help=f"First stage to do again: {', '.join(STAGES)}.")
    ] = None,
) -> None:
    """Segment the users of an export: files in, OUT/users.parquet, profiles and a report out."""
    from core.run import read_previous, resume_settings
    from core.run import run as run_all

    _check_choice("--labels", labels, ("off",))
    url = {} if merge_hosts is None else {"url": {"merge_hosts": merge_hosts}}
    wanted = {
        "ingest": _given(
            user_key=user_key,
            mapping=_pairs("--column", column) if column else None,
            strip_pages=tuple(strip_page) if strip_page else None,
            exclude_internal=None if keep_internal is None else not keep_internal,
            exclude_debug=None if keep_debug is None else not keep_debug,
            **url,
        ),
        "train": _given(epochs=epochs, seed=seed, device=device),
        "weights": _weights(weights) if weights else {},
        "cluster": _given(n_clusters=clusters, seed=seed),
        "analyze": _given(outcome=outcome),
    }
    if from_stage is None or from_stage == STAGES[0]:
        if not inputs:
            raise SettingsError("No INPUT was given", allowed="files, folders or patterns of a GA4 export")
        settings = _fresh(wanted, preset or Preset.BALANCED)
    else:
        _check_choice("--from-stage", from_stage, STAGES)
        if preset is not None:
            wanted["train"] = TrainSettings.preset(preset, **wanted["train"]).model_dump()
        settings = resume_settings(read_previous(out), wanted, from_stage)
    with ConsoleProgress() as progress:
        record = run_all(out, inputs or [], settings, progress, from_stage)
    typer.echo(
        f"{record['users']:,} users, {record['segments']} segments in {out}: see {out / 'report.html'}", err=True
    )


@app.command()
def embed(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Files, folders or patterns.")],
    model: Annotated[Path, typer.Option(help="OUT/model of an earlier run.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    device: Annotated[Device, typer.Option(help="Where the model runs.")] = Device.AUTO,
) -> None:
    """Embed new users with a frozen model, and put them into its segments."""
    from core.scoring import score

    with ConsoleProgress() as progress:
        n_users = score(inputs, model, out, progress, device)
    typer.echo(f"{n_users:,} users in {out}", err=True)


@app.command()
def sample(
    users: Annotated[int, typer.Option(help="Users to make up.")],
    out: Annotated[Path, typer.Option(help="FILE.csv or FILE.csv.gz")],
    seed: Annotated[int, typer.Option(help="Same seed, same file.")] = 0,
) -> None:
    """Write a made-up shop's GA4 export, and its truth beside it."""
    from core.sample import write_sample

    with ConsoleProgress() as progress:
        truth = write_sample(out, users, seed, progress)
    typer.echo(f"{out} and {truth}", err=True)


def main() -> NoReturn:
    """Run the command line and exit."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    try:
        status = app(standalone_mode=False)
    except click.ClickException as error:
        sys.exit(_complain(error.format_message()))
    except Cancelled as error:
        _complain(str(error))
        sys.exit(INTERRUPTED)
    except Beha2VecError as error:
        sys.exit(_complain(str(error)))
    except (KeyboardInterrupt, click.Abort):
        _complain("Interrupted. What earlier runs left is untouched.")
        sys.exit(INTERRUPTED)
    sys.exit(status or 0)


def _complain(message: str) -> int:
    typer.echo(f"error: {' '.join(message.split())}", err=True)
    return BAD_INPUT


def _given(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever typer parsed; settings check it
    """Keep what was named on the command line, so that defaults are written only in settings."""
    return {name: value for name, value in values.items() if value is not None}


def _fresh(wanted: dict[str, dict[str, Any]], preset: Preset) -> RunSettings:
    return RunSettings(
        ingest=IngestSettings.checked(**wanted["ingest"]),
        train=TrainSettings.preset(preset, **wanted["train"]),
        weights=ViewWeights.checked(**wanted["weights"]),
        cluster=ClusterSettings.checked(**wanted["cluster"]),
        analyze=AnalyzeSettings.checked(**wanted["analyze"]),
    )


def _check_choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{option} {value} is not possible", allowed=", ".join(allowed))


def _pairs(option: str, items: list[str]) -> dict[str, str]:
    split = [item.partition("=") for item in items]
    for (name, equals, value), item in zip(split, items, strict=True):
        if not (name and equals and value):
            raise SettingsError(f"{option} {item!r} is not possible", allowed="NAME=VALUE")
    return {name.strip(): value.strip() for name, _, value in split}


def _weights(text: str) -> dict[str, float]:
    """Parse ``url=0.5,theme=0.3``; a view that is not named counts nothing."""
    pairs = _pairs("--weights", [item for item in text.split(",") if item.strip()])
    views = tuple(ViewWeights.model_fields)
    for name in pairs:
        _check_choice("--weights", name, views)
    try:
        return {view: float(pairs.get(view, 0.0)) for view in views}
    except ValueError as error:
        raise SettingsError(f"--weights {text!r} holds something that is not a number") from error
