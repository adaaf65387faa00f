"""One-page users in segments by rule."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.schema import Group
from core.segments.arrivals import Condition, Trait
from core.segments.one_page import (
    MAX_SEGMENTS,
    MIN_USERS,
    OTHER,
    OnePageSegments,
    assign,
    find_segments,
    with_second_pages,
)
from tests.core.profiles.toy import BLOG, CART, HOME, LOCATIONS, SALE, tables


def arrived(pages: list[str], **other: list[str | None]) -> pd.DataFrame:
    """Users by landing page; what is not given is absent."""
    n = len(pages)
    columns: dict[str, list[str | None]] = {trait: [None] * n for trait in Trait}
    columns |= {Trait.PAGE: [*pages], Trait.FOLDER: [f"/{page.split('/')[1]}" for page in pages]} | other
    return pd.DataFrame(columns, dtype="category")


def yes(which: np.ndarray) -> list[str | None]:
    """Who engaged."""
    return ["yes" if one else "no" for one in which]


def found(frame: pd.DataFrame) -> OnePageSegments:
    return find_segments(frame, np.ones(len(frame), dtype=bool))


def test_a_tree_where_it_says_who_engages() -> None:
    random = np.random.default_rng(0)
    mobile = random.random(2_000) < 0.5
    reads = random.random(2_000) < np.where(mobile, 0.3, 0.05)
    device = ["mobile" if one else "desktop" for one in mobile]
    made = found(arrived(["/a"] * 2_000, device=device, engaged=yes(reads)))
    assert sorted(segment.name for segment in made.segments) == ["Mobile", "Not mobile"] or sorted(
        segment.name for segment in made.segments
    ) == ["Desktop", "Not desktop"]
    check = made.check
    assert check is not None
    true = (mobile[reads].mean() + (1 - mobile[~reads].mean())) / 2  # AUC of one yes-or-no question
    assert check.low < true < check.high
    assert check.useful
    assert made.made_by.startswith("The rules tell one-page users with engagement of 10 s or more")


def test_noise_makes_no_tree_and_the_largest_landing_pages_stand() -> None:
    random = np.random.default_rng(3)
    pages = ["/a"] * 500 + ["/b"] * 300 + ["/c"] * 200
    device = random.choice(np.array(["mobile", "desktop"]), 1_000).tolist()
    made = found(arrived(pages, device=device, engaged=yes(random.random(1_000) < 0.2)))
    assert [segment.name for segment in made.segments] == ["Land on /a", "Land on /b", "Land on /c"]
    assert [segment.users for segment in made.segments] == [500, 300, 200]
    assert made.check is not None and not made.check.useful
    assert made.made_by.startswith("No rule tells who of them engaged better than a coin")


def test_noise_rarely_makes_a_tree() -> None:
    used = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        device = random.choice(np.array(["mobile", "desktop", "tablet"]), 600).tolist()
        source = random.choice(np.array(["a", "b", "c", "d"]), 600).tolist()
        engaged = yes(random.random(600) < 0.3)
        check = found(arrived(["/a"] * 600, device=device, source=source, engaged=engaged)).check
        used += check is not None and check.useful
    assert used <= 4  # 2.5 % are expected of a one-sided interval; 5 or more of 40 have p < 0.01


def test_engagement_is_told_and_is_no_question() -> None:
    engaged = ["yes"] * 300 + ["no"] * 700
    pages = ["/read"] * 300 + ["/leave"] * 700
    made = found(arrived(pages, engaged=engaged))
    assert made.check is not None and made.check.auc == 1
    assert {condition.field for segment in made.segments for condition in segment.rule} == {Trait.PAGE}


def test_pages_alone_stand_before_their_folder_and_the_rest_is_other() -> None:
    pages = ["/blog/hit"] * 200 + [f"/blog/{n}" for n in range(100)] + [f"/x{n}" for n in range(20)]
    made = found(arrived(pages))
    assert [(segment.name, segment.users) for segment in made.segments] == [
        ("Land on /blog/hit", 200), ("Land elsewhere in /blog/…", 100), (OTHER, 20),
    ]  # fmt: skip
    assert made.labels == (
        "One-page A: Land on /blog/hit", "One-page B: Land elsewhere in /blog/…", "Other one-page users",
    )  # fmt: skip


def test_one_landing_page_is_split_by_source() -> None:
    made = found(arrived(["/"] * 400, source=["google"] * 250 + ["mail"] * 100 + [None] * 50))
    assert [(segment.name, segment.users) for segment in made.segments] == [
        ("Land on the homepage, from google", 250), ("Land on the homepage, from mail", 100),
        ("Land on the homepage, not from google or mail", 50),
    ]  # fmt: skip


@pytest.mark.parametrize("n", [0, 1, MIN_USERS - 1])
def test_too_few_users_are_no_segment(n: int) -> None:
    made = found(arrived(["/a"] * n))
    assert made.segments == ()
    assert made.codes.tolist() == [-1] * n


def test_one_landing_page_and_nothing_else_is_one_segment() -> None:
    made = found(arrived(["/a"] * MIN_USERS))
    assert [segment.name for segment in made.segments] == ["Land on /a"]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.integers(30, 400))
def test_every_one_page_user_is_in_one_segment_whose_rule_holds(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    frame = arrived(
        [f"/{folder}/{page}" for folder, page in random.integers(0, [3, 4], (n, 2))],
        source=random.choice(np.array(["google", "mail", None]), n).tolist(),
        device=random.choice(np.array(["mobile", "desktop"]), n).tolist(),
        engaged=random.choice(np.array(["yes", "no"]), n).tolist(),
    )
    inside = random.random(n) < 0.8
    made, again = (find_segments(frame, inside) for _ in range(2))
    assert (again.segments, again.codes.tolist()) == (made.segments, made.codes.tolist())
    if made.segments:
        assert ((made.codes >= 0) == inside).all()
        assert sum(segment.users for segment in made.segments) == inside.sum()
        assert len([segment for segment in made.segments if segment.rule]) <= MAX_SEGMENTS
        assert (assign(frame, made.segments)[inside] == made.codes[inside]).all()


def test_a_second_page_is_the_first_other_page_of_who_landed_alike() -> None:
    visits = [[[HOME]]] * 40 + [
        [[HOME, HOME, SALE]],
        [[HOME], [SALE]],
        [[HOME, SALE]],
        [[HOME, HOME]],
        [[BLOG, SALE]],
        [[HOME, CART]],  # of two users alone: not listed
        [[HOME, CART]],
    ]
    groups = [Group.ONE_PAGE] * 40 + [Group.SEGMENT] * 7
    _, _, sequences = tables(visits, groups, len(LOCATIONS))
    frame = arrived([LOCATIONS[visit[0][0]] for visit in visits])
    one_page = np.arange(len(visits)) < 40
    made = with_second_pages(find_segments(frame, one_page), frame, sequences, list(LOCATIONS), ~one_page)
    (segment,) = made.segments
    assert segment.rule == (Condition(field=Trait.PAGE, op="is", value=LOCATIONS[HOME]),)
    (page,) = segment.second_pages
    assert (page.page, page.users, page.n) == (LOCATIONS[SALE], 3, 6)


def test_engagement_of_one_in_thousands_is_looked_for() -> None:
    """More users than cross-validation looks at: a plain sample would hold next to none who engaged."""
    n, n_cases = 100_000, 25
    device = np.array(["mobile", "desktop"])[np.arange(n) % 2]
    reads = np.zeros(n, dtype=bool)
    reads[: 2 * n_cases : 2] = True  # all by mobile
    check = found(arrived(["/a"] * n, device=device.tolist(), engaged=yes(reads))).check
    assert check is not None
    assert check.auc == pytest.approx(0.75, abs=0.02)  # of the others half are as mobile
