"""GA4's export in BigQuery: estimate what reading some days would cost, then read them as files, one a day.

A day is one query on that day's table alone. A wildcard would take the schema of the newest table for all
days, and a day could not be kept for itself. As BigQuery bills columns, a query names those columns and
parameters alone that the readers of files use; :mod:`core.ingest.read.nested` says which name is which field.

Credentials are those that Google's own library finds (Application Default Credentials). Nothing of them is
kept, logged or repeated in a message. ``BIGQUERY_EMULATOR_HOST``, which that library knows, too, stands for
a server that wants none.

What comes back is sorted, as BigQuery has no order of its own, and kept in the store by the query and the
table's last change: an unchanged day is not paid for twice.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import Beha2VecError, InputError, ResourceError, SettingsError
from core.base.places import install_command
from core.base.progress import Progress, SubProgress
from core.base.raw_fields import PARAM_FIELDS, RECORD_FIELDS
from core.base.schema import REMOVED_FIELDS, REQUIRED_FIELDS, Raw
from core.base.settings import IngestSettings
from core.base.wording import pluralise
from core.ingest.engine import literal, open_engine
from core.ingest.read.nested import PARAM_LISTS, bigquery_column, map_names
from core.scoring.bigquery_request import (
    ESTIMATE,
    MIB,
    MIN_BYTES,
    SHARES,
    BigQueryEstimate,
    BigQueryRequest,
    DayTable,
    in_gigabytes,
    require_possible,
)
from core.storage.disk import disk_errors, flush_all, put_in_place
from core.storage.store import MANIFEST, Artifact, Manifest, Store, content_key

if TYPE_CHECKING:
    from google.cloud import bigquery
    from google.cloud.bigquery import Client, QueryJob, SchemaField

_FIRST: Final = (Raw.EVENT_TIMESTAMP, Raw.USER_KEY)


def query_of(request: BigQueryRequest, table: DayTable) -> str:
    """SQL query for the events of one day.

    Raises:
        InputError: If the table lacks a column that is needed or was asked for by name.
    """
    names = names_of(request, table)
    columns = ",\n  ".join(f"{bigquery_column(name)} AS {field}" for field, name in names.items())
    query = f"SELECT\n  {columns}\nFROM `{table.name}`"
    if request.thousandths == SHARES:
        return query
    user = f"CAST({bigquery_column(names[Raw.USER_KEY])} AS STRING)"
    return f"{query}\nWHERE ABS(MOD(FARM_FINGERPRINT({user}), {SHARES})) < {request.thousandths}"


def names_of(request: BigQueryRequest, table: DayTable) -> dict[str, str]:
    """Map fields (:class:`core.base.schema.Raw`) to names in a day's table; those that it lacks are left out.

    Rows are sorted by the fields in this order.

    Raises:
        InputError: If the table lacks a column that is needed or was asked for by name.
    """
    settings = IngestSettings.checked(
        user_key=request.user_key, mapping=request.mapping, join_logins=request.join_logins
    )
    plain = [name for name in table.columns if name not in PARAM_LISTS]
    inside = [*PARAM_FIELDS.values(), *([request.user_key] if "." in request.user_key else [])]
    names = map_names(tuple(dict.fromkeys([*plain, *inside])), RECORD_FIELDS, settings).by_name
    there = {
        field: names[field] for field in (*_FIRST, *names) if field in names and _has(table, names[field])
    }
    named = {**RECORD_FIELDS, Raw.USER_KEY: request.user_key, **request.mapping}
    for field in (*REQUIRED_FIELDS, *(field for field, name in request.mapping.items() if name)):
        if field not in there and field not in REMOVED_FIELDS:
            raise InputError(
                f"{table.name} has no {named[field]}, which is to be {field}",
                allowed=", ".join(table.columns),
            )
    return there


def _has(table: DayTable, name: str) -> bool:
    """Whether a table has a column; of a list of parameters any key can be asked for."""
    root, _, key = name.partition(".")
    return (root if root in PARAM_LISTS and key else name) in table.columns


def _leaves(schema: Sequence[SchemaField], prefix: str = "") -> list[str]:
    """List the names of plain columns, dotted inside records, and of lists of parameters; no other lists."""
    names: list[str] = []
    for field in schema:
        if field.mode == "REPEATED":
            names += [prefix + field.name] if field.name in PARAM_LISTS else []
        elif field.field_type in ("RECORD", "STRUCT"):
            names += _leaves(field.fields, f"{prefix}{field.name}.")
        else:
            names.append(prefix + field.name)
    return names


PATIENCE_S: Final = 120.0
"""Seconds for which errors that may pass are tried again."""
_WAIT_S: Final = 900.0
"""Seconds that a query may wait and work."""
_STATE_S: Final = 30.0
"""Seconds that BigQuery may take to report the state of a query."""
_EMULATOR: Final = "BIGQUERY_EMULATOR_HOST"
_HOW_TO: Final = "See docs/how-to/bigquery.md"
_GO_ON: Final = "Days that were read are kept: the same command goes on with those that are missing"
_QUOTAS: Final = frozenset(
    {
        "quotaExceeded",
        "rateLimitExceeded",
        "jobRateLimitExceeded",
        "resourcesExceeded",
        "userRateLimitExceeded",
    }
)


def installed() -> bool:
    """Whether google-cloud-bigquery is installed."""
    from importlib.util import find_spec

    try:
        return find_spec("google.cloud.bigquery") is not None
    except ModuleNotFoundError:  # not even what it lies in
        return False


def _connect(request: BigQueryRequest) -> bigquery.Client:
    """Open a client of the project that pays.

    Raises:
        SettingsError: If the extra or credentials are missing.
    """
    if not installed():
        raise SettingsError(
            "BigQuery cannot be read, as google-cloud-bigquery is not installed",
            remedy=f"Install it: {install_command('bigquery', 'google-cloud-bigquery>=3.30,<4')}",
        )
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    with _in_words(request):
        known = AnonymousCredentials() if os.environ.get(_EMULATOR) else None
        return bigquery.Client(project=request.pays, credentials=known)


def _retries(seconds: float) -> Mapping[str, Any]:
    """Arguments for calls of Google's library: try again for so many seconds after errors that may pass."""
    from google.cloud.bigquery import DEFAULT_RETRY

    return {"retry": DEFAULT_RETRY.with_timeout(seconds)}


