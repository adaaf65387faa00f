"""Panels of background jobs: started, watched, cancelled, found again after F5 and seen from another tab.

Nothing of a job lives in the session but its id: the job's folder is read every time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from core.base.errors import Beha2VecError
from core.base.memory import total_memory
from core.base.settings import Settings
from core.runs import jobs
from core.runs.jobs import JobView, ResourceLimits, State
from core.runs.stages import ALL_STAGES, EMBED
from pages.ui.shell import errors, state
from pages.ui.shell.text import md_text, time_range

_POLL_S: Final = 1.0
_NOTICE_S: Final = 4.0
"""Seconds between checks, on a page without a job, for one started in another tab."""

TITLES: Final = {
    "demo": "Making the demo shop",
    "inspect": "Looking into the file",
    "bigquery_estimate": "Asking BigQuery what it would cost",
    "bigquery_read": "Reading from BigQuery",
    "refit": "Reading and training again",
    "watch": "Watching a folder",
    "forget": "Users to forget",
    **{stage.name: stage.doing for stage in ALL_STAGES},
}

_STEPS: Final = {
    "wait": "Waiting until the one before has ended",
    "demo": "Writing visits",
    "preprocess": "Reading the files",
    "fetch": "Fetching pages",
    "label": "Deciding themes and types",
    "train": "Learning from the visits",
    "embed": EMBED.doing,
    "scorecard": "Putting the figures together",
}
"""Step of a job → text shown where the job sends no message of its own."""

_DEAF: Final = (
    "No sign of life from its process: it was stopped, swapped out, or it hangs. It goes on by itself once "
    "it can. Cancel ends it in any case; whatever was finished before stays."
)

Draw = Callable[[JobView], None]


def file_limits(wall_s: float) -> ResourceLimits:
    """Limits of a child process that opens a foreign file: most of the memory, and so many seconds."""
    return ResourceLimits(memory_bytes=max(4 * 2**30, total_memory() * 3 // 4), wall_s=wall_s)


def start(
    task: str,
    request: Settings,
    subject: str,
    limits: ResourceLimits | None = None,
    *,
    replace: bool = False,
    environment: Mapping[str, str] | None = None,
    child: str | None = None,
) -> None:
    """Start a job (:func:`core.runs.jobs.start`), and have this session wait for its result.

    An error is not raised, but shown as if a job of the task had failed with it.
    """
    try:
        job = jobs.start(
            state.store().root, task, request, subject, limits, replace=replace, environment=environment,
            child=child,
        )  # fmt: skip
    except Beha2VecError as error:
        fail(task, error)
        return
    forget_failure(task)
    st.session_state[_mine(task)] = job
    st.session_state[_begun_on(task)] = _on_screen()
    st.query_params["job"] = job


def ended(task: str) -> JobView | None:
    """Return this session's job of a task once it is done, and only once; None before, or if it failed."""
    view = _own(task)
    if view is None or view.active:
        return None
    _let_go(task)
    if view.state is State.DONE:
        return view
    if view.state is State.FAILED:
        st.session_state[_failed(task)] = view
    return None


def still_there(task: str) -> bool:
    """Whether the data set on screen is still that of when this session last started a job of a task."""
    return bool(st.session_state.get(_begun_on(task), _on_screen()) == _on_screen())


def result(task: str) -> Mapping[str, Any] | None:
    """Return the result of this session's job of a task once it is done, and only once; else None."""
    view = ended(task)
    return None if view is None else view.result


def running(tasks: Sequence[str], subject: str | None = None) -> list[JobView]:
    """Running jobs of some tasks, in any session, newest first."""
    found = jobs.active(state.store().root)
    return [job for job in found if job.task in tasks and subject in (None, job.subject)]


def panels(tasks: Sequence[str], subject: str | None = None, draw: Draw | None = None) -> bool:
    """Draw a live panel for every running job of some tasks, or the error of the last one.

    Args:
        tasks: Names of the tasks.
        subject: Only jobs on this subject.
        draw: What to draw below the progress bar, with the job as it is.

    Returns:
        Whether a job is running.
    """
    found = running(tasks, subject)
    for number, job in enumerate(to_show(found)):
        _panel(job.id, f"job-{job.task}" if not number else f"job-{job.task}-{number}", draw)
    if not found:
        _show_failures(tasks, subject)
        _look_out(tuple(tasks), subject)
    return bool(found)


