"""What the assistant takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from core.base.settings import Settings
from core.facts.answer import Answer, Fact
from core.llm.chat_types import Usage
from core.writing.privacy import FEWEST_USERS, PRICES, Price

MOST_CALLS: Final = 6


class AssistantSettings(Settings):
    """What may be sent, and how much may be spent on one question."""

    fewest_users: Annotated[int, Field(ge=1, le=10_000)] = FEWEST_USERS
    """A figure of fewer users is never sent."""
    max_tool_calls: Annotated[int, Field(ge=0, le=MOST_CALLS)] = MOST_CALLS
    wall_s: Annotated[float, Field(ge=5, le=300)] = 60.0
    """For everything together, retries included; then the answer is given without the model."""
    max_tokens: Annotated[int, Field(ge=1_000, le=1_000_000)] = 60_000
    """Sent and received for one question; each call of a tool sends all that was said before once more."""
    prices: dict[str, Price] = Field(default_factory=lambda: dict(PRICES))
    """Model → price; a model that is not in it has no price."""


@dataclass(frozen=True)
class Said:
    """An earlier message of the conversation.

    Args:
        role: Who said it.
        text: As it was kept: an answer's holds ``[[F12]]`` where values stand.
        facts: That an answer cites.
        source: Who answered: ``rules`` or a model's name.
    """

    role: Literal["user", "assistant"]
    text: str
    facts: tuple[Fact, ...] = ()
    source: str = "rules"


@dataclass(frozen=True)
class Description:
    """What a segment is called and is like.

    Args:
        name: At most five words, unlike that of any other segment.
        summary: Sentences with slots, its facts and its marks (see :class:`core.facts.answer.Answer`); its
            ``reason`` says why the model was not used, its ``source`` who wrote all of this.
        distinguishing: Ids of facts of the summary that set the segment apart.
        caveats: What one should be careful about.
        action: What could be done: the model's suggestion; empty without a model.
    """

    name: str
    summary: Answer
    distinguishing: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    action: str = ""

    @property
    def usage(self) -> Usage:
        """Tokens that it took."""
        return self.summary.usage
