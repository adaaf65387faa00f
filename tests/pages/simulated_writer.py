"""A simulated model for the screen: it chooses figures it is offered, slowly if somebody is to watch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.llm.server import ASKED, CHOSEN
from tests.llm_simulator import Reply, Script, Simulator
from tests.pages.fake_jobs import texts

MODEL = "simulated-writer"
NAMES = {"S1": "Callers", "S2": "Guessers", "S3": "Wanderers"}
UNKNOWN = "What should a newsletter for segment 1 be about?"
"""A question that the rules cannot answer."""
REMARK = "S1 may be planning a journey."
IDEA = "Write to them on Monday."
FALSE = "Nobody in S1 looks at the cart, and its rate is 4711."
"""A remark that claims what nobody counted."""

PATIENCE_S = 60.0
PAUSE_S = 0.25
"""Between two looks: a run of a page costs more than the server that it waits for."""


def use(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    """Name the simulator in the environment, as an analyst would a server."""
    monkeypatch.setenv("BEHA2VEC_MODEL", MODEL)
    monkeypatch.setenv("OPENAI_BASE_URL", simulator.base_url)


def until(app: AppTest, holds: Callable[[AppTest], bool]) -> AppTest:
    """Draw the page again and again, as its polling does in a browser."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds(app):
        assert time.monotonic() < deadline, texts(app) + texts(app.sidebar)
        time.sleep(PAUSE_S)
        app.run()
        assert not app.exception
    return app


def writer(piece_s: float = 0, figures: int = 3, *, holds: bool = True, hang_s: float = 0) -> Script:
    """Figures of the segments, a block each, with a remark, an idea, and a remark that does not hold.

    It streams, but obeys no schema and calls no tool, so the app takes its last step down: all addresses come
    with the question.

    Args:
        piece_s: Between the words of an answer.
        figures: Of an answer; those without an address are repeated.
        holds: Whether what it chooses is there; else all addresses are made up.
        hang_s: Before a description.
    """

    def script(request: dict[str, Any], _: int) -> Reply:
        asked = str(request["messages"][-1]["content"])
        if "response_format" in request:
            return Reply("response_format is not supported here", status=400)
        if "Choose the colour" in str(request["messages"]):
            return Reply({"colour": "green"})
        if asked == ASKED:
            return Reply({"blocks": list(CHOSEN)})
        if not asked.startswith("{"):
            return Reply({"blocks": []} if "again" in asked else "I write, and call nothing.")
        data = json.loads(asked.splitlines()[0])
        if data["question"].startswith("Name and describe"):
            return Reply(_description(data), hang_s=hang_s)
        if not holds:
            return Reply(
                {"blocks": [_figure("S1.made_up"), {"kind": "comment", "text": FALSE}]}, piece_s=piece_s
            )
        chosen = _about_segments(data)
        first, *others = [_figure(chosen[place % len(chosen)]) for place in range(figures)]
        remarks = [{"kind": kind, "text": text} for kind, text in (("comment", REMARK), ("idea", IDEA))]
        false = {"kind": "comment", "text": FALSE}
        return Reply({"blocks": [first, *remarks, *others, false]}, piece_s=piece_s)

    return script


def _figure(address: str) -> dict[str, Any]:
    return {"kind": "figures", "facts": [address]}


def _about_segments(data: dict[str, Any]) -> list[str]:
    """Addresses of segments' figures, their users first."""
    found = [address for address in data["facts"] if address.startswith("S") and address.count(".") == 1]
    return sorted(found, key=lambda address: not address.endswith(".users"))


def _description(data: dict[str, Any]) -> dict[str, Any]:
    who = data["question"].removeprefix("Name and describe ").rstrip(".")
    blocks = [_figure(f"{who}.users"), {"kind": "comment", "text": REMARK}, {"kind": "idea", "text": IDEA}]
    return {"name": NAMES[who], "blocks": blocks}
