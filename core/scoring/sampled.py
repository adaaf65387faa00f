"""Prepare a data set in a bound of memory: of all users, or of a sample of them where all do not fit.

The receipt of all users adds up those of parts, with what was decided on the whole.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.base.errors import BOUNDED_RUN, SettingsError, control
from core.base.progress import Progress, SubProgress
from core.base.settings import IngestSettings
from core.base.wording import pluralise
from core.ingest.account.summary import describe_without_user_id, files_of, revenue_of
from core.ingest.account.waterfall import Waterfall
from core.ingest.clean import clock
from core.ingest.decisions import decide
from core.ingest.ingest import transform
from core.ingest.observe.export_decisions import ExportDecisions
from core.ingest.observe.logins import join_logins
from core.ingest.output import outcomes_without_user_id
from core.ingest.read.read_all import RawRead, read_all
from core.ingest.read.read_cache import ReadCache
from core.ingest.sources.input_files import resolve_inputs
from core.runs import artifacts, pipeline
from core.runs.pipeline import STAGES
from core.scoring import parts
from core.scoring.bounds import MEMORY, Bounds
from core.storage.dataset import RECEIPT, Dataset
from core.storage.day_coverage import day_coverage
from core.storage.disk import write_text_atomic
from core.storage.receipt import OutcomeUsers, Receipt, WaterfallStep, add_outcome_users, sort_counts
from core.storage.store import Store

_SUMS = (
    "page_views_used", "users", "sessions", "sessions_by_gap", "tied_page_views", "repeated_events",
)  # fmt: skip
_NOTHING_LEFT: Final = "Of parts of the users of which nothing is left"


def _of_sample(raw: RawRead, decided: ExportDecisions, sample: Receipt) -> Receipt:
    """The receipt of a sample of the users, which accounts for all records of the files.

    Args:
        raw: What the readers left of all users.
        decided: What was decided on all of it.
        sample: What was counted in the sample alone.
    """
    all_records = add_up(raw, decided, [sample], sample, "Of users outside the sample")
    without_id = describe_without_user_id(all_records.left_out, all_records.no_user_id)
    return all_records.model_copy(
        update={
            "narrowed": f"a sample of {sample.users:,} of {decided.n_users:,} users",
            "trained_users": None,
            "revenue": {},
            "warnings": (*all_records.warnings, *without_id),
        }
    )


def add_up(
    raw: RawRead,
    decided: ExportDecisions,
    parts: Sequence[Receipt],
    trained: Receipt,
    rest: str = _NOTHING_LEFT,
) -> Receipt:
    """Make the receipt of all users from the receipts of their parts.

    Args:
        raw: Counts of all records.
        decided: Decisions made on all users.
        parts: Receipts of the parts with a page view, one at least.
        trained: Receipt of the users of the training; ids, clock, pages, places and warnings are taken from
            it, as these were decided on all users.
        rest: Label in the waterfall for page views that no part accounts for.

    Raises:
        pydantic.ValidationError: If the steps do not add up, which is a bug.
    """
    accounted, files = decided.accounted, files_of(raw, decided.accounted)
    sums = {name: sum(getattr(part, name) for part in parts) for name in _SUMS}
    changes: dict[str, Any] = {
        **sums,
        "files": files,
        "records": accounted.waterfall.total,
        "rejected": sum(file.rejected for file in files),
        "rejects_by_reason": sort_counts(accounted.rejected),
        "users_by_group": {
            group: sum(part.users_by_group[group] for part in parts) for group in trained.users_by_group
        },
        "page_views_by_day": (by_day := _by_day(parts)),
        "days": day_coverage(by_day).sentence if by_day else "",
        "first_ts": min(part.first_ts for part in parts),
        "last_ts": max(part.last_ts for part in parts),
        "time_unit": clock.describe_units(accounted.tally.units),
        "rounded_times": accounted.tally.looks_rounded,
        "placeholders": accounted.placeholders,
        "source_basis": sort_counts(sum((Counter(part.source_basis) for part in parts), Counter())),
        **{
            name: sort_counts(sum((Counter(getattr(part, name)) for part in parts), Counter()))
            for name in ("sessions_by_channel", "channel_basis")
        },
        "outcome_users": (outcome_users := _outcomes(parts)),
        "revenue": revenue_of(
            outcome_users, outcomes_without_user_id(decided.without_user_id), decided.refunds
        ),
        "narrowed": "",
        "trained_users": trained.users,
        **_engagement(parts, sums["users"]),
        **_left_out(decided, parts, rest),
    }
    return Receipt.model_validate({**dict(trained), **changes})


def _left_out(decided: ExportDecisions, parts: Sequence[Receipt], rest: str) -> dict[str, Any]:
    """Fields of the receipt on records used and left out, and on outcomes of visitors without an id."""
    steps = _steps(decided.accounted.waterfall, parts, sum(part.page_views_used for part in parts), rest)
    no_user_id = outcomes_without_user_id(decided.without_user_id)
    again = decided.without_user_id.duplicates if decided.without_user_id else 0
    return {
        "waterfall": tuple(steps.steps),
        "other_events_used": steps.other_events,
        "left_out": steps.causes,
        "no_user_id": no_user_id,
        "duplicate_transactions": again + sum(part.duplicate_transactions for part in parts),
    }


def _engagement(parts: Sequence[Receipt], users: int) -> dict[str, Any]:
    """Share of users with a time of engagement, and its rule; empty where no part has one."""
    told = [(part.engagement_share, part) for part in parts if part.engagement_share is not None]
    if not told:
        return {}
    having = sum(share * part.users for share, part in told)
    return {"engagement_share": having / users, "engagement_rule": told[0][1].engagement_rule}


def _steps(first: Waterfall, parts: Sequence[Receipt], used: int, rest: str) -> Waterfall:
    """The steps of all records, then those of users and pages, summed over the parts."""
    whole, known = replace(first, steps=[*first.steps], left_out=[*first.left_out]), {*_names(first.steps)}
    later = dict.fromkeys(name for part in parts for name in _names(part.waterfall) if name not in known)
    for name in later:
        steps = [step for part in parts for step in part.waterfall if step.name == name]
        others = sum(one.other_events for part in parts for one in part.left_out if one.cause == name)
        users = sum(step.users or 0 for step in steps)
        whole.leave(name, steps[0].label, sum(step.records for step in steps), others, users=users)
    others = whole.other_events - sum(part.other_events_used or 0 for part in parts)
    if others or whole.left != used:
        whole.leave("not_here", rest, whole.left - used, others)
    return whole


def _names(steps: Sequence[WaterfallStep]) -> list[str]:
    return [step.name for step in steps]


def _by_day(parts: Sequence[Receipt]) -> dict[date, int]:
    return dict(sorted(sum((Counter(part.page_views_by_day) for part in parts), Counter()).items()))


def _outcomes(parts: Sequence[Receipt]) -> dict[str, OutcomeUsers]:
    """Users of each outcome, the outcome with most users first."""
    names = dict.fromkeys(name for part in parts for name in part.outcome_users)
    found = {
        name: add_outcome_users(p.outcome_users[name] for p in parts if name in p.outcome_users)
        for name in names
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1].users, item[0])))


SAMPLE: Final = "sample"
RECORDS: Final = "records"
DECISIONS: Final = "decisions"
_SEED: Final = 0
_ONLY_SOME: Final = (
    "This is {narrowed}: all do not fit into the memory that reading may take here. For all of them "
    f"start the app with {MEMORY}=16GB, say, or run {BOUNDED_RUN}, which learns from such a sample and "
    "puts all users into its segments"
)


class Sample(NamedTuple):
    """Facts about all users, for a data set of some of them.

    Args:
        raw: Counts of all records.
        decided: Decisions made on all users.
        told: Warning for the receipt of the sample; ``{narrowed}`` stands for what the sample is.
    """

    raw: RawRead
    decided: ExportDecisions
    told: str


def prepare(
    store: Store, inputs: Sequence[Path], settings: IngestSettings, progress: Progress, bounds: Bounds
) -> Dataset:
    """Make the data set of files as :func:`core.runs.pipeline.preprocess`; of a sample where all do not fit.

    Pages, personal places and the clock are decided on all users in either case.

    Raises:
        InputError: If a file or a column cannot be used, or a file changed meanwhile.
        ResourceError: If disk or memory run out.
        SettingsError: If nobody is in the sample.
    """
    if bounds.surely_holds(inputs):
        return pipeline.preprocess(store, inputs, settings, progress)
    sources = resolve_inputs(inputs)
    checksums = pipeline.checksums(sources)
    found = artifacts.known_dataset(
        store, artifacts.dataset_key(settings, pipeline.numbered(sources, checksums))
    )
    if found is not None:
        return found
    with store.working(STAGES[0]) as work:
        before = SubProgress(progress, 0.0, 0.5)
        raw, files = read_local(store, inputs, settings, work, before, checksums)
        some, files = draw_sample(raw, files, share_drawn(raw, bounds, work), bounds, _SEED, work)
        rest = SubProgress(progress, 0.7, 1.0)
        if some is None:
            return store_dataset(store, raw, settings, files, work, rest, bounds)
        found = artifacts.known_dataset(store, artifacts.dataset_key(settings, files))
        if found is not None:
            return found
        decided = decide_for_all(raw, settings, work, SubProgress(progress, 0.5, 0.7), bounds)
        sample = Sample(raw, decided, _ONLY_SOME)
        return store_dataset(store, some, settings, files, work, rest, bounds, sample)


def read_local(
    store: Store | None,
    inputs: Sequence[Path],
    settings: IngestSettings,
    work: Path,
    progress: Progress,
    checksums: Mapping[Path, str] | None = None,
) -> tuple[RawRead, dict[str, str]]:
    """Read files into the folder :data:`RECORDS` of ``work``; each file's records also stay in the store.

    Args:
        store: None to keep nothing.
        inputs: Files, folders or patterns.
        settings: How they are read.
        work: An existing folder.
        progress: Where to report.
        checksums: File → checksum, if known.

    Returns:
        The records, and number and name of each input → checksum.
    """
    sources = resolve_inputs(inputs)
    checksums = checksums or pipeline.checksums(sources)
    kept = ReadCache(store, settings, checksums) if store else None
    raw = read_all(inputs, settings, work / RECORDS, progress, kept)
    raw = join_logins(raw, settings, work / f"joined-{RECORDS}")
    return raw, pipeline.numbered(sources, checksums)


def share_drawn(raw: RawRead, bounds: Bounds, work: Path) -> float | None:
    """Return the share of the users to train on, below 1; None to train on all.

    Raises:
        SettingsError: If the records of these users do not fit into memory.
    """
    share = bounds.share or bounds.sample_share(raw.rows)
    if bounds.sample_users is not None:
        share = min(1.0, bounds.sample_users / max(1, parts.count_ids(raw, work, bounds.database)))
    if share * raw.rows > bounds.at_once:
        who = pluralise(bounds.sample_users, "user") if bounds.sample_users else f"{share:.1%} of the users"
        raise SettingsError(
            f"A sample of {who} has about {int(share * raw.rows):,} records, and {bounds.at_once:,} fit "
            "into the memory",
            remedy="Draw fewer users, or allow more memory",
        )
    return None if share >= 1 else share


def draw_sample(
    raw: RawRead, files: dict[str, str], share: float | None, bounds: Bounds, seed: int, work: Path
) -> tuple[RawRead | None, dict[str, str]]:
    """Draw the users to train on.

    Returns:
        Their records, None where ``share`` is; and ``files`` with an entry for the sample, the inputs of the
        key of their data set.

    Raises:
        SettingsError: If nobody is drawn.
    """
    if share is None:
        return None, files
    some = parts.sample_of(raw, work / SAMPLE, share=share, seed=seed, memory=bounds.database)
    if not some.rows:
        remedy = f"Allow more memory or draw more users: {control('memory')}"
        raise SettingsError("Nobody is in the sample of the users", remedy=remedy)
    return some, files | {SAMPLE: f"{sum(file.read for file in some.files)} records, seed {seed}"}


def decide_for_all(
    raw: RawRead, settings: IngestSettings, work: Path, progress: Progress, bounds: Bounds
) -> ExportDecisions:
    """Make the decisions that need all users, then remove their records, :data:`RECORDS` in ``work``."""
    (decisions := work / DECISIONS).mkdir()
    decided = decide(raw, settings, decisions, progress, bounds.database)
    shutil.rmtree(work / RECORDS)
    return decided


def store_dataset(
    store: Store,
    raw: RawRead,
    settings: IngestSettings,
    inputs: dict[str, str],
    work: Path,
    progress: Progress,
    bounds: Bounds,
    sample: Sample | None = None,
    *,
    again: bool = False,
) -> Dataset:
    """Store the data set to train on, if it is not there or ``again``, and open it.

    Without a ``sample`` it is of all users, under the key that an unbounded run gives it.
    """
    decided = sample.decided if sample else None
    dumped, key = settings.model_dump(mode="json"), artifacts.dataset_key(settings, inputs)
    if again or artifacts.known_dataset(store, key) is None:
        with store.write(STAGES[0], key, dumped, inputs) as folder:
            receipt = transform(
                raw, settings, folder, progress, work, memory=bounds.database, decided=decided
            )
            if sample is not None:
                receipt = _of_sample(sample.raw, sample.decided, receipt)
                told = sample.told.format(narrowed=receipt.narrowed)
                receipt = receipt.model_copy(update={"warnings": (told, *receipt.warnings)})
                write_text_atomic(folder / RECEIPT, receipt.model_dump_json(indent=1))
    return artifacts.open_dataset(store, key)
