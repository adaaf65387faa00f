"""A simulated model for the assistant: it finds the facts it needs in what it was sent."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from core.facts.context import Context
from core.llm import Capabilities, LlmSettings, ServerLlm
from core.writing import AnswerCache, Assistant, AssistantSettings
from core.writing.privacy import Price
from tests.core.facts.shop import shop
from tests.llm_simulator import Script, Simulator, simulating

ALL = Capabilities(streaming=True, schema=True, tools=True, slots=True)
PLANS = Capabilities(streaming=True, schema=True, slots=True)
PLAIN = Capabilities(streaming=True, slots=True)
WEAK = Capabilities(streaming=True)
PRICES = {"m": Price(1.0, 2.0)}


def data_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Every JSON object that was sent, but the instructions."""
    texts = [message["content"] for message in request["messages"] if message["role"] in ("user", "tool")]
    lines = [line for text in texts for line in text.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def facts_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [fact for data in data_of(request) for fact in data.get("facts", [])]


def slot(request: dict[str, Any], measure: str, *of: str, item: str = "") -> str:
    """Where a figure belongs: ``[[F3]]``."""
    return "[[{}]]".format(fact_of(request, measure, *of, item=item)["id"])


def fact_of(request: dict[str, Any], measure: str, *of: str, item: str = "") -> dict[str, Any]:
    found = (
        fact
        for fact in facts_of(request)
        if fact["measure"] == measure and fact["of"] == list(of) and fact.get("item", "") == item
    )
    return next(found)


def line_value(request: dict[str, Any], about: str) -> str:
    """A value as a weak model gets it: in a line that begins with what it is about."""
    lines = [line for data in data_of(request) for line in data["facts"]]
    return next(line for line in lines if line.startswith(f"{about}: ")).removeprefix(f"{about}: ")


def named(request: dict[str, Any], text: str) -> str:
    """The number of a name."""
    names = {name: said for data in data_of(request) for name, said in data.get("names", {}).items()}
    return next(name for name, said in names.items() if said == text)


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
    **limits: float,
) -> Iterator[tuple[Assistant, Simulator]]:
    """An assistant whose model is a script."""
    settings = AssistantSettings.checked(**{"prices": PRICES, **limits})
    with simulating(script) as simulator:
        yield (
            Assistant(llm_of(simulator, can), context or shop().context, user_ids, settings, cache),
            simulator,
        )
