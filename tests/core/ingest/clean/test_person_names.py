from core.ingest.clean.person_names import known_names, mask_names

NAMES = known_names({"anna", "nowak", "jo", "paul", "smith"}, {"smith"})


def test_words_that_many_saw_are_no_names() -> None:
    assert sorted(NAMES) == ["anna", "nowak", "paul"]


def test_two_names_beside_each_other_are_masked_wherever_they_stand() -> None:
    assert mask_names("/cv_Anna_Nowak.pdf", NAMES) == ("/cv_{name}.pdf", ("name",))
    assert mask_names("Review by Anna Nowak, Bonn", NAMES).text == "Review by {name}, Bonn"
    assert mask_names("/u/nowak,+anna/edit", NAMES).text == "/u/{name}/edit"


def test_one_name_alone_or_in_two_places_is_none() -> None:
    for text in ("Anna Karenina", "/anna/nowak", "Paul Smith shirt", "{anna} {nowak}"):
        assert mask_names(text, NAMES) == (text, ())