@contextmanager
def _in_words(request: BigQueryRequest) -> Iterator[None]:
    """Turn errors of Google's library into errors that say what went wrong and what to do.

    Raises:
        Beha2VecError: In place of whatever Google's library raises inside the block.
    """
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    try:
        yield
    except (auth.DefaultCredentialsError, auth.RefreshError) as error:
        raise SettingsError(
            "Google Cloud has no valid credentials for this machine",
            remedy="Run `gcloud auth application-default login`, or name the file of a service account in "
            f"GOOGLE_APPLICATION_CREDENTIALS. {_HOW_TO}",
        ) from error
    except api.RetryError as error:
        cause = error.cause
        raise (_refused(cause, request) if isinstance(cause, api.GoogleAPICallError) else _gone()) from error
    except api.GoogleAPICallError as error:
        raise _refused(error, request) from error
    except Beha2VecError:
        raise
    except (auth.GoogleAuthError, OSError) as error:
        if isinstance(error, TimeoutError) and error.errno is None:  # ours or its library's, not the system's
            raise ResourceError(
                f"BigQuery was not done after {pluralise(round(_WAIT_S / 60), 'minute')}; "
                f"its query was stopped",
                remedy=f"Try again later. {_GO_ON}",
            ) from error
        if isinstance(error, OSError) and type(error).__module__ == "builtins" and error.errno is not None:
            raise  # the disk's
        raise _gone() from error


def _gone() -> ResourceError:
    return ResourceError("BigQuery cannot be reached any more", remedy=f"Check the network. {_GO_ON}")


