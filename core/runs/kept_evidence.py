"""Between embed and cluster: numbers of segments held against chance, kept in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.base.progress import Progress
from core.base.settings import ViewWeights
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages, page_names
from core.runs.pipeline import Embeddings, RunSettings
from core.storage.store import Artifact, Store, content_key

if TYPE_CHECKING:
    from core.segments.evidence import KEvidence

CHOOSE_K: Final = "choose_k"
"""Folder of the store for what :func:`compare_k` leaves."""
EVIDENCE: Final = "evidence.json"


def evidence_key(embeddings: str, weights: ViewWeights) -> str:
    """Content key of what :func:`compare_k` leaves for these vectors and weights."""
    return content_key(CHOOSE_K, *_evidence_made_of(embeddings, weights))


def find_evidence(store: Store, embeddings: str, weights: ViewWeights) -> KEvidence | None:
    """What :func:`compare_k` has found for these vectors and weights; None until it has run."""
    from core.segments.evidence import KEvidence

    artifact = store.find(CHOOSE_K, evidence_key(embeddings, weights))
    return None if artifact is None else KEvidence.from_json((artifact.path / EVIDENCE).read_bytes())


def compare_k(
    store: Store,
    dataset: Dataset,
    labels: LabelledPages | None,
    model: Artifact,
    embeddings: Embeddings,
    weights: ViewWeights,
    progress: Progress,
) -> KEvidence:
    """Hold numbers of segments against chance, and suggest one or none.

    Raises:
        ArtifactError: If the model is missing or damaged.
        Cancelled: If ``progress`` says so.
    """
    key = embeddings.artifact.key
    found = find_evidence(store, key, weights)
    if found is None:
        from core.trust.k_evidence import KSubject, measure

        names = page_names(dataset.pages, labels)
        subject = KSubject(dataset.sequences, names, model.path, embeddings.views, embeddings.inside, weights)
        found = measure(subject, progress)
        made_of = _evidence_made_of(key, weights)
        with store.write(CHOOSE_K, evidence_key(key, weights), *made_of) as folder:
            (folder / EVIDENCE).write_text(found.to_json(), encoding="utf-8")
    return found


def _evidence_made_of(embeddings: str, weights: ViewWeights) -> tuple[dict[str, Any], dict[str, str]]:
    return {"version": 2, "weights": weights.model_dump()}, {"embed": embeddings}


def settled(settings: RunSettings, evidence: KEvidence | None) -> RunSettings:
    """The settings with the number of segments filled in, where it is left to evidence and there is some."""
    if evidence is None or not settings.cluster.auto:
        return settings
    cluster = settings.cluster.model_copy(update={"n_clusters": evidence.usable_k})
    return settings.model_copy(update={"cluster": cluster})
