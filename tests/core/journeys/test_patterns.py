"""Which names a pattern matches: by hand, and beside the standard library."""

from __future__ import annotations

from fnmatch import fnmatchcase

import numpy as np
import pytest

from core.base.errors import SettingsError
from core.journeys.funnel import FunnelStep
from core.journeys.moves import Level
from core.journeys.patterns import FunnelSite, any_of, matches, matching, prefix_patterns

PAGES = ("shop.example/", "shop.example/cart", "shop.example/Cart?step=2", "other.example/cart")


def test_a_pattern_matches_as_the_standard_library_says() -> None:
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(5_000):
        pattern = "".join(rng.choice(list("ab*"), int(rng.integers(0, 7))))
        text = "".join(rng.choice(list("ab"), int(rng.integers(0, 8))))
        assert matches(pattern, text) == fnmatchcase(text, pattern)
        found += matches(pattern, text)
    assert 500 < found < 4_500


def test_what_would_hang_a_regular_expression_ends() -> None:
    assert not matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "a" * 20_000)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("/cart", [False, True, False, True]),
        ("/cart*", [False, True, True, True]),
        ("shop.example/*", [True, True, True, False]),
        ("/", [True, False, False, False]),
        ("*STEP=*", [False, False, True, False]),
        ("[c]art", [False] * 4),
        ("/cart?step=2", [False, False, True, False]),
        ("/nowhere", [False] * 4),
    ],
)
def test_an_address_is_matched_with_its_host_and_without(pattern: str, found: list[bool]) -> None:
    assert matching([pattern], PAGES).tolist() == found


def step(kind: str, *patterns: str) -> FunnelStep:
    return FunnelStep.checked(kind=kind, any_of=patterns)


SITE = FunnelSite(
    {Level.PAGE: PAGES, Level.TYPE: ("Home", "Cart", "Cart", "Cart")}, ("purchase", "page:/thanks")
)


def test_a_step_is_made_by_pages_or_events() -> None:
    assert SITE.marks(step("type", "cart")).pages.tolist() == [False, True, True, True]
    event = SITE.marks(step("event", "pur*", "page:/th*"))
    assert (event.pages.any(), event.events.tolist()) == (False, [True, True])
    both = any_of([event, SITE.marks(step("page", "/"))])
    assert (both.pages.tolist(), both.events.tolist()) == ([True, False, False, False], [True, True])
    assert not SITE.marks(step("event", "refund")).found


def test_a_level_that_pages_do_not_have_is_said_with_those_they_have() -> None:
    with pytest.raises(SettingsError, match="Allowed: page, type, event"):
        SITE.marks(step("theme", "Shoes"))


def test_a_whole_address_is_read_as_cleaning_reads_it() -> None:
    site = FunnelSite({Level.PAGE: ("/", "/cart", "/item?id=3")}, (), "https://shop.example")

    def found(pattern: str) -> list[bool]:
        return site.marks(step("page", pattern)).pages.tolist()

    assert found("https://SHOP.example/Cart/?utm_source=mail#top") == [False, True, False]
    assert found("https://shop.example/item?gclid=x&id=3") == [False, False, True]
    assert found("https://shop.example") == [True, False, False]
    assert found("https://shop.example/*") == [True, True, True]
    assert found("https://other.example/cart") == [False, False, False]
    assert found("https://[") == [False, False, False]


def test_beginnings_by_eye() -> None:
    assert prefix_patterns(["/p/1", "/p/2", "/x"], ["/p", "/q"]) == ("/p/*", "/x")
    assert prefix_patterns(["/a", "/a/c"], ["/a/b"]) == ("/a", "/a/c")
    assert prefix_patterns(["/A1", "/a2"], ["/b"]) == ("/a*",)  # case does not matter to a pattern
    assert prefix_patterns(["/1", "/2"], []) == ("/*",)


def test_beginnings_match_all_that_they_are_to_and_nothing_else() -> None:
    random = np.random.default_rng(3)
    for _ in range(200):
        names = sorted({"/" + "".join(random.choice(list("aAb/"), random.integers(0, 5))) for _ in range(20)})
        folded = list({name.casefold(): name for name in names}.values())
        inside = random.random(len(folded)) < 0.5
        own = [name for name, one in zip(folded, inside, strict=True) if one]
        rest = [name for name, one in zip(folded, inside, strict=True) if not one]
        if own:
            assert matching(prefix_patterns(own, rest), folded).tolist() == inside.tolist()