def _refused(error: Any, request: BigQueryRequest) -> Beha2VecError:  # noqa: ANN401 - of an untyped library
    """Error for a refusal of BigQuery, by its reason."""
    reason = next(
        (str(detail.get("reason", "")) for detail in error.errors or () if isinstance(detail, Mapping)), ""
    )
    message = _said(error)
    if reason in _QUOTAS or error.code == 429:
        return ResourceError(f"A quota of BigQuery is used up: {message}", remedy=_GO_ON)
    if reason == "bytesBilledLimitExceeded":
        most = in_gigabytes(request.max_bytes)
        return ResourceError(
            f"BigQuery would bill more than was estimated, or than the {most} that are allowed: {message}",
            remedy=f"Estimate again; read fewer days, or raise the limit (--max-bytes). {_GO_ON}",
        )
    if reason == "responseTooLarge":
        return ResourceError(
            f"A day is too large for BigQuery to hand over: {message}", remedy="Use --user-share"
        )
    if error.code in (401, 403):
        return InputError(
            f"BigQuery refuses {request.table}: {message}",
            remedy="Who asks needs BigQuery Data Viewer on the data set and BigQuery Job User on the project "
            f"{request.pays}, which pays; another one is named by --billing-project. {_HOW_TO}",
        )
    if error.code == 404:
        return InputError(
            f"BigQuery does not find {request.table}: {message}", remedy="Check project and data set"
        )
    if (error.code or 500) >= 500:
        return ResourceError(f"BigQuery has a problem: {message}", remedy=f"Try again later. {_GO_ON}")
    return InputError(f"BigQuery cannot read {request.table}: {message}", remedy=_HOW_TO)


def _said(error: Any) -> str:  # noqa: ANN401
    """BigQuery's own words, on one line and without the address that was asked."""
    message = next(
        (
            detail["message"]
            for detail in error.errors or ()
            if isinstance(detail, Mapping) and "message" in detail
        ),
        "",
    )
    return " ".join((message or str(error.message)).split())[:400]


_STAGE: Final = "bigquery"
_BEGIN: Final = ("first_open", "first_visit", "session_start")
"""Events that GA4 sends by itself where a user or a session begins."""
POLL_S: Final = 0.5
"""Seconds between two questions whether a query is done; a cancelled job has little more than one left."""


def estimate(store: Store, request: BigQueryRequest, progress: Progress) -> BigQueryEstimate:
    """Find the tables of the days, and measure what reading them would take; reads and costs nothing.

    Args:
        store: Where days are kept that were read before.
        request: What is wanted.
        progress: Where to report.

    Raises:
        Beha2VecError: If the request is not possible, no day has a table, or BigQuery refuses.
    """
    require_possible(request)
    with closing(_connect(request)) as client, _in_words(request):
        tables = _tables(client, request, progress)
        if not tables:
            raise InputError(
                f"{request.table} has no table of a day from {request.first} to {request.last}",
                remedy="Choose other days, or check the name",
            )
        cached = tuple(table.day for table in tables if _find(store, request, table))
        due = [table for table in tables if table.day not in cached]
        total = 0
        for number, table in enumerate(due):
            progress(ESTIMATE, number / len(due), f"Estimating {table.day}")
            total += _dry_run(client, query_of(request, table))
    progress(ESTIMATE, 1.0)
    return BigQueryEstimate(request=request, tables=tables, kept=cached, bytes_billed=total)


def read(store: Store, agreed: BigQueryEstimate, progress: Progress) -> list[Path]:
    """Read the days of an estimate that somebody has agreed to; days that are kept are not read again.

    Returns:
        A Parquet file a day, oldest first; they lie in the store.

    Raises:
        Beha2VecError: If it would cost more than is allowed or was agreed to, BigQuery refuses, or the disk
            does; days that were read by then are kept.
    """
    request = agreed.request
    _require_agreed(store, agreed)
    left, files = min(request.max_bytes, agreed.bytes_billed + MIB * len(agreed.to_read)), []
    with closing(_connect(request)) as client:
        for number, table in enumerate(agreed.tables):
            part = SubProgress(progress, number / len(agreed.tables), (number + 1) / len(agreed.tables))
            cached = _find(store, request, table)
            if cached is None:
                left -= _read_day(store, client, request, table, left, part)
                cached = _find(store, request, table)
            if cached is None:
                raise ResourceError(
                    f"What was read of {table.day} is damaged on the disk", remedy="Try again"
                )
            files.append(cached.path / _file_of(request, table))
    _drop_older(store, request, agreed.tables)
    progress(_STAGE, 1.0, pluralise(len(files), "day"))
    return files


