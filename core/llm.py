"""The one door to a language model: any server that speaks OpenAI's Chat Completions.

Structured answers only: a question goes out with a pydantic model, and an object of it comes back or an error
does. Servers differ in what they can (llama.cpp obeys a JSON schema, others silently ignore it), so there are
two ways to ask, tried in turn: the schema as ``response_format``, then the schema in words with one chance to
repair. Retries, back-off and ``Retry-After`` are the SDK's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator

from core.errors import ResourceError
from core.settings import Settings

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletionMessageParam as Message

DEFAULT_BASE_URL: Final = "https://api.openai.com/v1"
MODEL_VARIABLE, URL_VARIABLE, KEY_VARIABLE = "BEHA2VEC_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY"
NO_KEY: Final = "none"
"""What a server without keys gets; the SDK insists on one."""
RETRIES: Final = 2
SHOWN_CHARACTERS: Final = 300
"""Of what a server says, in an error."""
REPAIR_CHARACTERS: Final = 4_000
"""Of a broken answer, when the model is asked to repair it."""
IN_WORDS: Final = "Answer with one JSON object that is valid under this JSON schema, and with nothing else:\n"
REPAIR: Final = "That was not valid: {problem}\nAnswer again, with the JSON object only."

_NOT_A_COMPLETION: Final = (ValueError, IndexError, TypeError, AttributeError)
"""What the SDK raises, or what comes of its objects, if an answer has no JSON or JSON of another shape."""

_Answer = TypeVar("_Answer", bound=BaseModel)


class LlmSettings(Settings):
    """Which server, and which model on it."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    base_url: str = DEFAULT_BASE_URL
    api_key: SecretStr = SecretStr(NO_KEY)
    timeout_s: Annotated[float, Field(ge=1, le=300)] = 45.0
    """For one attempt; there are up to three."""

    @field_validator("base_url")
    @classmethod
    def _is_a_web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a server's address starts with http:// or https://")
        if parts.username or parts.password:
            raise ValueError("a key does not belong into the address")
        return value.rstrip("/")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Settings from ``BEHA2VEC_MODEL``, ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``.

        Raises:
            ResourceError: If they name no model, or neither a server nor a key.
            SettingsError: If one of them is not possible.
        """
        model, url, key = (environment.get(name, "") for name in (MODEL_VARIABLE, URL_VARIABLE, KEY_VARIABLE))
        if not model or not (url or key):
            missing = MODEL_VARIABLE if not model else f"{KEY_VARIABLE} or {URL_VARIABLE}"
            raise ResourceError(
                f"There is no language model to ask: {missing} is not set",
                remedy=f"Set {MODEL_VARIABLE}, and {KEY_VARIABLE} or (a server of your own) {URL_VARIABLE}",
            )
        return cls.checked(model=model, base_url=url or DEFAULT_BASE_URL, api_key=SecretStr(key or NO_KEY))

    @property
    def host(self) -> str:
        """Where text is sent, to show before it is."""
        return urlsplit(self.base_url).netloc


@dataclass(frozen=True)
class Usage:
    """What was used so far, as the server counts it.

    Args:
        calls: Answers that came; a repaired question has several.
        prompt_tokens: Sent.
        completion_tokens: Received.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def plus(self, reported: object) -> Usage:
        """With one more call, given the ``usage`` of its answer, which may be missing."""
        counts = reported if isinstance(reported, dict) else {}
        sent, received = (counts.get(name) for name in ("prompt_tokens", "completion_tokens"))
        return Usage(
            self.calls + 1,
            self.prompt_tokens + (sent if isinstance(sent, int) else 0),
            self.completion_tokens + (received if isinstance(received, int) else 0),
        )


class Llm(Protocol):
    """A language model, or what stands in for one."""

    @property
    def identity(self) -> str:
        """Model and server: answers of one are not those of another."""

    @property
    def usage(self) -> Usage:
        """Used so far."""

    def parse(self, system: str, user: str, schema: type[_Answer]) -> _Answer:
        """Ask, and get an object.

        Args:
            system: What to do.
            user: What to do it with.
            schema: Of the answer.

        Raises:
            ResourceError: If no valid answer came; the message says why.
        """


