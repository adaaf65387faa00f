"""One request at a time: sent, waited for, counted and written down."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from core.base.errors import Beha2VecError, ResourceError
from core.llm.chat_types import Enough, Message, Stop, Usage, never, tokens_of
from core.llm.llm_settings import NO_KEY, LlmSettings
from core.llm.log import CallLog, LoggedCall
from core.llm.waiting import Emit, TooLate, wait_for

if TYPE_CHECKING:
    from openai import OpenAI

RETRIES: Final = 2
NEW_CAP, OLD_CAP = "max_completion_tokens", "max_tokens"
"""What the limit of an answer is called: OpenAI and Azure refuse the old name for some models, others do not
know the new one."""
T = TypeVar("T")
SHOWN_CHARACTERS: Final = 300
"""Of what a server says, in an error."""


class Refused(Exception):
    """The server refuses this way of asking (400 or 422); another way may do."""

    @property
    def reason(self) -> str:
        """What the server says."""
        return str(self)


@dataclass(frozen=True)
class Budget:
    """How long may be waited.

    Args:
        should_stop: Whether to give up now.
        seconds: For everything together; without limit when None.
        begun: When that began, by the monotonic clock.
    """

    should_stop: Stop
    seconds: float | None
    begun: float

    @classmethod
    def of(cls, should_stop: Stop = never, seconds: float | None = None) -> Budget:
        """One that begins now."""
        return cls(should_stop, seconds, time.monotonic())

    @property
    def left(self) -> float | None:
        """Seconds; None if there is no limit."""
        return None if self.seconds is None else self.seconds - (time.monotonic() - self.begun)


@dataclass
class Came:
    """What a request brought: text or tool calls as text, and tokens."""

    text: str = ""
    usage: dict[str, Any] | None = None


class Requests:
    """Sends requests of one model; see :func:`core.llm.server.ServerLlm`."""

    def __init__(self, settings: LlmSettings, log: CallLog | None) -> None:
        self.settings, self._log = settings, log
        self.usage = Usage()
        self._client: OpenAI | None = None
        official = settings.api_version or settings.host.endswith("api.openai.com")
        self._cap, self._renamed = NEW_CAP if official else OLD_CAP, False

    def send(
        self,
        messages: Sequence[Message],
        work: Callable[[Any, dict[str, Any], Emit], T],
        came_of: Callable[[T], Came],
        budget: Budget,
        *,
        part: Callable[[Any], None] = lambda _: None,
        tools: Sequence[str] = (),
    ) -> T:
        """Send, wait, count and write down.

        Args:
            messages: What is said.
            work: Gets ``client.chat.completions``, the arguments all requests have, and where parts go.
            came_of: What the log gets of the result.
            budget: How long.
            part: Gets the parts of a stream.
            tools: Names, for the log.

        Raises:
            Refused: On 400 and 422.
            ResourceError: On every other failure.
            Cancelled: If the budget's ``should_stop`` says so.
            Beha2VecError, Enough: Whatever ``part`` raises; the request ends with it.
        """
        client = self._client = self._client or make_client(self.settings)
        begun, came, error = time.monotonic(), Came(), ""
        try:
            result = self._waited(client, messages, work, part, budget)
            came = came_of(result)
            return result
        except Enough as enough:
            came = Came(enough.text, estimated(messages, enough.text))
            raise
        except Exception as problem:
            error = said(problem, self.settings)
            raise
        finally:
            self._record(messages, tools, came, error, time.monotonic() - begun)

    def fixed(self, messages: Sequence[Message]) -> dict[str, Any]:
        """What every request has."""
        return {
            "model": self.settings.model,
            "messages": list(messages),
            self._cap: self.settings.max_output_tokens,
        }

    def rename_cap(self, complaint: str) -> bool:
        """Call the limit of an answer by its other name, if a refusal is about it."""
        if self._renamed or self._cap not in complaint:
            return False
        self._cap, self._renamed = {OLD_CAP: NEW_CAP, NEW_CAP: OLD_CAP}[self._cap], True
        return True

    def _waited(
        self,
        client: OpenAI,
        messages: Sequence[Message],
        work: Callable[[Any, dict[str, Any], Emit], T],
        part: Callable[[Any], None],
        budget: Budget,
    ) -> T:
        fixed = self.fixed(messages)
        if (left := budget.left) is not None:
            fixed["timeout"] = max(0.1, min(left, self.settings.timeout_s))
        try:
            return wait_for(lambda emit: work(client.chat.completions, fixed, emit), part,
                            budget.should_stop, left)  # fmt: skip
        except (Beha2VecError, Enough):  # cancelled, or whoever gets the parts wants no more
            self._abandon()
            raise
        except Exception as error:  # whatever a server sends, the analyst gets a reason
            failed = self._failed(error, budget)
        raise failed  # out here: a cause or a context would hold what the server said, and so the key

    def _failed(self, error: Exception, budget: Budget) -> Exception:
        import openai

        if isinstance(error, TooLate):
            self._abandon()
        if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
            return Refused(said(error, self.settings))
        return failure(self.settings, reason_of(error, self.settings, budget.seconds))

    def _record(
        self, messages: Sequence[Message], tools: Sequence[str], came: Came, error: str, seconds: float
    ) -> None:
        if not error:
            self.usage = self.usage.plus(came.usage)
        if self._log:
            call = LoggedCall(
                self.settings.host, self.settings.model, list(messages), tuple(tools),
                redacted(came.text, self.settings), error, round(seconds, 3), came.usage,
            )  # fmt: skip
            self._log.write(call)

    def _abandon(self) -> None:
        """Close the connections: what is still under way, or would be tried again, ends."""
        if self._client:
            self._client.close()
        self._client = None


def make_client(settings: LlmSettings) -> OpenAI:
    """The SDK's client, Azure's where the settings have an API version.

    It follows no redirect: the analyst agreed to one server, and what is sent goes to no other.
    """
    import openai  # takes a second, and most runs need no model

    key, http = settings.api_key.get_secret_value(), openai.DefaultHttpxClient(follow_redirects=False)
    if settings.api_version:
        return openai.AzureOpenAI(
            azure_endpoint=settings.base_url, api_version=settings.api_version, api_key=key,
            timeout=settings.timeout_s, max_retries=RETRIES, http_client=http,
        )  # fmt: skip
    return openai.OpenAI(
        base_url=settings.base_url, api_key=key, timeout=settings.timeout_s, max_retries=RETRIES,
        http_client=http,
    )  # fmt: skip


def estimated(messages: Sequence[Message], text: str) -> dict[str, Any]:
    """The ``usage`` of an answer that was ended before the server could count it; the tools are left out."""
    sent = sum(tokens_of(json.dumps(message, default=str)) for message in messages)
    return {"prompt_tokens": sent, "completion_tokens": tokens_of(text), "estimated": True}


def calls_as_text(calls: Sequence[tuple[str, str]]) -> str:
    """Tool calls for the log."""
    return json.dumps([{"tool": name, "arguments": arguments} for name, arguments in calls])


def failure(settings: LlmSettings, reason: str) -> ResourceError:
    """The error that is shown."""
    return ResourceError(
        f"The language model {settings.model!r} at {settings.host} gave no answer: "
        f"{redacted(reason, settings)}",
        remedy="Check its address, key and name, or go on without it",
    )


def reason_of(error: Exception, settings: LlmSettings, waited_s: float | None = None) -> str:
    """What went wrong with a request.

    Args:
        error: What the SDK, or what lies below it, raised.
        settings: Of the request.
        waited_s: How long was waited in all, where that was limited.
    """
    import httpx2
    import openai

    if isinstance(error, TooLate):
        return f"no answer within {waited_s or settings.timeout_s:.0f} s"
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return f"no answer within {settings.timeout_s:g} s"
    if isinstance(error, openai.APIConnectionError):
        return f"it cannot be reached ({error.__cause__ or error})"
    if isinstance(error, httpx2.HTTPError):
        return f"the connection was cut ({said(error, settings)})"
    if isinstance(error, openai.APIError):
        return said(error, settings)
    return "its answer is not a chat completion"


def said(error: Exception, settings: LlmSettings) -> str:
    """What a server says, on one line and not too long; some repeat the key they were sent."""
    return " ".join(redacted(str(error), settings).split())[:SHOWN_CHARACTERS]


def redacted(text: str, settings: LlmSettings) -> str:
    """A text, which must not be cut yet, with … in place of the key."""
    key = settings.api_key.get_secret_value()
    return text if key in ("", NO_KEY) else text.replace(key, "…")
