"""The files that an analyst downloads, made from what is on screen when they are asked for."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pandas as pd

from core.base.errors import ArtifactError, SettingsError
from core.base.settings import IngestSettings, TrainSettings
from core.journeys.funnel import Funnel
from core.journeys.funnel_table import CountedFunnel, count_funnels
from core.journeys.moves import Moves, most_readable_places
from core.journeys.step_table import journeys
from core.labels.label_settings import LabelMode, LabelSettings
from core.profiles.facets import Facets
from core.profiles.outcome_prediction import predict_outcome
from core.runs import export, report, user_data
from core.runs.export import IdStyle
from core.runs.model_folder import StoredStages, publish_model
from core.runs.pipeline import RunSettings, Segments
from core.runs.publish import clustering_facts, clusters_summary, versions
from core.saved import label_decisions
from core.segments import certificate
from core.segments.certificate import verdict_text
from core.storage.store import open_artifact
from pages.ui.rules import rule_view
from pages.ui.segments import session_segments, shared
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import state


def users(live: LiveSegments, first: int | None = None) -> pd.DataFrame:
    """Table of the users, all or the first: id, segment, distances, group, activity, outcome, facets."""
    made = _segments(live)
    users = live.sources.dataset.users.head(len(live.labels) if first is None else first)
    table = export.users_table(
        users, made.partition, made.combined.vectors, live.plain_names, made.outcomes, live.profiles.one_page
    )
    facets = _facets(live).columns()
    return table.assign(**{name: names[: len(table)] for name, names in facets.items()})


def _facets(live: LiveSegments) -> Facets:
    made_from = live.sources
    return shared.facets(made_from.dataset, made_from.labels, live.settings.analyze.outcome)


def users_csv(live: LiveSegments, ids: IdStyle = IdStyle.EXACT) -> bytes:
    """The table of :func:`users` as CSV."""
    return export.csv_bytes(users(live), ids)


def ga4_user_data(live: LiveSegments, name: str, stream: str = "") -> bytes:
    """A file of user data for GA4; ``stream``: that of users whose stream is not known."""
    user_key = live.sources.dataset.receipt.user_key
    return user_data.import_bytes(user_data.ga4_user_data(users(live), user_key, stream)[name])


def user_ids(live: LiveSegments) -> bytes:
    """The ids of each segment's users, as one zip of CSV files of one column."""
    return export.tables_zip(user_data.ids_by_segment(users(live)))


def ga4_audiences(live: LiveSegments) -> bytes:
    """Each segment's recommended rule as the request of GA4's Admin API, or why there is none, as JSON."""
    named = ("segment", "name", "text", "precision", "recall", "ga4_audience", "ga4_refused")
    records = [
        {name: record.get(name) for name in named}
        for record in rule_view.records_of(live)
        if record.get("recommended") or not record["length"]
    ]
    return json.dumps(records, indent=1, ensure_ascii=False).encode()


def users_parquet(live: LiveSegments) -> bytes:
    """The table of :func:`users` as Parquet."""
    return export.parquet_bytes(users(live))


def embeddings_parquet(live: LiveSegments) -> bytes:
    """The vectors of every user as Parquet: a row a user, a list of numbers for each view."""
    ids = live.sources.dataset.sequences.user_id
    return export.parquet_bytes(export.embeddings_table(ids, live.sources.vectors.views))


def profiles_json(live: LiveSegments) -> bytes:
    """Every profile table in a JSON file."""
    return live.profiles.to_json().encode()


def profiles_zip(live: LiveSegments) -> bytes:
    """Every profile table as CSV, in a zip file."""
    made, sure = live.profiles, live.certificates
    return export.tables_zip(
        {
            "segments": made.segments,
            "top_pages": made.top_pages,
            "shares": made.shares,
            "heatmap": made.heatmap,
            "fields": made.fields,
        }
        | ({"certificates": certificate.table(sure)} if sure else {})
        | ({"numbers_of_segments": live.levels.table()} if live.levels else {})
    )


def receipt_json(live: LiveSegments) -> bytes:
    """The receipt, which accounts for every record of the input, as JSON."""
    return live.sources.dataset.receipt.model_dump_json(indent=1).encode()


def clusters_json(live: LiveSegments) -> bytes:
    """Weights, sizes, names and certificates of the segments, and the supported numbers, as JSON."""
    made = clusters_summary(_segments(live), live.levels, live.certificates)
    return json.dumps(made, indent=1, ensure_ascii=False).encode()


