"""Requests to a language model: sent, waited for, counted and logged, one at a time.

Whoever waits can stop at any moment. A blocking request cannot be interrupted, so it runs in a thread of its
own and what it brings comes through a queue. Who stops leaves the thread behind; it ends with its connection,
at the latest at its time limit.

The log says of every call what was sent where, and what came back. No key is ever part of it.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from core.base.errors import Beha2VecError, Cancelled, ResourceError
from core.llm.chat_types import EnoughText, Message, Stop, Usage, never, tokens_of
from core.llm.llm_settings import NO_KEY, LlmSettings
from core.storage.disk import disk_errors

if TYPE_CHECKING:
    from openai import OpenAI

_POLL_S: Final = 0.05
Result = TypeVar("Result")
Emit = Callable[[Any], None]


class _Abandoned(Exception):
    """Raised in the thread of :func:`wait_for` once nobody waits for it any more."""


class TimedOut(Exception):
    """Raised by :func:`wait_for` when its seconds are over."""


def wait_for(
    work: Callable[[Emit], Result],
    on_part: Callable[[Any], None] = lambda _: None,
    should_stop: Stop = lambda: False,
    seconds: float | None = None,
) -> Result:
    """Do blocking work in a thread until told to stop; it is not begun if that is so already.

    Args:
        work: Runs in a thread; gets a function to call with each part, and returns the result.
        on_part: Gets the parts, in the thread that waits.
        should_stop: Asked every :data:`_POLL_S` seconds.
        seconds: Most seconds to wait; without limit when None.

    Raises:
        Cancelled: If ``should_stop`` says so.
        TimedOut: If the time is over.
        Exception: Whatever the work raises.
    """
    parts: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    over, until = threading.Event(), float("inf") if seconds is None else time.monotonic() + seconds
    _go_on(should_stop, until)  # else what nobody waits for would be sent all the same
    threading.Thread(target=_run, args=(work, parts, over), daemon=True, name="language model").start()
    try:
        result: Result = _collect(parts, on_part, should_stop, until)
        return result
    finally:
        over.set()


def _go_on(should_stop: Stop, until: float) -> None:
    if should_stop():
        raise Cancelled("The answer")
    if time.monotonic() > until:
        raise TimedOut


def _run(
    work: Callable[[Emit], Any], parts: queue.SimpleQueue[tuple[str, Any]], over: threading.Event
) -> None:
    def emit(part: object) -> None:
        if over.is_set():
            raise _Abandoned
        parts.put(("part", part))

    try:
        parts.put(("result", work(emit)))
    except Exception as error:  # handed to whoever waits
        parts.put(("error", error))


def _collect(
    parts: queue.SimpleQueue[tuple[str, Any]], on_part: Callable[[Any], None], should_stop: Stop, until: float
) -> Any:  # noqa: ANN401 - what the work returns
    while True:
        _go_on(should_stop, until)
        try:
            kind, value = parts.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        if kind == "result":
            return value
        if kind == "error":
            raise value
        on_part(value)


_FILE: Final = "calls.jsonl"
_MAX_LOG_BYTES: Final = 5 * 2**20
"""Bytes of a log file before the next one is begun."""
_MAX_LOG_FILES: Final = 3
"""Number of older log files that are kept."""


@dataclass(frozen=True)
class LoggedCall:
    """One request and what came of it.

    Args:
        host: Host that it was sent to.
        model: Name of the model.
        messages: All that was said.
        tools: Names of the tools that were offered.
        answer: Text that came, or the tool calls as JSON.
        error: Why nothing usable came; empty if something did.
        seconds: Seconds from sending to the end.
        usage: Tokens as the server counts them, or ``estimated``.
    """

    host: str
    model: str
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[str] = ()
    answer: str = ""
    error: str = ""
    seconds: float = 0.0
    usage: Mapping[str, Any] | None = None


class CallLog:
    """Log of calls in a folder, one JSON object a line; a full file is put aside.

    Args:
        folder: Made when needed, for its owner only.
        largest: Bytes of a file before the next one is begun.

    Raises:
        ResourceError: If the folder cannot be used.
    """

    def __init__(self, folder: Path, largest: int = _MAX_LOG_BYTES) -> None:
        self._path, self._largest, self._lock = folder / _FILE, largest, threading.Lock()
        with disk_errors():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def path(self) -> Path:
        """The log file that is written now."""
        return self._path

    def write(self, call: LoggedCall) -> None:
        """Add a call to the log.

        Raises:
            ResourceError: If the disk is full or the folder is gone.
        """
        entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **asdict(call)}
        line = json.dumps(entry, ensure_ascii=False, default=str) + "\n"
        with self._lock, disk_errors():
            self._rotate(len(line.encode()))
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write(line.encode())

    def read(self, most: int = 200) -> list[dict[str, Any]]:
        """The last ``most`` calls of the current file, the latest first (:class:`LoggedCall`)."""
        with self._lock, disk_errors():
            lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        return [call for line in reversed(lines[-most:]) if (call := _call(line)) is not None]

    def clear(self) -> None:
        """Delete every file of the log.

        Raises:
            ResourceError: If the disk refuses.
        """
        with self._lock, disk_errors():
            for path in self._files():
                path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return [
            self._path,
            *(self._path.with_suffix(f".{number}.jsonl") for number in range(1, _MAX_LOG_FILES + 1)),
        ]

    def _rotate(self, more: int) -> None:
        if not self._path.exists() or self._path.stat().st_size + more <= self._largest:
            return
        for newer, older in reversed(list(pairwise(self._files()))):
            if newer.exists():
                newer.replace(older)


def _call(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:  # cut off when the disk was full
        return None
    return record if isinstance(record, dict) else None


_RETRIES: Final = 2
_NEW_CAP, _OLD_CAP = "max_completion_tokens", "max_tokens"
"""Names of the limit of an answer: OpenAI and Azure refuse the old one for some models, others do not know
the new one."""
T = TypeVar("T")
SHOWN_CHARACTERS: Final = 300
"""Characters of a server's message that an error shows."""


