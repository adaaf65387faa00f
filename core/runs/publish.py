"""Make the segments of a run and write all its files: tables, summaries, report, model folder.

After a crash or on a full disk the files of the earlier run are there, or the next look at the folder puts
all of the new ones in place: :mod:`core.storage.replace_files`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pyarrow.parquet as pq

from core.base.progress import Progress
from core.base.schema import OUTSIDE, SET_ASIDE, Users, View
from core.journeys.funnel_table import CountedFunnel, count_funnels, to_plain
from core.labels.label_yaml import taxonomy_to_yaml
from core.profiles.profile_columns import Col, RowKind
from core.runs import pipeline
from core.runs.export import SEGMENT, arrow_table, embeddings_table, users_table, vector_lists
from core.runs.later_stages import FAILED_LOG, Attempt, LaterStages
from core.runs.model_folder import MODEL, StoredStages, label_settings, link, seal, write_json, write_model
from core.runs.pipeline import RunSettings, Segments
from core.runs.stages import LEVELS, LevelsRequest
from core.runs.user_data import USER_DATA, USER_DATA_OF_LOGINS, ga4_user_data, import_bytes, user_data_files
from core.segments.one_page import OnePageSegments
from core.storage.dataset import RECEIPT, SEQUENCES, USERS
from core.storage.page_labels import LABELS, page_names
from core.storage.replace_files import replace_files_atomic
from core.storage.store import Store, open_artifact

if TYPE_CHECKING:
    from core.journeys.moves import Moves
    from core.profiles.facets import Facets
    from core.profiles.name_fitting import CurrentName
    from core.profiles.outcome_prediction import OutcomePrediction
    from core.runs.report.living import Living
    from core.segments.certificate import Certificate
    from core.segments.combination import Combined
    from core.segments.levels import SegmentLevels
    from core.segments.partition import Partition

RUN: Final = "run.json"
_DIFFERENCES: Final = "differences.parquet"
JOURNEYS: Final = "journeys.json"
_PERIODS: Final = "periods.json"
_FACETS: Final = "facets.json"
"""File on how users differ, and whether they keep differing (``core/profiles/``)."""
FUNNELS: Final = "funnels.json"
"""Counted funnels, where some were asked for."""
_TAXONOMY: Final = "taxonomy.yaml"
"""File with the taxonomy that pages were labelled with, to be edited and given back."""
_RULES: Final = "rules.json"
"""File with the best rules of each segment (``core/rules/``)."""
_NEXT_PAGES: Final = "next_pages.parquet"
"""Pages that each segment's users are pointed to next; what points others is in the model folder."""
_EMBEDDINGS, CLUSTERS, PROFILES, REPORT = (
    "embeddings.parquet",
    "clusters.json",
    "profiles.json",
    "report.html",
)
WRITTEN: Final = frozenset({
    RECEIPT, SEQUENCES, USERS, LABELS, _TAXONOMY, MODEL, _DIFFERENCES, JOURNEYS, _PERIODS, FUNNELS, _RULES,
    _NEXT_PAGES, _FACETS, _EMBEDDINGS, CLUSTERS, PROFILES, REPORT, FAILED_LOG, USER_DATA, USER_DATA_OF_LOGINS,
})  # fmt: skip
"""Everything in a run's folder that is made of users; :data:`RUN` is what it was asked for."""
BOUNDED: Final = ".bounded."
"""Prefix of the folder of records by user, for a run with bounded memory."""
_NONE: Final[Mapping[int, Certificate]] = MappingProxyType({})
Finish: TypeAlias = Callable[[Path, Segments], dict[str, Any]]


