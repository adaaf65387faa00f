"""``python -m core ask``: answer a question, or a query given as JSON, about a finished run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.base.errors import InputError
from core.base.small_file import read_small_file
from core.facts import sentences
from core.facts.answer import Answer, Fact
from core.facts.context import Context
from core.query import answering
from core.query.in_words import sentence
from core.query.query import Query
from core.questions.answers import ask


def answer_of(question: str | None, query: str | None, context: Context) -> Answer:
    """Answer a question in words, or a query given as JSON or as the name of a file with it.

    Raises:
        InputError: If both or neither is given, or the query is none or cannot be answered.
    """
    if (question is None) == (query is None):
        raise InputError("Give a question, or a query as JSON", allowed='"question" or --query FILE|JSON')
    if query is not None:
        return answering.answer(read_query(query), context)
    return ask(str(question), context)


def read_query(text: str) -> Query:
    """Read a query from JSON, or from a file with JSON.

    Raises:
        InputError: If it is no JSON object.
        SettingsError: If it is no query; the message names the first thing wrong.
    """
    if not text.lstrip().startswith("{"):
        text = read_small_file(Path(text)).decode("utf-8", "replace")
    try:
        parts = json.loads(text)
    except ValueError as error:
        raise InputError(f"The query is no JSON: {error}") from error
    if not isinstance(parts, dict):
        raise InputError(
            "The query is no JSON object", allowed='such as {"measure": "users", "by": "device"}'
        )
    return Query.checked(**parts)


def as_json(answer: Answer, context: Context) -> dict[str, Any]:
    """An answer as plain data: the query, what else it can mean, its population, rows, text, why declined."""
    query = json.loads(answer.reading.query) if answer.reading and answer.reading.query else None
    text = sentences.plain(answer.blocks, answer.titles)
    return {
        "query": query,
        "reading": sentence(Query.model_validate(query), context.title) if query else None,
        "readings": [
            {"query": json.loads(one.query), "reading": one.text, "figure": one.figure}
            for one in answer.readings
        ],
        "population": answer.population,
        "rows": [_row(fact, context) for fact in answer.facts],
        "text": "" if answer.declined else text,
        "declined": {"reason": text, "nearest": list(answer.suggestions)} if answer.declined else None,
    }


def _row(fact: Fact, context: Context) -> dict[str, Any]:
    name = fact.called or " and ".join(map(context.title, fact.segments))
    return {
        "name": name, "measure": fact.label, "value": fact.value, "text": fact.text, "low": fact.low,
        "high": fact.high, "n": fact.n,
    }  # fmt: skip


def answer_lines(found: Mapping[str, Any]) -> list[str]:
    """The lines to print: what was understood, the answer, and of whom it is."""
    declined = found["declined"]
    others = [f"  {one['reading']}: {one['figure']}" for one in found["readings"]]
    readings = ["It can also mean:" if not declined else "It can mean:", *others] if others else []
    if declined:
        nearest = [f"  {one}" for one in declined["nearest"]]
        return [
            declined["reason"],
            *readings,
            *(["Nearest questions that can be answered:", *nearest] if nearest else []),
        ]
    read = [f"Asked: {found['reading']}."] if found["reading"] else []
    return [*read, *found["text"].splitlines(), *filter(None, [found["population"]]), *readings]
