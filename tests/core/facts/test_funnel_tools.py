"""Funnels, by eye."""

from dataclasses import replace

import numpy as np
import pytest

from core.base.errors import ArtifactError, InputError, SettingsError
from core.base.settings import AnalyzeSettings
from core.facts.answer import Contrast, FigureList, Note
from core.facts.context import Basis, Context
from core.facts.fact_maker import Figures, Finding
from core.facts.funnel_tools import ASKED, NOBODY_LOST, OWN_FUNNEL_NOTE, USUAL, funnel
from core.facts.sentences import plain
from core.journeys.funnel import Funnel, funnel_from_link
from core.profiles.metrics import profile
from core.storage.dataset import TimedEvents
from tests.core.facts.toy import figures, rule_figures
from tests.core.profiles.toy import LABELS

SAME = "one step after the other, in the user's whole time."


def with_events(events: TimedEvents | None, built: Funnel | None = None) -> Figures:
    """The eight with what they did; None where that is not known."""

    def read() -> TimedEvents:
        if events is None:
            raise ArtifactError("there are none")
        return events

    made = figures().context
    basis: Basis = replace(made.tables.basis, events=read)
    return Figures(Context(replace(made.tables, basis=basis), made.names, funnel=built))


def bought() -> TimedEvents:
    """User 0 buys after the fourth page view, user 3 after the first."""
    user, after = np.array([0, 3], dtype=np.int32), np.array([4, 1], dtype=np.int32)
    none = np.zeros(2, dtype=np.int32)
    return TimedEvents(user, none, np.array([10**12, 61_000_000]), none, after, ("purchase",))


def told(found: Finding) -> list[tuple[str, str, str, int]]:
    block = next(block for block in found.blocks if isinstance(block, FigureList))
    return [(fact.measure, fact.item, fact.text, fact.users) for fact in block.facts]


def test_an_event_without_times_is_said_to_have_none() -> None:
    once = ("event:add_to_cart",)
    with pytest.raises(InputError, match="does not say when users did 'add_to_cart'"):
        funnel(with_events(None), segment="all", steps=once, within="session")
    found = funnel(with_events(None), segment="all", steps=once)
    conversions = figures().context.tables.basis.data.outcomes["add_to_cart"]
    assert told(found)[0][:3] == ("funnel_users", "add_to_cart", str((conversions.user < 8).sum()))


def test_who_takes_each_step_and_after_which_most_are_lost() -> None:
    found = funnel(figures(), segment="all", steps=("/sale", "/cart"))
    assert told(found) == [
        ("funnel_users", "/sale", "4", 4), ("funnel_share", "/sale", "50%", 4),
        ("funnel_users", "/sale → /cart", "3", 1), ("funnel_share", "/sale → /cart", "38%", 1),
        ("funnel_lost", "/sale", "25%", 1),
    ]  # fmt: skip
    assert found.blocks[-1] == Note(text=f"{ASKED}: {SAME}")
    assert plain(found.blocks[:1], figures().context.titles()).splitlines() == [
        "All users, step by step:",
        "- /sale: 4 users, 50% [22–78]",
        "- /cart: 3 users, 38% [14–69]",
        "Most are lost after /sale: 25% [5–70] of those go no further.",
    ]


def test_a_segment_is_held_against_the_other_clustered_users() -> None:
    found = funnel(rule_figures(), segment="segment:0", steps=("/", "/sale"))
    (contrast,) = (block for block in found.blocks if isinstance(block, Contrast))
    assert (contrast.first.text, contrast.second.text, contrast.second.row, contrast.verdict) == (
        "100%", "0%", "others", "higher"
    )  # fmt: skip
    assert contrast.first.item == "/ → /sale"
    assert found.blocks[-2] == Note(text=NOBODY_LOST)
    alike = funnel(rule_figures(), segment="segment:0", steps=("/",))
    assert [block.verdict for block in alike.blocks if isinstance(block, Contrast)] == ["unsure"]


@pytest.mark.parametrize(
    ("name", "way"),
    [("type:Category", "Category"), ("Shoes", "Shoes"), ("/s*", "/s*"), ("page:/sale", "/sale")],
)
def test_a_step_is_what_its_name_stands_for(name: str, way: str) -> None:
    found = told(funnel(figures(), segment="segment:0", steps=(name,)))
    assert found[0][1:] == (way, "3", 0)  # nobody is left who did not take it


def test_the_outcome_is_a_step_where_it_is_known_when_users_had_it() -> None:
    steps = ("/", "/sale", "outcome")
    assert [one[2] for one in told(funnel(with_events(bought()), "all", steps))][:6:2] == ["4", "2", "1"]
    with pytest.raises(InputError, match="does not say when users had the outcome"):
        funnel(with_events(None), "all", steps)


def test_the_analyst_s_own_funnel_comes_before_the_usual_way() -> None:
    own = funnel_from_link("session;loose;page:/blog;page:/cart")
    found = funnel(with_events(None, own), segment="all")
    assert told(found)[2][1:3] == ("/blog → /cart", "1")
    assert found.blocks[-1] == Note(text=f"{OWN_FUNNEL_NOTE}: one step after the other, within one session.")
    usual = funnel(with_events(None), segment="all")
    assert usual.blocks[-1] == Note(text=f"{USUAL}: {SAME}")


def test_a_whole_address_is_counted_as_on_journeys() -> None:
    made = figures().context
    addresses = tuple(f"https://{address}" for address in made.tables.basis.addresses)
    tables = replace(made.tables, basis=replace(made.tables.basis, addresses=addresses))
    steps = ("https://shop.example/sale", "https://shop.example/cart?utm_source=x")
    found = funnel(Figures(replace(made, tables=tables)), segment="all", steps=steps)
    assert [one[2] for one in told(found)[:4:2]] == ["4", "3"]


def test_of_several_outcomes_the_step_is_the_first_as_on_journeys() -> None:
    made = with_events(bought()).context
    profiles = profile(made.tables.basis.data, LABELS, AnalyzeSettings(outcome=("purchase", "page:/cart")))
    several = Figures(replace(made, tables=replace(made.tables, profiles=profiles)))
    found = funnel(several, segment="all", steps=("/", "outcome"))
    assert [one[1:3] for one in told(found)[:4:2]] == [("/", "4"), ("/ → purchase", "2")]
    usual = told(funnel(several, segment="all"))
    assert any(item.endswith("purchase") for _, item, *_ in usual)


def test_an_empty_step_is_refused_in_words() -> None:
    with pytest.raises(SettingsError, match="empty pattern"):
        funnel(figures(), segment="all", steps=("",))


def test_what_cannot_be_counted_is_said() -> None:
    own = funnel_from_link("user;loose;event:purchase")
    with pytest.raises(ArtifactError):
        funnel(with_events(None, own), segment="all")
    with pytest.raises(InputError, match=r"Nothing here is called '/nowhere'"):
        funnel(figures(), segment="all", steps=("/", "/nowhere"))
