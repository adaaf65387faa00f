"""Estimate what asking a language model for labels would cost, before it is asked."""

from __future__ import annotations

from dataclasses import dataclass

from core.base.progress import Progress
from core.labels.label_settings import LabelMode, LabelSettings
from core.llm import LlmSettings
from core.llm.chat_types import PRICES, price_of
from core.runs import pipeline
from core.storage.dataset import Dataset
from core.storage.store import Store

_STAGE = "cost"


@dataclass(frozen=True)
class _LabelCost:
    """Estimated cost of asking a language model for labels, at 3.5 characters a token.

    Args:
        host: Host of the server.
        model: Name of the model on that server.
        calls: Requests; a page about which two answers differ takes one more.
        characters: Characters sent.
        tokens: Tokens sent and received.
        dollars: Price; None for a model without a known price.
    """

    host: str
    model: str
    calls: int
    characters: int
    tokens: int
    dollars: float | None

    def __str__(self) -> str:
        price = "no known price" if self.dollars is None else f"about ${self.dollars:.2f}"
        return (
            f"{self.calls:,} questions to {self.model} at {self.host}: {self.characters:,} characters out, "
            f"about {self.tokens:,} tokens in all, {price}"
        )


def announce(store: Store, dataset: Dataset, settings: LabelSettings, progress: Progress) -> None:
    """Report, as a message of ``progress``, what asking the language model for labels would cost.

    Nothing is reported where no language model is wanted, or its labels are there already.

    Raises:
        ResourceError: If the environment names no model.
        SettingsError: If what it names is not possible.
    """
    if settings.mode is LabelMode.LLM and pipeline.find_labels(store, dataset, settings) is None:
        progress(_STAGE, 1.0, str(_estimate(store, dataset, settings, progress)))


def _estimate(store: Store, dataset: Dataset, settings: LabelSettings, progress: Progress) -> _LabelCost:
    """Label without a language model, and estimate what asking one about the rest would cost."""
    from core.labels.labelling import llm_cost

    server = LlmSettings.from_environment()
    free = settings.model_copy(update={"mode": LabelMode.AUTO})
    labels = pipeline.label(store, dataset, free, progress)
    parts = llm_cost(dataset, settings, labels) if labels else ()
    sent, received = sum(part.sent for part in parts), sum(part.received for part in parts)
    return _LabelCost(
        server.host,
        server.model,
        sum(part.calls for part in parts),
        sum(part.characters for part in parts),
        sent + received,
        price_of(server.model, sent, received, PRICES),
    )
