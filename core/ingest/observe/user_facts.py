"""Attributes of users from all their events: engagement, browser, device, country, first-touch source."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from core.base.errors import InputError, control
from core.base.schema import Raw, Users
from core.ingest.clean import records
from core.ingest.clean.locations import Locations
from core.ingest.clean.masking import Masking, mask_labels
from core.ingest.clean.records import ENGAGEMENT, EVENTS, FIRST
from core.ingest.engine import Engine
from core.ingest.observe.narrow import USER

MANY_BROWSERS: Final = 5
"""Fewest distinct browsers of an id that is hardly a single person's cookie."""
MANY_NAMES: Final = 20
"""Fewest users with a value of a dimension from which on it is checked for values of one user each."""

MAX_VALUES: Final = 10_000
"""Most values that a dimension can have: one with more tells single things apart, as an id does."""

_DIMENSIONS: Final = {
    Users.BROWSER: Raw.DEVICE_BROWSER,
    Users.DEVICE: Raw.DEVICE_CATEGORY,
    Users.COUNTRY: Raw.GEO_COUNTRY,
    Users.STREAM_ID: Raw.STREAM_ID,
}


@dataclass(frozen=True, eq=False)
class UserFacts:
    """Attributes of the numbered users, one entry per user.

    Args:
        events: int64 of shape (n_users,), number of events that were not excluded.
        engagement: int64 Arrow array, milliseconds over all events; null when none was sent.
        labels: ``browser``, ``device``, ``country``, ``stream_id``, ``source``, ``source_basis`` and, where
            logins were joined, ``id_kind`` → Arrow array of text, null when never sent.
        many_browsers: Number of users with at least :data:`MANY_BROWSERS` browsers.
    """

    events: np.ndarray
    engagement: pa.Array
    labels: dict[str, pa.Array]
    many_browsers: int

    @property
    def engaged(self) -> np.ndarray:
        """Whether each user has any engagement, bool of shape (n_users,)."""
        return np.asarray(self.engagement.fill_null(0)) > 0


def describe_people(
    engine: Engine, written: ir.Table, users: ir.Table, locations: Locations, dimensions: Mapping[str, str]
) -> UserFacts:
    """Compute the attributes of every user with a page view.

    Args:
        engine: Database of the tables.
        written: Users as written (:func:`core.ingest.clean.records.as_written`).
        users: ``user_key`` → ``user``.
        locations: Gives the site's own hosts, which are no traffic source, and the masking of labels.
        dimensions: Key of each dimension that the analyst chose → its field.

    Raises:
        InputError: If most users have a value of a dimension that no other user has.
    """
    people = people_by_label(engine, written, users, locations.hosts, dimensions)
    totals = people.group_by(USER).agg(
        events=_.events.sum().cast("int64"),
        engagement=_.engagement.sum().cast("int64"),
        browsers=_[Users.BROWSER].nunique(),
    )
    table = engine.arrow(totals.order_by(USER))
    n_users = len(table)
    found = {name: engine.arrow(table) for name, table in label_of_user(people).items()}
    if locations.masking.labels is None:
        for key in dimensions:
            _refuse_names(key, found[key][key])
    labels = {name: _labels(table, name, n_users, locations.masking) for name, table in found.items()}
    labels[Users.SOURCE_BASIS] = _bases(found[Users.SOURCE], n_users)
    return UserFacts(
        events=table["events"].to_numpy(),
        engagement=table["engagement"].combine_chunks(),
        labels=labels,
        many_browsers=pc.sum(pc.greater_equal(table["browsers"], MANY_BROWSERS)).as_py() or 0,
    )


def label_of_user(groups: ir.Table) -> dict[str, ir.Table]:
    """Find each user's most frequent label (of sources, the first): column → table of ``user`` and label.

    Users without a label are left out; ``groups`` is the table of :func:`people_by_label`.
    """
    other = {USER, EVENTS, ENGAGEMENT, FIRST, records.BASIS, Users.SOURCE}
    tables = {name: _most_frequent(groups, name) for name in groups.columns if name not in other}
    return tables | {Users.SOURCE: _first_source(groups)}