class Refused(Exception):
    """The server refuses this way of asking (400 or 422); another way may do."""

    @property
    def reason(self) -> str:
        """Reason that the server gives."""
        return str(self)


@dataclass(frozen=True)
class Budget:
    """When to stop waiting: after some seconds, or as soon as told to.

    Args:
        should_stop: Whether to give up now.
        seconds: For everything together; without limit when None.
        begun: Start of these seconds, by ``time.monotonic``.
    """

    should_stop: Stop
    seconds: float | None
    begun: float

    @classmethod
    def of(cls, should_stop: Stop = never, seconds: float | None = None) -> Budget:
        """A budget that begins now."""
        return cls(should_stop, seconds, time.monotonic())

    @property
    def left(self) -> float | None:
        """Seconds that are left; None if there is no limit."""
        return None if self.seconds is None else self.seconds - (time.monotonic() - self.begun)


@dataclass
class CallResult:
    """What the log gets of a request: the text or, as JSON, the tool calls, and the tokens."""

    text: str = ""
    usage: dict[str, Any] | None = None


class Requests:
    """Sends requests to one model: waits within a budget, counts tokens, logs each call, gives clear errors.

    Args:
        settings: Server, model and key.
        log: Gets every call, without the key; None keeps no log.
    """

    def __init__(self, settings: LlmSettings, log: CallLog | None) -> None:
        self.settings, self._log = settings, log
        self.usage = Usage()
        self._client: OpenAI | None = None
        official = settings.api_version or settings.host.endswith("api.openai.com")
        self._cap, self._renamed = _NEW_CAP if official else _OLD_CAP, False

    def send(
        self,
        messages: Sequence[Message],
        work: Callable[[Any, dict[str, Any], Emit], T],
        came_of: Callable[[T], CallResult],
        budget: Budget,
        *,
        part: Callable[[Any], None] = lambda _: None,
        tools: Sequence[str] = (),
    ) -> T:
        """Send a request, wait for it, count its tokens and log it.

        Args:
            messages: The conversation.
            work: Sends: gets ``client.chat.completions``, :meth:`fixed`, and a function for the parts.
            came_of: Result of ``work`` → what the log gets of it.
            budget: Limit of the wait.
            part: Gets the parts of a stream.
            tools: Names of the tools, for the log.

        Raises:
            Refused: On 400 and 422.
            ResourceError: On every other failure.
            Cancelled: If the budget's ``should_stop`` says so.
            Beha2VecError, EnoughText: Whatever ``part`` raises; the request ends with it.
        """
        client = self._client = self._client or _make_client(self.settings)
        begun, result_logged, error = time.monotonic(), CallResult(), ""
        try:
            result = self._waited(client, messages, work, part, budget)
            result_logged = came_of(result)
            return result
        except EnoughText as enough:
            result_logged = CallResult(enough.text, _estimated(messages, enough.text))
            raise
        except Exception as problem:
            error = _server_message(problem, self.settings)
            raise
        finally:
            self._record(messages, tools, result_logged, error, time.monotonic() - begun)

    def fixed(self, messages: Sequence[Message]) -> dict[str, Any]:
        """Arguments that every request has: model, messages, and the limit of the answer."""
        return {
            "model": self.settings.model,
            "messages": list(messages),
            self._cap: self.settings.max_output_tokens,
        }

    def rename_cap(self, complaint: str) -> bool:
        """Use the other name of the argument that limits an answer, once, if a refusal names the present one.

        Returns:
            Whether the name was changed.
        """
        if self._renamed or self._cap not in complaint:
            return False
        self._cap, self._renamed = {_OLD_CAP: _NEW_CAP, _NEW_CAP: _OLD_CAP}[self._cap], True
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
        except (Beha2VecError, EnoughText):  # cancelled, or whoever gets the parts wants no more
            self._abandon()
            raise
        except Exception as error:  # whatever a server sends, the analyst gets a reason
            failed = self._failed(error, budget)
        raise failed  # out here: a cause or a context would hold what the server said, and so the key

    def _failed(self, error: Exception, budget: Budget) -> Exception:
        import openai

        if isinstance(error, TimedOut):
            self._abandon()
        if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
            return Refused(_server_message(error, self.settings))
        return failure(self.settings, _reason_of(error, self.settings, budget.seconds))

    def _record(
        self, messages: Sequence[Message], tools: Sequence[str], came: CallResult, error: str, seconds: float
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


def _make_client(settings: LlmSettings) -> OpenAI:
    """The SDK's client, Azure's where the settings have an API version.

    It follows no redirect: the analyst agreed to one server, and what is sent goes to no other.
    """
    import openai  # takes a second, and most runs need no model

    key, http = settings.api_key.get_secret_value(), openai.DefaultHttpxClient(follow_redirects=False)
    if settings.api_version:
        return openai.AzureOpenAI(
            azure_endpoint=settings.base_url, api_version=settings.api_version, api_key=key,
            timeout=settings.timeout_s, max_retries=_RETRIES, http_client=http,
        )  # fmt: skip
    return openai.OpenAI(
        base_url=settings.base_url, api_key=key, timeout=settings.timeout_s, max_retries=_RETRIES,
        http_client=http,
    )  # fmt: skip


def _estimated(messages: Sequence[Message], text: str) -> dict[str, Any]:
    """Estimate ``usage`` of an answer that was ended before the server counted it.

    Only messages and text are counted: neither the descriptions of tools nor calls of them.
    """
    sent = sum(tokens_of(json.dumps(message, default=str)) for message in messages)
    return {"prompt_tokens": sent, "completion_tokens": tokens_of(text), "estimated": True}


def calls_as_text(calls: Sequence[tuple[str, str]]) -> str:
    """Tool calls, each (name, arguments), as JSON text for the log."""
    return json.dumps([{"tool": name, "arguments": arguments} for name, arguments in calls])


def failure(settings: LlmSettings, reason: str) -> ResourceError:
    """Error for a model that gave no answer."""
    return ResourceError(
        f"The language model {settings.model!r} at {settings.host} gave no answer: "
        f"{redacted(reason, settings)}",
        remedy="Check its address, key and name, or go on without it",
    )


def _reason_of(error: Exception, settings: LlmSettings, waited_s: float | None = None) -> str:
    """Reason why a request failed, in words.

    Args:
        error: What the SDK, or what lies below it, raised.
        settings: Settings of the request.
        waited_s: Limit in seconds of the whole wait, where there was one.
    """
    import httpx2
    import openai

    if isinstance(error, TimedOut):
        return f"no answer within {waited_s or settings.timeout_s:.0f} s"
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return f"no answer within {settings.timeout_s:g} s"
    if isinstance(error, openai.APIConnectionError):
        return f"it cannot be reached ({error.__cause__ or error})"
    if isinstance(error, httpx2.HTTPError):
        return f"the connection was cut ({_server_message(error, settings)})"
    if isinstance(error, openai.APIError):
        return _server_message(error, settings)
    return "its answer is not a chat completion"


def _server_message(error: Exception, settings: LlmSettings) -> str:
    """Message of a server, on one line, cut, and without the key, which some repeat."""
    return " ".join(redacted(str(error), settings).split())[:SHOWN_CHARACTERS]


def redacted(text: str, settings: LlmSettings) -> str:
    """Replace the key in a text, which must not be cut yet, by …."""
    key = settings.api_key.get_secret_value()
    return text if key in ("", NO_KEY) else text.replace(key, "…")
