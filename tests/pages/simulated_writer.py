"""A simulated model for the screen: it writes about the facts it is sent, slowly if somebody is to watch."""

from __future__ import annotations

import json
from typing import Any

from tests.llm_simulator import Reply, Script

MODEL = "simulated-writer"
NAMES = {"S1": "Callers", "S2": "Guessers", "S3": "Wanderers"}
UNKNOWN = "What should a newsletter for segment 1 be about?"
"""A question that the rules cannot answer."""


def writer(piece_s: float = 0, sentences: int = 6, *, slots: bool = True, hang_s: float = 0) -> Script:
    """Says how many users each segment has, sentence after sentence.

    It streams, but obeys no schema and calls no tool, so the app takes its last step down: all facts come
    with the question.

    Args:
        piece_s: Between the words of an answer.
        sentences: Of an answer.
        hang_s: Before a description.
        slots: Whether it leaves room for values; else it makes up a number; a copied one comes before in an
            answer to a question.
    """

    def script(request: dict[str, Any], _: int) -> Reply:
        asked = str(request["messages"][-1]["content"])
        if "response_format" in request:
            return Reply("response_format is not supported here", status=400)
        if "Choose the colour" in str(request["messages"]):
            return Reply({"colour": "green"})
        if asked.startswith("F1 is"):
            return Reply("The shop has [[F1]] visitors." if slots else "The shop has 4711 visitors.")
        if not asked.startswith("{"):
            return Reply("I write, and call nothing.")
        data = json.loads(asked.splitlines()[0])
        if data["question"].startswith("Name and describe"):
            return Reply(_description(data), hang_s=hang_s)
        if not slots:
            return Reply(_copied(data) + "S1 has 4711 users.", piece_s=piece_s)
        told = [f"{row} has [[{name}]] users." for row, name in _sizes(data).items()]
        text = "Write to them on Monday. " + " ".join((told * sentences)[:sentences])
        return Reply(text, piece_s=piece_s)

    return script


def _sizes(data: dict[str, Any]) -> dict[str, str]:
    """Segment → id of the fact that counts its users."""
    return {
        fact["of"][0]: fact["id"]
        for fact in data["facts"]
        if fact["measure"] == "users" and fact["of"][0].startswith("S")
    }


def _copied(data: dict[str, Any]) -> str:
    """The first segment's size from the lines that a weak model gets; nothing in a comparison."""
    if data["question"].startswith("Compare"):
        return ""
    users = next(line for line in data["facts"] if line.startswith("S1, users: "))
    return f"S1 has {users.rpartition(' ')[2]} users. "


def _description(data: dict[str, Any]) -> dict[str, Any]:
    who = data["question"].removeprefix("Name and describe ").rstrip(".")
    fact = _sizes(data)[who]
    return {
        "name": NAMES[who], "summary": f"{who} has [[{fact}]] users.", "distinguishing": [fact],
        "caveats": [], "action": "Write to them.",
    }  # fmt: skip
