"""The form to forget users: ids in, a preview of what would go, and after a confirmation a certificate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.base.wording import pluralise
from core.ingest.sources import id_list
from core.runs.forgetting import id_files
from core.runs.forgetting.forget import TASK, ids_of
from core.runs.tasks import ForgetRequest
from pages.ui.shell import errors, job_panel, state
from pages.ui.shell.text import md_text

_PASTED: Final = "forget_ids"
_FILES_TOO: Final = "forget_files"
_ASKED: Final = "forget_asked"
"""Session key of the ids and the choice that the preview was made for."""
_TOLD: Final = "forget_told"
"""Session key of the preview's result."""
_DONE: Final = "forget_done"
_HANDED: Final = "forget_handed"
"""Session key of the file that hands the ids to the job."""
_SHOWN: Final = 5
_WHAT: Final = (
    "For somebody who asks to be deleted. Whatever this app keeps that holds one of the ids, or was made of "
    "data that does, is removed: counts, vectors and models cannot be undone for single users. Then every "
    "byte is searched. Prepare and train again afterwards."
)
_NOT_FILES: Final = "The files in the input folder are left as they are, and are not searched."
_LEFT_FILES: Final = "Files in the input folder were not searched, and may hold them."
_SHORT: Final = "too short to be told from other words: they are looked for in columns of ids only."


def is_at_work() -> bool:
    """Whether a job forgets users now, or users were forgotten before: data sets may have gone with them."""
    return bool(id_files.certificates(state.store()) or job_panel.running((TASK,)))


def draw() -> None:
    """Draw the form, the preview, the progress and the certificates."""
    _take_result()
    open_now = any(key in st.session_state for key in (_TOLD, _DONE)) or job_panel.has_failed(TASK)
    busy = bool(job_panel.running((TASK,)))
    with st.expander(
        "Forget users", icon=":material/person_remove:", expanded=open_now or busy, key="forget"
    ):
        st.caption(_WHAT)
        _say_done()
        if not job_panel.panels((TASK,)):
            id_files.clear_away(state.store(), st.session_state.pop(_HANDED, None))
            with errors.shown():
                _form()
        _certificates()


def _take_result() -> None:
    done = job_panel.result(TASK)
    if done is None:
        return
    if "preview" in done:
        st.session_state[_TOLD] = done["preview"]
        return
    st.session_state[_DONE] = {**done, _FILES_TOO: st.session_state.get(_ASKED, ("", True))[1]}
    st.session_state.pop(_TOLD, None)
    st.session_state.pop(_ASKED, None)
    st.session_state[_PASTED] = ""
    st.cache_data.clear()  # what is open in memory is of users that are forgotten
    st.cache_resource.clear()
    st.rerun()


def _say_done() -> None:
    done = st.session_state.get(_DONE)
    if done is None:
        return
    if done["clean"]:
        where = "" if done[_FILES_TOO] else f" {_LEFT_FILES}"
        st.success(f"{done['said']}.{where}", icon=":material/verified:")
    else:
        errors.show(f"{done['said']}. The certificate names these files: delete them, and forget again.")


def _form() -> None:
    """Draw the form; the last list is filled in again after a job or a visit to another page."""
    asked = st.session_state.get(_ASKED)
    if asked and _PASTED not in st.session_state:
        st.session_state[_PASTED], st.session_state[_FILES_TOO] = asked
    with st.grid(2, min_column_width=320, key="forget-ids"):
        text = st.text_area("Ids to forget", height=128, key=_PASTED, placeholder="One a line")
        file = st.file_uploader("Or a text file of them", ["txt"], key="forget_file", max_upload_size=64)
    if file is not None:
        text = id_list.decoded(file.getvalue(), file.name)
    files_too = st.checkbox(
        "Also take them out of the files in the input folder", key=_FILES_TOO,
        help="Records of these users are left out of CSV, JSON and Parquet, packed ones too; where others "
        "hold an id, it is replaced. Best now, as the data sets that go say which column tells users. Keep a "
        "copy elsewhere if you need the whole file.",
    )  # fmt: skip
    if not files_too:
        st.caption(_NOT_FILES)
    if st.button("See what would go", key="forget-preview", icon=":material/preview:"):
        st.session_state.pop(_DONE, None)
        _start(text, files_too, preview=True)
        st.rerun()
    if _TOLD in st.session_state and st.session_state.get(_ASKED) == (text, files_too):
        _confirm(st.session_state[_TOLD], text, files_too)


def _start(text: str, files_too: bool, *, preview: bool) -> None:
    """Start the job; the ids go through a file that it removes, as requests of jobs are kept."""
    ids_of(text)
    st.session_state[_HANDED] = path = id_files.write_ids(state.store(), text)
    st.session_state[_ASKED] = (text, files_too)
    st.session_state.pop(_TOLD, None)
    folder = state.input_dir().resolve()
    asked = ForgetRequest(
        ids=path, input_dir=folder if files_too and folder.is_dir() else None, preview=preview
    )
    job_panel.start(TASK, asked, TASK)


def _confirm(told: Mapping[str, Any], text: str, files_too: bool) -> None:
    things = pluralise(len(told["steps"]), "thing goes or is", "things go or are")
    what = f"{things} changed:" if told["steps"] else "Nothing has to go; to forget them searches once more."
    st.markdown(f"**{told['found']:,} of {pluralise(told['ids'], 'id')}** found here. {what}")
    if told["short"]:
        st.caption(f"{pluralise(told['short'], 'id is', 'ids are')} {_SHORT}")
    if told["steps"]:
        table = pd.DataFrame(told["steps"], columns=["what", "name", "fate"])
        table.columns = ["What", "Name", "What becomes of it"]
        table["What"] = table["What"].str.capitalize()
        st.dataframe(table, hide_index=True, key="forget-steps")
    for path, why in told["unread"][:_SHOWN]:
        st.caption(f":material/warning: Nothing can be proven of {md_text(Path(path).name)}: {md_text(why)}.")
    with st.popover(
        f"Forget {pluralise(told['ids'], 'id')}", icon=":material/delete_forever:", key="forget-sure"
    ):
        st.write("This cannot be undone. The search takes as long as the preview, twice.")
        if st.button("Forget for good", type="primary", key="forget-now"):
            _start(text, files_too, preview=False)
            st.rerun()


def _certificates() -> None:
    for path in id_files.certificates(state.store())[:_SHOWN]:
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        st.download_button(
            f"Certificate of {when:%d %b %Y %H:%M} UTC", path.read_bytes, f"forgotten_{path.name}",
            "application/json", icon=":material/download:", type="tertiary", key=f"certificate-{path.stem}",
            on_click="ignore",
        )  # fmt: skip
