"""A tool about a segment as a rule."""

from __future__ import annotations

from typing import Final

from core.base.errors import InputError
from core.facts import arguments
from core.facts.answer import Fact, FigureList, Unit
from core.facts.fact_maker import Figures, make_fact, select
from core.facts.finding import Finding, known, notes
from core.facts.verbs import PRECISION, RECALL, RULE_USERS
from core.rules.judging import RuleFit

WHERE: Final = (
    "Precision and recall are of users that the rule was not made from. The page Rules has those "
    "of other lengths, and each as clicks in GA4 and as SQL."
)


def segment_rule(figures: Figures, asked: arguments.RuleFacts) -> Finding:
    """The recommended rule of a segment, and how well it tells its users from the other clustered ones.

    Raises:
        InputError: If there is no such segment of the model.
    """
    context, tables = figures.context, figures.context.tables
    key = known(context, asked.segment)
    rules = {f"segment:{segment}": found for segment, found in tables.basis.rules(tables.partition).items()}
    if key not in rules:
        raise InputError(f"{context.title(key)} is no segment", allowed=", ".join(rules))
    query = select("rule, users, precision, recall", "rules", key=key)
    fit = rules[key].recommended
    if fit is None:
        return Finding(notes(f"There is no rule for {context.title(key)}. {rules[key].reason}"), query)
    facts = _figures(key, fit, tables.basis.rule_features.origin, tables.profiles.n_clustered)
    told = FigureList(facts=facts)
    said = f"{fit.caution[:1].lower()}{fit.caution[1:]}"
    caution = f"The rule for {context.title(key)} is {said}." if said else ""
    return Finding((*notes(caution), told, *notes(WHERE)), query)


def _figures(key: str, fit: RuleFit, origin: str, n_clustered: int) -> tuple[Fact, ...]:
    """Whom the rule describes, and the two shares; of nobody whom it describes no share is wanted."""
    words = fit.rule.words(origin)
    words = words[0].lower() + words[1:]
    users = make_fact(
        RULE_USERS, "number of clustered", (key,), fit.users, Unit.COUNT, item=words, n=n_clustered,
        users=fit.users,
    )  # fmt: skip
    shares = (
        (PRECISION, "precision: share of the segment among", fit.precision),
        (RECALL, "recall: share of the segment that are", fit.recall),
    )
    return users, *(
        make_fact(
            name, label, (key,), measured.share, Unit.SHARE, item=words, interval=measured.interval,
            n=measured.n, users=measured.users,
        )
        for name, label, measured in shares if measured.n
    )  # fmt: skip
