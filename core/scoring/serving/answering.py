"""Turn bodies of requests into bodies of answers: what a worker thread does, several requests at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from core.base.errors import InputError
from core.base.wording import pluralise
from core.ingest.in_memory import Person
from core.scoring.serving.reading import NotJson, parse_body
from core.scoring.serving.scorer import (
    NotScored,
    Problem,
    ScoreAnswer,
    ScoreBatchAnswer,
    ScoreBatchRequest,
    Scorer,
    ScoreRequest,
    UserScore,
)

_OK, _BAD_REQUEST, _UNPROCESSABLE = 200, 400, 422


@dataclass(frozen=True)
class ScoreReply:
    """Answer to a request, with what the metrics count.

    Args:
        status: HTTP status code.
        body: JSON.
        users: Number of users that were scored.
        used: Number of events that were used.
        left_out: Number of events that were not used.
    """

    status: int
    body: bytes
    users: int = 0
    used: int = 0
    left_out: int = 0


@dataclass
class _Ask:
    """A request that could be read."""

    people: list[Person]
    nobody: Counter[str]
    scores: list[UserScore | None] = field(default_factory=list)


def answer_single(scorer: Scorer, bodies: Sequence[bytes]) -> list[ScoreReply]:
    """Answer requests of one user each, in their order; they are scored together, independently.

    Args:
        scorer: Scores the users.
        bodies: JSON as :class:`ScoreRequest`; what is not gets a reply with an error status.
    """
    return _answered(scorer, bodies, ScoreRequest, _single)


def answer_batch(scorer: Scorer, bodies: Sequence[bytes]) -> list[ScoreReply]:
    """Answer requests of many users (:class:`ScoreBatchRequest`), as :func:`answer_single` does."""
    return _answered(scorer, bodies, ScoreBatchRequest, _batch)


def _answered(
    scorer: Scorer,
    bodies: Sequence[bytes],
    shape: type[BaseModel],
    reply: Callable[[Scorer, _Ask], ScoreReply],
) -> list[ScoreReply]:
    read = [_read(scorer, body, shape) for body in bodies]
    asks = [ask for ask in read if isinstance(ask, _Ask)]
    scores = iter(scorer.score([person for ask in asks for person in ask.people]))
    for ask in asks:
        ask.scores = [next(scores) for _ in ask.people]
    return [reply(scorer, one) if isinstance(one, _Ask) else one for one in read]


def _read(scorer: Scorer, body: bytes, shape: type[BaseModel]) -> _Ask | ScoreReply:
    """Read the users of a request, or reply what is wrong with it."""
    try:
        value = parse_body(body)
        shape.model_validate(value)
        people, nobody = scorer.people(scorer.reader.read(value["events"], body))
    except NotJson as error:
        return problem(_BAD_REQUEST, f"The body is not JSON: {error}")
    except ValidationError as error:
        return problem(_UNPROCESSABLE, _first(error))
    except InputError as error:
        return problem(_UNPROCESSABLE, str(error))
    if shape is ScoreRequest and len(people) > 1:
        said = (
            f"The events are of {pluralise(len(people), 'user')}; /v1/score takes one, /v1/score_batch many"
        )
        return problem(_UNPROCESSABLE, said)
    return _Ask(people, nobody)


def _first(error: ValidationError) -> str:
    one = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, one["loc"])) or "body"
    return f"{where}: {one['msg']}"


def problem(status: int, said: str, left_out: dict[str, int] | None = None) -> ScoreReply:
    """Make the reply for an error: JSON with its text and, if given, reason → events left out."""
    found = Problem(error=said) if left_out is None else Problem(error=said, left_out=left_out)
    return ScoreReply(status, orjson.dumps(found), left_out=sum((left_out or {}).values()))


def _single(scorer: Scorer, ask: _Ask) -> ScoreReply:
    [person] = ask.people or [Person("")]
    left_out = person.left_out + ask.nobody
    score = ask.scores[0] if ask.scores else None
    if score is None:
        return problem(_UNPROCESSABLE, "No page view of a user is left to score", dict(left_out))
    answer: ScoreAnswer = {**score, "left_out": dict(left_out), "model": scorer.key}
    return _reply(answer, [person], 1, left_out)


def _batch(scorer: Scorer, ask: _Ask) -> ScoreReply:
    pairs = list(zip(ask.people, ask.scores, strict=True))
    users = [score for _, score in pairs if score is not None]
    not_scored = [
        NotScored(user_id=person.user_id, left_out=dict(person.left_out))
        for person, score in pairs
        if score is None
    ]
    answer = ScoreBatchAnswer(model=scorer.key, users=users, not_scored=not_scored, left_out=dict(ask.nobody))
    left_out = sum((person.left_out for person in ask.people), Counter(ask.nobody))
    return _reply(answer, ask.people, len(users), left_out)


def _reply(answer: Any, people: Sequence[Person], users: int, left_out: Counter[str]) -> ScoreReply:  # noqa: ANN401
    used = sum(len(person.events) for person in people)
    return ScoreReply(_OK, orjson.dumps(answer), users, used, left_out.total())
