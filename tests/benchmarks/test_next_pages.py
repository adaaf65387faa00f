"""The measure of next pages, on a site of two chains that the vectors tell apart."""

from itertools import pairwise

import numpy as np

from benchmarks.next_pages import WAYS, Plain, hits, lines
from core.people.next_page_candidates import Reach
from core.people.next_page_learning import choose_moments
from tests.core.people.test_next_page_learning import FUNCTIONAL, source_of

SOURCE = source_of(1_500)


def test_every_held_out_user_is_asked_once_and_by_weights_of_others() -> None:
    found = hits(SOURCE)
    anything = found[found["reach"] == Reach.ANY]
    able = SOURCE.held_out & (SOURCE.sequences.lengths >= 2)
    assert set(anything["user"]) == set(np.flatnonzero(able))
    assert (anything["blend"].mean() > 0.9) & (anything["bigram"].mean() > 0.8)
    told = list(lines("chains", found))
    assert [line[:2] for line in told] == [("chains", "new pages"), ("chains", "any page")]
    assert set(WAYS) <= set(found)


def test_the_plain_way_is_what_a_loop_counts() -> None:
    moments = choose_moments(SOURCE.sequences, SOURCE.held_out, 20)
    bigram, _ = Plain(SOURCE).hits(moments, moments, Reach.NEW)
    sequences, checked = SOURCE.sequences, 0
    for moment, at in enumerate(moments.at.tolist()):
        before = moments.before.page[slice(*moments.before.offsets[moment : moment + 2])]
        after = np.zeros(24)
        for user in np.flatnonzero(~SOURCE.held_out):
            pages = sequences.page[slice(*sequences.offsets[user : user + 2])]
            for first, second in pairwise(pages):
                after[second] += first == before[-1]
        after[FUNCTIONAL] = after[before] = -1
        target = sequences.page[at]
        if after[target] > 0 and (after == after[target]).sum() == 1:
            assert bigram[moment] == ((after > after[target]).sum() < 10)
            checked += 1
    assert checked > 20
