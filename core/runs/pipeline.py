"""The stages of the pipeline, as functions over a store.

preprocess → label → train → embed → combine → cluster → analyze. The first four take seconds to minutes
and leave an artifact under a key made of their settings and inputs; the last three answer in well under a
second, and :func:`segment` does them in a row.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic import Field

from core.base.progress import Progress, SubProgress
from core.base.schema import RESERVED, Group, View
from core.base.settings import (
    AnalyzeSettings,
    ClusterSettings,
    Device,
    IngestSettings,
    Settings,
    TrainSettings,
    ViewWeights,
)
from core.journeys.funnel import Funnel
from core.labels.fetching.fetch_outcomes import FetchOutcome, OutcomeTally
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs import artifacts
from core.runs.artifacts import Embeddings
from core.runs.later_stages import Attempt, raising
from core.storage.dataset import Dataset, in_group, is_clustered
from core.storage.page_labels import LabelledPages, page_names
from core.storage.store import Artifact, Store, content_key, file_checksum

if TYPE_CHECKING:
    import pandas as pd

    from core.ingest.sources.input_files import InputFile
    from core.periods.filter import CountFilter
    from core.profiles.data import ProfileData
    from core.profiles.facets import Facets
    from core.profiles.metrics import Profiles
    from core.profiles.name_fitting import CurrentName
    from core.profiles.other_sessions import OtherSessions
    from core.profiles.outcomes import OutcomeRecord
    from core.segments.combination import Combined
    from core.segments.levels import SegmentLevels
    from core.segments.one_page import OnePageSegments
    from core.segments.partition import Partition
    from core.storage.sequences import UserSequences

LABEL_CACHE: Final = "label_cache"
"""Folder of the store for what the classifiers decided and what was fetched."""
LLM_LOG: Final = "llm_log"
"""Folder of the store for every call of a language model."""
NARROWED, FILTER = "narrowed", "filter"
"""Inputs of a data set that a filter left of another one (:func:`write_filtered`)."""
STAGES: Final = ("preprocess", "label", "train", "embed", "combine", "cluster", "analyze")


class RunSettings(Settings):
    """Settings of a run, a part for each stage."""

    ingest: IngestSettings = IngestSettings()
    label: LabelSettings = Field(default_factory=LabelSettings)
    train: TrainSettings = TrainSettings()
    weights: ViewWeights = ViewWeights()
    cluster: ClusterSettings = ClusterSettings()
    analyze: AnalyzeSettings = AnalyzeSettings()
    funnels: tuple[Funnel, ...] = ()
    """To be counted for every segment; they change nothing else."""
    named_anyway: bool = True
    """Whether segments have names where the users support no number of them, as a description."""

    def settled(self, levels: SegmentLevels | None) -> RunSettings:
        """Settings with the number of segments of ``levels``, if it was left to them; else unchanged."""
        if levels is None or not self.cluster.auto:
            return self
        cluster = self.cluster.model_copy(update={"n_clusters": levels.described_k})
        return self.model_copy(update={"cluster": cluster})


@dataclass(frozen=True)
class Segments:
    """Results of combine, cluster and analyze: mixed vectors, segments, profiles, names."""

    combined: Combined
    partition: Partition
    profiles: Profiles
    names: Mapping[int, CurrentName]
    data: ProfileData
    differences: pd.DataFrame
    facets: Facets | None = None
    """None where they were not looked for, or could not be found."""

    @property
    def titles(self) -> dict[int, str]:
        """Segment → its name."""
        return {segment: name.text for segment, name in self.names.items()}

    @property
    def outcomes(self) -> Mapping[str, OutcomeRecord]:
        """Chosen outcome → who had it (:meth:`core.profiles.outcomes.OutcomeIndex.parts`)."""
        return self.data.outcomes.parts(self.profiles.settings)


def preprocess(
    store: Store, paths: Sequence[Path], settings: IngestSettings, progress: Progress, *, again: bool = False
) -> Dataset:
    """Stage 1 and 2: files to time-ordered sequences and the receipt.

    Like every stored stage it takes the result from the store if it is there, unless it is asked to do
    it ``again``.

    Raises:
        InputError: If a file or a column cannot be used, or a file changed meanwhile.
        ResourceError: If disk or memory run out.
    """
    from core.ingest.ingest import ingest
    from core.ingest.read.read_cache import ReadCache
    from core.ingest.sources.input_files import resolve_inputs

    sources = resolve_inputs(paths)
    sums = checksums(sources)
    inputs = numbered(sources, sums)
    key = artifacts.dataset_key(settings, inputs)
    if again or artifacts.known_dataset(store, key) is None:
        with (
            store.write("preprocess", key, settings.model_dump(mode="json"), inputs) as folder,
            tempfile.TemporaryDirectory(dir=folder, prefix=".work.") as work,
        ):
            cache = ReadCache(store, settings, sums)
            ingest(paths, settings, folder, progress, Path(work), cache)
    return artifacts.open_dataset(store, key)


def fingerprints(paths: Sequence[Path]) -> dict[str, str]:
    """Number and name of every input → checksum of the file it lies in (a zip's members share it).

    Raises:
        InputError: If a path leads nowhere.
    """
    from core.ingest.sources.input_files import resolve_inputs

    sources = resolve_inputs(paths)
    return numbered(sources, checksums(sources))


def checksums(sources: Sequence[InputFile]) -> dict[Path, str]:
    """File on disk → SHA-256 of its bytes."""
    return {path: file_checksum(path) for path in dict.fromkeys(source.path for source in sources)}


def numbered(sources: Sequence[InputFile], checksums: Mapping[Path, str]) -> dict[str, str]:
    """``0000 name`` of every input, numbered in order → checksum of its file."""
    return {f"{number:04d} {source.name}": checksums[source.path] for number, source in enumerate(sources)}


def narrow(store: Store, dataset: Dataset, chosen: CountFilter) -> Dataset:
    """Filter a data set into another one, for the stages that follow.

    Raises:
        SettingsError: If the filter leaves nobody.
        ArtifactError: If the data set is missing, or does not say when events were done.
        ResourceError: If the disk is full.
    """
    from core.periods.filtering import write_filtered as narrow_into

    settings = artifacts.find_artifact(store, "preprocess", dataset.key).settings
    inputs = {NARROWED: dataset.key, FILTER: chosen.model_dump_json()}
    key = content_key("preprocess", settings, inputs)
    if store.find("preprocess", key) is None:
        with store.write("preprocess", key, settings, inputs) as folder:
            narrow_into(dataset, chosen, folder)
    return artifacts.open_dataset(store, key)


def label(
    store: Store, dataset: Dataset, settings: LabelSettings, progress: Progress, *, again: bool = False
) -> LabelledPages | None:
    """Stage 3: the theme and type of every page, with the evidence; None when it is turned off.

    Raises:
        ResourceError: If a model that was asked for cannot be loaded.
    """
    if settings.mode is LabelMode.OFF:
        return None
    from core.labels import labelling

    labelling.require_models(settings)
    dumped, inputs = settings.model_dump(mode="json"), _label_inputs(store, dataset, settings)
    key = content_key("label", dumped, inputs)
    if again or store.find("label", key) is None:
        with store.write("label", key, dumped, inputs) as folder:
            cache, log = store.root / LABEL_CACHE, store.root / LLM_LOG
            labelling.label_dataset(dataset, settings, folder, cache, progress, log_dir=log)
    return artifacts.open_labels(store, key)


def find_labels(
    store: Store, dataset: Dataset, settings: LabelSettings, asked: str = ""
) -> LabelledPages | None:
    """The labels that :func:`label` would make, if they are there already.

    Args:
        store: The artifacts.
        dataset: The cleaned export.
        settings: Mode, taxonomy, corrections.
        asked: Model and server (``LlmSettings.identity``), where the environment does not name them.
    """
    inputs = _label_inputs(store, dataset, settings, asked)
    key = content_key("label", settings.model_dump(mode="json"), inputs)
    artifact = store.find("label", key)
    return None if artifact is None else LabelledPages(artifact.path, artifact.key)


def fetch(
    store: Store, dataset: Dataset, hosts: Sequence[str], progress: Progress
) -> Mapping[FetchOutcome, OutcomeTally]:
    """Fetch the most viewed pages from hosts that the analyst agreed to; the next labelling uses them.

    Returns:
        What became of the pages, most frequent first.

    Raises:
        SettingsError: If one of ``hosts`` is no host.
        Cancelled: If ``progress`` says so; what was fetched so far is kept.
    """
    from core.labels import labelling

    outcomes = labelling.fetch_pages(dataset, hosts, store.root / LABEL_CACHE, progress)
    summary = ", ".join(f"{outcome} {tally.count:,}" for outcome, tally in outcomes.items())
    progress("fetched", 1.0, summary or "no page of these hosts")
    return outcomes


def _label_inputs(store: Store, dataset: Dataset, settings: LabelSettings, asked: str = "") -> dict[str, str]:
    """Inputs of labels besides the settings: pages, installed weights, fetched documents."""
    from core.labels import labelling

    return {"preprocess": dataset.key} | labelling.fingerprints(
        dataset, settings, store.root / LABEL_CACHE, asked
    )


def train(
    store: Store,
    dataset: Dataset,
    labels: LabelledPages | None,
    settings: TrainSettings,
    progress: Progress,
    *,
    again: bool = False,
) -> Artifact:
    """Stage 4: fit the UserBehaviorTransformer; goes on from a checkpoint that a killed run left.

    Raises:
        InputError: If there is too little to learn from.
        Cancelled: If ``progress`` says so; the checkpoint stays.
    """
    key = artifacts.model_key(dataset, labels, settings)
    artifact = store.find("train", key)
    if artifact is not None and not again:
        return artifact
    from core.model import training

    dumped, inputs = settings.model_dump(mode="json"), artifacts.labelled_inputs(dataset, labels)
    checkpoints = store.root / "checkpoints" / key
    with store.write("train", key, dumped, inputs) as folder:
        names = page_names(dataset.pages, labels)
        training.train(dataset.sequences, names, settings, folder, progress, checkpoints)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return artifacts.find_artifact(store, "train", key)


def embed(
    store: Store,
    dataset: Dataset,
    labels: LabelledPages | None,
    model: Artifact,
    progress: Progress,
    device: Device | None = None,
    *,
    again: bool = False,
) -> Embeddings:
    """Stage 5: one vector a user and view, from a trained model.

    The labels may be newer than those the model was trained on: a correction needs no training.
    """
    inputs = artifacts.labelled_inputs(dataset, labels) | {"train": model.key}
    key = artifacts.embeddings_key(dataset, labels, model.key)
    if again or store.find("embed", key) is None:
        from core.model import embedding
        from core.model.inputs import view_factors, view_streams
        from core.model.model_files import load_vocabularies

        names = page_names(dataset.pages, labels)
        vectors = embedding.embed(model.path, dataset.sequences, names, progress, device)
        factors = view_factors(view_streams(dataset.sequences, names, load_vocabularies(model.path)))
        users, first, _ = _dealt(dataset)
        after = SubProgress(progress, 1, 1)
        parts = embedding.embed(model.path, first, names, after, device) if first.n_users else {}
        with store.write("embed", key, {}, inputs) as folder:
            for view, array in vectors.items():
                np.save(folder / f"{view}.npy", array, allow_pickle=False)
            for view, array in parts.items():
                np.save(folder / artifacts.FIRST_PART.format(view), array, allow_pickle=False)
            np.save(folder / artifacts.DEALT, [users, first.lengths], allow_pickle=False)
            (folder / artifacts.COVERAGE).write_text(json.dumps(factors))
    return artifacts.open_embeddings(store, dataset, key)


def _dealt(dataset: Dataset) -> tuple[np.ndarray, UserSequences, UserSequences]:
    """Users with several sessions, and these sessions dealt by chance into a first and a second part."""
    from core.periods.training_period import halves_of

    users, halves = halves_of(dataset.sequences, is_clustered(dataset.users))
    place = np.arange(len(users))
    return users, halves.of_users(place), halves.of_users(place + len(users))


def combine(embeddings: Embeddings, weights: ViewWeights) -> Combined:
    """Stage 6: one vector a user, the views mixed by their weights and by how far each counts.

    Raises:
        ArtifactError: If the views do not fit together.
        SettingsError: If every view that is present has weight 0.
    """
    from core.segments.combination import blend

    calibrated = embeddings.with_activity if weights.activity else embeddings.calibrated
    return blend(calibrated, weights, embeddings.coverage)


def cluster(
    combined: Combined, inside: np.ndarray, settings: ClusterSettings, before: Partition | None = None
) -> Partition:
    """Stage 7: segments of the users inside.

    Args:
        combined: One vector a user.
        inside: bool of shape (n_users,), who takes part.
        settings: The way, number of segments, seed, starts.
        before: Segments to go on from; with too few different users to do so, it starts from scratch.

    Raises:
        InputError: If fewer than two different users can be clustered, or they form no such groups.
        SettingsError: If there are more segments than different users.
    """
    from core.segments.clustering import fit
    from core.segments.geometry import count_different
    from core.segments.kmeans import warm_start

    if settings.auto:  # suggested by what users do, of which vectors may tell fewer apart
        different = count_different(combined.vectors[inside], enough=settings.n_clusters)
        settings = settings.model_copy(update={"n_clusters": max(2, min(settings.n_clusters, different))})
    start = None if before is None else warm_start(before, combined.vectors, settings.n_clusters)
    enough = start is not None and len(start) == settings.n_clusters
    return fit(combined.vectors, inside, settings, start if enough else None)


def one_page_segments(dataset: Dataset, labels: LabelledPages | None) -> OnePageSegments:
    """Segments by rule of the users with a single page view; they depend on no slider and no outcome.

    Args:
        dataset: The users.
        labels: Themes and types of the pages; None where they are not labelled.
    """
    from core.segments.arrivals import arrivals
    from core.segments.one_page import find_segments, with_second_pages

    names = page_names(dataset.pages, labels)
    arrived = arrivals(dataset.users, dataset.sequences, names, RESERVED)
    alone = in_group(dataset.users, Group.ONE_PAGE)
    went_on = is_clustered(dataset.users)
    segments = find_segments(arrived, alone)
    return with_second_pages(segments, arrived, dataset.sequences, names[View.URL], went_on)


def analyze(
    data: ProfileData,
    partition: Partition,
    settings: AnalyzeSettings,
    one_page: OnePageSegments | None = None,
) -> Profiles:
    """Stage 8: what the users of each segment are like.

    Raises:
        SettingsError: If an outcome is not in the data.
    """
    from core.profiles.metrics import profile

    return profile(data, partition.labels, settings, one_page)


def segment(
    dataset: Dataset,
    labels: LabelledPages | None,
    embeddings: Embeddings,
    settings: RunSettings,
    progress: Progress,
    attempt: Attempt = raising,
) -> Segments:
    """Combine, cluster and analyze.

    Args:
        dataset: The users.
        labels: Themes and types of the pages; None where they are not labelled.
        embeddings: Their vectors.
        settings: Settings of the run.
        progress: Where to report.
        attempt: Does what segments can do without: rules of one-page users, facets, differences, names.

    Raises:
        SettingsError: If there are fewer users than segments, or an outcome is not in the data.
    """
    import pandas as pd

    from core.profiles.data import ProfileData
    from core.profiles.differences import COLUMNS
    from core.profiles.name_fitting import numbered_only

    combined = combine(embeddings, settings.weights)
    progress("combine", 1.0)
    partition = cluster(combined, embeddings.inside, settings.cluster)
    progress("cluster", 1.0, f"K={len(partition.ids)}")
    data = ProfileData.from_dataset(dataset, labels)
    one_page = attempt("one-page segments", partial(one_page_segments, dataset, labels), None)
    profiles = analyze(data, partition, settings.analyze, one_page)
    facets = attempt("facets", partial(_facets, dataset, labels, data, settings.analyze), None)
    compared = partial(_differences, labels, embeddings, combined, partition, data, profiles, facets)
    table = attempt("differences", compared, pd.DataFrame(columns=list(COLUMNS)))
    names = numbered_only(partition.ids.tolist())  # where differences or names fail
    names |= attempt("names", partial(_names, dataset, labels, table), {})
    progress("analyze", 1.0)
    return Segments(combined, partition, profiles, names, data, table, facets)


def other_sessions(embeddings: Embeddings, labels: LabelledPages | None) -> OtherSessions | None:
    """Data to test differences in what segments are made of: two parts of the users' sessions.

    Args:
        embeddings: Vectors of users, and of the first parts.
        labels: Themes and types of the pages; None where they are not labelled.

    Returns:
        None if nothing can be tested: no user has several sessions, the vectors are of an earlier release,
        or another numpy split the sessions at random.
    """
    from core.profiles.other_sessions import OtherSessions
    from core.profiles.user_items import labels_of

    if not embeddings.first_parts:
        return None
    dataset = embeddings.dataset
    users, first, second = _dealt(dataset)
    dealt = np.load(embeddings.artifact.path / artifacts.DEALT, allow_pickle=False)
    if not np.array_equal(dealt, [users, first.lengths]):
        return None
    parts = (embeddings.first_parts, first, second)
    return OtherSessions.from_tables(*parts, dataset.pages, labels_of(labels))


def _facets(
    dataset: Dataset, labels: LabelledPages | None, data: ProfileData, settings: AnalyzeSettings
) -> Facets:
    from core.profiles.facets import find_facets

    index = data.outcomes
    given_away = index.is_read(index.chosen(settings))
    return find_facets(dataset, labels, index.inside(settings), given_away=given_away)


def _differences(
    labels: LabelledPages | None, embeddings: Embeddings, combined: Combined, partition: Partition,
    data: ProfileData, profiles: Profiles, facets: Facets | None,
) -> pd.DataFrame:  # fmt: skip
    from core.profiles.differences import differences
    from core.profiles.user_items import UserItems, labels_of

    dataset, levels = embeddings.dataset, facets.items() if facets else {}
    items = UserItems.from_tables(data, dataset.pages, dataset.sequences, labels_of(labels), levels)
    others = other_sessions(embeddings, labels)
    again = others.scores(combined, partition) if others else {}
    return differences(data, profiles.rows, items, data.outcomes.inside(profiles.settings), again)


def _names(dataset: Dataset, labels: LabelledPages | None, table: pd.DataFrame) -> dict[int, CurrentName]:
    from core.profiles.name_fitting import current_names
    from core.profiles.name_words import SiteWords

    site = SiteWords.from_tables(dataset.pages, labels.of(View.THEME) if labels else ())
    return current_names(table, site, {})
