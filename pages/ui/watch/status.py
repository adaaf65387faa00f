"""The status of a watched folder: whether the watch runs, what it took, and how segments developed."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.base.errors import ArtifactError
from core.profiles.profile_columns import Col
from core.runs import app_watches, watch_history
from core.runs.app_watches import LIVE, AppWatch, WatchOrder, WatchState
from core.runs.taken_files import TakenFiles, WatchedDrift
from core.runs.watch_history import AT, NAME, NEW_USERS
from pages.ui.data import sources
from pages.ui.segments.charts import ABOVE, NEUTRAL, Chart, segment_or, sized, tips
from pages.ui.segments.figure import behind, download_csv, picture
from pages.ui.shell import errors, state, written_table
from pages.ui.shell.links import DATA
from pages.ui.shell.text import count, md_text
from pages.ui.watch.switch import POLL_S, badge, on_what, shown_name

_GONE_ON: Final = (
    "What was taken stays, and whoever watches again goes on from there: files that came meanwhile are taken."
)
_DEAF: Final = (
    "No sign of life from its process: it was stopped, swapped out, or it hangs. It goes on by itself once "
    "it can. Stop ends it in any case; what was taken stays."
)
_WHOLE: Final = "One is taken once it has not changed for 5 seconds."
_WAITING: Final = "It looks again and goes on by itself once it can."


def draw(watch: AppWatch) -> None:
    """Draw everything about a watch (a watched folder): its state, files, drift and segments."""
    _live(watch.id, _signature(watch))
    with suppress(ArtifactError):  # told above
        _draw_taken(watch, watch.taken())
    _told(watch)


def _signature(watch: AppWatch) -> tuple[object, ...]:
    """State that the rest of the page depends on; it is drawn again when this changes."""
    with suppress(ArtifactError):
        taken = watch.taken()
        return (watch.alive, *((taken.files, taken.refused, taken.model) if taken else ()))
    return (watch.alive, "damaged")


@st.fragment(run_every=POLL_S)
def _live(watch_id: str, drawn: tuple[object, ...]) -> None:
    """Draw the part that changes from moment to moment."""
    watch = next((one for one in app_watches.watches(state.store()) if one.id == watch_id), None)
    if watch is None or _signature(watch) != drawn:  # another session may have deleted it
        st.rerun()
    with st.container(border=True, key="watch-now"):
        _head(watch)
        _what_is_wrong(watch)
        with errors.shown():
            _figures(watch, watch.taken())
        with errors.shown():
            _buttons(watch)


def _head(watch: AppWatch) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(md_text(shown_name(watch.order.folder)), width="content")
        badge(watch)
    begun = _local(watch.order.at)
    parts = [f"On {on_what(watch)}", f"since {begun:%d %b %Y %H:%M}", _last_look(watch)]
    st.caption(" · ".join(part for part in parts if part))


def _last_look(watch: AppWatch) -> str:
    looked = watch.looked
    if looked is None:
        return "" if watch.alive else "it never saw the folder"
    ago = (datetime.now(UTC) - looked).total_seconds()
    if not watch.alive or ago > 120:
        return f"last look {looked.astimezone():%d %b %Y %H:%M}"
    return f"last look {max(ago, 0):.0f} s ago"


def _what_is_wrong(watch: AppWatch) -> None:
    job = watch.job
    if watch.state is WatchState.TAKING and job is not None:
        st.progress(min(1.0, job.fraction), text=md_text(job.message or "Placing all users"))
    elif watch.state is WatchState.TROUBLE and job is not None:
        st.warning(f"{md_text(job.message, 600)} {_WAITING}", icon=":material/warning:")
    elif watch.state is WatchState.DEAF:
        st.warning(_DEAF, icon=":material/signal_disconnected:")
    elif not watch.alive:
        if watch.state is WatchState.DEAD and job is not None:
            errors.show_job(job)
        st.caption(_GONE_ON)


def _figures(watch: AppWatch, taken: TakenFiles | None) -> None:
    files = taken.files if taken else ()
    last = files[-1] if files else None
    shown = {
        "Files": len(files), "Users so far": last.users if last else 0,
        "Page views so far": last.page_views if last else 0, "Refused": len(taken.refused) if taken else 0,
    }  # fmt: skip
    with st.grid(4, min_column_width=120, gap="small", key="watch-figures"):
        for label, value in shown.items():
            st.metric(label, f"{value:,}")
    if not any(shown.values()) and watch.state is not WatchState.TAKING:
        st.caption(f"No file was taken yet. {_WHOLE if watch.alive else ''}")


def _buttons(watch: AppWatch) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if watch.alive:
            st.button(
                "Stop watching", icon=":material/stop_circle:", key="watch-stop", on_click=_stop,
                args=(watch,), disabled=watch.state is WatchState.STOPPING,
            )  # fmt: skip
            return
        if st.button("Watch again", icon=":material/play_arrow:", key="watch-again", type="primary"):
            app_watches.go_on(state.store(), watch)
            st.rerun()
        with st.popover("Delete", type="tertiary", key="watch-delete"):
            st.write("All that was made of its files goes for good. The files themselves stay.")
            st.button("Delete it", key="watch-delete-now", on_click=_delete, args=(watch,))


def _stop(watch: AppWatch) -> None:
    with errors.shown():
        app_watches.stop(state.store(), watch)


def _delete(watch: AppWatch) -> None:
    with errors.shown():
        app_watches.delete(state.store(), watch)


def _told(watch: AppWatch) -> None:
    said = watch.told()
    if not said:
        return
    with st.expander("What it said", icon=":material/notes:", key="watch-told"):
        lines = [f"{_local(at):%d %b %H:%M:%S}  {line}" for at, line in said]
        st.code("\n".join(lines), language=None, wrap_lines=True)


_NOT_PLACED: Final = "The users of these files are not in the segments of this watch yet."
_SHARES: Final = (
    "Of the users of all files so far who are in segments. A new day moves a line less the more days there "
    "are: a change shows here late. Drift, above, is the better measure of it."
)
_LINES: Final = (
    ", after each look that took something; band: 95 % interval, dashed line: share in the training"
)
_TRAINING: Final = "training_share"
"""Column with a segment's share among the training's users in segments."""
_NAMED: Final = {
    Col.USERS: "Users so far", _TRAINING: "In the training", AT: "Taken", NAME: "File",
    NEW_USERS: ("New users", "Files of one look are counted together, at the last one."),
    Col.PAGE_VIEWS: "Page views so far",
}  # fmt: skip
_LATEST: Final = 20
"""Refused files that are shown, at most."""
_PAGES: Final = (
    "Pages are held against the training one by one, each by its own interval, and raise no alarm: of many, "
    "some differ without any change. The surest are listed."
)
_CHART, _NARROW = 130, 250
"""Height of a chart in pixels, and its least width."""
_DRIFT: Final = (
    "All users of the files so far beside those of the training, after each look that took something. "
    "Where nothing has changed, about one of 20 such comparisons raises the alarm; looks share most of their "
    "users. To see it page by page, prepare the files as a data set and open Time."
)
UNKNOWN: Final = "Mean share of a user's page views on pages that hardly anybody saw in the training."


def _draw_taken(watch: AppWatch, taken: TakenFiles | None) -> None:
    """Draw drift, segments and files of a watch, with downloads."""
    if taken is None or not (taken.files or taken.refused):
        return
    if _placed(watch, taken):
        if taken.drift is not None:
            _drift(taken.drift)
        _shares(watch.order, taken)
    elif taken.files:
        st.caption(_NOT_PLACED)
    _files(taken)
    _refused(taken)
    _take_away(watch, taken)


def _placed(watch: AppWatch, taken: TakenFiles) -> bool:
    """Whether the figures are of the watch's current segments."""
    return taken.model == watch.order.frozen


