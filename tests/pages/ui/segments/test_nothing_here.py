"""What goes with the outcome where there are no segments."""

from core.profiles.differences import Diff
from pages.ui.segments.k_view import _not_led
from tests.core.facts.shop import shop


def test_what_the_data_do_not_have_is_not_called_alike() -> None:
    by_outcome = shop().context.tables.by_outcome
    assert by_outcome is not None
    table = by_outcome.differences
    assert _not_led(table) == "Not shown to differ: first sources, devices."
    assert _not_led(table[table[Diff.FAMILY] != "source"]) == (
        "Not in the data, or of too few users: first sources. Not shown to differ: devices."
    )
    little = table.assign(**{Diff.RANK: table[Diff.RANK].mask(table[Diff.FAMILY] == "page")})
    assert "Different, but by little, or by the same users as above: pages." in _not_led(little)
