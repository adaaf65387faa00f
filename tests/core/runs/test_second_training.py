"""Another training of a real model on a small demo shop, beside the first."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.base.progress import silent
from core.base.schema import View
from core.base.settings import ClusterSettings, Device, IngestSettings, TrainSettings, ViewWeights
from core.ingest.sample import write_sample
from core.model import embedding
from core.runs import artifacts, pipeline
from core.runs.artifacts import TrainedRequest
from core.runs.stages import SECOND_TRAINING
from core.segments.identity import recovery
from core.storage.store import Store

SMALL = TrainSettings(
    epochs=1, hidden_dim=16, heads=2, feedforward_dim=16, embedding_dim=16, device=Device.CPU
)


def test_its_vectors_are_kept_and_its_model_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices: list[Device] = []
    monkeypatch.setattr(embedding, "pick_device", lambda one: devices.append(one) or torch.device("cpu"))
    write_sample(tmp_path / "demo.csv", 200, 1, silent)
    store = Store(tmp_path / "store")
    dataset = pipeline.preprocess(store, [tmp_path / "demo.csv"], IngestSettings(), silent)
    model = pipeline.train(store, dataset, None, SMALL, silent)
    asked = TrainedRequest(dataset=dataset.key, labels="", model=model.key)
    assert SECOND_TRAINING.artifact(store, asked) is None
    of_before = store.root / SECOND_TRAINING.name / "train" / "model"  # an earlier release kept it
    of_before.mkdir(parents=True)
    SECOND_TRAINING.run(store, asked, silent)
    made = SECOND_TRAINING.artifact(store, asked)
    assert made is not None
    found = artifacts.embeddings_of(made, dataset)
    assert not of_before.exists()
    assert list((store.root / "checkpoints").iterdir()) == []
    assert [path.name for path in (store.root / "train").iterdir()] == [model.key]  # none of the analyst's
    first = pipeline.embed(store, dataset, None, model, silent)
    assert not np.allclose(first.views[View.URL], found.views[View.URL])
    partition = pipeline.cluster(
        pipeline.combine(first, ViewWeights()), first.inside, ClusterSettings(n_clusters=3)
    )
    same = recovery(partition, pipeline.combine(first, ViewWeights()).vectors)
    again = recovery(partition, pipeline.combine(found, ViewWeights()).vectors)
    assert same == dict.fromkeys(range(3), 1.0)
    assert set(devices) == {Device.CPU}
    assert list(again) == [0, 1, 2] and all(0 < index <= 1 for index in again.values())