def _drift(drift: WatchedDrift) -> None:
    """Draw whether the users are still like those of the training."""
    with st.container(border=True, key="watch-drift", gap="xsmall"):
        if drift.why_not:
            st.markdown("**Since the training**")
            st.caption(md_text(drift.why_not, 600))
            return
        icon = ":material/notification_important:" if drift.alarm else ":material/check_circle:"
        answer, *others = drift.lines
        st.subheader(md_text(answer), icon=icon, help=_DRIFT)
        st.caption(
            f"Farthest from the training: {md_text(drift.measure)}, {drift.standard_errors:+.1f} standard "
            f"errors; the alarm begins at {drift.threshold:.1f}. p = {drift.p_value:.3f}. "
            f"{count(drift.users, 'user')}, {_local(drift.at):%d %b %Y %H:%M}."
        )
        with st.grid(3, min_column_width=140, gap="small", key="drift-figures"):
            st.metric("On pages the model does not know", f"{drift.unknown:.1%}", help=UNKNOWN)
            st.metric("New pages", f"{drift.new_pages:,}")
            st.metric("Vanished pages", f"{drift.gone_pages:,}")
        with st.expander("In words", type="compact"):
            st.markdown("\n".join(_bullet(line) for line in others))
            st.caption(_PAGES)


def _bullet(line: str) -> str:
    """A line of the answer as Markdown; bullets stay bullets."""
    return f"- {md_text(line[2:], 600)}" if line.startswith("- ") else f"\n{md_text(line, 600)}\n"


def _shares(order: WatchOrder, taken: TakenFiles) -> None:
    table = _here(watch_history.share_table(taken))
    if table.empty:
        return
    names, last = order.names, taken.files[-1]
    table.insert(1, Col.LABEL, [names.get(one, str(one + 1)) for one in table[Col.SEGMENT]])
    table[_TRAINING] = table[Col.SEGMENT].map(order.sizes) / max(sum(order.sizes.values()), 1)
    looks = table[AT].nunique()
    with st.container(border=True, key="watch-shares", gap="xsmall"):
        st.markdown("**Segments since the beginning**", help=_SHARES)
        st.caption(
            f"Share of each{_LINES if looks > 1 else ', with its 95 % interval'}. "
            f"{sum(last.segments.values()):,} of {last.users:,} users so far are in segments."
        )
        if looks == 1:  # a point each says less than a row each
            shown = table[[Col.LABEL, Col.SHARE, _TRAINING, Col.LOW, Col.HIGH, Col.USERS]]
            written_table.draw(
                shown, key="watch-now-in", columns=_NAMED,
                alt_text="Share of each segment, beside that in the training",
            )  # fmt: skip
            download_csv(shown, "watch-shares")
            return
        _lines(table)
        behind(table.drop(columns=Col.SEGMENT), key="watch-shares", columns=_NAMED)


