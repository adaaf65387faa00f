"""The made-up sites: what they say is somebody's is seen, and by whom."""

from benchmarks.personal_places import plans, site


def test_what_a_site_calls_personal_is_in_its_addresses_or_titles() -> None:
    made = site("shop_small")
    assert made == site("shop_small")
    seen = "\n".join(f"{view.path} {view.title}" for view in made.views).lower()
    assert set(made.personal) == {path for path, *_ in plans()["shop_small"]["personal"]}
    for values in made.personal.values():
        assert all(value in seen and "<" not in value for value in values)
        assert not any(value in "\n".join(made.public) for value in values)
