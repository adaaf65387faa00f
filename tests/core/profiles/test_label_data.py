"""Page views by theme and type."""

from core.base.schema import View
from core.profiles.rows import LabelData
from tests.core.profiles.toy import toy_tables


def test_page_views_of_a_label_by_eye() -> None:
    """The sale is the second page: its views are 2, 1, 3, none of the next four, and 2."""
    names = {View.THEME: ["No theme", "Shoes", "Hats", "No theme"], View.TYPE: list("abcd"), "template": []}
    made = LabelData.from_names(toy_tables()[3], names)
    assert made.times(View.THEME, "Shoes").tolist() == [2, 1, 3, 0, 0, 0, 0, 2]
    assert made.views[View.THEME].values == ("No theme", "Hats", "Shoes")  # 9, 8 and 8 page views
    assert made.page_of[View.TYPE].tolist() == [made.views[View.TYPE].values.index(name) for name in "abcd"]


def test_pages_without_labels_have_no_views_by_label() -> None:
    assert not LabelData.from_names(toy_tables()[3], {}).views
