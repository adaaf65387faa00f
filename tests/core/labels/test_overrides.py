import pytest

from core.errors import SettingsError
from core.labels.contract import Subject
from core.labels.overrides import OverrideClassifier
from core.labels.settings import NO_THEME, UNKNOWN, LabelSettings, Override
from core.schema import View


def rung(*overrides: tuple[View, str, str]) -> OverrideClassifier:
    made = tuple(Override(view=view, target=target, value=value) for view, target, value in overrides)
    return OverrideClassifier(LabelSettings(overrides=made))


def value(rung: OverrideClassifier, subject: Subject, view: View = View.TYPE) -> str | None:
    (label,) = rung.classify([subject], view)
    return label.value if label else None


ONE = Subject("/x/:slug", ("/x/a",))
MANY = Subject("/x/:slug", ("/x/a", "/x/b"))


def test_the_latest_wins_and_a_page_wins_over_its_template() -> None:
    both = rung(
        (View.TYPE, "/x/a", "Blog"), (View.TYPE, "/x/:slug", "Category"), (View.TYPE, "/x/:slug", "Product")
    )
    assert value(both, ONE) == "Blog"
    assert value(both, MANY) == "Product"
    assert value(both, ONE, View.THEME) is None


def test_the_evidence_names_the_target() -> None:
    (label,) = rung((View.TYPE, "/x/:slug", "Product")).classify([MANY], View.TYPE)
    assert label is not None
    assert label.evidence == "corrected by hand: /x/:slug"


def test_unknown_and_no_theme_can_be_said_by_hand() -> None:
    assert value(rung((View.TYPE, "/x/a", UNKNOWN)), ONE) == UNKNOWN
    assert value(rung((View.THEME, "/x/a", NO_THEME)), ONE, View.THEME) == NO_THEME


@pytest.mark.parametrize(
    ("view", "name"),
    [(View.TYPE, "Prodcut"), (View.TYPE, NO_THEME), (View.THEME, "Product"), (View.URL, "Product")],
)
def test_a_label_outside_the_taxonomy_is_refused(view: View, name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        rung((view, "/x/a", name))
    assert name in str(caught.value)
    assert "Allowed:" in str(caught.value)
    assert "Add the name to the taxonomy" in str(caught.value)