def _lines(table: pd.DataFrame) -> None:
    top = float(np.nanmax(table[[Col.HIGH, _TRAINING]].to_numpy()))
    with st.grid("auto", min_column_width=_NARROW, gap="small"):
        for segment in sorted(set(table[Col.SEGMENT].tolist())):
            own = table[table[Col.SEGMENT] == segment]
            name = own[Col.LABEL].iloc[0]
            with st.container(gap="xsmall"):
                st.caption(md_text(name, 60))
                picture(
                    partial(_share_line, own, segment, top), key=f"watch-share-{segment}",
                    alt_text=f"Share of {name} after each look",
                )  # fmt: skip


def _share_line(table: pd.DataFrame, segment: int, top: float) -> Chart:
    """Chart of a segment's share over the updates of a watch, with its interval as a band.

    Args:
        table: Rows of one segment of :func:`core.runs.watch_history.share_table`, and ``training_share``, its
            share in the training, which may be absent.
        segment: Its id, for the colour.
        top: Where the axis ends; the same for all.
    """
    told = {"when": ("Taken", ""), Col.SHARE: ("Share", ".1%"), Col.LOW: ("From", ".1%")}
    told |= {Col.HIGH: ("To", ".1%"), Col.USERS: ("Users so far", ",")}
    shown = table.assign(slot=str(segment), when=[f"{at:%d %b %Y %H:%M}" for at in table[AT]])
    within_a_day = table[AT].max() - table[AT].min() < pd.Timedelta(days=1)
    days = alt.Axis(
        labelOverlap=True, labelFlush=False, tickCount=4, format="%H:%M" if within_a_day else "%-d %b"
    )
    base = alt.Chart(shown).encode(
        x=alt.X(f"{AT}:T", title=None, axis=days),
        color=segment_or(ABOVE, segment), tooltip=tips(told),
    )  # fmt: skip
    axis, scale = alt.Axis(format="%", tickCount=3), alt.Scale(domain=[0, top])
    y = alt.Y(f"{Col.SHARE}:Q", title=None, axis=axis, scale=scale)
    band = base.mark_area(opacity=0.18).encode(y=alt.Y(f"{Col.LOW}:Q"), y2=f"{Col.HIGH}:Q")
    line = base.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(filled=True, size=24)).encode(y=y)
    before = alt.Chart(shown.head(1)).mark_rule(strokeDash=[4, 4], color=NEUTRAL)
    return sized(before.encode(y=f"{_TRAINING}:Q") + band + line, _CHART)


def _files(taken: TakenFiles) -> None:
    st.markdown("**Files taken**")
    table = _here(watch_history.file_table(taken))
    written_table.draw(table, key="watch-files", alt_text="Every file that was taken", columns=_NAMED)
    download_csv(table, "watch-files")


def _refused(taken: TakenFiles) -> None:
    table = _here(watch_history.refused_table(taken))
    if table.empty:
        return
    st.markdown("**Files that cannot be used**", help="Each is looked at again when its content changes.")
    for name, at, why in table.head(_LATEST).itertuples(index=False):  # a table would cut the reason off
        st.markdown(f"**{md_text(name)}** · {at:%d %b %Y %H:%M}  \n{md_text(why, 600)}")
    if len(table) > _LATEST:
        st.caption(f"The {_LATEST} latest of {len(table):,}.")


def _take_away(watch: AppWatch, taken: TakenFiles) -> None:
    if not taken.files:
        return
    users = watch.place / LIVE / "users.parquet"
    with st.container(horizontal=True, vertical_alignment="center", key="watch-take"):
        if _placed(watch, taken):
            st.download_button(
                "Users so far (Parquet)", data=users.read_bytes, file_name="users.parquet",
                mime="application/vnd.apache.parquet", icon=":material/download:", on_click="ignore",
                key="watch-users",
                help=f"{count(taken.files[-1].users, 'user')}: id, vector, segment, group.",
            )  # fmt: skip
        if st.button(
            "Prepare these files as a data set", icon=DATA.icon, key="watch-prepare",
            help="Reads what lies in the folder now. Time can then hold it against the training, and all "
            "other pages show it.",
        ):  # fmt: skip
            sources.choose((shown_name(watch.order.folder),))
            st.switch_page(DATA.file)


def _here(table: pd.DataFrame) -> pd.DataFrame:
    """The table with times in this machine's time zone, as everywhere in the app."""
    return table.assign(**{AT: [at.to_pydatetime().astimezone().replace(tzinfo=None) for at in table[AT]]})


def _local(at: str) -> datetime:
    """A timestamp in this machine's time zone."""
    return datetime.fromisoformat(at).astimezone()
