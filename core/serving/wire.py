"""What goes over the wire, as types: the OpenAPI document is made of them."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

SINGLE_BYTES: Final = 1_000_000
BATCH_BYTES: Final = 10_000_000
SINGLE_EVENTS: Final = 2_000
"""So that nobody waits long for another."""
BATCH_EVENTS: Final = 50_000

EXAMPLE: Final[dict[str, Any]] = {
    "user_pseudo_id": "1605951.6059719720",
    "event_timestamp": 1761966665205635,
    "event_name": "page_view",
    "page_location": "https://shop.example/tents",
    "ga_session_id": "1761966665",
}
Event = Annotated[
    dict[str, Any],
    Field(
        description="A record of GA4's export, flat or nested as BigQuery has it. Needed are the user "
        "(user_pseudo_id, or the column that the model was made with), event_timestamp (microseconds UTC; "
        "seconds, milliseconds and ISO 8601 are understood) and page_location. Other fields are read as "
        "from a file, or not at all. Ids are text.",
        examples=[EXAMPLE],
    ),
]


class ScoreRequest(BaseModel):
    """Events of one user, in any order."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[list[Event], Field(min_length=1, max_length=SINGLE_EVENTS)]


class ScoreBatchRequest(BaseModel):
    """Events of many users, in any order."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[list[Event], Field(min_length=1, max_length=BATCH_EVENTS)]


class NextPageScore(TypedDict):
    """A page that may come next, which the user has not seen."""

    page: str
    score: Annotated[float, Field(description="Probability among the pages that may come, 0 to 1")]


class UserScore(TypedDict):
    """Where a user belongs."""

    user_id: str
    group: Annotated[
        str,
        Field(
            description="segment; else why in none: one_page or one_page:N (a segment by rule), bot_like, "
            "set_aside"
        ),
    ]
    segment: Annotated[int | None, Field(description="Its number, as in clusters.json; null where in none")]
    segment_name: str | None
    distance: Annotated[float | None, Field(description="To the middle of the segment, 0 to 2")]
    membership: Annotated[float | None, Field(description="How much the user belongs there, 0 to 1")]
    next_segment: Annotated[int | None, Field(description="The nearest of the others")]
    next_segment_name: str | None
    next_distance: float | None
    vector: Annotated[list[float], Field(description="Of length 1; zeros where nothing is known")]
    page_views: Annotated[int, Field(description="That were used")]
    known_page_views: Annotated[int, Field(description="Of these, on pages that the model was trained on")]
    left_out: Annotated[dict[str, int], Field(description="Why other events were not used → how many")]
    next_pages: NotRequired[
        Annotated[
            list[NextPageScore], Field(description="The likeliest first; absent in a model folder without")
        ]
    ]
    note: NotRequired[str]


class ScoreAnswer(UserScore):
    """A user's place, and the model that says so."""

    model: Annotated[str, Field(description="Key of the model's content")]


class NotScored(TypedDict):
    """A user without a page view that can be used."""

    user_id: str
    left_out: dict[str, int]


class ScoreBatchAnswer(TypedDict):
    """The users of a batch, as they first appear."""

    model: str
    users: list[UserScore]
    not_scored: list[NotScored]
    left_out: Annotated[dict[str, int], Field(description="Of events without a user's id")]


class Problem(TypedDict):
    """What was wrong."""

    error: str
    left_out: NotRequired[dict[str, int]]
