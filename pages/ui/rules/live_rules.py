"""The rules of the segments on screen, made once for all sessions that have the same ones."""

from __future__ import annotations

import json
from collections.abc import Mapping

from core.base.settings import IngestSettings
from core.rules.judging import FoundRules, rule_sentence
from core.rules.raw_events import LoadedExport
from core.rules.records import rule_records
from core.storage.store import open_artifact
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import SESSIONS, basis
from pages.ui.shell.kept import kept


@kept(lambda live: live.sources.counted, max_entries=2)
def export_of(live: LiveSegments) -> LoadedExport:
    """What rules can ask of the users, and what their SQL has to know of the files."""
    dataset = live.sources.dataset
    settings = IngestSettings.checked(**open_artifact(dataset.path).settings)
    return LoadedExport(basis(live.sources).rule_features, dataset.receipt, settings)


@kept(
    lambda live: (live.sources.counted, live.segmentation.partition.digest), SESSIONS,
    show_spinner="Looking for the rules …",
)  # fmt: skip
def rules_of(live: LiveSegments) -> Mapping[int, FoundRules]:
    """Segment → its rules."""
    return live.tables.basis.rules(live.segmentation.partition)


def sentences(live: LiveSegments) -> dict[int, str]:
    """Segment → the recommended rule with how well it fits, or why there is none."""
    origin = export_of(live).features.origin
    return {segment: rule_sentence(found, origin) for segment, found in rules_of(live).items()}


def file_of(live: LiveSegments) -> bytes:
    """The file that a run leaves, of the segments on screen."""
    records = rule_records(rules_of(live), live.plain_names, export_of(live))
    return json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False).encode()