def people_by_label(
    engine: Engine,
    written: ir.Table,
    users: ir.Table,
    hosts: Collection[str],
    dimensions: Mapping[str, str],
) -> ir.Table:
    """Return one row per combination of labels of a user with a page view; most users have one."""
    seen = written.filter(written[EVENTS] > 0)
    people = seen.join(users, Raw.USER_KEY).select(
        USER,
        *(EVENTS, ENGAGEMENT, FIRST, records.BASIS),
        **{name: records.absent(seen[column], records.DIRECT) for name, column in _DIMENSIONS.items()},
        **{name: seen[name] for name in (Users.ID_KIND,) if name in seen.columns},
        **{
            key: seen[field] if field in seen.columns else ibis.null("string")
            for key, field in dimensions.items()
        },
        **{Users.SOURCE: records.first_touch(seen[Raw.TRAFFIC_SOURCE], seen[Raw.TRAFFIC_MEDIUM], hosts)},
    )
    return engine.keep("people", people)


def _most_frequent(groups: ir.Table, name: str) -> ir.Table:
    """Each user's most frequent value, by events; of equally frequent ones the first in the alphabet."""
    counts = groups.filter(groups[name].notnull()).group_by(USER, name).agg(events=_.events.sum())
    return _best(counts, [name], [ibis.desc("events"), name])


def _first_source(groups: ir.Table) -> ir.Table:
    """Each user's earliest source of the best basis; of equally early ones the first in the alphabet."""
    name, basis = Users.SOURCE, records.BASIS
    times = groups.filter(groups[name].notnull()).group_by(USER, name, basis).agg(first=_.first.min())
    return _best(times, [name, basis], [basis, "first", name])


def _best(table: ir.Table, names: Sequence[str], order: Sequence[ir.Value | str]) -> ir.Table:
    return table.group_by(USER).agg(**{name: table[name].first(order_by=order) for name in names})


def _refuse_names(key: str, values: pa.ChunkedArray) -> None:
    """Check that a dimension describes users, and does not name them.

    Raises:
        InputError: If more than half of at least :data:`MANY_NAMES` users with a value have their own, or if
            there are more than :data:`MAX_VALUES` values.
    """
    users = pc.value_counts(values.combine_chunks()).field("counts")
    alone = pc.sum(pc.equal(users, 1)).as_py() or 0
    if len(values) >= MANY_NAMES and alone > len(values) / 2:
        raise InputError(
            f"The dimension {key} has {len(users):,} values, and {alone:,} of the {len(values):,} users with "
            "a value have one that nobody else has: it names users instead of describing them",
            remedy=f"Leave it out, or choose a column whose values many users share: {control('dimensions')}",
        )
    if len(users) > MAX_VALUES:
        raise InputError(
            f"The dimension {key} has {len(users):,} values",
            allowed=f"at most {MAX_VALUES:,}",
            remedy=f"Leave it out, or choose a column with fewer values: {control('dimensions')}",
        )


def _bases(found: pa.Table, n_users: int) -> pa.Array:
    """Basis of each user's source; null for users without one."""
    basis = np.full(n_users, -1, np.int8)
    basis[found[USER].to_numpy()] = found[records.BASIS].to_numpy()
    return pa.array(records.BASES, pa.string()).take(pa.array(basis, mask=basis < 0))


def _labels(found: pa.Table, name: str, n_users: int, masking: Masking) -> pa.Array:
    """Masked label of each user: a campaign, too, can hold an e-mail address."""
    codes = found[name].combine_chunks().dictionary_encode()
    users = np.bincount(codes.indices.to_numpy(), minlength=len(codes.dictionary))
    known = mask_labels(name, codes.dictionary.to_pylist(), users, masking)
    indices = np.full(n_users, -1, np.int32)
    indices[found[USER].to_numpy()] = codes.indices.to_numpy()
    return pa.array(known, pa.string()).take(pa.array(indices, mask=indices < 0))
