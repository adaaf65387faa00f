"""Single users embedded in a child process: the same vectors, errors in words, and a child that dies."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.base.errors import ArtifactError, ResourceError
from core.base.schema import View
from core.model import bag
from core.model.embedding import embed
from core.runs import embedding_child
from core.runs.embedding_child import PROJECT, EmbeddingChild
from tests.core.model.toys import SHOP_URLS, TINY, pages_of, sequences_of, shop


@pytest.fixture(scope="module")
def child() -> Iterator[EmbeddingChild]:
    made = EmbeddingChild()
    yield made
    made.close()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    bag.train(shop(60), SHOP_URLS, TINY, folder)
    return folder


def test_the_child_embeds_as_its_parent_would(child: EmbeddingChild, model: Path) -> None:
    for users in (shop(20), sequences_of({"a": [0, 1], "b": [9]})):
        found = child(model, users, pages_of(SHOP_URLS))
        assert list(found) == [View.URL]
        np.testing.assert_array_equal(found[View.URL], embed(model, users, pages_of(SHOP_URLS))[View.URL])


def test_an_error_comes_back_in_words_and_the_child_goes_on(
    child: EmbeddingChild, model: Path, tmp_path: Path
) -> None:
    with pytest.raises(ArtifactError, match="is not a model file") as caught:
        child(tmp_path / "gone", shop(5), pages_of(SHOP_URLS))
    assert caught.value.remedy == "Train again"
    assert len(child(model, shop(5), pages_of(SHOP_URLS))[View.URL]) == 5


def test_a_child_that_died_is_started_again(child: EmbeddingChild, model: Path) -> None:
    child(model, shop(5), pages_of(SHOP_URLS))
    process = child._process
    assert process is not None
    process.kill()
    process.wait()
    assert len(child(model, shop(5), pages_of(SHOP_URLS))[View.URL]) == 5


def test_a_child_that_dies_of_a_request_is_said(child: EmbeddingChild, model: Path) -> None:
    with pytest.raises(ResourceError, match="ended without an answer"):
        child(model, shop(5), {View.URL: ["too", "few"]})
    assert child._process is None  # the next request starts one


def like(child: EmbeddingChild, code: str) -> None:
    """A child that does something else."""
    child.close()
    child._process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_an_answer_that_is_cut_is_none(child: EmbeddingChild, model: Path) -> None:
    for sent in ("pack('<Q', 99)[:4]", "pack('<Q', 99)", "pack('<Q', 99) + b'PK'"):
        like(
            child, f"import sys; from struct import pack; sys.stdout.buffer.write({sent}); sys.stdin.read(1)"
        )
        with pytest.raises(ResourceError, match="ended without an answer"):
            child(model, shop(5), pages_of(SHOP_URLS))
        assert child._process is None


def test_a_child_that_hangs_is_ended_and_another_one_answers(
    child: EmbeddingChild, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    like(child, "import time; time.sleep(60)")
    hung = child._process
    with monkeypatch.context() as soon:
        soon.setattr(embedding_child, "LIMIT_S", 1.0)
        with pytest.raises(ResourceError, match="gave no answer in 1 s"):
            child(model, shop(5), pages_of(SHOP_URLS))
    assert hung is not None
    assert hung.returncode is not None
    assert len(child(model, shop(5), pages_of(SHOP_URLS))[View.URL]) == 5


def test_the_parent_loads_no_torch_and_takes_the_child_with_it(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "import core.people.occlusion\n"
        "from core.base.errors import ArtifactError\n"
        "from core.base.schema import View\n"
        "from core.runs.embedding_child import EmbeddingChild\n"
        "from tests.core.model.toys import sequences_of\n"
        "child = EmbeddingChild()\n"
        f"try: child(Path({str(tmp_path / 'gone')!r}), sequences_of({{'a': [0]}}), {{View.URL: ['/']}})\n"
        "except ArtifactError: print(child._process.pid, 'core.model.embedding' in sys.modules, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120
    )
    pid, embeds = done.stdout.split()
    assert embeds == "False"
    deadline = time.monotonic() + 30
    while psutil.pid_exists(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(int(pid))