def _require_agreed(store: Store, agreed: BigQueryEstimate) -> None:
    """Refuse before anything is read what is not allowed, or would cost more than somebody has seen."""
    most = agreed.request.max_bytes
    if agreed.too_much:
        raise SettingsError(
            f"BigQuery would bill {in_gigabytes(agreed.bytes_billed)}, more than the "
            f"{in_gigabytes(most)} that are allowed, so nothing was read",
            remedy="Read fewer days, or raise the limit (--max-bytes)",
        )
    gone = [t.day for t in agreed.tables if t.day in agreed.kept and not _find(store, agreed.request, t)]
    if gone:
        raise ResourceError(
            f"{gone[0]} was kept when this was estimated and is not any more, so nothing was read",
            remedy="Estimate again: that day has to be paid for, too",
        )


def place(files: Sequence[Path], folder: Path) -> None:
    """Put files into a folder, which is replaced as a whole: as hard links, or copies on another disk.

    Raises:
        ResourceError: If the disk refuses.
    """
    building = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    with disk_errors():
        for left in folder.parent.glob(f".{folder.name}.*"):  # of a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        building.mkdir(parents=True)
        try:
            for file in files:
                with suppress(OSError):
                    os.link(file, building / file.name)
                if not (building / file.name).exists():  # another disk
                    shutil.copyfile(file, building / file.name)
            flush_all(building)
            shutil.rmtree(folder, ignore_errors=True)
            put_in_place(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _tables(client: Client, request: BigQueryRequest, progress: Progress) -> tuple[DayTable, ...]:
    """Existing tables of the requested days, oldest first."""
    days = {f"{day:%Y%m%d}": day for day in request.days}
    listed = client.list_tables(request.dataset, timeout=_WAIT_S, **_retries(PATIENCE_S))
    suffixes = {table.table_id.removeprefix(request.prefix) for table in listed
                if table.table_id.startswith(request.prefix)}  # fmt: skip
    days_there = sorted(suffixes & days.keys())
    tables = []
    for number, suffix in enumerate(days_there):
        progress(ESTIMATE, number / len(days_there), f"Looking at {days[suffix]}")
        tables.append(_table(client, f"{request.dataset}.{request.prefix}{suffix}", days[suffix]))
    return tuple(tables)


def _table(client: Client, name: str, day: date) -> DayTable:
    found = client.get_table(name, timeout=_WAIT_S, **_retries(PATIENCE_S))
    changed_at = found.modified if found.table_type == "TABLE" else None  # a view's is that of its definition
    modified = (changed_at if isinstance(changed_at, datetime) else datetime.now(UTC)).isoformat()
    columns = tuple(_leaves(found.schema))
    return DayTable(day=day, name=name, modified=modified, rows=found.num_rows or 0, columns=columns)


def _dry_run(client: Client, query: str) -> int:
    """Bytes that a query would be billed for.

    References:
        BigQuery's pricing: rounded up to a whole MB, at least 10 MB for each table that is referenced.
    """
    from google.cloud.bigquery import QueryJobConfig

    config = QueryJobConfig(dry_run=True, use_query_cache=False)
    job = client.query(query, config, job_retry=None, timeout=_WAIT_S, **_retries(PATIENCE_S))
    whole = -(-int(job.total_bytes_processed or 0) // MIB) * MIB
    return max(MIN_BYTES, whole) + MIN_BYTES * max(0, len(job.referenced_tables) - 1)  # of a view


def _key(request: BigQueryRequest, table: DayTable) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Content key of a day with what it is made of: the query, and the state of its table."""
    settings, inputs = {"query": query_of(request, table)}, {"table": table.name, "modified": table.modified}
    return content_key(_STAGE, settings, inputs), settings, inputs


def _find(store: Store, request: BigQueryRequest, table: DayTable) -> Artifact | None:
    return store.find(_STAGE, _key(request, table)[0])


def _file_of(request: BigQueryRequest, table: DayTable) -> str:
    """Name of a day's file, which every receipt shows: it says so where some users were left out."""
    day = table.name.rpartition(".")[2]
    sampled = f"_users_{request.thousandths}_of_{SHARES}" if request.thousandths < SHARES else ""
    return f"{day}{sampled}.parquet"


def _read_day(
    store: Store, client: Client, request: BigQueryRequest, table: DayTable, limit: int, progress: Progress
) -> int:
    """Read a day into the store; the bytes that were billed."""
    key, settings, inputs = _key(request, table)
    with store.write(_STAGE, key, settings, inputs) as folder:
        arriving, work = folder / "arriving.parquet", folder / "work"
        names = names_of(request, table)
        with _in_words(request):
            rows, billed = _arrive(client, settings["query"], list(names.values()), limit, arriving, progress)
        work.mkdir()
        with open_engine(work, rows) as engine:
            engine.raw.execute(
                f"COPY (SELECT * FROM read_parquet({literal(arriving)}) ORDER BY {_order(names)}) "
                f"TO {literal(folder / _file_of(request, table))} (FORMAT parquet, COMPRESSION zstd)"
            )
        arriving.unlink()
        shutil.rmtree(work)
    return billed


def _arrive(
    client: Client, query: str, names: list[str], limit: int, path: Path, progress: Progress
) -> tuple[int, int]:
    """Run a query and write its rows, batch by batch; their number, and the bytes that were billed."""
    from google.cloud.bigquery import QueryJobConfig

    patience = _retries(PATIENCE_S)
    config = QueryJobConfig(maximum_bytes_billed=max(limit, 1))
    job = client.query(query, config, timeout=_WAIT_S, job_retry=None, **patience)
    _wait(job, progress)
    rows = job.result(timeout=_WAIT_S, job_retry=None, **patience)
    total, done = rows.total_rows or 0, 0
    schema = pa.schema([(name, pa.string()) for name in names])
    writer: pq.ParquetWriter | None = None
    for batch in rows.to_arrow_iterable():
        batch = batch.rename_columns(names)
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_batch(batch)
        done += len(batch)
        progress(_STAGE, min(1.0, done / max(1, total)), f"{done:,} of {pluralise(total, 'event')}")
    (writer or pq.ParquetWriter(path, schema)).close()
    return done, int(job.total_bytes_billed or 0)


def _wait(job: QueryJob, progress: Progress) -> None:
    """Wait until a query is done; stop one that nobody waits for any more, or it would be billed.

    Its state is asked for: a short ``result(timeout=…)`` would give the answer's pages no more time, either.
    """
    until = time.monotonic() + _WAIT_S
    try:
        while not job.done(timeout=_STATE_S, **_retries(PATIENCE_S)):
            progress(_STAGE, 0.0, "BigQuery is at work")
            if time.monotonic() > until:
                raise TimeoutError
            time.sleep(POLL_S)
    except BaseException:
        with suppress(Exception):
            job.cancel(retry=None, timeout=5)
        raise


def _order(names: Mapping[str, str]) -> str:
    """Order of a day's rows: time and user, then what begins a session, then all other columns.

    Which event is a page view is not asked: it may be chosen once the days are read.
    """
    columns = {field: f'"{name}"' for field, name in names.items()}
    later = f"{columns[Raw.EVENT_NAME]} NOT IN {_BEGIN}" if Raw.EVENT_NAME in columns else "true"
    first, then, *rest = columns.values()
    return ", ".join([first, then, later, *rest])


def _drop_older(store: Store, request: BigQueryRequest, tables: Sequence[DayTable]) -> None:
    """Remove kept days as they were before their tables changed."""
    now = {_key(request, table)[0] for table in tables}
    same = {(table.name, query_of(request, table)) for table in tables}
    for path in (store.root / _STAGE).glob(f"[!.]*/{MANIFEST}"):
        with suppress(OSError, ValueError):
            manifest = Manifest.model_validate_json(path.read_bytes())
            if (
                manifest.key not in now
                and (manifest.inputs.get("table"), manifest.settings.get("query")) in same
            ):
                shutil.rmtree(path.parent, ignore_errors=True)
