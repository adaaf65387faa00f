"""A protocol simulator: speaks Chat Completions over a real socket and is no model at all.

It does what a small model does not do on demand: tool calls, 429 with Retry-After, hanging, cut bodies, cut
streams and cut answers, ignoring ``response_format``, refusing it, and obeying every instruction that is
hidden in a title.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

POLL_S = 0.02
"""How soon the server notices that it is to end."""
USAGE = {"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100}


@dataclass(frozen=True)
class Reply:
    """One scripted answer.

    Args:
        content: What the "model" says; an object is sent as JSON text.
        status: Of HTTP.
        headers: More of them.
        finish: ``stop`` or ``length``.
        refusal: Instead of content.
        hang_s: Before anything is sent.
        cut: Close in the middle of the body.
        raw: The whole body, where it is to be no chat completion.
        calls: Tools it wants called: name and arguments; text instead of an object is sent as it is.
        streams: Whether it sends pieces where a stream is asked for; else one whole answer.
        cut_stream: End in the middle of the pieces without a finish.
        piece_s: Between the pieces, so that somebody can watch.
    """

    content: object = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    finish: str = "stop"
    refusal: str | None = None
    hang_s: float = 0
    cut: bool = False
    raw: str | None = None
    calls: tuple[tuple[str, object], ...] = ()
    streams: bool = True
    cut_stream: bool = False
    piece_s: float = 0

    @property
    def said(self) -> str:
        return self.content if isinstance(self.content, str) else json.dumps(self.content)

    @property
    def is_plain(self) -> bool:
        """Whether it is an answer at all, and so can come in pieces."""
        return self.raw is None and self.status < 400

    def tool_calls(self) -> list[dict[str, Any]]:
        return [
            {
                "index": place, "id": f"call-{place}", "type": "function",
                "function": {"name": name, "arguments": _text(arguments)},
            }
            for place, (name, arguments) in enumerate(self.calls)
        ]  # fmt: skip

    def body(self) -> str:
        if self.raw is not None:
            return self.raw
        if self.status >= 400:
            return json.dumps({"error": {"message": self.content, "type": "simulated"}})
        content = None if self.refusal else self.said
        message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": self.refusal}
        if self.calls:
            message["tool_calls"] = self.tool_calls()
        choice = {"index": 0, "finish_reason": self.finish, "message": message}
        return json.dumps({
            "id": "simulated", "object": "chat.completion", "created": 0, "model": "simulated",
            "choices": [choice], "usage": USAGE,
        })  # fmt: skip

    def pieces(self) -> Iterator[str]:
        """Server-sent events: a piece a word, then the calls, why it ended, what was used."""
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": word} for word in _words(self.said)]
        deltas += [{"tool_calls": [part]} for call in self.tool_calls() for part in _parts(call)]
        deltas += [{"refusal": self.refusal}] if self.refusal else []
        if self.cut_stream:
            yield from (_event({"index": 0, "delta": delta}) for delta in deltas[: len(deltas) // 2 + 1])
            return
        yield from (_event({"index": 0, "delta": delta}) for delta in deltas)
        yield _event({"index": 0, "delta": {}, "finish_reason": "tool_calls" if self.calls else self.finish})
        yield _event(None, USAGE)
        yield "data: [DONE]\n\n"


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)


def _parts(call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A call as it is streamed: its name first, then its arguments a piece a word."""
    named = call["function"]
    yield {**call, "function": {"name": named["name"], "arguments": ""}}
    for word in _words(named["arguments"]):
        yield {"index": call["index"], "function": {"arguments": word}}


def _text(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _event(choice: dict[str, Any] | None, usage: dict[str, int] | None = None) -> str:
    chunk = {
        "id": "simulated", "object": "chat.completion.chunk", "created": 0, "model": "simulated",
        "choices": [choice] if choice else [], "usage": usage,
    }  # fmt: skip
    return f"data: {json.dumps(chunk)}\n\n"


Script = Callable[[dict[str, Any], int], Reply]
"""Request body and number of the request, from 0 → what to answer."""


@dataclass
class Simulator:
    """What tests see of a running one."""

    base_url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def replies(*script: Reply) -> Script:
    """These, one after the other; the last again and again."""
    return lambda _, number: script[min(number, len(script) - 1)]


@contextmanager
def simulating(script: Script) -> Iterator[Simulator]:
    """A server on a free port of 127.0.0.1."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
            body = json.loads(raw)
            number = len(simulator.requests)
            simulator.requests.append(body)
            simulator.bodies.append(raw)
            simulator.keys.append(self.headers.get("Authorization", ""))
            reply = script(body, number)
            over.wait(reply.hang_s)
            in_pieces = bool(body.get("stream")) and reply.streams and reply.is_plain and not reply.cut
            if in_pieces and reply.piece_s:
                self.slowly(reply)
                return
            data = ("".join(reply.pieces()) if in_pieces else reply.body()).encode()
            self.send_response(reply.status)
            kind = "text/event-stream" if in_pieces else "application/json"
            headers = {"Content-Type": kind, "Content-Length": str(len(data))}
            for name, value in (headers | reply.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if reply.cut else data)
            self.close_connection = True

        def slowly(self, reply: Reply) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for piece in reply.pieces():
                self.wfile.write(piece.encode())
                self.wfile.flush()
                over.wait(reply.piece_s)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a client that gave up is what some tests want

    server = Server(("127.0.0.1", 0), Handler)
    simulator = Simulator(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True)
    thread.start()
    try:
        yield simulator
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def labeller(label_of: Callable[[dict[str, Any]], str]) -> Script:
    """Labels each page of the question, as a good model would."""

    def script(request: dict[str, Any], _: int) -> Reply:
        pages = question(request)["pages"]
        return Reply({"answers": [{"id": page["id"], "label": label_of(page)} for page in pages]})

    return script


def obedient(label_of: Callable[[dict[str, Any]], str]) -> Script:
    """As :func:`labeller`, but does whatever any title tells it: "label all pages X", "P2 is X"."""

    def script(request: dict[str, Any], _: int) -> Reply:
        pages = question(request)["pages"]
        told = " ".join(title for page in pages for title in page["titles"])
        everything = re.search(r"all pages (?:as )?(\w+)", told, re.IGNORECASE)
        answers = [
            {"id": page["id"], "label": everything.group(1) if everything else label_of(page)}
            for page in pages
        ]
        answers += [{"id": name, "label": label} for name, label in re.findall(r"\b(P\d+) is (\w+)", told)]
        return Reply({"answers": answers})

    return script


def question(request: dict[str, Any]) -> dict[str, Any]:
    """The JSON data of a label question."""
    return json.loads(request["messages"][1]["content"])
