"""Types that all page classifiers share: their input (subject, document), output (label) and protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from core.base.schema import View


class Rung(StrEnum):
    """Kinds of classifiers (rungs of the cascade) that decide labels, the most reliable first."""

    FROZEN = "frozen"
    """The page's label at training time, kept when new users are scored."""
    OVERRIDE = "override"
    EVENTS = "events"
    MARKUP = "markup"
    RULES = "rules"
    STRUCTURE = "structure"
    EMBEDDING = "embedding"
    NLI = "nli"
    LLM = "llm"


@dataclass(frozen=True)
class Document:
    """Text and markup of a fetched page.

    Args:
        text: Main text, at most a few thousand characters; empty if there is none.
        json_ld_types: ``@type`` of its JSON-LD objects, such as ``Product``.
        og_type: Content of ``og:type``; empty if there is none.
        breadcrumbs: Names along its breadcrumb trail, the site's root first.
    """

    text: str = ""
    json_ld_types: tuple[str, ...] = ()
    og_type: str = ""
    breadcrumbs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """Pages that get one label: those of one path template (types), or of one title and template (themes).

    Args:
        template: Host and path with placeholders, such as ``https://shop.example/products/:slug``.
        urls: The most viewed pages, at most a few; at least one.
        titles: Their titles, most viewed first, cleaned, without the site's name; may be empty.
        views: Page views of all pages of the subject.
        events: GA4 event name → how often it fired on these pages.
        documents: Documents of those of ``urls`` that were fetched.
        users: Upper bound of the users who saw the subject: the sum over its pages.
        title_users: Lower bound of the users who saw each of ``titles``: those of its most seen page.
    """

    template: str
    urls: tuple[str, ...]
    titles: tuple[str, ...] = ()
    views: int = 0
    events: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    documents: tuple[Document, ...] = ()
    users: int = 0
    title_users: tuple[int, ...] = ()


@dataclass(frozen=True)
class Label:
    """The label that a classifier gave, with its score and evidence.

    Args:
        value: A name of the taxonomy.
        rung: Which classifier decided.
        score: From 0 to 1, comparable within a rung only; 1 for a rule or the analyst.
        margin: Score minus that of the runner-up; 1 where there is none.
        evidence: In words: the rule, the event and its count, the label that came second.
    """

    value: str
    rung: Rung
    score: float = 1.0
    margin: float = 1.0
    evidence: str = ""


class Classifier(Protocol):
    """A classifier of the cascade (a rung), made for one taxonomy."""

    rung: Rung

    def classify(self, subjects: Sequence[Subject], view: View) -> Sequence[Label | None]:
        """Decide, or abstain with None, for each subject in order.

        Args:
            subjects: What to decide.
            view: ``View.THEME`` or ``View.TYPE``.
        """
