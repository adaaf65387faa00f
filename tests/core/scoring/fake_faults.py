"""FakeFaults: a server that speaks as much of BigQuery's REST API as reading takes, and fails on demand.

For what an emulator does not do: rights, quotas, bytes and their limits, a network that goes away.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROJECT, DATASET = "demo-shop", "analytics_123456789"
TABLE = f"{PROJECT}.{DATASET}.events_*"
CUT = "cut"
"""A fault that ends the connection without an answer."""
_COLUMNS = ("event_date", "event_name", "user_pseudo_id")
_PARAMS = {
    "name": "event_params", "type": "RECORD", "mode": "REPEATED",
    "fields": [{"name": "key", "type": "STRING"}, {"name": "value", "type": "RECORD", "fields": []}],
}  # fmt: skip


@dataclass
class FakeFaults:
    """What the server holds, how it fails, and what it was asked.

    Args:
        days: ``YYYYMMDD`` → rows, field → text.
        bytes: Of a dry run.
        faults: ``list``, ``table``, ``dry``, ``query`` or ``page`` → :data:`CUT`, or status, reason and
            message; with a day behind it (``page 20261002``), of that day's table only.
    """

    days: dict[str, list[dict[str, str]]]
    bytes: int = 10**9
    faults: dict[str, Any] = field(default_factory=dict)
    modified: dict[str, int | None] = field(default_factory=dict)
    kind: str = "TABLE"
    of_view: int = 1
    """Tables that a query reads."""
    slow: float = 0
    """How often a query is said to be at work before it is done."""
    asked: list[str] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""

    def queried(self) -> list[str]:
        """Days whose tables were queried for good."""
        return [_day(job) for job in self.jobs if not job.get("dryRun")]

    def limits(self) -> list[int]:
        """What each query for good was allowed to bill."""
        return [int(job["maximumBytesBilled"]) for job in self.jobs if not job["dryRun"]]

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """Status and body, or None to end the connection."""
        stage, day, make = self._route(method, path, body)
        self.asked.append(f"{stage} {day}".strip())
        fault = self.faults.get(f"{stage} {day}", self.faults.get(stage))
        if fault == CUT:
            return None
        if fault is not None:
            status, reason, message = fault
            errors = [{"message": message, "domain": "global", "reason": reason}]
            return status, {"error": {"code": status, "message": message, "errors": errors}}
        return 200, make

    def _route(self, method: str, path: str, body: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        if path.split("?")[0].endswith("/cancel"):
            asked = self.jobs[int(re.findall(r"job(\d+)", path)[0])]
            return "cancel", _day(asked), {"job": self._job(asked)}
        if method == "POST":
            config = body["configuration"]
            asked = {**config["query"], "dryRun": config.get("dryRun", False)}
            self.jobs.append(asked)
            return "dry" if asked["dryRun"] else "query", _day(asked), self._job(asked)
        if found := re.search(r"/(?:queries|jobs)/job(\d+)", path):
            asked = self.jobs[int(found[1])]
            return (
                ("page", _day(asked), self._page(asked))
                if "queries" in path
                else ("job", "", self._job(asked))
            )
        if found := re.search(r"/tables/events_(\w+)", path):
            return "table", found[1], self._table(found[1])
        tables = [{"tableReference": _reference(f"events_{day}")} for day in self.days]
        others = [
            {"tableReference": _reference(name)} for name in ("events_intraday_20261001", "users_20261001")
        ]
        return "list", "", {"tables": [*tables, *others], "totalItems": len(tables) + 2}

    def _table(self, day: str) -> dict[str, Any]:
        columns = [{"name": name, "type": "STRING"} for name in _COLUMNS]
        schema = {"fields": [*columns, {"name": "event_timestamp", "type": "INTEGER"}, _PARAMS]}
        return {
            "tableReference": _reference(f"events_{day}"), "schema": schema,
            "type": self.kind, "numRows": str(len(self.days[day])),
            "lastModifiedTime": self.modified.get(day, 1),
        }  # fmt: skip

    def _job(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = next(n for n, job in enumerate(self.jobs) if job is asked)
        told = {"totalBytesProcessed": str(self.bytes)}
        works = not asked["dryRun"] and self.slow > 0
        self.slow -= works
        read = [_reference(f"part_{part}") for part in range(self.of_view)]
        query = {
            **told,
            "referencedTables": read,
            "totalBytesBilled": str(self.bytes),
            "statementType": "SELECT",
        }
        return {
            "jobReference": {"projectId": PROJECT, "jobId": f"job{number}", "location": "US"},
            "configuration": {"query": {"query": asked["query"], "destinationTable": _reference("anon")}},
            "status": {"state": "RUNNING" if works else "DONE"}, "statistics": {**told, "query": query},
        }  # fmt: skip

    def _page(self, asked: dict[str, Any]) -> dict[str, Any]:
        names = re.findall(r" AS (\w+),?$", asked["query"], re.MULTILINE)
        kinds = {"event_timestamp": "INTEGER"}
        rows = self.days[_day(asked)]
        return {
            "jobComplete": True, "totalRows": str(len(rows)),
            "jobReference": self._job(asked)["jobReference"],
            "schema": {"fields": [{"name": name, "type": kinds.get(name, "STRING")} for name in names]},
            "rows": [{"f": [{"v": row.get(name)} for name in names]} for row in rows],
        }  # fmt: skip


def _reference(table: str) -> dict[str, str]:
    return {"projectId": PROJECT, "datasetId": DATASET, "tableId": table}


def _day(job: dict[str, Any]) -> str:
    found = re.search(r"events_(\d{8})`", job["query"])
    assert found is not None
    return found[1]


@contextmanager
def serving(fake: FakeFaults) -> Iterator[FakeFaults]:
    """Answer on the loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply("GET", b"{}")

        def do_POST(self) -> None:
            self._reply("POST", self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")

        def _reply(self, method: str, body: bytes) -> None:
            answer = fake.answer(method, self.path, json.loads(body))
            if answer is None:
                self.close_connection = True
                return
            status, told = answer
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fake.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
