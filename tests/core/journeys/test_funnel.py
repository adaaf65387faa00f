"""What a funnel may be, and how it is written into a link and a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.base.errors import InputError, SettingsError
from core.journeys.funnel import (
    MAX_STEPS,
    Funnel,
    funnel_from_link,
    funnel_to_link,
    funnels_from_yaml,
    funnels_to_yaml,
    read_funnels,
)

CART = {"kind": "page", "any_of": ("/cart", "/basket*")}
BUY = {"kind": "event", "any_of": ("purchase",)}


def funnel(*steps: dict[str, Any], **others: str) -> Funnel:
    return Funnel.checked(steps=steps or (CART, BUY), **others)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"steps": ()}, "at least 1 of steps is needed, not 0"),
        ({"steps": (CART,) * 30}, f"at most {MAX_STEPS} steps are possible, not 30"),
        ({"steps": ({"kind": "room", "any_of": ("x",)},)}, "steps.0.kind = 'room'"),
        ({"steps": ({"kind": "page", "any_of": ()},)}, "at least 1 of any_of is needed"),
        ({"steps": ({"kind": "page", "any_of": (" ",)},)}, "an empty pattern matches nothing"),
        ({"steps": (CART,), "within": "0 days"}, "30 minutes, 2 hours, 7 days"),
        ({"steps": (CART,), "within": "a while"}, "30 minutes, 2 hours, 7 days"),
        ({"steps": (CART,), "order": "sideways"}, "order = 'sideways'"),
        ({"steps": (CART,), "colour": "red"}, "colour = 'red'"),
    ],
)
def test_what_is_no_funnel_is_said_in_words(values: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Funnel.checked(**values)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("within", "kept", "limit_us"),
    [
        ("session", "session", None),
        (" User ", "user", None),
        ("1 hours", "1 hour", 3_600_000_000),
        ("90minutes", "90 minutes", 5_400_000_000),
        ("7 days", "7 days", 604_800_000_000),
    ],
)
def test_a_limit_is_a_session_a_user_or_a_time(within: str, kept: str, limit_us: int | None) -> None:
    made = funnel(within=within)
    assert (made.within, made.limit_us) == (kept, limit_us)
    assert kept in made.meaning


def test_it_is_called_by_its_name_or_its_ends() -> None:
    assert funnel(name="Checkout").title == "Checkout"
    assert funnel().title == "/cart or /basket* → purchase"
    assert funnel(BUY, BUY).title == "purchase"


@pytest.mark.parametrize(
    "made",
    [
        funnel(),
        funnel(CART, CART, within="30 minutes", order="strict"),
        funnel({"kind": "theme", "any_of": ("Ä ; ~ | : % & #", "日本", "a>b")}),
    ],
    ids=str,
)
def test_a_link_gives_the_same_funnel_again(made: Funnel) -> None:
    assert funnel_from_link(funnel_to_link(made)) == made


def test_a_link_is_short_and_can_be_read() -> None:
    assert funnel_to_link(funnel()) == "user;loose;page:/cart|/basket*;event:purchase"


@pytest.mark.parametrize(
    "text", ["", "session", "session;loose", "session;loose;page:", "x;y;z:w", ";;;", "%"]
)
def test_a_link_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        funnel_from_link(text)


def test_a_file_gives_the_same_funnels_again(tmp_path: Path) -> None:
    made = (funnel(name="Checkout", within="2 days", order="strict"), funnel(BUY))
    file = tmp_path / "funnels.yaml"
    file.write_text(funnels_to_yaml(made), encoding="utf-8")
    assert read_funnels(file) == made


def test_one_pattern_needs_no_list() -> None:
    [made] = funnels_from_yaml("funnels: [{steps: [{page: [/cart, '/basket*']}, {event: purchase}]}]", "x")
    assert made == funnel()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2", "mine.yaml is not YAML"),
        ("just text", "mine.yaml holds no funnels"),
        ("funnels: []", "mine.yaml holds no list of funnels"),
        ("funnels: 3", "mine.yaml holds no list of funnels"),
        ("funnels: [3]", "mine.yaml, funnel 1 is '3'"),
        ("funnels: [{name: x}]", "mine.yaml, funnel 1 has no list of steps"),
        ("funnels: [{steps: []}]", "mine.yaml, funnel 1: steps is not possible: at least 1 of"),
        ("funnels: [{steps: [/cart]}]", "mine.yaml, funnel 1, step 1 is '/cart'"),
        (
            "funnels: [{steps: [{page: /a}, {room: /b}]}]",
            "step 2 has the level 'room'. Allowed: page,",
        ),
        ("funnels: [{steps: [{page: }]}]", "an empty pattern matches nothing"),
        ("funnels: [{steps: [{page: /a}], within: soon}]", "mine.yaml, funnel 1: within = 'soon'"),
        ("funnels: [{steps: [{page: /a}], 3: soon}]", "mine.yaml, funnel 1: 3 = 'soon'"),
        ("funnels: &a [*a]", "an alias"),
    ],
)
def test_a_file_that_is_none_is_said_in_words(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        funnels_from_yaml(text, "mine.yaml")
    assert said in str(caught.value)
