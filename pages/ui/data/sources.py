"""The ways to load data: a demo shop, a dropped file, or files in the input folder.

``url_settings`` draws the rules for cleaning page addresses, with their effect on addresses of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from core.base.errors import InputError
from core.base.settings import UrlRule, UrlSettings
from core.ingest.clean.urls import canonicalise
from core.ingest.sources.input_files import find_files
from core.runs import input_paths as kept_files
from core.runs.tasks import DemoRequest
from pages.ui.data.catalog import DatasetCard
from pages.ui.data.dropzone import dropzone
from pages.ui.data.uploads import MAX_NAME_LENGTH, SUFFIXES
from pages.ui.shell import job_panel, state
from pages.ui.shell.text import count

_MASKED = (
    "Masked addresses are compared here; what a rule does to whole words, upper case and names of parameters "
    "shows in the receipt, under Pages."
)
_PATTERN, _REPLACEMENT = "Where this pattern matches", "put this"


def url_settings(before: UrlSettings, examples: Sequence[str]) -> UrlSettings:
    """Draw the rules and what they do to the examples.

    Args:
        before: The rules to start from.
        examples: Page addresses of the file.

    Returns:
        The rules as they are now.

    Raises:
        SettingsError: If a rule is not a regular expression.
    """
    st.subheader("Which addresses are the same page?")
    st.caption(
        "Addresses that differ only in tracking, in an id or in case are one page. The rules can be changed."
    )
    settings = _rules(before)
    _examples(examples, settings)
    return settings


def _rules(before: UrlSettings) -> UrlSettings:
    with st.expander("Rules", icon=":material/rule_settings:"):
        with st.grid(2, min_column_width=280, key="url-switches"):
            switches = {
                "merge_hosts": st.checkbox(
                    "Hosts with and without www or shop are one site", before.merge_hosts, key="merge_hosts"
                ),
                "lower_path": st.checkbox(
                    "Upper and lower case are the same", before.lower_path, key="lower_path"
                ),
                "collapse_ids": st.checkbox(
                    "Ids and dates in a path do not matter", before.collapse_ids, key="ids"
                ),
                "keep_fragment": st.checkbox(
                    "Keep what follows #", before.keep_fragment, key="keep_fragment"
                ),
            }
        kept = st.multiselect(
            "Parameters that make another page", before.keep_params, before.keep_params,
            accept_new_options=True, select_all=False, key="keep_params",
            help="Every other parameter after the ? is dropped.",
        )  # fmt: skip
        return UrlSettings.checked(**switches, keep_params=tuple(kept), rules=_own_rules(before))


def _own_rules(before: UrlSettings) -> tuple[UrlRule, ...]:
    rows = [{_PATTERN: rule.pattern, _REPLACEMENT: rule.replacement} for rule in before.rules]
    table = pd.DataFrame(rows, columns=[_PATTERN, _REPLACEMENT], dtype="str")
    st.caption("Rules of your own: regular expressions on the cleaned address")
    edited = st.data_editor(table, num_rows="dynamic", hide_index=True, key="own_rules", placeholder="")
    return tuple(
        UrlRule.checked(pattern=row[_PATTERN], replacement=row[_REPLACEMENT] or "")
        for row in edited.fillna("").to_dict("records")
        if row[_PATTERN]
    )


def _examples(examples: Sequence[str], settings: UrlSettings) -> None:
    if not examples:
        return
    address, page = "Address, masked", "Page, masked"
    table = pd.DataFrame({address: list(examples), page: canonicalise(examples, settings).pages})
    changed = table[table[address] != table[page]]
    became = f"{count(len(examples), 'address', 'addresses')} of the first rows become "
    became += count(table[page].nunique(), "page")
    st.caption(f"{became}{'' if len(changed) else ', and none is changed'}. {_MASKED}")
    if len(changed):
        st.dataframe(changed, hide_index=True, alt="Addresses that the rules change, before and after")


_FIRST: Final = "ga4_data.csv"
"""File that is offered before all others."""
_DEMO_SIZES: Final = {2_000: "2k users", 5_000: "5k", 10_000: "10k", 50_000: "50k"}
_DEMO_SIZE: Final = 5_000
_DEMO_SEED: Final = 7
_TRUTH: Final = ".truth.csv"
"""Ending of the file beside a demo shop with the kind of each visitor; it is no export."""
_PATTERNS: Final = (
    "events_202610*.csv are all files of the input folder called so. Of another folder, type the whole path."
)
GONE: Final = "The files are no longer where they were read, or have another size."
_CHOSEN = "chosen_files"


def chosen() -> tuple[str, ...]:
    """Names, in the input folder, of the files that are being inspected."""
    return tuple(st.session_state.get(_CHOSEN, ()))


def choose(names: Sequence[str]) -> None:
    """Choose the files to inspect; earlier error messages are removed."""
    st.session_state[_CHOSEN] = tuple(names)
    for task in ("demo", "inspect", "preprocess"):
        job_panel.forget_failure(task)


def leave() -> None:
    """Choose no files any more; an error message stays on the page."""
    st.session_state.pop(_CHOSEN, None)


def paths(names: Sequence[str]) -> list[Path]:
    """Paths of chosen files and folders; a name may be a pattern for the files that match it now.

    Raises:
        InputError: If there is no such file, or a name, or a link that it stands for, leads out of the input
            folder and the others that may be read from.
    """
    roots = (state.input_dir().resolve(), *state.source_dirs())
    return [path for name in names for path in _of_name(name, roots)]


def files(names: Sequence[str]) -> list[str]:
    """Full paths of all files that chosen names stand for.

    Raises:
        InputError: As :func:`paths`.
    """
    return [str(file) for path in paths(names) for file in _files(path)]


def read_from(card: DatasetCard) -> dict[str, int]:
    """Full path → size in bytes of a data set's files; without kept paths, names in the input folder."""
    folder = state.input_dir().resolve()
    kept = kept_files.load_paths(state.store().root / "preprocess" / card.key)
    return kept or {str(folder / name): size for name, size in card.files.items()}


