"""Hints of personal data in text that one user alone saw."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ingest.clean.rare_text import known_names, looks_random, mask_names, mask_rare, regions_of


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Anruf 0170 1234567 heute", "Anruf {phone} heute"),
        ("call+030+901820", "call+{phone}"),
        ("Termin für Frau Anna Müller", "Termin für Frau {name}"),
        ("Rozmowa: Pani Anna Nowak", "Rozmowa: Pani {name}"),
        ("herr-mueller-termin", "herr-{name}"),
        ("An: Lindenstraße 12, 10969 Berlin", "An: {address}"),
        ("12 rue de la Paix 75002 Paris", "{address}"),
        ("geb. 03.04.1985", "geb. {birthdate}"),
        ("john (at) example dot com", "{email}"),
        ("john.doe at example dot com", "{email}"),
        ("amFuZUBleGFtcGxlLmNvbQ==", "{email}"),
        ("from 203.0.113.7", "from {ip}"),
        ("2001:db8::ff00:42:8329", "{ip}"),
        ("00:1A:2B:3C:4D:5E", "{ip}"),
    ],
)
def test_a_hint_is_enough(text: str, masked: str) -> None:
    assert mask_rare(text, ("DE",)).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "Garden gnome", "p50427198330", "grutier-9000004220157", "ersatzschirm-0049-7731-22", "Pani Domu",
        "Firmware 10.4.2.118", "12:30:45 news", "Start 01/10/2025", "look at home", "Levi's 501 W32 L34",
        "978-3-7913-8490-2", "topper-160-200-30",
    ],
)  # fmt: skip
def test_codes_dates_and_versions_stay(text: str) -> None:
    assert mask_rare(text, ("DE", "FR")) == (text, ())


@given(st.text(max_size=80))
def test_masking_again_changes_nothing_that_is_masked(text: str) -> None:
    once = mask_rare(text).text
    assert mask_rare(once).text.count("{") >= once.count("{")


def test_regions_come_from_the_site_and_its_users() -> None:
    assert regions_of(["shop.example.de", "shop.example"], ["France", "Atlantis", "Germany"]) == ("DE", "FR")


@pytest.mark.parametrize("text", ["k3j9x2m1pq7a", "0f8fad5b-d9cb-469f-a165-70867728950e", "a1b2c3d4e5f60718"])
def test_keys_are_random(text: str) -> None:
    assert looks_random(text)


@pytest.mark.parametrize(
    "text", ["garden-gnome-2025", "iphone15promax256gb", "levis-501-w32-l34", "20250131120000"]
)
def test_words_with_numbers_are_not(text: str) -> None:
    assert not looks_random(text)


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
