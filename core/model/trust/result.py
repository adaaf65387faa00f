"""The scorecard as data: figures, comparisons and questions, with how many users they rest on."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from core.base.errors import ArtifactError
from core.base.settings import ViewWeights

STAGE: Final = "scorecard"
VERSION: Final = 7
"""Version of the scorecard, raised when the same inputs would give other figures."""


class Method(StrEnum):
    """A method of making a vector a user."""

    LEARNED = "learned"
    """The trained model, its views mixed with the analyst's weights."""
    SHUFFLED = "shuffled"
    """The trained model, given the page views of each user in a random order."""
    UNTRAINED = "untrained"
    """The network as its training began: it starts from which pages are seen together."""
    STEADY = "steady"
    """A mean of page vectors from linear algebra alone."""
    BAG = "bag"
    """Which pages: TF-IDF, reduced. Knows no order and no time."""
    TRANSITIONS = "transitions"
    """Which kind of page follows which: counts of steps, reduced."""
    NGRAMS = "ngrams"
    """Which pages and which pairs of pages in a row: TF-IDF, not reduced. Only for the outcome."""
    ADDED = "added"
    """N-grams with the learned vectors appended."""


class Topic(StrEnum):
    """A question of the scorecard."""

    RETRIEVAL = "retrieval"
    """Is a user found again by another part of the visits? Mean reciprocal rank."""
    OUTCOME = "outcome"
    """Do the first few pages tell who will have the outcome? Area under the ROC curve."""
    LENGTH = "length"
    """How much of the vector is mere length? R² of the logarithm of page views."""


class Call(StrEnum):
    """What the interval of a difference says about it."""

    BETTER = "better"
    """The interval lies above zero, and holds differences that would matter."""
    WORSE = "worse"
    """The interval lies below zero, and holds differences that would matter."""
    EQUAL = "equal"
    """The interval holds no difference that would matter."""
    UNCLEAR = "unclear"
    """The interval holds zero, and differences that would matter: too few users to tell."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Figure(_Part):
    """A figure of a method, with its interval."""

    method: Method
    value: float
    low: float
    high: float


class Comparison(_Part):
    """Figure of ``method`` less that of ``other``, on the same users, with its 95 % interval."""

    method: Method = Method.LEARNED
    other: Method
    difference: float
    low: float
    high: float
    call: Call
    ratio: float | None = None
    """Figure of ``method`` divided by that of ``other``, where a ratio says something."""
    ratio_low: float | None = None
    ratio_high: float | None = None

    @model_validator(mode="after")
    def _with_interval(self) -> Comparison:
        if len({end is None for end in (self.ratio, self.ratio_low, self.ratio_high)}) > 1:
            raise ValueError(f"{self.other}: a ratio has an interval")
        return self


class Question(_Part):
    """A question of the scorecard and its answer: figures, or why there are none.

    Args:
        topic: Which question.
        n: Users that the figures rest on; 0 where it was not measured.
        interval: What the intervals are, in words.
        facts: Other counts that belong to the figures, by name: ``learned on``, ``candidates``, ….
        figures: A figure a method, that of the vectors on screen first.
        comparisons: The learned vectors against the others; n-grams with them against n-grams without.
        absent: Why it was not measured; empty where it was.
    """

    topic: Topic
    n: int = 0
    interval: str = ""
    facts: dict[str, int] = {}
    figures: tuple[Figure, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    absent: str = ""

    @model_validator(mode="after")
    def _measured_or_not(self) -> Question:
        if bool(self.figures) == bool(self.absent):
            raise ValueError(f"{self.topic}: either there are figures or a reason why not")
        return self

    @property
    def own(self) -> Figure:
        """Figure of the vectors that the segments on screen are cut from; IndexError if not measured."""
        return self.figures[0]

    def of(self, method: Method) -> Figure | None:
        """The figure of a method; None where it was not measured."""
        return next((figure for figure in self.figures if figure.method is method), None)

    def against(self, other: Method, method: Method = Method.LEARNED) -> Comparison | None:
        """The comparison of two methods; None where they were not compared."""
        return next((one for one in self.comparisons if (one.method, one.other) == (method, other)), None)


class Scorecard(_Part):
    """All questions and answers about the vectors of a model, mixed by these weights.

    Args:
        users: Users that take part in clustering.
        learned_from: Users of these that the model, or a bag of pages its weights, was learned from.
        weights: How much each view counts.
        own: Method of the vectors on screen: learned, or a bag of pages.
        outcome: The outcome that is predicted, in words; empty where there is none.
        steps_between: What transitions lead between: "types" or "groups" of pages.
        questions: A question a topic.
    """

    users: int
    learned_from: int
    weights: ViewWeights
    own: Method
    outcome: str
    steps_between: str
    questions: tuple[Question, ...]

    def of(self, topic: Topic) -> Question:
        """The question of a topic, with its answer."""
        return next(question for question in self.questions if question.topic is topic)

    def to_json(self) -> str:
        """Write the scorecard as JSON text."""
        return self.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Scorecard:
        """Read a scorecard that :meth:`to_json` wrote.

        Raises:
            ArtifactError: If the text is no scorecard.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ArtifactError("The scorecard cannot be read", remedy="Measure it again") from error
