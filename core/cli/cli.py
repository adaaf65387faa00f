"""Opens the app; with a COMMAND, the same stages without a screen.

Exit status: 0 when done; 2 for bad input, with one line that says what was wrong, the value, what is
allowed and what to do; 3 where drift raises its alarm; 130 when interrupted. Progress goes to stderr.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from core.base.errors import ArtifactError, Beha2VecError, Cancelled, ResourceError
from core.base.places import DATA, VERSION, data_folder
from core.base.settings import Device
from core.cli.console import ConsoleProgress, print_line
from core.cli.run_command import (
    files,
    run,
    spark_address,
    spark_options,
)
from core.storage.disk import disk_errors, make_folder, write_text_atomic
from core.storage.locks import claim_file

_BAD_INPUT, _ALARM, _INTERRUPTED = 2, 3, 130


@click.group(help=__doc__, invoke_without_command=True, context_settings={"max_content_width": 100})
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Of the app; 8501 by default, 0 for any free one."
)
@click.option(
    "--data",
    type=files,
    help=f"Folder of the app's cache/ and input/; by default {DATA}, else {data_folder()}.",
)
@click.version_option(VERSION, prog_name="beha2vec")
@click.pass_context
def app(context: click.Context, port: int | None, data: Path | None) -> None:
    """Group of all commands, which :func:`main` runs; without a command it opens the app."""
    if data is not None:
        os.environ[DATA] = str(data.resolve())
    if context.invoked_subcommand is None:
        from core.cli.app_command import open_app

        open_app(8501 if port is None else port)
    elif port is not None:
        raise click.UsageError("--port before a command is the app's, which no command opens")


app.add_command(run)


@app.command()
@click.argument("inputs", nargs=-1, type=files, metavar="INPUT...", required=True)
@click.option("--model", type=files, required=True, help="OUT/model of an earlier run.")
@click.option("--out", type=files, required=True, help="Parquet file to write.")
@click.option(
    "--device",
    type=click.Choice([device.value for device in Device]),
    default=Device.AUTO.value,
    help="Where the model runs.",
)
@click.option(
    "--next",
    "n_next",
    type=click.IntRange(min=1, max=100),
    metavar="N",
    help="Next pages a user, as the columns next_pages and next_scores; none by default.",
)
@click.option(
    "--memory",
    metavar="SIZE",
    help="Most memory to take, such as 4GB; by default half of what is free. Beyond it, users are placed "
    "part by part.",
)
@spark_options
def embed(
    inputs: tuple[Path, ...],
    model: Path,
    out: Path,
    device: str,
    n_next: int | None,
    memory: str | None,
    engine: str | None,
    master: str | None,
) -> None:
    """Embed new users with a frozen model, and put them into its segments."""
    from core.scoring.bounded_run import embed_bounded, next_pages_warning, unknown_pages_warning
    from core.scoring.bounds import Bounds
    from core.scoring.placing import Placing

    address = spark_address(engine, master)
    place: Callable[..., int] = embed_bounded
    if address is not None:
        from core.scoring.on_spark import embed_on_spark

        place = partial(embed_on_spark, master=address)
    placing, bounds = Placing(Device(device), n_next or 0), Bounds.told(memory, None)
    with ConsoleProgress() as progress:
        n_users = place(inputs, model, out, progress, placing, bounds)
    for warning in filter(None, (next_pages_warning(out), unknown_pages_warning(out))):
        print_line(f"warning: {warning}.", err=True)
    print_line(f"{n_users:,} users in {out}", err=True)


@app.command()
@click.option("--model", type=files, required=True, help="OUT/model of a run; may be replaced at any time.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8788, show_default=True, help="0: any free one."
)
@click.option(
    "--token-file",
    type=files,
    metavar="FILE",
    help="File with the token to ask for; by default BEHA2VEC_TOKEN, else a new one, shown once.",
)
def serve(model: Path, host: str, port: int, token_file: Path | None) -> None:
    """Answer requests: events of a user in, vector and segment out (docs/how-to/serving.md)."""
    from core.scoring.serving.server import serve as answer
    from core.scoring.serving.tokens import new_token, read_token

    token = read_token(token_file)
    if token is None:
        token = new_token()
        print_line(f"token: {token}", err=True)
    answer(model, host, port, token, lambda address: print_line(f"{model} answers at {address}", err=True))


@app.command()
@click.argument("question", required=False)
@click.option("--out", type=files, required=True, help="Folder of an earlier run.")
@click.option("--query", metavar="FILE|JSON", help="A query as data, in place of a question in words.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON: query, population, rows, text, declined.")
def ask(question: str | None, out: Path, query: str | None, as_data: bool) -> None:
    """Answer QUESTION about the users of a run: what was understood, the figures, and of whom they are.

    A question that is not understood in full is declined, with the nearest that can be answered.
    """
    from core.cli.ask_command import answer_lines, answer_of, as_json
    from core.runs.open_run import open_context

    about = open_context(out)
    found = as_json(answer_of(question, query, about), about)
    for line in [json.dumps(found, ensure_ascii=False)] if as_data else answer_lines(found):
        print_line(line)


@app.command()
@click.option("--out", type=files, required=True, help="Folder of an earlier run.")
@click.option("--http", is_flag=True, help="Listen at 127.0.0.1, path /mcp; by default stdin and stdout.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8789, show_default=True, help="0: any free one."
)
@click.option(
    "--token-file",
    type=files,
    metavar="FILE",
    help="With --http: file with the token; by default BEHA2VEC_TOKEN, else a new one, shown once.",
)
def mcp(out: Path, http: bool, port: int, token_file: Path | None) -> None:
    """Let an assistant ask about a run, of 20 users or more at a time (docs/how-to/assistants.md)."""
    from core.mcp.server import make_server, serve_http, serve_stdio
    from core.runs.open_run import open_context
    from core.scoring.serving.tokens import is_authorised, new_token, read_token

    server = make_server(open_context(out))
    if not http:
        serve_stdio(server)
        return
    token = read_token(token_file)
    if token is None:
        token = new_token()
        print_line(f"token: {token}", err=True)
    allows = partial(is_authorised, token=token)
    serve_http(server, port, allows, lambda address: print_line(f"{out} answers at {address}", err=True))


@app.command()
@click.argument("figures", nargs=-1, metavar="[FIGURE=NUMBER|REPORT.csv]...")
@click.option("--out", type=files, required=True, help="Folder of an earlier run.")
def reconcile(figures: tuple[str, ...], out: Path) -> None:
    """Compare figures of GA4's own report with those of a run: what explains each difference.

    FIGURE is users, sessions, views, events, gross, refunds or net; a REPORT by day explains most
    (docs/how-to/reconcile.md). Without any, the run's figures stand beside its files as GA4 counts them.
    """
    from core.base.small_file import read_small_file
    from core.ingest.account.ga4_report import Ga4Report, read_report, reconcile, typed_figures
    from core.storage.dataset import RECEIPT
    from core.storage.receipt import Receipt

    report = Ga4Report()
    for text in figures:
        name, equals, number = text.partition("=")
        if equals and not Path(text).exists():
            report |= typed_figures({name: number})
        else:
            report |= read_report(read_small_file(Path(text)), text)
    try:
        receipt = Receipt.model_validate_json(read_small_file(out / RECEIPT, 100_000_000))
    except ValueError as error:  # of pydantic
        raise ArtifactError(f"{out / RECEIPT} is damaged", remedy="Run it again") from error
    for line in reconcile(receipt, report):
        print_line(line)


@app.command()
@click.argument("ids", type=files, metavar="IDS")
@click.option("--out", type=files, required=True, help="Folder of an earlier run.")
@click.option("--to", type=files, required=True, metavar="FILE", help="CSV to write.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    help="Users to write; by default as many as find hidden ids best beside chance.",
)
def lookalikes(ids: Path, out: Path, to: Path, top: int | None) -> None:
    """Who else is like the users of a list: IDS is text with an id a line, or a CSV with a column of ids."""
    from core.runs.look_alikes_file import write_look_alikes

    print_line(f"{write_look_alikes(ids, out, to, top)} See {to}", err=True)


@app.command()
@click.argument("folder", type=files, metavar="FOLDER")
@click.option("--model", type=files, required=True, help="OUT/model of an earlier run.")
@click.option("--out", type=files, required=True, help="Folder for what is made of all files.")
@click.option("--every", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="Seconds.")
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="Seconds that a file must have stayed as it is to count as whole.",
)
@click.option("--once", is_flag=True, help="Take what is there, and end; for a timetable such as cron's.")
@click.option(
    "--device",
    type=click.Choice([device.value for device in Device]),
    default=Device.AUTO.value,
    help="Where the model runs.",
)
def watch(folder: Path, model: Path, out: Path, every: float, settle: float, once: bool, device: str) -> None:
    """Take each new file of FOLDER once, and put all users so far into the segments of a frozen model."""
    from core.runs.watch import watch as watch_folder

    where = Device(device)
    with ConsoleProgress() as progress:
        watch_folder(
            folder, model, out, progress, progress.tell,
            every_s=every, settle_s=settle, once=once, device=where,
        )  # fmt: skip


@app.command()
@click.argument("inputs", nargs=-1, type=files, metavar="EXPORT...", required=True)
@click.option("--model", type=files, required=True, help="OUT/model of an earlier run.")
@click.option("--json", "to", type=files, metavar="FILE", help="JSON file to write, with all figures.")
@click.option(
    "--device",
    type=click.Choice([device.value for device in Device]),
    default=Device.AUTO.value,
    help="Where the model runs.",
)
def drift(inputs: tuple[Path, ...], model: Path, to: Path | None, device: str) -> int:
    """Tell whether users of EXPORT still do what those of the training did, and whether to train again.

    Ends with 3 where the alarm is raised: without any change, for about 5 of 100 exports of as many days. One
    that covers clearly fewer or more days than the training raises none. Nobody is known again, as a model
    folder has no ids; the page Time knows who is in both.
    """
    from core.runs.since_training import export_since_training

    with ConsoleProgress() as progress:
        found = export_since_training(inputs, model, progress, Device(device))
    if to is not None:
        make_folder(to.parent)
        with claim_file(to):
            write_text_atomic(to, json.dumps(found.to_plain(), indent=1, ensure_ascii=False))
    for line in found.lines:
        print_line(line)
    return _ALARM if found.drift.alarm else 0


@app.command()
@click.argument("ids", type=files, metavar="IDS")
@click.option(
    "--cache", type=files, help="The app's cache; by default BEHA2VEC_CACHE, else cache/ of --data."
)
@click.option("--out", type=files, multiple=True, help="Folder of `run` or `watch`, once for each.")
@click.option("--input", "tables", type=files, multiple=True, metavar="PATH", help="Files to write anew.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--certificate", type=files, default="forgotten.json", show_default=True, metavar="FILE")
def forget(ids: Path, dry_run: bool, certificate: Path, **places: Any) -> None:  # noqa: ANN401 - of click
    """Remove every trace of users, and search every byte: IDS is text with an id a line, - for stdin."""
    from core.cli.forget_command import forget_users, preview_lines, read_ids, searched_places

    where, patterns = searched_places(**places), read_ids(ids)
    with ConsoleProgress() as progress:
        if dry_run:
            lines = preview_lines(where, patterns, progress)
        else:
            lines = forget_users(where, patterns, certificate, progress)
    for line in lines:
        print_line(line)


@app.command()
@click.option("--users", type=int, required=True, help="Users to make up.")
@click.option("--out", type=files, required=True, help="FILE.csv or FILE.csv.gz")
@click.option("--seed", type=int, default=0, help="Same seed, same file.", show_default=True)
def sample(users: int, out: Path, seed: int) -> None:
    """Write a made-up shop's GA4 export, and its truth beside it."""
    from core.ingest.sample import write_sample

    make_folder(out.parent)
    with claim_file(out), ConsoleProgress() as progress:
        truth = write_sample(out, users, seed, progress)
    print_line(f"{out} and {truth}", err=True)


def main() -> NoReturn:
    """Run the command line and exit."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_INTERRUPTED))
    try:
        with disk_errors():
            status = app(standalone_mode=False)
    except click.ClickException as error:
        sys.exit(_complain(error.format_message()))
    except Cancelled as error:
        _complain(str(error))
        sys.exit(_INTERRUPTED)
    except Beha2VecError as error:
        sys.exit(_complain(str(error)))
    except MemoryError as error:
        what = f"The memory is not enough ({str(error) or 'none is left'})"
        remedy = "Close other programs, or take less: --memory SIZE. What earlier runs left is untouched"
        sys.exit(_complain(str(ResourceError(what, remedy=remedy))))
    except (KeyboardInterrupt, click.Abort):
        _complain("Interrupted. What earlier runs left is untouched.")
        sys.exit(_INTERRUPTED)
    sys.exit(status or 0)


def _complain(message: str) -> int:
    print_line(f"error: {' '.join(message.split())}", err=True)
    return _BAD_INPUT
