"""Certificates by a long run: of the very segments that were handed in, once."""

import os
from pathlib import Path

import pytest

from core.base.errors import ArtifactError
from core.base.progress import silent
from core.base.settings import ClusterSettings, ViewWeights
from core.runs import artifacts, pipeline, tasks
from core.runs.stages import CERTIFICATES, HANDED_IN, CertifyRequest, store_segments
from core.segments import certificate
from core.segments.partition import Partition
from core.storage.store import Store
from tests.pages.fixtures_segments import FinishedRun, write_run

WEIGHTS = ViewWeights()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return write_run(tmp_path_factory.mktemp("run") / "cache")


@pytest.fixture
def partition(written: FinishedRun) -> Partition:
    store = Store(written.root)
    dataset = artifacts.open_dataset(store, written.dataset)
    vectors = artifacts.open_embeddings(store, dataset, written.embeddings)
    return pipeline.cluster(pipeline.combine(vectors, WEIGHTS), vectors.inside, ClusterSettings(n_clusters=3))


def asked(run: FinishedRun, digest: str, weights: ViewWeights = WEIGHTS) -> CertifyRequest:
    return CertifyRequest(dataset=run.dataset, embeddings=run.embeddings, weights=weights, digest=digest)


def ask(run: FinishedRun, digest: str) -> dict[str, str]:
    request = asked(run, digest).model_dump(mode="json")
    return tasks.run(CERTIFICATES.name, run.root, request, silent)


def test_the_segments_that_were_handed_in_are_certified_once(
    written: FinishedRun, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(written.root)
    store_segments(store, asked(written, partition.digest), partition)
    (key,) = ask(written, partition.digest).values()
    assert key == CERTIFICATES.key(asked(written, partition.digest))
    found = CERTIFICATES.find(store, asked(written, partition.digest))
    assert found is not None
    assert {segment: one.users for segment, one in found.items()} == partition.sizes
    assert {one.word for one in found.values()} == {"highly stable"}  # three plain kinds of visitors
    assert list(Path(store.root, HANDED_IN).glob("[!.]*")) == []
    monkeypatch.setattr(certificate, "certify", None)
    assert ask(written, partition.digest) == {CERTIFICATES.name: key}


def test_what_an_older_rule_found_is_not_shown_but_made_anew(
    written: FinishedRun, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, keys = Store(written.root), []
    for version in (certificate.VERSION - 1, certificate.VERSION):
        monkeypatch.setattr(certificate, "VERSION", version)
        keys.append(CERTIFICATES.key(asked(written, partition.digest)))
        store_segments(store, asked(written, partition.digest), partition)
        assert ask(written, partition.digest) == {CERTIFICATES.name: keys[-1]}
    assert len(set(keys)) == 2


def test_what_a_cancelled_job_left_goes_after_a_day(written: FinishedRun, partition: Partition) -> None:
    store = Store(written.root)
    store_segments(store, asked(written, partition.digest), partition)
    (left,) = Path(store.root, HANDED_IN).glob("[!.]*")
    store_segments(store, asked(written, partition.digest, ViewWeights(url=1)), partition)
    assert left.exists()
    os.utime(left, (0, 0))
    store_segments(store, asked(written, partition.digest, ViewWeights(url=1)), partition)
    assert not left.exists()


def test_what_was_never_handed_in_is_said(written: FinishedRun) -> None:
    with pytest.raises(ArtifactError, match="not handed in"):
        ask(written, "0" * 24)


def test_another_partition_or_other_weights_have_another_key() -> None:
    keys = {
        CERTIFICATES.key(CertifyRequest(dataset="", embeddings=vectors, weights=weights, digest=digest))
        for vectors in ("a", "b") for weights in (WEIGHTS, ViewWeights(url=1, theme=0, type=0))
        for digest in ("c", "d")
    }  # fmt: skip
    assert len(keys) == 8
