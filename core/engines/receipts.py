"""The receipt of all users, from those of the parts and what was decided on the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from core.data.receipt import OutcomeUsers, Receipt, WaterfallStep, added, ranked
from core.data.seen_days import seen_days
from core.ingest.account.summary import describe_nobodys, files_of, revenue_of
from core.ingest.account.waterfall import Waterfall
from core.ingest.clean import clock
from core.ingest.observe.decided import Decided
from core.ingest.output import nobodys_outcomes
from core.ingest.read.read_all import RawRead

_SUMS = (
    "page_views_used", "users", "sessions", "sessions_by_gap", "tied_page_views", "repeated_events",
)  # fmt: skip
NOTHING_LEFT: Final = "Of parts of the users of which nothing is left"


def of_sample(raw: RawRead, decided: Decided, sample: Receipt) -> Receipt:
    """The receipt of a sample of the users, which accounts for all records of the files.

    Args:
        raw: What the readers left of all users.
        decided: What was decided on all of it.
        sample: What was counted in the sample alone.
    """
    all_records = add_up(raw, decided, [sample], sample, "Of users outside the sample")
    nobodys = describe_nobodys(all_records.left_out, all_records.no_user_id)
    return all_records.model_copy(
        update={
            "narrowed": f"a sample of {sample.users:,} of {decided.n_users:,} users",
            "trained_users": None,
            "revenue": {},
            "warnings": (*all_records.warnings, *nobodys),
        }
    )


def add_up(
    raw: RawRead, decided: Decided, parts: Sequence[Receipt], trained: Receipt, rest: str = NOTHING_LEFT
) -> Receipt:
    """The receipt of all users.

    Args:
        raw: What the readers left.
        decided: What was decided on all of it.
        parts: Of the parts of which a page view is left, one at least.
        trained: Of the users of the training; what it says of ids, the clock, pages and places is said of
            all, as it was decided on all, and so are its warnings.
        rest: What the page views are that no part accounts for.

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
        "rejects_by_reason": ranked(accounted.rejected),
        "users_by_group": {
            group: sum(part.users_by_group[group] for part in parts) for group in trained.users_by_group
        },
        "page_views_by_day": (by_day := _by_day(parts)),
        "days": seen_days(by_day).sentence if by_day else "",
        "first_ts": min(part.first_ts for part in parts),
        "last_ts": max(part.last_ts for part in parts),
        "time_unit": clock.describe_units(accounted.tally.units),
        "rounded_times": accounted.tally.looks_rounded,
        "placeholders": accounted.placeholders,
        "source_basis": ranked(sum((Counter(part.source_basis) for part in parts), Counter())),
        "outcome_users": (outcome_users := _outcomes(parts)),
        "revenue": revenue_of(outcome_users, nobodys_outcomes(decided.nobodys), decided.refunds),
        "narrowed": "",
        "trained_users": trained.users,
        **_engagement(parts, sums["users"]),
        **_left_out(decided, parts, rest),
    }
    return Receipt.model_validate({**dict(trained), **changes})


def _left_out(decided: Decided, parts: Sequence[Receipt], rest: str) -> dict[str, Any]:
    """What is used and why the rest is not, and what was done by visitors whom no part counts."""
    steps = _steps(decided.accounted.waterfall, parts, sum(part.page_views_used for part in parts), rest)
    no_user_id = nobodys_outcomes(decided.nobodys)
    again = decided.nobodys.duplicates if decided.nobodys else 0
    return {
        "waterfall": tuple(steps.steps),
        "other_events_used": steps.other_events,
        "left_out": steps.causes,
        "no_user_id": no_user_id,
        "duplicate_transactions": again + sum(part.duplicate_transactions for part in parts),
    }


def _engagement(parts: Sequence[Receipt], users: int) -> dict[str, Any]:
    """How many users have a value of it, and by which rule; nothing where no part has one."""
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
    """Who did what, most users first."""
    names = dict.fromkeys(name for part in parts for name in part.outcome_users)
    found = {name: added(p.outcome_users[name] for p in parts if name in p.outcome_users) for name in names}
    return dict(sorted(found.items(), key=lambda item: (-item[1].users, item[0])))
