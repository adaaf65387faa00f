"""Channels of sessions, each that of its first event with the best basis, and of users."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from core.base.schema import CHANNEL, FIRST_CHANNEL, ChannelBasis, SessionColumns
from core.ingest.observe.channel_codes import BASES, ChannelCodes
from core.ingest.observe.page_views import PageViews, Sessions, changes
from core.ingest.output_tables import SESSION_CHANNELS
from core.storage.receipt import UNKNOWN_CHANNEL, sort_counts


@dataclass(frozen=True, eq=False)
class SessionChannels:
    """The channels of sessions.

    Args:
        codes: The codes of channels.
        session: int64 array, ascending: keys of the sessions with a channel, as in ``PageViews``.
        code: int16 array: the code of each.
    """

    codes: ChannelCodes
    session: np.ndarray
    code: np.ndarray

    @classmethod
    def of(cls, codes: ChannelCodes, session: np.ndarray, code: np.ndarray) -> SessionChannels:
        """Give each session the code of its first event with the best basis.

        Args:
            codes: The codes of channels.
            session: Key of the session of each event, in order of user and time.
            code: int16 array, code of each event, -1 where it has none.
        """
        some = np.flatnonzero((changes(session) | changes(code)) & (code >= 0))
        order = some[np.lexsort((some, codes.bases[code[some]], session[some]))]
        first = order[changes(session[order])]
        return cls(codes, session[first], code[first])

    def used(self, views: PageViews, sessions: Sessions) -> UsedChannels:
        """Return the channels of the sessions of page views."""
        begins = np.flatnonzero(views.begins_user | changes(sessions.number))
        code = pd.Series(self.code, index=self.session).reindex(views.session[begins], fill_value=-1)
        user = np.cumsum(views.begins_user)[begins] - 1
        return UsedChannels(self.codes, user, code.to_numpy(np.int64))


@dataclass(frozen=True, eq=False)
class UsedChannels:
    """The channels of the sessions with a used page view, in order of user and time.

    Args:
        codes: The codes of channels.
        user: int64 of shape (n_sessions,): row of the user in ``users``, ascending.
        code: int64 of shape (n_sessions,): code of the channel, -1 where it is not known.
    """

    codes: ChannelCodes
    user: np.ndarray
    code: np.ndarray

    def columns(self) -> dict[str, pa.Array]:
        """Columns of ``users``: the channel of most sessions, else the first by name, and of the first."""
        names, number = np.unique(np.array(self.codes.names, dtype=object), return_inverse=True)
        channel = np.where(self.code < 0, -1, number[self.code])
        first = channel[changes(self.user)]
        columns = {FIRST_CHANNEL: first}
        if self._is_of_sessions:
            pair, sessions = np.unique(
                (self.user * (len(names) + 1) + channel)[channel >= 0], return_counts=True
            )
            user, channel = pair // (len(names) + 1), pair % (len(names) + 1)
            order = np.lexsort((channel, -sessions, user))
            most = np.full(len(first), -1)
            most[user[order][changes(user[order])]] = channel[order][changes(user[order])]
            columns = {CHANNEL: most, FIRST_CHANNEL: first}
        texts = pa.array(names, pa.string())
        return {name: texts.take(pa.array(column, mask=column < 0)) for name, column in columns.items()}

    def by_session(self) -> pa.Table:
        """Build ``session_channels``; empty where files say only where users first came from."""
        known = (self.code >= 0) & self._is_of_sessions
        begins = np.flatnonzero(changes(self.user))
        session = np.arange(len(self.user)) - np.repeat(begins, np.diff(begins, append=len(self.user)))
        columns = {
            SessionColumns.USER: self.user[known],
            SessionColumns.SESSION: session[known],
            SessionColumns.CHANNEL: pa.array(self.codes.names, pa.string()).take(pa.array(self.code[known])),
        }
        return pa.table(columns).cast(SESSION_CHANNELS)

    def by_channel(self) -> dict[str, int]:
        """Channel → sessions, most first; empty where files say only where users first came from."""
        names = np.array([*self.codes.names, UNKNOWN_CHANNEL], dtype=object)  # the last is at -1
        return sort_counts(Counter(names[self.code])) if self._is_of_sessions else {}

    def by_basis(self) -> dict[str, int]:
        """Value of :class:`ChannelBasis` → sessions, the most reliable first."""
        counts = Counter(self.codes.bases[self.code[self.code >= 0]].tolist())
        unknown = {UNKNOWN_CHANNEL: int(np.count_nonzero(self.code < 0))}
        known = {basis.value: counts[number] for number, basis in enumerate(BASES)}
        return {name: sessions for name, sessions in (known | unknown).items() if sessions}

    @property
    def _is_of_sessions(self) -> bool:
        return BASES.index(ChannelBasis.FIRST_TOUCH) not in self.codes.bases
