"""What the assistant takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from core.base.settings import Settings
from core.facts.answer import Answer
from core.writing.privacy import FEWEST_USERS, PRICES, Price

MOST_CALLS: Final = 6


class AssistantSettings(Settings):
    """What may be sent, and how much may be spent on one question."""

    fewest_users: Annotated[int, Field(ge=1, le=10_000)] = FEWEST_USERS
    """A figure of fewer users, or of all of a row but fewer, is never sent."""
    send_values: bool = False
    """Whether values go as well; without them a model chooses figures that it does not see."""
    max_tool_calls: Annotated[int, Field(ge=0, le=MOST_CALLS)] = MOST_CALLS
    wall_s: Annotated[float, Field(ge=5, le=300)] = 60.0
    """For everything together, retries included; then the answer is given without the model."""
    max_tokens: Annotated[int, Field(ge=1_000, le=1_000_000)] = 60_000
    """Sent and received for one question; each call of a tool sends all that was said before once more."""
    prices: dict[str, Price] = Field(default_factory=lambda: dict(PRICES))
    """Model → price; a model that is not in it has no price."""


@dataclass(frozen=True)
class Said:
    """A question that was asked before.

    Args:
        question: In the analyst's words.
        answer: What was shown for it; of it only addresses are ever sent.
    """

    question: str
    answer: Answer | None = None


@dataclass(frozen=True)
class Description:
    """What a segment is called and is like.

    Args:
        name: At most five words, unlike that of any other segment.
        summary: What was chosen to be said of it, comments and an idea included; its ``reason`` says why the
            model was not used, its ``source`` who chose.
    """

    name: str
    summary: Answer
