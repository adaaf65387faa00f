"""The OpenAPI document of the door, made of the types that go over the wire."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from core.serving.wire import Problem, ScoreAnswer, ScoreBatchAnswer, ScoreBatchRequest, ScoreRequest

REF: Final = "#/components/schemas/{model}"
ERRORS: Final = {
    400: "The body is not JSON", 401: "The token is missing or wrong", 408: "The body did not come in time",
    413: "The body is too large", 422: "The events cannot be scored; the error says why",
    503: "Too many requests at once, as JSON with Retry-After; too many connections, as plain text",
}  # fmt: skip
PLAIN: Final = {
    "/healthz": "The process is alive", "/readyz": "A model answers", "/openapi.json": "This document",
    "/metrics": "Counters in the text format of Prometheus",
}  # fmt: skip
OPEN: Final = ("/healthz", "/readyz", "/openapi.json")
"""Without a token."""


def openapi() -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    types: dict[str, TypeAdapter[Any]] = {
        kind.__name__: TypeAdapter(kind)
        for kind in (ScoreRequest, ScoreBatchRequest, ScoreAnswer, ScoreBatchAnswer, Problem)
    }
    mode: JsonSchemaMode = "serialization"
    inputs = [(name, mode, adapter) for name, adapter in types.items()]
    found, rest = TypeAdapter.json_schemas(inputs, ref_template=REF)
    schemas = {name: schema for (name, _), schema in found.items()} | rest.get("$defs", {})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Beha2Vec scoring door", "version": "1"},
        "paths": {
            "/v1/score": _post("The segment of a user", "ScoreRequest", "ScoreAnswer"),
            "/v1/score_batch": _post("The segments of many users", "ScoreBatchRequest", "ScoreBatchAnswer"),
            **{path: _get(path, said) for path, said in PLAIN.items()},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _post(summary: str, asks: str, answers: str) -> dict[str, Any]:
    errors = {str(status): _content(said, "Problem") for status, said in ERRORS.items()}
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": REF.format(model=asks)}}}}
    errors["503"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
    errors["503"]["content"]["text/plain"] = {"schema": {"type": "string"}}
    responses = {"200": _content("The answer", answers), **errors}
    return {"post": {"summary": summary, "requestBody": body, "responses": responses}}


def _content(said: str, model: str) -> dict[str, Any]:
    schema = {"$ref": REF.format(model=model)}
    return {"description": said, "content": {"application/json": {"schema": schema}}}


def _get(path: str, said: str) -> dict[str, Any]:
    found: dict[str, Any] = {"summary": said, "responses": {"200": {"description": said}}}
    return {"get": found | ({"security": []} if path in OPEN else {})}
