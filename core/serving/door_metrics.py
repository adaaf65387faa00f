"""What the door counts, in the text format of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from core.serving.answering import ScoreReply
from core.serving.live_model import ModelState

BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class DoorMetrics:
    """Counters of one server."""

    def __init__(self) -> None:
        self._all = CollectorRegistry()
        ProcessCollector(registry=self._all)
        self._requests = Counter(
            "beha2vec_requests", "Requests answered", ["path", "status"], registry=self._all
        )
        self._seconds = Histogram(
            "beha2vec_request_seconds", "From a request's last byte to its answer", ["path"], buckets=BUCKETS,
            registry=self._all,
        )  # fmt: skip
        self._users = Counter("beha2vec_users_scored", "Users that got a place", registry=self._all)
        self._events = Counter("beha2vec_events", "Events received", ["fate"], registry=self._all)
        self._model = Gauge("beha2vec_model_info", "The model that answers", ["key"], registry=self._all)
        self._since = Gauge(
            "beha2vec_model_since_seconds", "When it began to (Unix time)", registry=self._all
        )
        self._reloads = Gauge(
            "beha2vec_model_reloads", "Times the folder was read anew", ["result"], registry=self._all
        )
        self._stale = Gauge(
            "beha2vec_model_stale", "1 where the folder holds what was refused", registry=self._all
        )

    def asked(self, path: str, status: int) -> None:
        """Count a request."""
        self._requests.labels(path, str(status)).inc()

    def answered(self, path: str, reply: ScoreReply, seconds: float) -> None:
        """Count what a request was about."""
        self._seconds.labels(path).observe(seconds)
        self._users.inc(reply.users)
        self._events.labels("used").inc(reply.used)
        self._events.labels("left_out").inc(reply.left_out)

    def text(self, state: ModelState) -> bytes:
        """All of it."""
        self._model.clear()
        self._model.labels(state.key).set(1)
        self._since.set(state.since)
        self._reloads.labels("done").set(state.reloads)
        self._reloads.labels("refused").set(state.refused)
        self._stale.set(bool(state.problem))
        return bytes(generate_latest(self._all))