def to_show(found: Sequence[JobView]) -> list[JobView]:
    """Jobs to draw: the newest of each task and subject, and earlier ones that have to be cancelled.

    Args:
        found: Jobs that go on, newest first.
    """
    newest = {(job.task, job.subject): job for job in reversed(found)}  # those before it are about to end
    shown = {job.id for job in newest.values()}
    return [*newest.values(), *(job for job in found if not job.answers and job.id not in shown)]


@st.fragment(run_every=_POLL_S)
def _panel(job_id: str, key: str, draw: Draw | None) -> None:
    try:
        view = jobs.view(state.store().root, job_id)
    except Beha2VecError:  # its folder was cleaned away
        st.rerun()
    with st.container(border=True, key=key):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{TITLES.get(view.task, view.task)}**")
            st.button(
                "Cancel", key=f"cancel-{job_id}", icon=":material/stop_circle:", on_click=_cancel,
                args=(job_id,), disabled=view.stopping,
            )  # fmt: skip
        st.progress(min(1.0, view.fraction), text=progress_line(view))
        if not view.answers:
            st.warning(_DEAF, icon=":material/signal_disconnected:")
        if draw is not None:
            draw(view)
    if not view.active:
        st.rerun()  # one full run replaces the panel by the result


def _cancel(job_id: str) -> None:
    with errors.shown():
        jobs.cancel(state.store().root, job_id)


def figures(view: JobView) -> list[dict[str, float]]:
    """Figures that a job has measured so far (name → value), oldest first."""
    return jobs.figures(state.store().root, view.id)


def request_of(view: JobView) -> Mapping[str, Any]:
    """The request of a job, as plain data."""
    return jobs.request_of(state.store().root, view.id)


def progress_line(view: JobView) -> str:
    """The current step of a job and the time left, in a line."""
    if view.stopping:
        return "Stopping"
    if not view.answers:
        return "Not answering"
    left = f"{time_range(*view.left_s)} left in this step" if view.left_s is not None else ""
    parts = (view.message or _STEPS.get(view.stage, view.stage), left) if view.stage else ("Starting",)
    return " · ".join(md_text(part) for part in parts if part)


@st.fragment(run_every=_NOTICE_S)
def _look_out(tasks: tuple[str, ...], subject: str | None) -> None:
    if running(tasks, subject):
        st.rerun()


def _show_failures(tasks: Sequence[str], subject: str | None) -> None:
    for task in tasks:
        failure = st.session_state.get(_failed(task))
        if isinstance(failure, JobView):
            if subject in (None, failure.subject):
                errors.show_job(failure)
        elif failure:
            errors.show(failure)


def has_failed(task: str) -> bool:
    """Whether the error of this session's last job of a task is still shown."""
    return _failed(task) in st.session_state


def fail(task: str, error: Beha2VecError) -> None:
    """Show an error as if a job of the task had failed with it."""
    st.session_state[_failed(task)] = error.on_screen


def forget_failure(task: str) -> None:
    """Remove the error message of a task from the page."""
    st.session_state.pop(_failed(task), None)


def _own(task: str) -> JobView | None:
    """The job that this session waits for; after F5 the one that the link names."""
    job_id = st.session_state.get(_mine(task)) or st.query_params.get("job")
    if not job_id:
        return None
    try:
        view = jobs.view(state.store().root, job_id)
    except Beha2VecError:  # cleaned away, or a link from another machine
        return None
    return view if view.task == task else None


def _let_go(task: str) -> None:
    st.session_state.pop(_mine(task), None)
    if "job" in st.query_params:
        del st.query_params["job"]


def _on_screen() -> str:
    dataset = state.dataset()
    return "" if dataset is None else dataset.key


def _begun_on(task: str) -> str:
    return f"job_begun_on_{task}"


def _mine(task: str) -> str:
    return f"job_{task}"


def _failed(task: str) -> str:
    return f"job_failed_{task}"
