"""A child process that embeds single users, so that a server never loads PyTorch.

Parent and child talk over the child's standard input and output: a request, and its answer, are a length and
so many bytes of an ``.npz``. The first request waits for PyTorch, later ones for the model file alone. A
child that does not answer in time is ended. When the parent ends, however that is, the child reads the end of
its input and ends, too.
"""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final, TypeAlias

import numpy as np
import pyarrow as pa

from core.base.errors import ArtifactError, Beha2VecError, ResourceError
from core.base.places import PROJECT
from core.base.schema import View
from core.base.settings import Device
from core.base.wording import duration
from core.storage.sequences import UserSequences

_MODULE: Final = "core.runs.embedding_child"
_ABOUT, _ERROR = "about", "error"
LIMIT_S: Final = 300.0
"""Seconds after which a child that has not answered is ended; some thousand shortened histories take less."""
_LENGTH: Final = struct.Struct("<Q")

_Arrays: TypeAlias = dict[str, np.ndarray]


class EmbeddingChild:
    """Embeds users in a child process, started at the first request and after it died; threads take turns."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(
        self, model: Path, sequences: UserSequences, names: Mapping[View, Sequence[str]]
    ) -> dict[View, np.ndarray]:
        """Embed users on the CPU, see :func:`core.model.embedding.embed`.

        Raises:
            ArtifactError: If the model is missing or damaged.
            ResourceError: If the child ended without an answer, or gave none in time.
        """
        about = {"model": str(model), "names": {view.value: list(of_page) for view, of_page in names.items()}}
        arrays = {name: getattr(sequences, name) for name in ("offsets", "page", "timestamp", "session")}
        with self._turn:
            answer = self._asked(arrays | {_ABOUT: _text(about)})
        if _ERROR in answer:
            problem, allowed, remedy = _read_text(answer[_ERROR])
            raise ArtifactError(problem, allowed=allowed, remedy=remedy)
        return {View(name): vectors for name, vectors in answer.items()}

    def close(self) -> None:
        """End the child process, if one is running."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _asked(self, request: _Arrays) -> _Arrays:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        there, back = self._process.stdin, self._process.stdout
        assert there is not None  # both are pipes
        assert back is not None
        began, watch = time.monotonic(), threading.Timer(LIMIT_S, self._process.kill)
        watch.start()
        try:
            _send(there, request)
            answer = _receive(back)
        except OSError:
            answer = None
        finally:
            watch.cancel()
        if answer is None:
            self.close()
            late = time.monotonic() - began >= LIMIT_S
            how = f"gave no answer in {duration(LIMIT_S)}" if late else "ended without an answer"
            raise ResourceError(f"The process that embeds users {how}", remedy="Try again")
        return answer


def _send(pipe: IO[bytes], arrays: _Arrays) -> None:
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    pipe.write(_LENGTH.pack(packed.tell()) + packed.getvalue())
    pipe.flush()


def _receive(pipe: IO[bytes]) -> _Arrays | None:
    """Read a message; None at the end of the pipe, also in the middle of a message."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = pipe.read(length)
    if len(body) < length:
        return None
    with np.load(io.BytesIO(body), allow_pickle=False) as found:
        return dict(found)


def _text(value: object) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)


def _read_text(array: np.ndarray) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = json.loads(array.tobytes())
    return found


def _answered(request: _Arrays) -> _Arrays:
    """Answer a request in the child: the vectors of each view, or the error in words."""
    from core.model.embedding import embed

    about = _read_text(request[_ABOUT])
    ids = pa.array([f"{number:09d}" for number in range(len(request["offsets"]) - 1)], pa.string())
    parts = (request[name] for name in ("offsets", "page", "timestamp", "session"))
    names = {View(view): of_page for view, of_page in about["names"].items()}
    try:
        views = embed(Path(str(about["model"])), UserSequences(ids, *parts), names, device=Device.CPU)
    except Beha2VecError as error:
        return {_ERROR: _text([error.problem, error.allowed, error.remedy])}
    return {view.value: vectors for view, vectors in views.items()}


def main() -> None:
    """Answer requests on standard input until it ends."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever a library prints is no answer
    while (request := _receive(requests)) is not None:
        _send(answers, _answered(request))


if __name__ == "__main__":
    main()
