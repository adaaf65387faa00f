"""Segmentations that were saved by name: how they are kept, opened, compared, and told in a log.

A saved run holds its segments, names, settings, receipt and a log of what was done, under a checksum each
(``manifest.json``), so that it can be read although its data set is gone. It can be opened as long as data
set, model and vectors are there.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import BeforeValidator, Field
from sklearn.metrics import adjusted_rand_score

from core.base.errors import ArtifactError, Beha2VecError, SettingsError
from core.base.schema import View
from core.base.settings import Encoder, IngestSettings, OutcomeCount, Settings, TrainSettings, ViewWeights
from core.base.wording import pluralise
from core.facts.answer import ARROW
from core.labels.label_settings import LabelSettings
from core.periods.placed_users import in_both
from core.profiles.outcomes import label_of
from core.saved.controls import Controls, percentages
from core.saved.saved_work import KeptNames, Segmentation, read_segments, write_segments
from core.storage.dataset import RECEIPT, Dataset
from core.storage.disk import disk_errors
from core.storage.receipt import Receipt
from core.storage.store import MANIFEST, Artifact, Manifest, Store, open_artifact

STAGE: Final = "runs"
RUN: Final = "run.json"
MAX_NAME_LENGTH: Final = 80
MAX_NOTE_LENGTH: Final = 2_000


def _tidy(text: object) -> object:
    return " ".join(text.split()) if isinstance(text, str) else text


class SavedRun(Settings):
    """Summary of a saved segmentation, which can be shown without opening it."""

    name: Annotated[str, BeforeValidator(_tidy), Field(min_length=1, max_length=MAX_NAME_LENGTH)]
    note: Annotated[str, Field(max_length=MAX_NOTE_LENGTH)] = ""
    at: str
    """When it was saved, UTC, ISO 8601."""
    dataset: str
    """Content key of the data set, as the two that follow."""
    model: str
    embeddings: str
    title: str
    """Name of the data set when the run was saved."""
    users: int
    page_views: int
    controls: Controls
    """All that was set, the number of segments among it."""
    names: KeptNames
    """Segment → the name that the analyst gave it."""
    titles: dict[int, str]
    """Segment → what it was called."""
    sizes: dict[int, int]
    """Segment → number of its users."""
    digest: str
    """Names the segments, see :attr:`core.segments.partition.Partition.digest`."""
    log: tuple[str, ...] = ()
    """Steps that led to the segments, in order."""

    @property
    def when(self) -> str:
        """The minute in which it was saved, as text."""
        return f"{datetime.fromisoformat(self.at):%d %b %Y %H:%M} UTC"

    @property
    def own_names(self) -> dict[int, str]:
        """Segment → the analyst's name for it, as text."""
        return {segment: name.text for segment, name in self.names.items()}

    def is_like(self, other: SavedRun) -> bool:
        """Whether another run has the same model, vectors, segments, names and controls."""
        mine, theirs = (
            (run.model, run.embeddings, run.digest, run.own_names, run.controls) for run in (self, other)
        )
        return mine == theirs

    def renamed(self, name: str) -> SavedRun:
        """The run under another name.

        Raises:
            SettingsError: If the name is empty or too long.
        """
        return SavedRun.checked(**{**dict(self), "name": name})

    @property
    def found_by(self) -> str:
        """All words that a search looks in, in lower case."""
        return " ".join((self.name, self.note, self.title, *self.titles.values())).casefold()


def save(store: Store, run: SavedRun, segments: Segmentation, dataset: Dataset) -> str:
    """Save a segmentation under a name.

    Args:
        store: Where it is kept.
        run: Its summary.
        segments: The segments.
        dataset: Their data set; its receipt is kept with them.

    Returns:
        Its random key, which a link names. A name that another run has gets a number.

    Raises:
        ResourceError: If the disk is full.
    """
    key, run = secrets.token_hex(6), run.renamed(_numbered(store, run.name))
    with store.write(STAGE, key, {}, _inputs(run)) as folder:
        shutil.copy2(dataset.path / RECEIPT, folder / RECEIPT)
        write_segments(folder, segments)
        _write(folder, run)
    return key


def saved_runs(store: Store) -> dict[str, SavedRun]:
    """Key → every run that was saved and can be read, the newest first."""
    runs = {}
    for path in (store.root / STAGE).glob(f"[!.]*/{RUN}"):
        with suppress(OSError, ValueError):
            runs[path.parent.name] = SavedRun.model_validate_json(path.read_bytes())
    return dict(sorted(runs.items(), key=lambda run: run[1].at, reverse=True))


def open_run(store: Store, key: str) -> tuple[SavedRun, Segmentation]:
    """Read a saved run with its segments.

    Raises:
        ArtifactError: If there is none of this key, or it is damaged.
    """
    run, folder = _read(store, key)
    return run, read_segments(folder, run.embeddings, run.controls.weights)


def missing_parts(store: Store, run: SavedRun) -> list[str]:
    """Parts that a run needs to be opened and that are gone, such as ``its model``; empty if none."""
    made_of = {
        "its data set": ("preprocess", run.dataset),
        "its model": ("train", run.model),
        "the vectors of its users": ("embed", run.embeddings),
    }
    return [what for what, (stage, key) in made_of.items() if not (store.root / stage / key).is_dir()]


