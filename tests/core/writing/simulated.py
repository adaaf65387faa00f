"""A simulated model for the assistant: it chooses among the addresses that it was offered."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from core.facts.context import Context
from core.llm import Capabilities, LlmSettings, ServerLlm
from core.llm.chat_types import Price
from core.writing import AnswerCache, Assistant, AssistantSettings
from tests.core.facts.shop import shop
from tests.llm_simulator import Reply, Script, Simulator, simulating

ALL = Capabilities(streaming=True, schema=True, tools=True, blocks=True)
PLANS = Capabilities(streaming=True, schema=True, blocks=True)
PLAIN = Capabilities(streaming=True, blocks=True)
WEAK = Capabilities(streaming=True, schema=True)
WEAKEST = Capabilities(streaming=True)
PRICES = {"m": Price(1.0, 2.0)}
Request = dict[str, Any]


def data_of(request: Request) -> list[dict[str, Any]]:
    """Every JSON object that was sent, but the instructions and what the model said itself."""
    texts = [message["content"] for message in request["messages"] if message["role"] in ("user", "tool")]
    lines = [line for text in texts for line in text.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def offered(request: Request) -> list[str]:
    """Addresses that may be chosen."""
    return [address for data in data_of(request) for address in data.get("facts", ())]


def names_of(request: Request) -> dict[str, str]:
    return {name: text for data in data_of(request) for name, text in data.get("names", {}).items()}


def wants_blocks(request: Request) -> bool:
    """Whether the answer is asked for, and not a plan."""
    shape = request.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return "calls" not in shape.get("properties", {})


def blocks(*chosen: dict[str, Any]) -> Reply:
    """An answer as text."""
    return Reply({"blocks": list(chosen)})


def figures(*addresses: str) -> dict[str, Any]:
    return {"kind": "figures", "facts": list(addresses)}


def comment(text: str) -> dict[str, Any]:
    return {"kind": "comment", "text": text}


def idea(text: str) -> dict[str, Any]:
    return {"kind": "idea", "text": text}


def llm_of(simulator: Simulator, can: Capabilities | None = ALL, timeout_s: float = 5) -> ServerLlm:
    return ServerLlm(LlmSettings(model="m", base_url=simulator.base_url, timeout_s=timeout_s), known=can)


@contextmanager
def assisted(
    script: Script,
    can: Capabilities | None = ALL,
    *,
    context: Context | None = None,
    user_ids: Collection[str] = (),
    cache: AnswerCache | None = None,
    **limits: object,
) -> Iterator[tuple[Assistant, Simulator]]:
    """An assistant whose model is a script."""
    settings = AssistantSettings.checked(**{"prices": PRICES, **limits})
    with simulating(script) as simulator:
        yield (
            Assistant(llm_of(simulator, can), context or shop().context, user_ids, settings, cache),
            simulator,
        )