def journeys_json(live: LiveSegments) -> bytes:
    """The steps of each segment, beside the other clustered users, as JSON."""
    told = journeys(_moves(live), live.profiles.rows, live.plain_names)
    return json.dumps(told, indent=1, ensure_ascii=False).encode()


def _moves(live: LiveSegments) -> Moves:
    dataset = live.sources.dataset
    return Moves.of(dataset.sequences, most_readable_places(dataset, live.sources.labels))


def report_html(live: LiveSegments) -> bytes:
    """The report as an HTML file that opens without a server."""
    moves = _moves(live)
    facets = _facets(live)
    told = predict_outcome(facets, live.segmentation.partition)
    source = report.ReportInput(
        dataset=live.sources.dataset,
        moves=moves,
        profiles=live.profiles,
        differences=live.tables.differences,
        partition=live.segmentation.partition,
        vectors=live.combined.vectors,
        names=live.current_names,
        settings=settings(live),
        versions=versions(),
        facts=clustering_facts(live.combined, live.segmentation.partition),
        layout=shared.neighbour_map(live.sources, live.settings.weights)
        or shared.pca_map(live.sources, live.settings.weights),
        verdict=verdict_text(live.levels, live.certificates, kept_back=live.unsupported and live.withheld),
        certificates=live.certificates,
        journeys=journeys(moves, live.profiles.rows, live.plain_names),
        rules=rule_view.sentences(live),
        funnels=_counted(live),
        facets=facets,
        outcome_told=told.sentence if told else "",
        outcome_warning=live.tables.basis.data.outcomes.warning(live.profiles.chosen),
        advice=report.advice(live.tables, live.current_names),
        living=shared.living(
            live.sources,
            live.segmentation.weights,
            session_segments.first(live.sources).partition,
            live.segmentation.partition,
            live.profiles.settings,
            live.given,
            withheld=live.withheld,
        ),
    )
    return report.render(report.compose(source)).encode()


def _funnels(live: LiveSegments) -> tuple[Funnel, ...]:
    """The funnel that the analyst built, in a tuple; empty without one."""
    built = state.controls(live.sources.model_key).funnel
    return () if built is None else (built,)


def _counted(live: LiveSegments) -> tuple[CountedFunnel, ...]:
    """The counted funnels; none where pages or events cannot make the steps, as the page Journeys says."""
    with suppress(SettingsError, ArtifactError):
        return count_funnels(_funnels(live), live.sources.dataset, live.sources.labels)
    return ()


def _segments(live: LiveSegments) -> Segments:
    """The segments on screen, as a run from the command line has them."""
    return Segments(
        live.combined, live.segmentation.partition, live.profiles, live.current_names, live.tables.basis.data,
        live.tables.differences,
    )  # fmt: skip


def model_into(live: LiveSegments, folder: Path) -> None:
    """Write the model folder of what is on screen, as a run from the command line would.

    Raises:
        ArtifactError: If model or labels are gone or damaged.
    """
    made_from = live.sources
    model = open_artifact(made_from.model)
    stages = StoredStages(made_from.dataset, made_from.labels, model, made_from.vectors)
    publish_model(folder, stages, run_settings(live), _segments(live))


def run_settings(live: LiveSegments) -> RunSettings:
    """All settings that made what is on screen."""
    run = state.model()
    return RunSettings(
        ingest=IngestSettings.checked(**open_artifact(live.sources.dataset.path).settings),
        label=label_decisions.load(state.store(), live.sources.dataset)
        if live.sources.labels
        else LabelSettings(mode=LabelMode.OFF),
        train=run.settings if run else TrainSettings(),
        weights=live.settings.weights,
        cluster=live.settings.cluster,
        analyze=live.settings.analyze,
        funnels=_funnels(live),
        named_anyway=state.controls(live.sources.model_key).named_anyway,
    )


def settings(live: LiveSegments) -> dict[str, dict[str, object]]:
    """Stage (``ingest``, ``train``, ``weights``, ``cluster``, ``analyze``) → its settings as plain data."""
    dataset = open_artifact(live.sources.dataset.path)
    model = open_artifact(live.sources.model)
    return {
        "ingest": dict(dataset.settings),
        "train": dict(model.settings),
        "weights": live.settings.weights.model_dump(mode="json"),
        "cluster": live.settings.cluster.model_dump(mode="json"),
        "analyze": live.settings.analyze.model_dump(mode="json"),
    }
