"""Users who are to be forgotten: what would go, and that nothing of them is left.

What was made of data that holds one of the ids is removed, with all that was made of it: counts, weights and
vectors cannot be undone for single users. A new run over what is left makes it again. Then every byte is
searched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.base.errors import InputError, ResourceError
from core.base.progress import Progress, SubProgress
from core.base.wording import counted
from core.people.id_list import HEADER, SEPARATORS
from core.runs import jobs
from core.runs.forgetting.certificate import Forgotten, black, certify
from core.runs.forgetting.places import JOBS, SearchedPlaces
from core.runs.forgetting.plan import PurgeFate, PurgeStep, plan
from core.runs.forgetting.purge import clear, do
from core.storage.claims import claimed, turn
from core.traces.patterns import IdPatterns
from core.traces.search import Looked, files_below, search
from core.traces.tables import ID_COLUMNS, others_in, records_of

TASK: Final = "forget"
ALLOWED: Final = "text with an id a line"


@dataclass(frozen=True)
class Preview:
    """What would go.

    Args:
        ids: Different ones in the list.
        found: Those that stand anywhere.
        short: Those that are looked for in columns of ids only.
        steps: What would become of what: ``what``, ``name``, ``fate``, ``path``.
        unread: Files of which nothing can be proven, with the reason.
    """

    ids: int
    found: int
    short: int
    steps: tuple[dict[str, str], ...]
    unread: tuple[tuple[str, str], ...]

    def to_plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def ids_of(text: str) -> IdPatterns:
    """The ids of a list: one a line, spaces around it and a heading left out.

    Raises:
        InputError: If there is none, or one is what a column is called.
    """
    lines = [line.strip().strip("\ufeff\"'") for line in text.splitlines()]
    found = [line for line in lines if line]
    if found and HEADER.fullmatch(found[0]):
        found = found[1:]
    if not found:
        raise InputError("There is no id in the list", allowed=ALLOWED)
    if named := set(found) & set(ID_COLUMNS):
        raise InputError(f"{named.pop()} is the name of a column, not an id", allowed=ALLOWED)
    return IdPatterns(frozenset(found))


def preview(places: SearchedPlaces, patterns: IdPatterns, progress: Progress) -> Preview:
    """Say what would go, and change nothing.

    Raises:
        SettingsError: If a place is not there, or not one of ours.
        Cancelled: If ``progress`` says so.
    """
    places.check()
    patterns = _besides_others(places, patterns)
    looked = search(places.searched, patterns, SubProgress(progress, 0.0, 0.8))
    _refuse_lists(patterns, looked)
    seen = set[str]().union(*(one.ids for one in looked.values()))
    steps = plan(places, looked)
    told = []
    for number, one in enumerate(steps):
        progress(TASK, 0.8 + 0.2 * number / len(steps), f"Counting: {one.what}")
        words = {"what": one.what, "name": black(one.name, patterns), "fate": _fate(one, patterns)}
        told.append(words | {"path": black(one.path, patterns)})
    unread = [(black(path, patterns), one.unread) for path, one in looked.items() if one.unread]
    return Preview(len(patterns.ids), len(seen), len(patterns.short), tuple(told), tuple(unread))


def _fate(step: PurgeStep, patterns: IdPatterns) -> str:
    """What becomes of something, and how many records of a file go."""
    if step.fate is not PurgeFate.REWRITTEN:
        return step.fate.value
    try:
        n = records_of(step.path.resolve(), replace(patterns, keys=step.keys))
    except InputError:
        return PurgeFate.LEFT.value
    return f"{counted(n, 'record goes', 'records go')}, in others each id is replaced"


def forget(places: SearchedPlaces, patterns: IdPatterns, progress: Progress) -> Forgotten:
    """Remove what holds an id or was made of it, and search every byte of the places.

    Whoever was killed meanwhile, or found the disk full, starts again: what is left is found again.

    Raises:
        SettingsError: If a place is not there, or not one of ours.
        ResourceError: If something works there, or the disk refuses.
        Cancelled: If ``progress`` says so, before anything is removed or between two steps.
    """
    places.check()
    with _alone(places):
        clear(places)
        patterns = _besides_others(places, patterns)
        before = search(places.searched, patterns, SubProgress(progress, 0.0, 0.4))
        _refuse_lists(patterns, before)
        with _no_jobs(places):
            done, records = _purge(places, patterns, before, SubProgress(progress, 0.4, 0.6))
        clear(places)
        after = search(places.searched, patterns, SubProgress(progress, 0.6, 1.0))
    seen = set[str]().union(*(one.ids for one in before.values()))
    return certify(patterns, len(seen), done, records, places.searched, after)


def _besides_others(places: SearchedPlaces, patterns: IdPatterns) -> IdPatterns:
    """With the longer ids that columns of ids hold: those of other users."""
    tables = [path for path in files_below(places.inputs) if path.is_file()]
    tables += [path for path in files_below(places.searched) if path.suffix == ".parquet"]
    return IdPatterns(patterns.ids, frozenset().union(*(others_in(path, patterns) for path in tables)))


def _refuse_lists(patterns: IdPatterns, looked: Mapping[Path, Looked]) -> None:
    """What nobody is called and looks like cells of a table is no id."""
    seen = set[str]().union(*(one.ids for one in looked.values()))
    odd = [one for one in patterns.ids - seen if set(one) & set(SEPARATORS + '"')]
    if odd:
        raise InputError(
            f"Found nowhere, and with a tab, a semicolon, a comma or a quote: "
            f"{counted(len(odd), 'line')} of the list",
            allowed=ALLOWED,
            remedy="Give the column of ids alone",
        )


def _purge(
    places: SearchedPlaces, patterns: IdPatterns, looked: Mapping[Path, Looked], progress: Progress
) -> tuple[Counter[str], int]:
    """Do every step; what became of what, and the records that were left out of files."""
    steps, done, records = plan(places, looked), Counter[str](), 0
    for number, step in enumerate(steps):
        progress(TASK, number / len(steps), f"Removing: {step.what}")
        records += do(step, patterns)
        done[f"{step.what}: {step.fate.value}"] += 1
    return done, records


@contextmanager
def _alone(places: SearchedPlaces) -> Iterator[None]:
    """Nobody else writes into a run or a watch.

    Raises:
        ResourceError: If somebody does, or a job is at work: minutes later it would be refused all the same.
    """
    with ExitStack() as held:
        for out in places.outs:
            held.enter_context(claimed(out))
        with _no_jobs(places):
            pass
        yield


@contextmanager
def _no_jobs(places: SearchedPlaces) -> Iterator[None]:
    """No job of the app works, and none starts.

    Raises:
        ResourceError: If one does: what it makes of the users now would come after the search.
    """
    if places.store is None:
        yield
        return
    with turn(places.store / JOBS):
        at_work = {job.task for job in jobs.active(places.store) if job.task != TASK}
        if at_work:
            raise ResourceError(
                f"A job is at work on this cache ({', '.join(sorted(at_work))})",
                remedy="Cancel it, or wait until it has ended, and start again",
            )
        yield