def publish(
    out: Path, store: Store, results: StoredStages, settings: RunSettings, progress: Progress,
    finish: Finish | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Make the segments and all that follows from them, and write the run's files into ``out``.

    Args:
        out: The run's folder.
        store: Its store.
        results: What the stored stages made.
        settings: Every setting of the run.
        progress: Where to report.
        finish: Changes the files before they are put in place; returns further values for ``run.json``.

    Returns:
        What ``run.json`` holds: versions, settings, keys, inputs and counts, and stages that failed.

    Raises:
        Beha2VecError: If there are no segments to be made; the files of an earlier run are untouched.
    """
    from core.segments.certificate import certify, with_verdict

    with replace_files_atomic(out, last=RUN, optional=WRITTEN) as building:
        later = LaterStages(building)
        levels = later.attempt("levels", partial(_levels, store, results, progress), None)
        settings = settings.settled(levels)
        segments = _segments(results, settings, levels, progress, later.attempt)
        sure = partial(certify, segments.combined.vectors, segments.partition, progress)
        certificates = with_verdict(later.attempt("certificates", sure, {}), levels)
        write_model(building / MODEL, results, settings, segments)
        _link_stored(building, results, settings)
        facets, beside = later.attempt("facets", partial(_write_facets, building, segments), (None, None))
        # parts of a run in a bound of memory have no facets: these are of its sample
        clusters = _write_tables(
            building, results, segments, levels, certificates, None if finish else facets, beside
        )
        sentence = beside.sentence if beside else ""
        _write_later(later, results, settings, segments, levels, certificates, (facets, sentence), progress)
        seal(building / MODEL)
        doubts = _doubts(levels, segments.partition, certificates)
        if not finish:  # of a run in a bound of memory they would be of its sample
            doubts += [row["text"] for row in clusters["small_kinds"]]
            _write_user_data(building, results.dataset.receipt.user_key)
        record = _record(results, settings, segments, doubts) | {"failed": later.failed}
        record |= finish(building, segments) if finish else {}
        write_json(building / RUN, record)
    return record


def _write_user_data(folder: Path, user_key: str) -> None:
    """Write the files for user-data imports of GA4, where the export says what GA4 joins them by."""
    present = set(pq.read_schema(folder / USERS).names)
    if user_data_files(user_key, present):
        columns = [Users.USER_ID, Users.CLUSTER, SEGMENT, Users.STREAM_ID, Users.ID_KIND]
        users = pq.read_table(folder / USERS, columns=[name for name in columns if name in present])
        for name, table in ga4_user_data(users.to_pandas(), user_key).items():
            if len(table):
                (folder / name).write_bytes(import_bytes(table))


def _levels(store: Store, results: StoredStages, progress: Progress) -> SegmentLevels | None:
    labels = results.labels.key if results.labels else ""
    request = LevelsRequest(dataset=results.dataset.key, labels=labels)
    LEVELS.run(store, request, progress)
    return LEVELS.find(store, request)


def _segments(
    results: StoredStages,
    settings: RunSettings,
    levels: SegmentLevels | None,
    progress: Progress,
    attempt: Attempt,
) -> Segments:
    """Make the segments, without names where the users support none."""
    from core.profiles.name_fitting import only_given
    from core.segments.levels import withheld

    segments = pipeline.segment(
        results.dataset, results.labels, results.embeddings, settings, progress, attempt
    )
    if withheld(levels, named_anyway=settings.named_anyway):
        return replace(segments, names=only_given(segments.names))
    return segments


def _link_stored(building: Path, results: StoredStages, settings: RunSettings) -> None:
    """Link the files that stages left as they are, and write the taxonomy of the labels."""
    for file in (RECEIPT, SEQUENCES):
        link(results.dataset.path / file, building / file)
    if results.labels:
        link(results.labels.path / LABELS, building / LABELS)
        taxonomy = taxonomy_to_yaml(label_settings(results.labels, settings).taxonomy)
        (building / _TAXONOMY).write_text(taxonomy, encoding="utf-8")


def _write_tables(
    folder: Path,
    results: StoredStages,
    segments: Segments,
    levels: SegmentLevels | None,
    certificates: Mapping[int, Certificate],
    facets: Facets | None,
    beside: OutcomePrediction | None,
) -> dict[str, Any]:
    """Write vectors, users, segments, profiles and differences; return what ``clusters.json`` holds."""
    dataset = results.dataset
    vectors_of = embeddings_table(dataset.sequences.user_id, results.embeddings.views)
    pq.write_table(vectors_of, folder / _EMBEDDINGS)
    vectors, one_page = segments.combined.vectors, segments.profiles.one_page
    users = users_table(
        dataset.users, segments.partition, vectors, segments.titles, segments.outcomes, one_page
    )
    users = users.assign(**facets.columns() if facets else {})
    table = arrow_table(users).append_column(Users.EMBEDDING, vector_lists(vectors))
    pq.write_table(table, folder / USERS)
    record = {"segments_tell_outcome": beside.to_dict() if beside else None}
    clusters = clusters_summary(segments, levels, certificates) | record
    write_json(folder / CLUSTERS, clusters)
    (folder / PROFILES).write_text(segments.profiles.to_json(), encoding="utf-8")
    if len(segments.differences):  # there are always some, unless they could not be made
        segments.differences.to_parquet(folder / _DIFFERENCES, index=False)
    return clusters


def _write_facets(folder: Path, segments: Segments) -> tuple[Facets | None, OutcomePrediction | None]:
    """Write the facets, if there are any, and compare the segments with them."""
    from core.profiles.facets import facet_records
    from core.profiles.outcome_prediction import predict_outcome

    if segments.facets is None:
        return None, None
    write_json(folder / _FACETS, facet_records(segments.facets))
    return segments.facets, predict_outcome(segments.facets, segments.partition)


def _write_rules(
    folder: Path, results: StoredStages, settings: RunSettings, segments: Segments
) -> dict[int, str]:
    """Write the best rules of each segment; the recommended one of each, in words."""
    from core.rules.beam_search import find_rules, rule_sentence
    from core.rules.conditions import RuleFeatures
    from core.rules.raw_events import LoadedExport
    from core.rules.records import rule_records

    features = RuleFeatures.from_dataset(results.dataset, results.labels)
    export = LoadedExport(features, results.dataset.receipt, settings.ingest)
    rules_found = find_rules(features, segments.partition.labels)
    write_json(folder / _RULES, rule_records(rules_found, segments.titles, export))
    return {segment: rule_sentence(rules, features.origin) for segment, rules in rules_found.items()}


def _write_next_pages(
    folder: Path, results: StoredStages, settings: RunSettings, segments: Segments, progress: Progress
) -> dict[int, str]:
    """Write next pages of each segment, and what suggests them beside the model; the first ones in words."""
    from core.model.embedding import embed
    from core.people.next_pages import next_pages_of_segments, segments_in_words
    from core.runs.learn_next_pages import learn_next_pages

    dataset, inside = results.dataset, results.embeddings.inside
    here = partial(embed, device=settings.train.device)
    following = learn_next_pages(
        dataset, results.labels, results.model.path, segments.combined, inside, here, progress
    )
    following.save(folder / MODEL)
    seen = following.seen(dataset.sequences, page_names(dataset.pages, results.labels)[View.URL])
    table = next_pages_of_segments(following, seen, segments.combined.vectors, segments.partition.labels)
    table.to_parquet(folder / _NEXT_PAGES, index=False)
    return segments_in_words(table)


def _write_later(
    later: LaterStages,
    results: StoredStages,
    settings: RunSettings,
    segments: Segments,
    levels: SegmentLevels | None,
    certificates: Mapping[int, Certificate],
    facets: tuple[Facets | None, str],
    progress: Progress,
) -> None:
    """Write next pages, journeys, time, rules and funnels to files, and the report about them."""
    from core.runs.report import ReportInput, write_report

    folder, attempt, made_from = later.folder, later.attempt, (later.folder, results, settings, segments)
    next_pages = attempt("next pages", partial(_write_next_pages, *made_from, progress), {})
    moves, journeys_of = attempt("journeys", partial(_write_journeys, folder, results, segments), (None, {}))
    attempt("time", partial(_write_periods, folder, results, segments), None)
    rules = attempt("rules", partial(_write_rules, *made_from), {})
    funnels = attempt("funnels", partial(_write_funnels, *made_from), ())
    living = attempt(
        "moving the report", partial(_living, results, settings, segments, levels, progress), None
    )
    facts = clustering_facts(segments.combined, segments.partition)
    if later.failed:
        facts |= {"Could not be made": "; ".join(f"{stage} ({why})" for stage, why in later.failed.items())}
    source = ReportInput(
        dataset=results.dataset,
        moves=moves,
        profiles=segments.profiles,
        differences=segments.differences,
        partition=segments.partition,
        vectors=segments.combined.vectors,
        names=segments.names,
        settings=settings.model_dump(mode="json", exclude={"funnels", "named_anyway"}),
        versions=versions(),
        facts=facts,
        verdict=_said(segments, levels, certificates),
        certificates=certificates,
        journeys=journeys_of,
        rules=rules,
        next_pages=next_pages,
        funnels=funnels,
        facets=facets[0],
        outcome_told=facets[1],
        outcome_warning=segments.data.outcomes.warning(segments.profiles.chosen),
        living=living,
    )
    attempt("report", partial(write_report, folder / REPORT, source), None)


def _living(
    results: StoredStages, settings: RunSettings, segments: Segments, levels: SegmentLevels | None,
    progress: Progress,
) -> Living | None:  # fmt: skip
    """Make the segments by other numbers and weights, for the report to be moved."""
    from core.facts.context import Basis
    from core.profiles.user_items import labels_of
    from core.runs.report.living import MOST_USERS, LivingMaker, first_segments
    from core.segments.levels import withheld

    if len(results.dataset.users) > MOST_USERS:
        return None
    dataset, levels_of = results.dataset, segments.facets.items() if segments.facets else {}
    names = labels_of(results.labels)
    return LivingMaker(
        results.embeddings,
        Basis.from_tables(dataset.key, segments.data, dataset.pages, dataset.sequences, names, levels_of),
        settings.weights,
        first_segments(results.embeddings, levels),
        segments.partition,
        segments.profiles.settings,
        pipeline.other_sessions(results.embeddings, results.labels),
        withheld=withheld(levels, named_anyway=settings.named_anyway),
    ).make(progress)


def _write_journeys(folder: Path, results: StoredStages, segments: Segments) -> tuple[Moves, dict[str, Any]]:
    """Write how users move between places; the moves, and what the file holds."""
    from core.journeys.moves import Moves, most_readable_places
    from core.journeys.step_table import journeys

    moves = Moves.of(results.dataset.sequences, most_readable_places(results.dataset, results.labels))
    records = journeys(moves, segments.profiles.rows, segments.titles)
    write_json(folder / JOURNEYS, records)
    return moves, records


def _write_periods(folder: Path, results: StoredStages, segments: Segments) -> None:
    """Write each segment by week, and who comes again."""
    from core.periods.over_time import periods

    write_json(folder / _PERIODS, periods(results.dataset, segments.profiles.rows, segments.titles))


def _write_funnels(
    folder: Path, results: StoredStages, settings: RunSettings, segments: Segments
) -> tuple[CountedFunnel, ...]:
    """Count the funnels that were asked for; no file where there are none."""
    counted = count_funnels(settings.funnels, results.dataset, results.labels)
    head = segments.profiles.rows.head
    called = dict(zip(head[Col.KEY], head[Col.LABEL], strict=True))
    called |= {f"segment:{segment}": name.title(segment) for segment, name in segments.names.items()}
    if counted:
        write_json(folder / FUNNELS, [to_plain(funnel, segments.profiles.rows, called) for funnel in counted])
    return counted


def versions() -> dict[str, str]:
    """Package → version, of those that decide the numbers."""
    return {name: version(name) for name in ("torch", "scikit-learn", "duckdb", "pyarrow", "numpy")}


def clustering_facts(combined: Combined, partition: Partition) -> dict[str, str]:
    """Facts about the clustering for readers of the report: label → text."""
    shares = ", ".join(f"{view} {share:.0%}" for view, share in combined.effective.items())
    return {
        "What each view contributes": shares,
        "Views without labels": ", ".join(combined.absent) or "none",
        **({"Changed by hand": "; ".join(edit.text for edit in partition.edits)} if partition.edits else {}),
        "Inertia": f"{partition.inertia:,.1f} after {partition.n_iter} iterations of K-Means",
    }


def clusters_summary(
    segments: Segments, levels: SegmentLevels | None = None, certificates: Mapping[int, Certificate] = _NONE
) -> dict[str, Any]:
    """Summary of the segments as plain data: how they were made, their sizes and, if measured, certainty."""
    partition, labels = segments.partition, segments.partition.labels
    inside, aside = (int(which.sum()) for which in (labels >= 0, labels == SET_ASIDE))
    sizes = partition.sizes
    return {
        "n_clusters": len(sizes),
        "inertia": partition.inertia,
        "n_iter": partition.n_iter,
        "weights": segments.combined.weights.model_dump(),
        "counted_weights": segments.combined.counted.model_dump(exclude={"insist"}),
        "effective_shares": {str(view): share for view, share in segments.combined.effective.items()},
        "absent_views": [str(view) for view in segments.combined.absent],
        "users_clustered": inside,
        "users_set_aside": aside,
        "users_outside": len(labels) - inside - aside,
        "by_hand": [edit.model_dump(mode="json") | {"text": edit.text} for edit in partition.edits],
        "segments": [
            {"kind": RowKind.SEGMENT, "cluster": cluster, **_named(segments.names[cluster])}
            | {"users": size, "share": size / inside}
            | ({"certificate": certificates[cluster].to_dict()} if cluster in certificates else {})
            for cluster, size in sizes.items()
        ] + _one_page_summary(segments.profiles.one_page),
        "one_page_made_by": segments.profiles.one_page.made_by if segments.profiles.one_page else "",
        "small_kinds": _small_kinds(segments, levels),
    } | ({} if levels is None else _verdict(levels, _said(segments, levels, certificates)))  # fmt: skip


def _small_kinds(segments: Segments, levels: SegmentLevels | None) -> list[dict[str, Any]]:
    """Kinds of few users whom no segment shows."""
    from core.profiles.top_pages import small_kind_sentence

    return [
        kind.model_dump() | {"users": len(kind.users), "text": small_kind_sentence(segments.data, kind)}
        for kind in (levels.not_shown(segments.partition.labels) if levels else ())
    ]


def _said(segments: Segments, levels: SegmentLevels | None, certificates: Mapping[int, Certificate]) -> str:
    from core.segments.certificate import verdict_text
    from core.segments.levels import unsupported

    kept_back = unsupported(levels) and any(name.kept_back for name in segments.names.values())
    return verdict_text(levels, certificates, kept_back=kept_back)


def _verdict(levels: SegmentLevels, said: str) -> dict[str, Any]:
    return {
        "verdict": levels.verdict,
        "verdict_text": said,
        "suggested_k": levels.suggested_k,
        "levels": [level.model_dump() | {"evidence": levels.evidence(level)} for level in levels.levels],
        "views": {name: one.model_dump() for name, one in levels.aspects.items()},
        "gains": list(levels.gains),
        "gradient_gain": levels.gradient_gain,
    }


def _one_page_summary(one_page: OnePageSegments | None) -> list[dict[str, Any]]:
    """The segments by rule; their shares are of the one-page users."""
    segments = one_page.segments if one_page else ()
    whole = sum(segment.users for segment in segments)
    return [
        {
            "kind": RowKind.ONE_PAGE, "group": key, "cluster": OUTSIDE,
            "name": segment.name, "users": segment.users, "share": segment.users / whole,
            "rule": [condition.model_dump(mode="json") for condition in segment.rule],
            "name_evidence": [], "by_construction": True,
            "second_pages": [page.model_dump() | {"share": page.share} for page in segment.second_pages],
        }
        for key, segment in zip(one_page.keys if one_page else (), segments, strict=True)
    ]  # fmt: skip


def _named(name: CurrentName) -> dict[str, Any]:
    lifts = {"lift": None, "low": None} if name.chosen else {}
    evidence = [asdict(candidate) | lifts for candidate in name.evidence]
    record = {"name": name.text, "name_evidence": evidence, "by_construction": name.chosen}
    better = {} if name.better is None else {"better_name": name.better.text}
    return record | {"name_fits": name.better is None} | better


def _record(
    results: StoredStages, settings: RunSettings, segments: Segments, doubts: list[str]
) -> dict[str, Any]:
    return {
        "versions": versions(),
        "settings": settings.model_dump(mode="json"),
        "keys": results.keys,
        "inputs": dict(open_artifact(results.dataset.path).inputs),
        "users": len(results.dataset.users),
        "segments": len(segments.partition.ids),
        "notes": [*segments.profiles.notes, *doubts],
    }


def _doubts(
    levels: SegmentLevels | None, partition: Partition, certificates: Mapping[int, Certificate]
) -> list[str]:
    """Warnings for a reader before believing the segments; without the full stop."""
    from core.segments.certificate import mostly_doubtful

    k = len(partition.ids)
    beside = [said.rstrip(".")] if (said := mostly_doubtful(certificates)) else []
    if levels is None:
        return [f"Nobody knows whether the users support {k} segments, nor how many they support", *beside]
    if levels.suggested_k is None:
        return [f"{levels.sentence} The {k} segments are a description, no kinds of users", *beside]
    if levels.of(k):
        return beside
    return [f"{k} segments were asked for. {levels.sentence.rstrip('.')}", *beside]