def missing_error(run: SavedRun, what: str) -> ArtifactError:
    """Error for a run that cannot be opened; ``what``: the missing parts in words."""
    return ArtifactError(
        f"{run.name!r} cannot be opened: {what} is no longer here",
        remedy="Prepare and train again; what was saved of it stays readable under Details",
    )


def rename_run(store: Store, key: str, *, name: str, note: str) -> None:
    """Change the name and the note of a run; a name that another run has gets a number.

    Raises:
        ArtifactError: If there is no such run.
        SettingsError: If the name is empty or too long.
        ResourceError: If the disk is full; the run is as it was.
    """
    _copy(store, key, key, {"name": _numbered(store, name, but=key), "note": note})


def duplicate(store: Store, key: str, name: str) -> str:
    """Save a run once more under another name.

    Returns:
        The key of the copy.

    Raises:
        Beha2VecError: As for :func:`rename_run`.
    """
    copy = secrets.token_hex(6)
    _copy(store, key, copy, {"name": _numbered(store, name), "at": now()})
    return copy


def delete(store: Store, key: str) -> None:
    """Remove a saved run. Its data set and model stay.

    Raises:
        ResourceError: If the disk refuses.
    """
    with store.in_turn(), disk_errors(), suppress(FileNotFoundError):  # another session was first
        shutil.rmtree(store.root / STAGE / _checked(key))


