import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ingest.clean.lone import mask_lone, regions_of


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
    assert mask_lone(text, ("DE",)).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "Garden gnome", "p50427198330", "grutier-9000004220157", "ersatzschirm-0049-7731-22", "Pani Domu",
        "Firmware 10.4.2.118", "12:30:45 news", "Start 01/10/2025", "look at home", "Levi's 501 W32 L34",
        "978-3-7913-8490-2", "topper-160-200-30",
    ],
)  # fmt: skip
def test_codes_dates_and_versions_stay(text: str) -> None:
    assert mask_lone(text, ("DE", "FR")) == (text, ())


@given(st.text(max_size=80))
def test_masking_again_changes_nothing_that_is_masked(text: str) -> None:
    once = mask_lone(text).text
    assert mask_lone(once).text.count("{") >= once.count("{")


def test_regions_come_from_the_site_and_its_users() -> None:
    assert regions_of(["shop.example.de", "shop.example"], ["France", "Atlantis", "Germany"]) == ("DE", "FR")
