"""What jobs leave in the store is found again under the key that the page asks for."""

import numpy as np
import pytest

from core.base.progress import silent
from core.base.settings import Settings, ViewWeights
from core.runs import pipeline, tasks
from core.runs.stages import LAYOUT, LEVELS
from core.segments import level_search
from core.storage.store import Store
from pages.ui.segments import background
from pages.ui.segments.made_from import Sources
from tests.core.segments.made_levels import supported
from tests.pages.fixtures_segments import FinishedRun

WEIGHTS = ViewWeights(url=1, theme=0, type=0)


@pytest.fixture
def sources(finished_run: FinishedRun) -> Sources:
    store = Store(finished_run.root)
    data = pipeline.open_dataset(store, finished_run.dataset)
    vectors = pipeline.open_embeddings(store, data, finished_run.embeddings)
    return Sources(str(store.root), data, finished_run.model, finished_run.root, vectors)


def done(task: str, sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do at once what the page's button would start."""
    asked: list[Settings] = []
    monkeypatch.setattr(background.job_panel, "start", lambda _task, request, _subject: asked.append(request))
    if task == LEVELS.name:
        background.compare(sources)
    else:
        background.draw_map(sources, WEIGHTS)
    tasks.run(task, sources.store.root, asked[0].model_dump(mode="json"), silent)


def test_the_numbers_are_found_after_the_job(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = supported(3)
    monkeypatch.setattr(level_search, "measure_levels", lambda *_: measured)
    assert background.levels(sources) is None
    done(LEVELS.name, sources, monkeypatch)
    assert background.levels(sources) == measured


def test_the_map_is_found_after_the_job(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    assert background.neighbour_map(sources, WEIGHTS) is None
    done(LAYOUT.name, sources, monkeypatch)
    layout = background.neighbour_map(sources, WEIGHTS)
    assert layout is not None
    assert layout.xy.shape == (len(sources.vectors.inside), 2)
    assert np.isfinite(layout.xy).all()