def connect(settings: LlmSettings) -> ServerLlm:
    """A model on a server; nothing is sent yet."""
    import openai  # takes a second, and most runs need no model

    key = settings.api_key.get_secret_value()
    client = openai.OpenAI(
        base_url=settings.base_url, api_key=key, timeout=settings.timeout_s, max_retries=RETRIES
    )
    return ServerLlm(client, settings)


class ServerLlm:
    """See :func:`connect`."""

    def __init__(self, client: OpenAI, settings: LlmSettings) -> None:
        self._client, self._settings = client, settings
        self._usage = Usage()
        self._obeys_schemas = True

    @property
    def identity(self) -> str:
        """Model and server."""
        return f"{self._settings.model} @ {self._settings.base_url}"

    @property
    def usage(self) -> Usage:
        """Used so far."""
        return self._usage

    def parse(self, system: str, user: str, schema: type[_Answer]) -> _Answer:
        """Ask, and get an object (see :meth:`Llm.parse`)."""
        answer = self._parse_by_schema(_messages(system, user), schema) if self._obeys_schemas else None
        if answer is None:
            answer = self._parse_in_words(system, user, schema)
            self._obeys_schemas = False  # that worked and the schema did not: ask in words from now on
        return answer

    def _parse_by_schema(self, messages: list[Message], schema: type[_Answer]) -> _Answer | None:
        """The answer, or None if the server cannot be held to a schema."""
        import openai

        try:
            raw = self._send(messages, response_format=schema)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            return None
        try:
            message = raw.parse().choices[0].message
            refusal, parsed = message.refusal, message.parsed
        except openai.LengthFinishReasonError as error:
            raise self._error("its answer was cut off") from error
        except _NOT_A_COMPLETION:
            return None
        if refusal:
            raise self._error(f"it declined: {str(refusal)[:SHOWN_CHARACTERS]}")
        return parsed if isinstance(parsed, schema) else None

    def _parse_in_words(self, system: str, user: str, schema: type[_Answer]) -> _Answer:
        wanted = json.dumps(schema.model_json_schema(), ensure_ascii=False)
        messages = _messages(f"{system}\n\n{IN_WORDS}{wanted}", user)
        text = self._chat(messages)
        try:
            return schema.model_validate_json(_json_in(text))
        except ValidationError as error:
            repair = REPAIR.format(problem=_problem(error))
        messages.append({"role": "assistant", "content": text[:REPAIR_CHARACTERS]})
        messages.append({"role": "user", "content": repair})
        try:
            return schema.model_validate_json(_json_in(self._chat(messages)))
        except ValidationError as error:
            raise self._error(f"its answer was not valid twice: {_problem(error)}") from error

    def _chat(self, messages: list[Message]) -> str:
        import openai

        try:
            raw = self._send(messages)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise self._error(_said(error)) from error
        try:
            choice = raw.parse().choices[0]
            text, was_cut = str(choice.message.content or ""), choice.finish_reason == "length"
        except _NOT_A_COMPLETION as error:
            raise self._error("its answer is not a chat completion") from error
        if was_cut:
            raise self._error("its answer was cut off")
        return text

    def _send(self, messages: list[Message], **more: Any) -> Any:  # noqa: ANN401 - the SDK's raw response
        """One request with the SDK's retries; what it used is counted before the answer is read."""
        import openai

        completions = self._client.chat.completions.with_raw_response
        try:
            raw = completions.parse(model=self._settings.model, messages=messages, **more)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            raise  # perhaps only this way of asking is refused: the caller knows
        except openai.APITimeoutError as error:
            raise self._error(f"no answer within {self._settings.timeout_s:g} s") from error
        except openai.APIConnectionError as error:
            raise self._error(f"it cannot be reached ({error.__cause__ or error})") from error
        except openai.APIError as error:
            raise self._error(_said(error)) from error
        self._usage = self._usage.plus(_reported_usage(raw.text))
        return raw

    def _error(self, reason: str) -> ResourceError:
        return ResourceError(
            f"The language model {self._settings.model!r} at {self._settings.host} gave no answer: {reason}",
            remedy="Check its address, key and name, or go on without it",
        )


def _messages(system: str, user: str) -> list[Message]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def _json_in(text: str) -> str:
    """From the first brace to the last: small models put words or fences around their JSON."""
    return text[text.find("{") : text.rfind("}") + 1]


def _reported_usage(body: str) -> object:
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer.get("usage") if isinstance(answer, dict) else None


def _problem(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:SHOWN_CHARACTERS]
