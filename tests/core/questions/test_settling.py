"""Words that add to each other."""

import pytest

from core.questions.grammar import parse
from core.questions.resolve import combine_words
from tests.core.facts.toy import context


@pytest.mark.parametrize(
    ("question", "rows", "measures", "cues"),
    [
        ("which segment converts best", [], ["outcome_rate"], {"most", "segments"}),
        ("how many buy", [], ["outcome_users"], set()),
        ("what share of segment 1 buys", ["segment:0"], ["outcome_rate"], set()),
        ("share of segment 1 who did not buy", ["segment:0"], ["outcome_rate"], {"unconverted"}),
        ("how many convert", [], ["outcome_users"], {"many"}),
        ("how often does segment 1 come back", ["segment:0"], ["sessions_mean"], set()),
        ("how many come back", [], [], {"many", "retention"}),
        ("how often does segment 1 visit", ["segment:0"], ["sessions_mean"], set()),
        ("how often did segment 1 see /cart", ["segment:0"], ["page_views"], set()),
        ("compare segment 1 with the average", ["segment:0", "all"], [], {"compare"}),
        ("average outcome rate", [], ["outcome_rate"], set()),
        ("average users", [], [], {"average"}),
        ("which segments convert better than average", [], ["outcome_rate"], {"above", "segments"}),
        ("is segment 1 above average in outcome rate", ["segment:0", "all"], ["outcome_rate"], {"compare"}),
        ("which segment stays longest", [], ["engagement_s_mean"], {"most", "segments"}),
        ("which segment has the longest sessions", [], ["sessions"], {"longest", "segments"}),
        ("does segment 1 view more pages than segment 2", ["segment:0", "segment:1"], ["page_views_mean"],
         {"most"}),
        ("most revenue per head", [], ["revenue_per_user"], {"most"}),
        ("the biggest segment", [], ["users"], {"biggest", "segments"}),
        ("revenue of the biggest segment", ["segment:0"], ["revenue"], set()),
        ("revenue of the smallest segment", ["segment:1"], ["revenue"], set()),
        ("most users", [], ["users"], {"most"}),
        ("bar chart of revenue", [], ["revenue"], {"bar", "chart"}),
        ("who buys the least", [], ["outcome_rate"], {"least"}),
        ("the most loyal", [], ["sessions_mean"], {"most"}),
        ("loyal users", [], [], {"vague"}),
        ("not on mobile", [], [], {"never"}),
        ("page views per session", [], ["pages_per_session"], set()),
        ("median page views against the mean", [], ["page_views_mean", "page_views_median"], set()),
        ("which segment sees the most pages", [], ["page_views_mean"], {"most", "segments"}),
        ("users and revenue of the 2 smallest", ["segment:1", "segment:0"], ["users", "revenue"], set()),
        ("segments with more than half buying", [], ["outcome_rate"], {"segments"}),
        ("segments with over 20 % of the users", [], ["share"], {"segments"}),
        ("segments like segment 2", ["segment:1"], [], {"similar"}),
    ],
)  # fmt: skip
def test_what_is_meant(question: str, rows: list[str], measures: list[str], cues: set[str]) -> None:
    made = combine_words(parse(question, context()), context())
    assert (made.rows, made.measures, made.cues) == (rows, measures, cues)


def test_what_was_parsed_stays_as_it_is() -> None:
    parsed = parse("which segment has the biggest revenue of the best", context())
    before = (list(parsed.rows), list(parsed.measures), set(parsed.cues))
    combine_words(parsed, context())
    assert (parsed.rows, parsed.measures, parsed.cues) == before