def still_there(card: DatasetCard | None) -> tuple[str, ...]:
    """Full paths of a data set's files, to choose them again; empty unless all are there in the size read."""
    sizes = read_from(card) if card else {}
    with suppress(OSError, InputError):
        if all(
            path.stat().st_size == size for path, size in zip(paths([*sizes]), sizes.values(), strict=True)
        ):
            return tuple(sizes)
    return ()


def _of_name(name: str, roots: Sequence[Path]) -> list[Path]:
    with suppress(OSError, ValueError):  # a name that no disk takes
        path = (roots[0] / name).resolve()
        files = _files(path) if _is_inside(path, roots) else []
        found = [path] if _is_inside(path, roots) and path.is_dir() else files
        if found and all(_is_inside(file, roots) for file in files):
            return found
    others = "".join(f", or in {root}" for root in roots[1:])
    raise InputError(
        f"There is no file {name[:MAX_NAME_LENGTH]!r} in the input folder",
        allowed=f"files and patterns there{others}",
        remedy="Choose another one; no link may lead elsewhere",
    )


def _files(path: Path) -> list[Path]:
    """Files that a file, folder or pattern stands for; none of a folder without exports."""
    with suppress(InputError):
        return [file for file, _ in find_files([path])]
    return []


def _is_inside(path: Path, roots: Sequence[Path]) -> bool:
    return any(path.resolve().is_relative_to(root) for root in roots)


def listed() -> list[str]:
    """Names that are offered: data files, and folders of daily files; ``ga4_data.csv`` first.

    Those of the input folder by name, then those of other folders by their whole path.
    """
    mine = [path.name + "/" * path.is_dir() for path in _offered(state.input_dir())]
    others = [f"{path}{'/' * path.is_dir()}" for root in state.source_dirs() for path in _offered(root)]
    return [*sorted(mine, key=lambda name: (name != _FIRST, name.lower())), *sorted(others, key=str.lower)]


def _offered(folder: Path) -> list[Path]:
    with suppress(OSError):  # not there, or not to be listed by whoever runs the app
        return [path for path in folder.iterdir() if _is_offered(path)]
    return []


def _is_offered(path: Path) -> bool:
    if path.name.startswith(".") or path.name.endswith(_TRUTH):
        return False
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def three_ways() -> None:
    """Draw the three ways to load data side by side: demo shop, dropped file, files of the input folder."""
    with st.grid(3, min_column_width=240, gap="medium", key="ways"):
        for name, draw in (("demo", _demo_card), ("drop", _drop_card), ("pick", _pick_card)):
            with st.container(border=True, height="stretch", key=f"way-{name}"):
                draw()


def _demo_card() -> None:
    st.subheader("Try the demo shop", icon=":material/storefront:")
    st.write("A made-up online shop with visitors of several kinds. First segments within minutes.")
    users = st.segmented_control(
        "Size", list(_DEMO_SIZES), default=_DEMO_SIZE, format_func=_DEMO_SIZES.__getitem__, key="demo_users",
        required=True,
    )  # fmt: skip
    st.space("stretch")
    st.button(
        "Make the demo shop", type="primary", width="stretch", icon=":material/play_arrow:", key="make_demo",
        on_click=_start_demo, args=(users or _DEMO_SIZE,),
    )  # fmt: skip


def _start_demo(users: int) -> None:
    request = DemoRequest(users=users, seed=_DEMO_SEED, input_dir=state.input_dir().resolve())
    job_panel.start("demo", request, subject=f"demo {users}")


def _drop_card() -> None:
    st.subheader("Drop your export", icon=":material/upload_file:")
    st.write("A GA4 export, or one of another tool, as PostHog or Segment. It stays on this machine.")
    st.space("stretch")
    arrived = dropzone("dropped")
    if arrived and tuple(arrived) != chosen():
        choose(arrived)
        st.rerun()


def _pick_card() -> None:
    st.subheader("Pick a file", icon=":material/folder_open:")
    names = listed()
    if not names:
        st.write(
            "The input folder is empty. Put an export into it, and it is offered here without an upload."
        )
        st.code(str(state.input_dir()), language=None, wrap_lines=True)
        return
    st.write("Files that already lie on this machine are read in place, whatever their size.")
    default = names[:1] if names[0] == _FIRST else None
    picked = st.multiselect(
        "Files", names, default=default, key="picked", placeholder="Choose some, or type a pattern",
        on_change="ignore", accept_new_options=True, select_all=False, help=_PATTERNS,
    )  # fmt: skip
    st.space("stretch")
    if st.button("Look inside", width="stretch", icon=":material/table_view:", key="look_inside"):
        choose(picked)
        st.rerun()
