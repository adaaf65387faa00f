"""A tool about a segment as a rule."""

from __future__ import annotations

from typing import Final

from core.base.errors import InputError
from core.base.wording import uncapitalised
from core.facts.answer import Fact, FigureList, Unit
from core.facts.fact_maker import Figures, Finding, make_fact, notes, require_row, select, share_fact
from core.facts.verbs import PRECISION, RECALL, RULE_USERS
from core.rules.beam_search import RuleFit

WHERE: Final = (
    "Precision and recall are of users that the rule was not made from. Users & rules has those "
    "of other lengths, and each as clicks in GA4 and as SQL."
)


def segment_rule(figures: Figures, segment: str) -> Finding:
    """A segment as a rule of a few conditions, by which its users are reached, with precision and recall.

    Raises:
        InputError: If there is no such segment of the model.
    """
    context, tables = figures.context, figures.context.tables
    key = require_row(context, segment)
    rules = {f"segment:{number}": found for number, found in tables.basis.rules(tables.partition).items()}
    if key not in rules:
        raise InputError(f"{context.title(key)} is no segment", allowed=", ".join(rules))
    query = select("rule, users, precision, recall", "rules", key=key)
    fit = rules[key].recommended
    if fit is None:
        return Finding(notes(f"There is no rule for {context.title(key)}. {rules[key].reason}"), query)
    facts = _figures(key, fit, tables.basis.rule_features.origin, tables.profiles.n_clustered)
    told = FigureList(facts=facts)
    caution = f"The rule for {context.title(key)} is {uncapitalised(fit.caution)}." if fit.caution else ""
    return Finding((*notes(caution), told, *notes(WHERE)), query)


def _figures(key: str, fit: RuleFit, origin: str, n_clustered: int) -> tuple[Fact, ...]:
    """Whom the rule describes, and the two shares."""
    words = uncapitalised(fit.rule.words(origin))
    users = make_fact(
        RULE_USERS, "number of clustered", (key,), fit.users, Unit.COUNT, item=words, n=n_clustered,
        users=fit.users,
    )  # fmt: skip
    shares = (
        (PRECISION, "precision: share of the segment among", fit.precision),
        (RECALL, "recall: share of the segment that are", fit.recall),
    )
    return users, *(
        share_fact(name, label, key, measured.users, measured.n, words) for name, label, measured in shares
    )
