"""Next pages of segments, beside a loop over their users."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from core.people.next_page_candidates import Reach, Source
from core.people.next_page_learning import learn
from core.people.next_pages import (
    FIRST,
    LISTED,
    NextPages,
    hit_rate_sentence,
    next_pages_of_segments,
    segments_in_words,
    why,
)
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from tests.core.people.next_page_site import chained
from tests.core.people.test_next_page_learning import NAMES, source_of


@pytest.fixture(scope="module")
def made() -> NextPages:
    return learn(source_of(900))


def test_shares_are_what_a_loop_counts(made: NextPages) -> None:
    sequences, vectors = chained(80, seed=6)
    labels = np.where(np.arange(80) < 70, np.arange(80) % 2 * 3, -1)  # segments 0 and 3, ten users in none
    table = next_pages_of_segments(made, made.seen(sequences, NAMES), vectors, labels)
    suggested = made.of_many(sequences, NAMES, vectors, FIRST)
    counted = {segment: Counter[str]() for segment in (0, 3)}
    for user in range(70):
        counted[labels[user]].update(page.page for page in suggested.of(user))
    assert table[Col.SEGMENT].tolist() == [0] * LISTED + [3] * LISTED
    for row in table.to_dict("records"):
        here, there = row[Col.SEGMENT], 3 - row[Col.SEGMENT]
        assert row[Col.USERS] == counted[here][row[Col.PAGE_LOCATION]]
        assert row[Col.REST_USERS] == counted[there][row[Col.PAGE_LOCATION]]
        assert (row[Col.N], row[Col.REST_N]) == (35, 35)
        assert row[Col.SHARE] == row[Col.USERS] / 35
        assert sum(row[source.value] for source in Source) == pytest.approx(1, abs=1e-4)
    for segment, rows in table.groupby(Col.SEGMENT):
        assert rows[Col.USERS].tolist() == [n for _, n in counted[segment].most_common(LISTED)]
    first = table.iloc[0]
    assert first[Col.PAGE_LOCATION] in NAMES[:12]  # of its own chain
    assert first[Diff.DIFFERS]


def test_one_segment_has_no_others(made: NextPages) -> None:
    sequences, vectors = chained(20, seed=6)
    table = next_pages_of_segments(made, made.seen(sequences, NAMES), vectors, np.zeros(20, dtype=int))
    assert table[Col.REST_SHARE].isna().all()
    assert not table[Diff.DIFFERS].any()


def test_what_is_said_names_the_sources_that_count(made: NextPages) -> None:
    parts = {Source.BIGRAM: 0.3, Source.NEIGHBOURS: 0.65, Source.POPULARITY: 0.05}
    assert why(parts) == "viewed by similar users 65%, followed the last page 30%"
    table = pd.DataFrame(
        {
            Col.SEGMENT: [0, 0, 2],
            Col.PAGE_LOCATION: [f"https://x.example/{page}" for page in "aba"],
            Col.SHARE: [0.41, 0.3, 0.2],
            Col.REST_SHARE: [0.1, 0.2, float("nan")],
        }
    )
    told = segments_in_words(table)
    assert told[0].endswith("suggestions: /a (41%, others 10%), /b (30%, others 20%).")
    assert told[2].endswith(": /a (20%).")
    for reach in Reach:
        judged = made.heads[reach].judged
        assert judged is not None
        assert f"For {judged.users} users that nothing was learned from" in hit_rate_sentence(
            made.heads[reach], reach
        )


def test_few_users_are_told(made: NextPages) -> None:
    few = learn(source_of(100))
    assert "too few to weigh the sources" in hit_rate_sentence(few.heads[Reach.NEW], Reach.NEW)
