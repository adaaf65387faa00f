"""Short paragraphs about a segment, from templates: each number is a fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.facts.answer import Fact
from core.facts.evidence import Evidence
from core.facts.fact_book import slot
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, bullets, fact_table, items, known, paragraphs, present
from core.facts.items import Dimension, ItemMetric
from core.profiles.profile_columns import Col

NO_CAUSE: Final = "These are differences that go together; the data cannot show that one causes the other."


def paragraph(figures: Figures, key: str) -> Finding:
    """What a row is like: size, activity, outcome, what sets it apart, where its sessions begin.

    Raises:
        InputError: If there is no such row.
    """
    evidence = Evidence(figures, known(figures.context, key), fewest=1)
    size = " ".join(part for part in (_size(figures, key), _habit(figures, key)) if part)
    text = paragraphs([size, _apart(evidence), _ways(evidence), _alike(evidence)])
    facts = tuple(fact for group in evidence.groups.values() for fact in group)
    shown = (*present([figures.measure("all", Col.OUTCOME_RATE)]), *facts)
    return Finding(text, shown, fact_table(figures.context, facts), select("*", "segments", key=key))


def persona(figures: Figures, key: str) -> Finding:
    """What a buyer persona may rest on; who these people are beyond it, the data cannot tell.

    Raises:
        InputError: If there is no such row.
    """
    described = paragraph(figures, key)
    evidence = Evidence(figures, key, fewest=1)
    parts = [f"Facts for a persona of {figures.context.title(key)}.", described.text]
    for dimension in (Dimension.DEVICE, Dimension.BROWSER, Dimension.COUNTRY, Dimension.SOURCE):
        own = [fact for fact in evidence.shares if fact.metric == f"{ItemMetric.SHARE}:{dimension}"]
        if own:
            parts.append(f"{_HEADINGS[dimension]}: {items(own)}.")
    parts.append("Age, income and motives are not in the data; a name or a story for them would be invented.")
    return Finding(paragraphs(parts), described.facts, described.table, described.query)


def why(figures: Figures, key: str, metric: str | None) -> Finding:
    """What goes together with a segment's figure, against all users.

    Raises:
        InputError: If there is no such row, or the figure is absent.
    """
    evidence = Evidence(figures, known(figures.context, key), fewest=1)
    title, text = figures.context.title(key), ""
    lead: tuple[Fact, ...] = ()
    if metric:
        own, every = figures.needed(key, metric), figures.needed("all", metric)
        gap = figures.gap(key, "all", metric)
        lead = (own, every, gap)
        text = f"{title} – {own.label}: {slot(own)}, against {slot(every)} over all users ({slot(gap)})."
    apart = _apart(evidence) or "No page, theme or type is surely viewed more often here than by the others."
    facts = (*lead, *evidence.lifts)
    said = paragraphs([text, apart, NO_CAUSE])
    return Finding(said, facts, fact_table(figures.context, facts), select("*", "pages", key=key))


_HEADINGS: Final = {
    Dimension.DEVICE: "Devices", Dimension.BROWSER: "Browsers", Dimension.COUNTRY: "Countries",
    Dimension.SOURCE: "First-touch sources",
}  # fmt: skip


def _size(figures: Figures, key: str) -> str:
    users, share = figures.needed(key, Col.USERS), figures.needed(key, Col.SHARE)
    return f"{figures.context.title(key)} has {slot(users)} users, {slot(share)} of all."


def _habit(figures: Figures, key: str) -> str:
    views, sessions, engaged, rate, every = (
        figures.measure(row, name)
        for row, name in (
            (key, Col.PAGE_VIEWS_MEAN), (key, Col.SESSIONS_MEAN), (key, Col.ENGAGEMENT_MEAN),
            (key, Col.OUTCOME_RATE), ("all", Col.OUTCOME_RATE),
        )
    )  # fmt: skip
    said = []
    if views and sessions:
        said.append(f"On average a user has {slot(views)} page views in {slot(sessions)} sessions.")
    if engaged:
        said.append(f"Engagement time a user: {slot(engaged)}.")
    if rate and every:
        against = "" if key == "all" else f", against {slot(every)} of all users"
        said.append(f"Outcome rate: {slot(rate)}{against}.")
    return " ".join(said)


def _apart(evidence: Evidence) -> str:
    parts = [
        f"{heading}: {items(_lifts(evidence, dimension)[:3])}"
        for dimension, heading in (
            (Dimension.THEME, "themes"), (Dimension.TYPE, "page types"), (Dimension.PAGE, "pages"),
        )
        if _lifts(evidence, dimension)
    ]  # fmt: skip
    others = "all other users" if evidence.key.startswith("group:") else "the other clustered users"
    return bullets(f"What it views more often than {others}:", parts) if parts else ""


def _lifts(evidence: Evidence, dimension: Dimension) -> Sequence[Fact]:
    return [fact for fact in evidence.lifts if fact.comparison and fact.metric.endswith(f":{dimension}")]


def _ways(evidence: Evidence) -> str:
    said = []
    if evidence.entries:
        said.append(f"Most sessions begin with {items(evidence.entries[:1])}.")
    if evidence.steps:
        said.append(f"The most frequent step: {items(evidence.steps[:1])}.")
    return " ".join(said)


def _alike(evidence: Evidence) -> str:
    if not evidence.nearest:
        return ""
    return f"Most like it is {evidence.figures.context.title(evidence.nearest[0].segments[1])}."
