"""From chosen files to settings: what was detected, what the analyst changes, and the start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.base import wording
from core.base.errors import InputError
from core.base.raw_fields import TITLES
from core.base.schema import DIMENSION_FIELDS, REQUIRED_FIELDS, Raw
from core.base.settings import IngestSettings, UrlSettings
from core.ingest.read.headers import BROWSER_KEYS, SIGNED_IN_KEY, normalise_header
from core.ingest.read.inspection import Inspection, no_time
from core.ingest.read.read_file import likely_page_views, no_plain_page
from core.ingest.read.tools import PAGE_VIEWS
from core.runs import jobs
from core.runs.file_requests import FilesRequest
from core.runs.inspection_child import LOOK
from pages.ui.data import sources, uploads
from pages.ui.data.sources import url_settings
from pages.ui.shell import errors, job_panel, state
from pages.ui.shell.text import md_text, size

_ABSENT: Final = "— not in the file —"
_DEFAULT_KEY: Final = IngestSettings().user_key
PREPARE_WALL_S: Final = 3600.0
_LOOK_WALL_S: Final = 120.0
_MASKED: Final = (
    "Each word is cut to its first letter: before all rows are read, nobody can tell which texts belong to "
    "one person only. The file itself is not changed."
)
_TOGETHER: Final = (
    "Who is known to two of the tools counts twice, and only one name of page views is read. Right where a "
    "file is taken for one of another tool."
)

_FIELDS: Final = tuple(TITLES)
_COMMON: Final = (Raw.EVENT_TIMESTAMP, Raw.PAGE_LOCATION, Raw.EVENT_NAME, Raw.GA_SESSION_ID, Raw.PAGE_TITLE)


def prepare_form(found: Inspection, before: IngestSettings | None = None) -> None:
    """Draw what was found in the chosen files, the settings, and the button that starts.

    Args:
        found: Result of :func:`look_inside`.
        before: Settings of an earlier preparation of the same files, to start from.
    """
    _header(found)
    for warning in found.warnings:
        st.warning(md_text(warning), icon=":material/warning:")
    _settings(found, before)
    _preview(found)


def _header(found: Inspection) -> None:
    first, more = found.files[0], len(found.files) - 1
    total = sum(file.bytes for file in found.files)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(md_text(first.name, 80) + (f" and {more} more" if more else ""))
        st.button("Choose something else", icon=":material/arrow_back:", on_click=sources.leave, key="back")
    shapes = ", ".join(sorted({" · ".join(filter(None, (file.tool, file.shape))) for file in found.files}))
    st.caption(f"{md_text(shapes)} · {size(total)} · {len(_all_columns(found))} columns")
    for note in dict.fromkeys(note for file in found.files for note in file.notes):
        st.caption(md_text(note))


def _preview(found: Inspection) -> None:
    with st.expander("The first rows, masked", icon=":material/table_rows:"):
        st.caption(_MASKED)
        names = [file.name for file in found.files]
        number = 0
        if len(names) > 1:
            number = names.index(st.selectbox("File", names, key="preview_file") or names[0])
        file = found.files[number]
        rows = pd.DataFrame(file.sample_rows, columns=list(file.columns), dtype="str")
        st.dataframe(rows, hide_index=True, placeholder="–", alt="First rows of the file")


@st.fragment
def _settings(found: Inspection, earlier: IngestSettings | None) -> None:
    """Draw the button and all settings as a fragment: a change redraws only them, with their examples.

    The settings are folded where nothing has to be chosen and none were chosen before.
    """
    before = earlier or IngestSettings()
    start = st.container()
    shown = earlier is not None or not _is_complete(found)
    label = "Change how it is read: users, columns, pages, what is left out"
    with st.expander(label, icon=":material/tune:", key="form", expanded=shown):
        _choices(found, before, start)


def _is_complete(found: Inspection) -> bool:
    """Tell whether the files can be prepared as they were found, without any choice."""
    columns = [found.mapping.get(field) for field in (Raw.EVENT_TIMESTAMP, Raw.PAGE_LOCATION)]
    refused = {name for file in found.files for name in (*file.inner, *file.odd_dates)}
    of_one_tool = len({file.tool for file in found.files}) == 1
    known = _DEFAULT_KEY in found.user_keys or _sure_key(found)
    return bool(known) and of_one_tool and all(c and c not in refused for c in columns)


def _choices(found: Inspection, before: IngestSettings, start: DeltaGenerator) -> None:
    """Draw all settings, and the button that starts with them into ``start``."""
    with st.container(border=True, key="form-user"):
        user_key = _user_key(found, before)
        joining = _join_logins(found, user_key, before)
    with st.container(border=True, key="form-columns"):
        mapping = _mapping(found, before)
        page_view = _page_view(found, mapping, before)
        named = {
            "page_view": page_view,
            "stream": _stream(found, mapping, before),
            "dimensions": _dimensions(found, before),
            "join_logins": joining,
        }
    with st.container(border=True, key="form-options"):
        options = _options(before)
    with errors.shown():
        with st.container(border=True, key="form-urls"):
            url = url_settings(before.url, _sample_urls(found, mapping))
        with start:
            _start_button(found, mapping, user_key, {**options, **named}, url)


def _user_key(found: Inspection, before: IngestSettings) -> str:
    st.subheader("Who is a user?")
    keys = list(found.user_keys) or [_DEFAULT_KEY]
    wanted = before.user_key if before.user_key in keys else _sure_key(found)
    picked = st.selectbox(
        "Column that identifies a user", keys, index=keys.index(wanted) if wanted else None, key="user_key",
        placeholder="Choose a column",
    )  # fmt: skip
    if picked is None:
        return ""
    of_tools = all(file.tool for file in found.files)  # in a table of one's own it may be anybody's
    if picked == _DEFAULT_KEY or (of_tools and picked in BROWSER_KEYS):
        st.caption("A number that is kept in the browser; one person with two devices counts twice.")
    else:
        st.caption(
            "This key may follow a person across devices. Check that your privacy notice and consent "
            "cover it; its values are kept as they are in the results."
        )
    return str(picked)


def _sure_key(found: Inspection) -> str | None:
    """Column that surely identifies a user; None where it has to be chosen."""
    keys = list(found.user_keys) or [_DEFAULT_KEY]
    return keys[0] if Raw.USER_KEY in found.mapping or keys[0] == SIGNED_IN_KEY else None


def _join_logins(found: Inspection, user_key: str, before: IngestSettings) -> bool:
    """Draw the choice to join the cookies of signed-in users, where the files name these."""
    if user_key == SIGNED_IN_KEY or SIGNED_IN_KEY not in map(normalise_header, _all_columns(found)):
        return False
    return st.toggle(
        "Join the cookies of signed-in users", before.join_logins, key="join_logins",
        help=f"A cookie that shows exactly one {SIGNED_IN_KEY} becomes that user, also before the login; one "
        "with several stays a cookie. The receipt says how many. Only then is that column read: users are "
        "followed across devices, which your privacy notice and consent have to cover.",
    )  # fmt: skip


def _mapping(found: Inspection, before: IngestSettings) -> dict[str, str]:
    """Draw the mapping: field → column as chosen, ``""`` for a field that is not in the file."""
    st.subheader("Which column is what?")
    st.caption("Detected from the header. Change what is wrong; only the first two are needed.")
    start = {**found.mapping, **before.mapping}
    rest = [field for field in _FIELDS if field not in _COMMON]
    with st.grid(3, min_column_width=220, key="mapping-common"):
        picked = {field: _column_of(field, found, start.get(field, "")) for field in _COMMON}
    more = st.expander(f"{sum(bool(start.get(field)) for field in rest)} of {len(rest)} more fields found")
    with more, st.grid(3, min_column_width=220, key="mapping-rest"):
        picked |= {field: _column_of(field, found, start.get(field, "")) for field in rest}
    return picked


def _page_view(found: Inspection, mapping: Mapping[str, str], before: IngestSettings) -> str:
    """Draw the choice of the event that is a page view; ``""`` to have it detected from all rows."""
    column = mapping.get(Raw.EVENT_NAME, "")
    if not column:
        st.caption("Without event names, every record is read as a page view.")
        return ""
    names = sorted({name for name in _first_cells(found, column) if "…" not in name})  # masked, it is none
    known = likely_page_views(names)
    guess = f"the first rows have {' and '.join(known)}" if known else "the first rows do not say"
    picked = st.selectbox(
        "Which event is a page view?", ["", *dict.fromkeys((*filter(None, [before.page_view]), *names))],
        index=int(bool(before.page_view)), key=f"page_view-{column}", accept_new_options=True,
        format_func=lambda name: name or f"Found in all rows: {guess}",
        help=f"Found by itself if it is called {md_text(', '.join(PAGE_VIEWS), 200)}. Another can be typed.",
    )  # fmt: skip
    return str(picked or "")


def _stream(found: Inspection, mapping: Mapping[str, str], before: IngestSettings) -> str:
    """Draw the choice of a platform or stream; ``""`` for all, and where the files name none."""
    columns = [mapping[field] for field in (Raw.PLATFORM, Raw.STREAM_ID) if mapping.get(field)]
    names = dict.fromkeys(cell for column in columns for cell in sorted({*_first_cells(found, column)}))
    if not columns and not before.stream:
        return ""
    picked = st.selectbox(
        "Which stream?", ["", *dict.fromkeys((*filter(None, [before.stream]), *names))],
        index=int(bool(before.stream)), key="stream", accept_new_options=True,
        format_func=lambda name: name or "All platforms and streams",
        help="A site and its apps may share a property. Those of the first rows are offered; another "
        "platform (WEB, ANDROID, IOS) or stream_id can be typed.",
    )  # fmt: skip
    return str(picked or "")


def _dimensions(found: Inspection, before: IngestSettings) -> tuple[str, ...]:
    """Draw the choice of the columns that are kept as attributes of users."""
    known = {one.name: one for one in found.dimensions}

    def described(name: str) -> str:
        one = known.get(name)
        if one is None:
            return name
        values = wording.pluralise(one.values, "value")
        return f"{name} · {one.filled:.0%} filled, {values}, such as {one.example[:40]}"

    picked = st.multiselect(
        "Columns kept as attributes of users", list(dict.fromkeys((*before.dimensions, *known))),
        before.dimensions, key="dimensions", format_func=described, accept_new_options=True, select_all=False,
        max_selections=len(DIMENSION_FIELDS), placeholder="None; choose a column or type its name",
        help="Such as user_properties.plan: segments are then compared by it, with each user's most frequent "
        "value. Figures are of the first rows. No model reads these columns; items[].item_category also "
        "gives pages the shop's own themes.",
    )  # fmt: skip
    return tuple(picked)


def _column_of(field: str, found: Inspection, detected: str) -> str:
    options = ["", *dict.fromkeys((*found.candidates.get(field, ()), *_all_columns(found)))]
    label = TITLES[field] + (" (needed)" if field in REQUIRED_FIELDS else "")
    picked = st.selectbox(
        label, options, index=options.index(detected) if detected in options else 0, key=f"map-{field}",
        format_func=lambda column: column or _ABSENT, help=f"GA4's `{field}`",
    )  # fmt: skip
    return str(picked or "")


def _options(before: IngestSettings) -> dict[str, object]:
    st.subheader("What is left out?")
    with st.grid(2, min_column_width=280, key="options"):
        internal = st.checkbox("Internal traffic", before.exclude_internal, key="exclude_internal")
        debug = st.checkbox("Events of debug mode", before.exclude_debug, key="exclude_debug")
        bots = st.checkbox(
            "Users that look automated", before.exclude_bots, key="exclude_bots",
            help="Otherwise they are kept as a group of their own, outside the segments.",
        )  # fmt: skip
        gap = st.number_input(
            "Minutes without activity that end a session", 1, 1440, before.session_gap_minutes,
            key="session_gap", help="Used only where the session column is empty.",
        )  # fmt: skip
    strip = st.multiselect(
        "Pages to leave out", before.strip_pages, before.strip_pages, accept_new_options=True,
        select_all=False, key="strip_pages", placeholder="Type a page and press Enter",
        help="For example a confirmation page, which gives the purchase away.",
    )  # fmt: skip
    return {
        "exclude_internal": internal,
        "exclude_debug": debug,
        "exclude_bots": bots,
        "session_gap_minutes": gap,
        "strip_pages": tuple(strip),
        "mask_own": before.mask_own,
        "keep_places": before.keep_places,
        "mask_places": before.mask_places,
    }


def _start_button(
    found: Inspection, mapping: dict[str, str], user_key: str, options: dict[str, object], url: UrlSettings
) -> None:
    missing = [TITLES[field] for field in REQUIRED_FIELDS if not mapping.get(field, "needed")]
    missing += [] if user_key else ["Who is a user"]
    page, time = mapping[Raw.PAGE_LOCATION], mapping[Raw.EVENT_TIMESTAMP]
    if inner := next((file.inner[page] for file in found.files if page in file.inner), ()):
        errors.show(no_plain_page(page, inner))
    if odd_time := any(time in file.odd_dates for file in found.files):
        errors.show(no_time(time))
    apart = len({file.tool for file in found.files}) > 1 and not st.checkbox(
        "Prepare the files of different tools together", key="together", help=_TOGETHER
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        clicked = st.button(
            "Prepare the data",
            type="primary",
            icon=":material/play_arrow:",
            key="prepare",
            disabled=bool(missing or inner or odd_time or apart)
            or not any(file.sample_rows for file in found.files),
        )
        if missing:
            which = "them" if len(missing) > 1 else "it"
            st.markdown(
                f":orange[:material/warning: No column was found for: {', '.join(missing)}. Choose {which}.]"
            )
        elif apart:
            st.markdown(":orange[:material/warning: Files of different tools: prepare those of each apart.]")
        elif not (inner or odd_time):
            st.caption(
                _read_as(found, mapping, user_key, str(options["page_view"]))
                if any(file.sample_rows for file in found.files)
                else ":orange[:material/warning: There are headers, but no records.]"
            )
    if clicked:
        changed = {f: column for f, column in mapping.items() if found.mapping.get(f, "") != column}
        settings = IngestSettings.checked(mapping=changed, user_key=user_key, url=url, **options)
        start_preparing(sources.chosen(), settings)
        st.rerun()


def _read_as(found: Inspection, mapping: Mapping[str, str], user_key: str, page_view: str) -> str:
    """Say in a sentence what is a user, a page and a page view."""
    views = "all records"
    if column := mapping.get(Raw.EVENT_NAME):
        names = [page_view] if page_view else likely_page_views({*_first_cells(found, column)})
        views = f"events named {' or '.join(names)}" if names else "found by their names in all rows"
    said = f"users are {user_key}, pages {mapping[Raw.PAGE_LOCATION]}, page views {views}"
    return md_text(f"Everything needed was found: {said}.", 300)


def start_preparing(names: tuple[str, ...], settings: IngestSettings) -> None:
    """Start the job that prepares files of the input folder; a name without a file is shown as its error."""
    try:
        request = FilesRequest(paths=tuple(sources.paths(names)), settings=settings)
    except InputError as error:
        job_panel.fail("preprocess", error)
        return
    limits = job_panel.file_limits(PREPARE_WALL_S)
    job_panel.start("preprocess", request, _subject(names), limits, child=jobs.ENGINES)


def _all_columns(found: Inspection) -> list[str]:
    """Every column of every file once, in the order of the files."""
    return list(dict.fromkeys(column for file in found.files for column in file.columns))


def _sample_urls(found: Inspection, mapping: Mapping[str, str]) -> list[str]:
    """Different page addresses of the preview rows."""
    return list(dict.fromkeys(_first_cells(found, mapping.get(Raw.PAGE_LOCATION, ""))))


def _first_cells(found: Inspection, column: str) -> Iterator[str]:
    """Cells of a column in the preview rows."""
    cells = (
        row[file.columns.index(column)]
        for file in found.files if column in file.columns
        for row in file.sample_rows
    )  # fmt: skip
    return (cell for cell in cells if cell)


def look_inside() -> Inspection | None:
    """Inspect the chosen files in a child process, which is started here.

    Returns:
        What was found; None when nothing is chosen, while the look goes on, and after it failed; then nothing
        is chosen any more, so that the page shows what was there before.
    """
    names = sources.chosen()
    if not names:
        return None
    done = job_panel.ended("inspect")
    if done is not None and done.subject == _subject(names):
        st.session_state["inspection"] = (names, done.result["inspection"])
        for name in names:
            uploads.keep(state.input_dir() / name)
    kept = st.session_state.get("inspection")
    if kept and kept[0] == names:
        return Inspection.model_validate(kept[1])
    if job_panel.has_failed("inspect"):
        _leave_refused(names)
    elif not job_panel.running(("inspect",), _subject(names)):
        _ask_to_look(names)
    return None


def _leave_refused(names: tuple[str, ...]) -> None:
    folder = state.input_dir()
    gone = [name for name in names if uploads.refuse(folder / name)]
    if gone:
        st.toast(f"Not kept, as it cannot be read: {md_text(', '.join(gone))}", icon=":material/delete:")
    sources.leave()


def _ask_to_look(names: tuple[str, ...]) -> None:
    try:
        request = FilesRequest(paths=tuple(sources.paths(names)), settings=IngestSettings())
    except InputError as error:
        sources.leave()
        job_panel.fail("inspect", error)
        return
    limits = job_panel.file_limits(_LOOK_WALL_S)
    job_panel.start(LOOK, request, _subject(names), limits, child=jobs.LOOKS)


def _subject(names: tuple[str, ...]) -> str:
    return ", ".join(names)
