"""Join the cookies of signed-in users: a cookie that shows exactly one user becomes that user.

Raw records are rewritten before anything looks at them, so that all later stages see users.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import ibis
import ibis.expr.types as ir
from ibis import _

from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.base.wording import pluralise
from core.ingest.clean import records
from core.ingest.engine import Engine, literal, open_engine
from core.ingest.read.read_all import RawRead
from core.storage.disk import disk_errors
from core.storage.receipt import LoginCounts

MANY_COOKIES: Final = 50
"""Fewest cookies of a user that are worth a warning: an account that many people share."""

_COOKIE, _LOGIN, _USERS = "cookie", "login", "users"


def join_logins(raw: RawRead, settings: IngestSettings, folder: Path, memory: int | None = None) -> RawRead:
    """Replace the user key of every cookie that shows exactly one user by that user, if it was asked for.

    A cookie with several users stays a cookie. Sessions stay those of their cookies.

    Args:
        raw: Raw records, whose files are left as they are.
        settings: Whether to join.
        folder: Folder for the rewritten records; made when absent.
        memory: Bytes that the database may use; set by the number of records when None.

    Raises:
        ResourceError: If disk or memory run out.
    """
    if not settings.join_logins or not raw.parts:
        return raw
    if Raw.LOGIN not in raw.present:
        return replace(raw, warnings=(*raw.warnings, "No file names signed-in users: no logins are joined"))
    with disk_errors():
        folder.mkdir(parents=True, exist_ok=True)
    with open_engine(folder, raw.rows, memory=memory) as engine:
        parts = engine.parts(raw.parts)
        pairs = engine.keep("pairs", _pairs(parts))
        of_cookie = pairs.group_by(_COOKIE).agg(**{_USERS: _.count(), _LOGIN: pairs[_LOGIN].min()})
        of_cookie = engine.keep("logins", of_cookie)
        joined = engine.keep("joined", of_cookie.filter(of_cookie[_USERS] == 1).drop(_USERS))
        counts = _count(engine, parts, pairs, of_cookie, joined, raw)
        rewritten = []
        for number, path in raw.parts:
            target = folder / f"{number:05d}-{path.name}"
            records_of_users = _rewritten(engine.ibis.read_parquet(path), joined)
            query = engine.ibis.compile(records_of_users)
            engine.raw.execute(f"COPY ({query}) TO {literal(target)} (FORMAT parquet, COMPRESSION lz4)")
            rewritten.append((number, target))
    return replace(
        raw, parts=tuple(rewritten), present=raw.present | {Raw.BROWSER_ID}, logins=counts,
        warnings=(*raw.warnings, *_warnings(counts)),
    )  # fmt: skip


def _pairs(parts: ir.Table) -> ir.Table:
    """Every cookie with every user that it shows, once."""
    pairs = parts.select(
        **{_COOKIE: records.user_id(parts[Raw.USER_KEY]), _LOGIN: records.user_id(parts[Raw.LOGIN])}
    )
    return pairs.filter(pairs[_COOKIE].notnull(), pairs[_LOGIN].notnull()).distinct()


def _count(
    engine: Engine, parts: ir.Table, pairs: ir.Table, of_cookie: ir.Table, joined: ir.Table, raw: RawRead
) -> LoginCounts:
    is_view = records.is_view(parts, parts[Raw.EVENT_NAME], raw.files_of_views, raw.page_view)
    cookies = parts.group_by(cookie=records.user_id(parts[Raw.USER_KEY])).agg(views=is_view.sum())
    cookies = cookies.filter(cookies[_COOKIE].notnull()).left_join(joined, _COOKIE)
    [whole] = engine.rows(
        cookies.agg(
            cookies=_.count(),
            ids=ibis.coalesce(cookies[_LOGIN], cookies[_COOKIE]).nunique(),
            page_views=cookies.views.sum(where=cookies[_LOGIN].notnull()),
        )
    )
    [shown] = engine.rows(
        of_cookie.agg(signed_in=_.count(), conflicts=(_[_USERS] > 1).sum(), most_users=_[_USERS].max())
    )
    of_user = joined.group_by(_LOGIN).agg(cookies=_.count())
    [users] = engine.rows(of_user.agg(cross_device=(_.cookies > 1).sum(), most_cookies=_.cookies.max()))
    counts = {**whole, **shown, **users, "users": engine.count(pairs.select(_LOGIN).distinct())}
    return LoginCounts(**{name: int(count or 0) for name, count in counts.items()})


def _rewritten(part: ir.Table, joined: ir.Table) -> ir.Table:
    """The records of a file with users in place of joined cookies; users are named nowhere else."""
    known = part.left_join(joined, part[Raw.USER_KEY] == joined[_COOKIE])
    session = records.session_id(part[Raw.GA_SESSION_ID]).concat(" of ", known[_COOKIE])
    changed = {
        Raw.USER_KEY: ibis.coalesce(known[_LOGIN], part[Raw.USER_KEY]),
        Raw.GA_SESSION_ID: ibis.coalesce(session, part[Raw.GA_SESSION_ID]),
        Raw.LOGIN: ibis.null("string"),
        Raw.BROWSER_ID: part[Raw.USER_KEY],  # GA4 counts cookies
    }
    return known.select(**{name: changed.get(name, part[name]) for name in part.columns}).order_by(Raw.LINE)


def _warnings(counts: LoginCounts) -> list[str]:
    """Say which cookies and users look shared, a sentence each."""
    possible = {
        f"{pluralise(counts.conflicts, 'cookie')} with several users, up to {counts.most_users:,} a cookie: "
        "each stays a cookie": counts.conflicts > 0,
        f"A user has {counts.most_cookies:,} cookies, which are joined: does one person sign in there?": (
            counts.most_cookies >= MANY_COOKIES
        ),
    }
    return [text for text, applies in possible.items() if applies]
