import pytest

from core.writing.remarks import allowed_remarks

NAMES = {
    **{f"S{number}": f"Segment {number}" for number in range(1, 10)},
    **{f"P{number}": f"“/page-{number}”" for number in range(1, 10)},
}
CLAIMS = (
    "S2 buys twice as much as S1.",
    "Two out of three visitors in S4 leave on P3.",
    "S3 is the largest segment.",
    "S5 stays longer than S6.",
    "Everyone in S1 opens the cart.",
    "Nobody in S7 reads the blog.",
    "S8 rarely comes back.",
    "The bounce rate of S2 is alarming.",
    "S3 buys because the price is shown early.",
    "P4 leads to a purchase.",
    "S6 has been growing for weeks.",
    "P2 gets a lot of attention.",
    "S9 accounts for a third of the revenue.",
    "Hardly any of these people look at P5.",
    "S1 outperforms S2 on every page.",
    "S4 does not buy.",
    "Visitors of P7 never reach the checkout.",
    "S2 converts well.",
    "P6 attracts the youngest readers.",
    "S5 is much more engaged with P1.",
    "Sales of P3 doubled.",
    "The main entry point of S8 is P2.",
    "S7 prefers P4 to P5.",
    "S3 leaves without buying.",
    "Users in S6 always start on P1.",
    "Show P2 first, since it sells best.",
    "A banner on P3 will lift the orders of S4.",
    "Drop P5: only few look at it.",
    "Focus on S1, the most valuable group.",
    "As S2 keeps shrinking, offer it a discount.",
    "S2 stays  longer\tthan  S3.",
    "S2 buys as  often   as S3.",
    "S4 is a cart-abandoning, search-dominated group.",
    "S2 and S3 look alike.",
    "S2 wants the same as S3.",
    "S2 and S3 both like P1.",
)
READINGS = (
    "S2 may be planning a trip with the family.",
    "S4 seems to know what it wants.",
    "P3 is a size guide.",
    "The titles of P1 and P4 are about hiking boots.",
    "S1 looks like a group of gift seekers.",
    "What happens in the shop itself is not in this data.",
    "S5 could be checking an order.",
    "Perhaps S7 wants to talk to somebody before deciding.",
    "S3 might be students, though the data cannot say so.",
    "P6 suggests an interest in repairs.",
    "These differences go together and explain nothing by themselves.",
    "S8 reads as a group in an early phase of a decision.",
    "S9 may be returning for a spare part.",
    "It is unclear whether S6 found the answer.",
    "A visit to P2 can be an accident.",
    "Read this with care.",
    "S4 behaves like a careful buyer.",
    "P5 belongs to the season.",
    "The name of S1 is a guess from its pages.",
    "S2 seems curious about the brand.",
    "Offer S3 a packing list for its next tour.",
    "Invite S5 to a workshop in the store.",
    "Put a size table on P1.",
    "Ask S6 what was missing on P3.",
    "Write a mail to S7 with care tips.",
    "Link P4 from the cart.",
    "Try a headline that names the tent.",
    "Let S8 save a list for later.",
    "Show the return policy beside the price.",
    "Run an interview with visitors of P2.",
)


@pytest.mark.parametrize("text", CLAIMS)
def test_what_only_a_figure_may_say_is_dropped(text: str) -> None:
    assert allowed_remarks(text, NAMES) == ("", 1)


@pytest.mark.parametrize("text", READINGS)
def test_a_reading_or_a_proposal_is_kept(text: str) -> None:
    said, dropped = allowed_remarks(text, NAMES)
    assert dropped == 0
    assert said


@pytest.mark.parametrize(
    "text",
    [
        "S77 may want a gift.", "P99 is a guide.", "It has ⑫ parts.", "It has ½ of it.", "It costs €.",
        "See [this].", "See https://x.example.", "<b>Bold</b>", '{"kind": "figures"}', "`code`",
        "Сегмент", "**S2** is nice.", "S1 ≥ S2.", "S2 goes ↑ here.", "S2 💯.", "S2 > S3",
        "S2 likes e\u0336 it.",
    ],
)  # fmt: skip
def test_what_may_not_be_shown_is_dropped(text: str) -> None:
    assert allowed_remarks(text, NAMES)[0] == ""


def test_each_sentence_stands_for_itself_and_names_are_filled_in_afterwards() -> None:
    names = {"S1": "Top 10 % buyers (segment 1)", "P2": "“/half-price”"}
    text = "Segment 1 may look for P2. Most buy. Page P2 is about gifts!\nIt is 5 o'clock."
    assert allowed_remarks(text, names) == (
        "Top 10 % buyers (segment 1) may look for “/half-price”. “/half-price” is about gifts!", 2
    )  # fmt: skip


def test_a_remark_is_cut_where_it_has_no_end() -> None:
    assert len(allowed_remarks("Perhaps " * 1_000, NAMES)[0]) <= 600


def test_nothing_is_nothing() -> None:
    assert allowed_remarks("  ", NAMES) == ("", 0)
