"""Types of requests and answers, of which the OpenAPI document is made; and the scorer that answers them.

It scores with a frozen model, in one thread and without a file.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from core.base.schema import Raw, View
from core.base.settings import IngestSettings
from core.base.workers import sequential
from core.ingest.in_memory import LiveUsers, Person, Record, read_people
from core.labels.new_pages import NewPages
from core.labels.pages import host_of
from core.runs.frozen import FrozenModel
from core.runs.placing import Placement, place
from core.scoring.serving.reading import EventReader
from core.storage.sequences import UserSequences

if TYPE_CHECKING:
    from core.segments.membership import Memberships

SINGLE_BYTES: Final = 1_000_000
BATCH_BYTES: Final = 10_000_000
SINGLE_EVENTS: Final = 2_000
"""Most events of a request for one user, so that nobody waits long for another."""
BATCH_EVENTS: Final = 50_000

_EXAMPLE: Final[dict[str, Any]] = {
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
        examples=[_EXAMPLE],
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
    known_page_views: Annotated[int, Field(description="Of these, on pages that the model knows")]
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


_DAY_US: Final = 86_400_000_000
"""Microseconds that the clock of a browser may be ahead of ours."""
_OWN_HOST_SHARE: Final = 0.01
"""Share of the known pages from which on a host is the site's own; files judge by page views."""
NEXT: Final = 10
"""Number of next pages for each user."""
NOTHING_KNOWN: Final = "The model knows none of the pages: segment and vector say next to nothing"
BY_COOKIE: Final = (
    "The model was made with the cookies of signed-in users joined; here each user_pseudo_id is a user"
)


class Scorer:
    """Scores users with a frozen model: reads, labels, embeds and places them.

    Args:
        frozen: The model.
    """

    def __init__(self, frozen: FrozenModel) -> None:
        self.key, self._frozen = frozen.key, frozen
        self.reader = EventReader(frozen.settings)
        self._read = frozen.encoder.max_length
        self._labels = NewPages(frozen.labelling) if frozen.labelling else None
        hosts = Counter(map(host_of, frozen.known.pages))
        self._hosts = {host for host, n in hosts.items() if host and n >= _OWN_HOST_SHARE * hosts.total()}

    @classmethod
    def load(cls, folder: Path) -> Scorer:
        """Read a model folder and try it on a made-up user.

        Raises:
            ArtifactError: If it is missing, damaged, or its parts do not fit together.
        """
        scorer = cls(FrozenModel.read(folder, next_pages=None))
        page, *_ = sorted(scorer._frozen.known.pages) or ["/"]
        scorer.score([_visitor(page)])
        return scorer

    def people(self, rows: Sequence[Record]) -> tuple[list[Person], Counter[str]]:
        """Group raw records by user (:func:`core.ingest.in_memory.read_people`), by the model's settings."""
        return read_people(rows, self._frozen.settings, time.time_ns() // 1_000 + _DAY_US)

    def score(self, people: Sequence[Person]) -> list[UserScore | None]:
        """Score users, in their order; None for one without a page view that can be used.

        Args:
            people: Users of any number of requests; none depends on another. Reasons for page views that are
                not used are added to them.
        """
        settings = self._frozen.settings
        live = LiveUsers.of(people, settings, settings.known_pages, self._hosts)
        found: list[UserScore | None] = [None] * len(people)
        if len(live.who):
            placed = place(self._frozen, live.users, live.sequences, self._names(live), threads=sequential)
            for number, answer in zip(live.who, self._answers(people, live.who, placed), strict=True):
                found[number] = answer
        return found

    def _names(self, live: LiveUsers) -> dict[View, list[str]]:
        """Names of the pages in each view, as :meth:`core.runs.frozen.FrozenModel.named` gives them.

        Of new pages those are labelled that are read: the network looks at the latest page views, rules at
        those of one page.
        """
        pages = [self._frozen.known.align(page) for page in live.pages]
        if not self._labels:
            return {View.URL: pages}
        read = live.sequences.page[_views_back(live.sequences) <= self._read]
        new = [at for at in np.unique(read).tolist() if pages[at] not in self._frozen.labels]
        labels = self._labels.label([(live.pages[at], live.titles.get(at)) for at in new])
        pairs = dict(zip(new, labels, strict=True))
        called = [pairs.get(at, ("", "")) for at in range(len(pages))]
        named = {view: [pair[place] for pair in called] for place, view in enumerate((View.THEME, View.TYPE))}
        return self._frozen.named(pages, named)

    def _answers(self, people: Sequence[Person], who: np.ndarray, placed: Placement) -> list[UserScore]:
        from core.segments.membership import memberships

        near = memberships(placed.vectors, placed.clusters, self._frozen.partition)
        answers = [self._answer(people[person], placed, near, row) for row, person in enumerate(who)]
        if self._frozen.following:
            seen = (placed.sequences, placed.names[View.URL], placed.vectors)
            suggested = self._frozen.following.of_many(*seen, NEXT)
            for row, answer in enumerate(answers):
                answer["next_pages"] = [
                    NextPageScore(page=one.page, score=round(one.score, 6)) for one in suggested.of(row)
                ]
        return answers

    def _answer(self, person: Person, placed: Placement, near: Memberships, row: int) -> UserScore:
        segment, following = _segment(placed.clusters[row]), _segment(near.next_segment[row])
        answer = UserScore(
            user_id=person.user_id,
            group=placed.group[row],
            segment=segment,
            segment_name=None if segment is None else self._frozen.names.get(segment),
            distance=_number(near.distance[row]),
            membership=_number(near.share[row]),
            next_segment=following,
            next_segment_name=None if following is None else self._frozen.names.get(following),
            next_distance=_number(near.next_distance[row]),
            vector=placed.vectors[row].tolist(),
            page_views=int(placed.sequences.lengths[row]),
            known_page_views=int(placed.known_views[row]),
            left_out=dict(person.left_out),
        )
        joined = self._frozen.settings.join_logins
        if notes := [*([] if answer["known_page_views"] else [NOTHING_KNOWN]), *([BY_COOKIE] * joined)]:
            answer["note"] = ". ".join(notes)
        return answer


def _views_back(sequences: UserSequences) -> np.ndarray:
    """Position of each page view from its user's last, which is 1: int64 of shape (n_views,)."""
    back: np.ndarray = np.repeat(sequences.offsets[1:], sequences.lengths) - np.arange(sequences.n_views)
    return back


def _segment(label: np.int32) -> int | None:
    return int(label) if label >= 0 else None


def _number(value: np.float32) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _visitor(page: str) -> Person:
    """A made-up user who saw a page twice."""
    rows = [
        {Raw.USER_KEY: "0", Raw.EVENT_TIMESTAMP: str(1_700_000_000_000_000 + at), Raw.PAGE_LOCATION: page}
        for at in (0, 10_000_000)
    ]
    [person], _ = read_people(rows, IngestSettings(), 2**62)
    return person
