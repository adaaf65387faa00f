"""Make the receipt from the counts of all steps, with its warnings in plain words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.base.local_clock import LocalClock
from core.base.schema import Group, Outcomes, Raw, Users
from core.base.settings import IngestSettings
from core.base.wording import pluralise as number_of
from core.ingest.account.accounting import SCREEN_VIEW, RecordAccount
from core.ingest.account.as_ga4 import Ga4Counts, OurCounts, beside_ga4
from core.ingest.account.waterfall import warnings
from core.ingest.clean import clock
from core.ingest.clean.clock import infer_zone
from core.ingest.clean.masking import Masking
from core.ingest.clean.records import Fate
from core.ingest.clean.urls import with_templates
from core.ingest.observe.behaviour import Behaviour
from core.ingest.observe.narrow import PURCHASE
from core.ingest.observe.outcomes import Refunds
from core.ingest.observe.session_channels import UsedChannels
from core.ingest.observe.user_facts import MANY_BROWSERS
from core.ingest.output import (
    UsedViews,
    count_outcome_users,
    count_tied_views,
    engaged_share,
    outcomes_without_user_id,
)
from core.ingest.read.headers import DEFAULT_USER_KEY
from core.ingest.read.read_all import RawRead
from core.ingest.sources.overlap import describe_overlaps, describe_repeats
from core.storage.day_coverage import day_coverage, page_views_by_day
from core.storage.leaks import leaking_pages
from core.storage.receipt import (
    AsGa4,
    ChosenDimension,
    FileReceipt,
    LeftOut,
    OutcomeUsers,
    Receipt,
    Revenue,
    count_bases,
    in_currencies,
    sort_counts,
)

_TIED_SHARE = 0.05
"""Least share of tied page views for a warning about rounded times."""
_MANY_IDS = 20
"""Fewest ids with many browsers for a warning about the user key."""
_LOOKED_AT: Final = 5_000
"""Size of the sample of ids whose kind is told, evenly spread."""
_STREAMS: Final = 5
"""Most streams that a warning names."""
_NEARLY_ALL: Final = 0.95
_PREPARED: Final = (Group.SEGMENT, Group.ONE_PAGE, Group.BOT_LIKE)
"""Groups of users before clustering."""
_EMAIL: Final = "email address"

_KINDS: Final = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("client id", r"(?:GA\d\.\d\.)?\d+\.\d+"),
        ("number", r"\d+"),
        (_EMAIL, r"[^@\s]+@[^@\s]+\.[^@\s]+"),
        ("UUID", r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?"),
        ("hexadecimal", r"(?=.*\d)[0-9a-f]{8,}"),
    )
)


@dataclass(frozen=True, eq=False)
class ReceiptInputs:
    """Inputs of the receipt: ``groups`` of the used users, table ``outcomes``, warnings in ``notes``.

    ``as_ga4`` counts the same records as GA4 does; None where they are only a part of the users.
    """

    raw: RawRead
    settings: IngestSettings
    accounted: RecordAccount
    behaviour: Behaviour
    used: UsedViews
    groups: np.ndarray
    outcomes: pa.Table
    channels: UsedChannels | None
    notes: tuple[str, ...]
    as_ga4: Ga4Counts | None = None


def make_receipt(counted: ReceiptInputs) -> Receipt:
    """Make the receipt of a data set.

    Raises:
        pydantic.ValidationError: If the steps do not add up, which is a bug.
    """
    accounted, behaviour, used = counted.accounted, counted.behaviour, counted.used
    tally, waterfall, locations = accounted.tally, accounted.waterfall, behaviour.locations
    outcomes = behaviour.outcomes
    outcome_pages, no_user_id = _outcome_pages(counted), outcomes_without_user_id(outcomes.without_user_id)
    outcome_users = count_outcome_users(counted.outcomes, len(used.numbers))
    files, kinds = files_of(counted.raw, counted.accounted), _kinds_of_ids(behaviour.user_ids)
    share, zone = engaged_share(behaviour.people, used), infer_zone(accounted.days.local)
    by_day = page_views_by_day(used.views.timestamp, LocalClock.of(zone.text, zone.changes))
    revenue = revenue_of(outcome_users, no_user_id, outcomes.refunds)
    return Receipt(
        files=files,
        records=waterfall.total,
        rejected=sum(file.rejected for file in files),
        rejects_by_reason=sort_counts(accounted.rejected),
        waterfall=tuple(waterfall.steps),
        page_views_used=len(used.views), users=len(used.numbers),
        users_by_group={group.value: int((counted.groups == group.value).sum()) for group in _PREPARED},
        sessions=used.sessions.total, sessions_by_gap=used.sessions.by_gap,
        page_view=counted.raw.page_view, user_key=_user_key(counted),
        id_kind=_describe_ids(kinds),
        page_views_by_day=by_day, days=day_coverage(by_day).sentence,
        first_ts=int(used.views.timestamp.min()), last_ts=int(used.views.timestamp.max()),
        time_unit=clock.describe_units(tally.units),
        time_zone=zone.text, utc_offsets=zone.changes,
        rounded_times=tally.looks_rounded, tied_page_views=count_tied_views(used.views),
        truncated_days=accounted.days.truncated,
        duplicate_transactions=behaviour.outcomes.duplicates,
        repeated_events=behaviour.repeated,
        pii_masked=sort_counts(locations.masked),
        places=locations.masking.listed,
        placeholders=accounted.placeholders,
        engagement_rule=_engagement_rule(counted, share), engagement_share=share,
        urls=locations.count,
        other_events_used=waterfall.other_events, left_out=waterfall.causes,
        source_basis=_bases(counted),
        sessions_by_channel=counted.channels.by_channel() if counted.channels else {},
        channel_basis=counted.channels.by_basis() if counted.channels else {},
        dimensions=_dimensions(counted),
        logins=counted.raw.logins,
        revenue=revenue, as_ga4=_beside_ga4(counted, revenue),
        outcome_users=outcome_users,
        no_user_id=no_user_id, outcome_pages=outcome_pages,
        warnings=_warnings(counted, kinds, outcome_pages),
    )  # fmt: skip


def _beside_ga4(counted: ReceiptInputs, revenue: Mapping[str, Revenue]) -> AsGa4 | None:
    if counted.as_ga4 is None:
        return None
    waterfall, used = counted.accounted.waterfall, counted.used
    users_left = {step.name: step.users or 0 for step in waterfall.steps}
    ours = OurCounts(
        counted.behaviour, waterfall.causes, len(used.numbers), users_left, used.sessions, len(used.views),
        waterfall.other_events, revenue, counted.settings.exclude_bots,
    )  # fmt: skip
    return beside_ga4(counted.as_ga4, ours)


def _dimensions(counted: ReceiptInputs) -> tuple[ChosenDimension, ...]:
    """Count users and values of each dimension among the users with a used page view."""
    numbers, settings = pa.array(counted.used.numbers), counted.settings
    columns = {key: settings.columns[field] for key, field in settings.dimension_keys.items()}
    labels = {key: counted.behaviour.people.labels[key].take(numbers) for key in columns}
    return tuple(
        ChosenDimension(key=key, column=columns[key], users=len(of_users) - of_users.null_count,
                  values=pc.count_distinct(of_users).as_py())
        for key, of_users in labels.items()
    )  # fmt: skip


def describe_without_user_id(
    left_out: Iterable[LeftOut], no_user_id: Mapping[str, OutcomeUsers]
) -> list[str]:
    """Warn about events before a login, and purchases without a user id: a sentence each.

    Args:
        left_out: Causes for which records are left out.
        no_user_id: Event → outcomes of visitors without a user id.
    """
    causes = {one.cause: one for one in left_out}
    told = []
    if before := causes.get(Fate.BEFORE_LOGIN.name.lower()):
        views = number_of(before.page_views, "page view")
        others = number_of(before.other_events, "other event")
        told.append(
            f"{views} and {others} came before a login: the user key is empty there, and {DEFAULT_USER_KEY} "
            f"is not. They are nobody's here; {DEFAULT_USER_KEY} as the user key keeps them"
        )
    if bought := no_user_id.get(PURCHASE):
        worth = f" ({in_currencies(bought.revenue, 'gross')})" if bought.revenue else ""
        purchases = number_of(bought.events, PURCHASE)
        told.append(
            f"{purchases} without a user id{worth}: in no segment, and in every total as “No user id”"
        )
    return told


def revenue_of(
    outcome_users: Mapping[str, OutcomeUsers],
    no_user_id: Mapping[str, OutcomeUsers],
    refunds: Refunds | None,
) -> dict[str, Revenue]:
    """Sum gross revenue, refunds and net revenue by currency; refunds of unknown purchases count, too.

    Args:
        outcome_users: Event → outcomes of users; of these only purchases count.
        no_user_id: Event → outcomes of visitors without a user id.
        refunds: All refunds; None if there are none.
    """
    gross: Counter[str] = Counter()
    for did in (outcome_users, no_user_id):
        gross.update(did[PURCHASE].revenue if PURCHASE in did else {})
    back = refunds.totals if refunds else {}
    names = sorted({*gross, *back})
    sums = {name: (round(gross[name], 6), round(back.get(name, 0.0), 6)) for name in names}
    return {
        name: Revenue(gross=paid, refunds=given, net=round(paid - given, 6))
        for name, (paid, given) in sums.items()
    }


def _bases(counted: ReceiptInputs) -> dict[str, int]:
    """Count users with a used page view by the basis of their source."""
    bases = counted.behaviour.people.labels[Users.SOURCE_BASIS]
    return count_bases(bases.take(pa.array(counted.used.numbers)).to_pandas())


def _describe_screens(screens: Mapping[str, int]) -> list[str]:
    """Warn that screen views of an app are no page views, and say how to use them."""
    if not screens:
        return []
    seen = number_of(sum(screens.values()), f"{SCREEN_VIEW} event")
    streams = ", ".join(f"{name}: {n:,}" for name, n in list(screens.items())[:_STREAMS] if name)
    return [
        f"{seen} of an app{streams and f' ({streams})'} are no page views here: they count as other events. "
        f"To see the app, choose its stream, {SCREEN_VIEW} as the page view, and as the page the column of "
        "the screen, such as firebase_screen"
    ]


def _unknown_places(settings: IngestSettings, masking: Masking) -> list[str]:
    """Warn about places that a setting names and the data do not have."""
    known = {place.name for place in masking.places.values()}
    unknown = [name for name in (*settings.keep_places, *settings.mask_places) if name not in known]
    if not unknown:
        return []
    return [
        f"These data have no place called {', '.join(unknown)}, so that it was neither kept nor masked. Name "
        "places as receipt.json does"
    ]


def _outcome_pages(counted: ReceiptInputs) -> tuple[str, ...]:
    """Find the pages that leak the purchase, with templates in place of all their pages."""
    pages, views = counted.behaviour.locations.pages, counted.used.views
    events = counted.behaviour.outcomes.table
    bought = events.filter(pc.equal(events[Outcomes.EVENT_NAME], PURCHASE))
    buyer, first = np.unique(bought[Outcomes.USER].to_numpy(), return_index=True)
    when = bought[Outcomes.FIRST_TS].to_numpy()[first]
    leaks = leaking_pages(views.user, views.page, views.timestamp, pages, buyer, when)
    viewed = np.flatnonzero(np.bincount(views.page, minlength=len(pages)))
    return with_templates([pages[page] for page in leaks], [pages[page] for page in viewed])


def files_of(raw: RawRead, accounted: RecordAccount) -> tuple[FileReceipt, ...]:
    """Return the receipt of each file, where records that only their values reject also count as rejected."""
    rejected = accounted.tally.rejected_of_file
    return tuple(_file(file, rejected[number]) for number, file in enumerate(raw.files))


def _file(file: FileReceipt, rejected: int) -> FileReceipt:
    changes = {"read": file.read - rejected, "rejected": file.rejected + rejected}
    return FileReceipt.model_validate({**file.model_dump(), **changes})


def _user_key(counted: ReceiptInputs) -> str:
    """Names of the columns that user ids were read from, usually a single one."""
    columns = dict.fromkeys(file.columns.get(Raw.USER_KEY, "") for file in counted.raw.files)
    if counted.raw.logins:
        columns |= dict.fromkeys(file.columns.get(Raw.LOGIN, "") for file in counted.raw.files)
    return " or ".join(column for column in columns if column) or counted.settings.user_key


def _engagement_rule(counted: ReceiptInputs, share: float | None) -> str:
    if share is None:
        return "Not computable from this file: it holds no value of engagement_time_msec"
    if not counted.accounted.tally.others.total():
        return "Sum of engagement_time_msec over a user's page views, for want of other events"
    return "Sum of engagement_time_msec over all events of a user, page views or not; none sent is no value"


def _overlaps(counted: ReceiptInputs) -> list[str]:
    """Warn about files that hold the same day, by ``event_date`` if there is one, else by file name."""
    dated, days = Raw.EVENT_DATE in counted.raw.present, counted.accounted.tally.days_of_file
    files = enumerate(counted.raw.files)
    return describe_overlaps(
        {
            file.name: frozenset(day.replace("-", "") for day in days[number] if dated)
            for number, file in files
        }
    )


def _warnings(counted: ReceiptInputs, kinds: Counter[str], outcome_pages: Sequence[str]) -> tuple[str, ...]:
    accounted, people = counted.accounted, counted.behaviour.people
    is_tied = count_tied_views(counted.used.views) >= _TIED_SHARE * len(counted.used.views)
    emails = kinds[_EMAIL] / kinds.total()
    repeated = counted.behaviour.repeated
    kept, rejected = accounted.rejects.num_rows, accounted.rejected.total()
    possible = {
        f"{rejected:,} records could not be read. All are counted, and the first {kept:,} of {rejected:,} "
        "kept with their lines": rejected > kept,
        describe_repeats(repeated): repeated > 0,
        f"{emails:.0%} of the user ids are email addresses. Ids are kept exactly as they are and appear in "
        "exports; choose another user key if that is not wanted": emails > 0,
        "The times end in zeros: a spreadsheet has rounded them. Page views that share a time keep the order "
        "of the file, and gaps between them mean nothing": accounted.tally.looks_rounded and is_tied,
        f"About {clock.EXPORT_LIMIT:,} events on {', '.join(accounted.days.truncated)}, the limit of a daily "
        "export: the rest of the day is missing": bool(accounted.days.truncated),
        f"{people.many_browsers:,} of {len(people.events):,} ids were seen with {MANY_BROWSERS} or more "
        "browsers: does each id stand for one person?": people.many_browsers >= _MANY_IDS,
    }
    return (
        *counted.raw.warnings,
        *_overlaps(counted),
        *warnings(accounted.waterfall),
        *_describe_screens(accounted.screens),
        *describe_without_user_id(
            accounted.waterfall.causes, outcomes_without_user_id(counted.behaviour.outcomes.without_user_id)
        ),
        *(refunds.notes if (refunds := counted.behaviour.outcomes.refunds) else ()),
        *(text for text, applies in possible.items() if applies),
        *_unknown_places(counted.settings, counted.behaviour.locations.masking),
        *counted.notes,
    )


def _kinds_of_ids(user_ids: pa.Array) -> Counter[str]:
    """Count ids by kind in a sample."""
    step = max(1, len(user_ids) // _LOOKED_AT)
    return Counter(_kind(text) for text in user_ids.take(pa.array(range(0, len(user_ids), step))).to_pylist())


def _describe_ids(kinds: Counter[str]) -> str:
    """Name the kind of nearly all ids, or the mixture of kinds."""
    found = sort_counts(kinds)
    for kind, count in found.items():
        if count >= _NEARLY_ALL * kinds.total():
            return kind
    return "mixed: " + ", ".join(f"{kind} {count / kinds.total():.0%}" for kind, count in found.items())


def _kind(text: str) -> str:
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(text)), "text")
