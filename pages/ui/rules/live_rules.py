"""The rules of the segments on screen, made once for all sessions that have the same ones."""

from __future__ import annotations

import json
from collections.abc import Mapping

import streamlit as st

from core.base.settings import IngestSettings
from core.facts.basis import Basis
from core.rules.judging import FoundRules, rule_sentence
from core.rules.raw_events import LoadedExport
from core.rules.records import rule_records
from core.segments.partition import Partition
from core.storage.store import open_artifact
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.made_from import Sources
from pages.ui.segments.shared import SESSIONS, basis


def export_of(live: LiveSegments) -> LoadedExport:
    """What rules can ask of the users, and what their SQL has to know of the files."""
    return _export(live.sources.counted, live.sources)


def rules_of(live: LiveSegments) -> Mapping[int, FoundRules]:
    """Segment → its rules."""
    partition = live.segmentation.partition
    return _rules(live.sources.counted, partition.digest, live.tables.basis, partition)


def sentences(live: LiveSegments) -> dict[int, str]:
    """Segment → the recommended rule with how well it fits, or why there is none."""
    origin = export_of(live).features.origin
    return {segment: rule_sentence(found, origin) for segment, found in rules_of(live).items()}


def file_of(live: LiveSegments) -> bytes:
    """The file that a run leaves, of the segments on screen."""
    records = rule_records(rules_of(live), live.plain_names, export_of(live))
    return json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False).encode()


@st.cache_resource(max_entries=2, show_spinner=False)
def _export(counted: str, _sources: Sources) -> LoadedExport:
    dataset = _sources.dataset
    settings = IngestSettings.checked(**open_artifact(dataset.path).settings)
    return LoadedExport(basis(_sources).rule_features, dataset.receipt, settings)


@st.cache_resource(max_entries=SESSIONS, show_spinner="Looking for the rules …")
def _rules(counted: str, segments: str, _basis: Basis, _partition: Partition) -> Mapping[int, FoundRules]:
    return _basis.rules(_partition)