def now() -> str:
    """The time as runs keep it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _numbered(store: Store, name: str, but: str = "") -> str:
    """The name, with a number behind it where another run than ``but`` is called so."""
    names = {run.name for key, run in saved_runs(store).items() if key != but}
    tidy, place = str(_tidy(name)), 1
    free_name = tidy
    while free_name in names:
        place += 1
        free_name = f"{tidy[: MAX_NAME_LENGTH - len(f' ({place})')]} ({place})"
    return free_name


def _copy(store: Store, key: str, to: str, changes: Mapping[str, str]) -> None:
    run, source = _read(store, key)
    changed = SavedRun.checked(**{**dict(run), **changes})
    with store.write(STAGE, to, {}, _inputs(run)) as folder:
        unsealed = shutil.ignore_patterns(MANIFEST)
        shutil.copytree(source, folder, ignore=unsealed, dirs_exist_ok=True)
        _write(folder, changed)


def _read(store: Store, key: str) -> tuple[SavedRun, Path]:
    """A run and its folder; once its users were forgotten, who was in which segment is not in it."""
    folder = _artifact(store, key).path
    try:
        return SavedRun.model_validate_json((folder / RUN).read_bytes()), folder
    except ValueError as error:
        raise ArtifactError(f"The saved run {key} is of another version of the app") from error


def _write(folder: Path, run: SavedRun) -> None:
    with disk_errors():
        (folder / RUN).write_text(run.model_dump_json(indent=1), encoding="utf-8")


def _inputs(run: SavedRun) -> dict[str, str]:
    return {"preprocess": run.dataset, "train": run.model, "embed": run.embeddings}


def _artifact(store: Store, key: str) -> Artifact:
    try:
        return open_artifact(store.root / STAGE / _checked(key))
    except (Beha2VecError, OSError) as error:
        raise ArtifactError(
            f"There is no saved run {key!r}, or it is damaged",
            remedy="Choose another one under Share, Saved runs; a link of another machine opens nothing here",
        ) from error


def _checked(key: str) -> str:
    """Check a key, which may come from a link, before it becomes part of a path."""
    if not key.isalnum():
        raise SettingsError(f"{key!r} is not the key of a saved run", allowed="letters and digits")
    return key


_VIEWS: Final = {
    View.URL: "pages", View.THEME: "page themes", View.TYPE: "page types", View.ACTIVITY: "activity",
}  # fmt: skip
_COUNTS: Final = {OutcomeCount.ANY: "all that a user did", OutcomeCount.FIRST: "the first only"}


@dataclass(frozen=True, eq=False)
class RunComparison:
    """Two runs compared user by user.

    Args:
        both: Users who are in both data sets.
        in_segments: Of these users, those whom both runs put into a segment.
        agreement: Adjusted Rand index over ``in_segments`` (Hubert, Arabie 1985); NaN where it says nothing:
            nobody is in both, or one run has a single segment.
        moves: Number of users by segment in the first run (rows) and in the second (columns).
        settings: Settings that differ: columns ``setting``, ``first``, ``second``.
    """

    both: int
    in_segments: int
    agreement: float
    moves: pd.DataFrame
    settings: pd.DataFrame


def compare_runs(
    first: SavedRun, second: SavedRun, users: tuple[pa.Array, pa.Array], labels: tuple[np.ndarray, np.ndarray]
) -> RunComparison:
    """Compare two runs user by user.

    Args:
        first: One run.
        second: Another one, of the same data set or not.
        users: The user ids of each run, exactly as in the files.
        labels: The segment of each user of each run, int of shape (n_users,); below 0 in none.
    """
    here, there = in_both(*users)
    mine, theirs = labels[0][here], labels[1][there]
    both = (mine >= 0) & (theirs >= 0)
    mine, theirs = mine[both], theirs[both]
    comparable = len(mine) and np.ptp(mine) and np.ptp(theirs)
    return RunComparison(
        both=len(here),
        in_segments=len(mine),
        agreement=float(adjusted_rand_score(mine, theirs)) if comparable else float("nan"),
        moves=pd.crosstab(mine, theirs).reindex(
            index=sorted(first.sizes), columns=sorted(second.sizes), fill_value=0
        ),
        settings=_settings(first, second),
    )


def _settings(first: SavedRun, second: SavedRun) -> pd.DataFrame:
    first_settings, other = (_told(run) for run in (first, second))
    names = [name for name in first_settings if first_settings[name] != other[name]]
    return pd.DataFrame(
        {
            "setting": names,
            "first": [first_settings[name] for name in names],
            "second": [other[name] for name in names],
        }
    )


def _told(run: SavedRun) -> dict[str, str]:
    """Settings of a run in words, by the names that the screen has for them."""
    controls, weights = run.controls, run.controls.weights
    shares = percentages(weights, tuple(View))
    settings: dict[str, object] = {
        "Data set": run.title, "Key of the data set": run.dataset, "Key of the model": run.model,
        "Number of segments": controls.n_clusters,
        **{f"Weight of {name}": f"{shares[view]} %" for view, name in _VIEWS.items()},
        "Weights count as they are": weights.insist,
        "Outcome": None if controls.outcomes is None else label_of(controls.outcomes) or "none",
        "Of several outcomes": _COUNTS[controls.outcome_counts],
        "Pages told apart by": controls.level,
        "Funnel": controls.funnel and ARROW.join(step.title for step in controls.funnel.steps),
        "Filter": controls.counted.in_words, "Rule of your own": controls.rule and controls.rule.words(),
        "Names without support": controls.named_anyway,
    }  # fmt: skip
    return {name: _in_words(value) for name, value in settings.items()}


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value else "not chosen"


def run_log(
    receipt: Receipt, stages: Mapping[str, Path], segments: Segmentation, names: Mapping[int, str]
) -> tuple[str, ...]:
    """How segments were made, a line a step: stages, clustering, changes by hand, names.

    Args:
        receipt: Receipt of the data set.
        stages: ``preprocess``, ``label`` (where pages were labelled), ``train`` → folder of its artifact.
        segments: The segments.
        names: Segment → the name that the analyst gave.
    """
    cluster, weights = segments.partition.settings, segments.weights
    lines = [_of_stage(name, folder, receipt) for name, folder in stages.items()]
    lines.append(
        f"{pluralise(len(segments.partition.ids), 'segment')} cut by K-Means,"
        f" seed {cluster.seed}, weights {weights_text(weights)}"
    )
    lines += [f"By hand: {edit.text}" for edit in segments.partition.edits]
    if names:
        lines.append("Named: " + ", ".join(f"{segment} {name}" for segment, name in sorted(names.items())))
    return tuple(lines)


def weights_text(weights: ViewWeights) -> str:
    """Format the weights above 0 in percent: ``url 63 / theme 37``."""
    shares = percentages(weights, tuple(View)).items()
    return " / ".join(f"{view} {share}" for view, share in shares if share)


def _of_stage(stage: str, folder: Path, receipt: Receipt) -> str:
    manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    when = datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC)
    told, kind = _TOLD[stage]
    return f"{when:%Y-%m-%d %H:%M} UTC: {told(receipt, manifest.settings)}{_unusual(kind, manifest.settings)}"


def _prepared(receipt: Receipt, settings: Mapping[str, Any]) -> str:
    files = ", ".join(file.name for file in receipt.files[:3]) + (" …" if len(receipt.files) > 3 else "")
    return f"{files} prepared: {receipt.users:,} users, {receipt.page_views_used:,} page views"


def _labelled(receipt: Receipt, settings: Mapping[str, Any]) -> str:
    return "Pages labelled"


def _trained(receipt: Receipt, settings: Mapping[str, Any]) -> str:
    mine = TrainSettings.checked(**settings)
    if mine.encoder is Encoder.BAG:
        return "A bag of pages, nothing trained"
    return f"Model trained, {pluralise(mine.epochs, 'epoch')} asked for, seed {mine.seed}"


_TOLD: Final[dict[str, tuple[Callable[[Receipt, Mapping[str, Any]], str], type[Settings]]]] = {
    "preprocess": (_prepared, IngestSettings),
    "label": (_labelled, LabelSettings),
    "train": (_trained, TrainSettings),
}
"""Stage → what the log says of it, and its settings."""


def _unusual(kind: type[Settings], settings: Mapping[str, Any]) -> str:
    """Names of the settings that differ from their defaults, in brackets; empty if none does."""
    with suppress(SettingsError):
        usual, mine = kind(), kind.checked(**settings)
        other = [name for name in kind.model_fields if getattr(usual, name) != getattr(mine, name)]
        return f" (set: {', '.join(other)})" if other else ""
    return ""
