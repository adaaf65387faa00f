import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ingest.clean.personal_data import (
    SUSPECT_RE2,
    iban_checks,
    luhn,
    mask,
    mask_param,
    mask_url,
    param_kind,
)

# Test numbers that card schemes and the ISO 13616 registry publish.
CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "30569309025904")
IBANS = ("DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NO9386011117947")


@pytest.mark.parametrize(
    ("text", "masked", "kind"),
    [
        ("jane.doe@x.com", "{email}", "email"),
        ("Results for jane@x.co.uk – shop", "Results for {email} – shop", "email"),
        ("/user/jane+news@mail.x.com/edit", "/user/{email}/edit", "email"),
        ("4111 1111 1111 1111 123", "{card} 123", "card"),
        ("DE89 3704 0044 0532 0130 00 is mine, thanks", "{iban} is mine, thanks", "iban"),
        ("/pay/de89370400440532013000/now", "/pay/{iban}/now", "iban"),
        ("+49 170 1234567", "{phone}", "phone"),
        ("/call/+49+170+1234567", "/call/{phone}", "phone"),
        ("call (555) 234-5678 now", "call {phone} now", "phone"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF", "{token}", "token"),
        ("/reset-password/9f8a7d6e5c4b3a2918aa", "/reset-password/{token}", "token"),
    ],
)
def test_personal_data_becomes_a_placeholder(text: str, masked: str, kind: str) -> None:
    assert mask(text) == (masked, (kind,))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/trousers/A13",
        "1605951.6059719725",  # a client id
        "1611210000000000",  # microseconds
        "4111111111111112",  # no card: wrong check digit
        "DE88370400440532013000",  # no account: wrong check digits
        "2021-01-31 12:30:45",
        "logo@2x.png",
        "react@18.2.0",
        "/maps/@52.5,13.4,15z",
        "eyjafjallajokull.html",
        "/size/5551234567890",
        "/reset/summer-sale",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert mask(text) == (text, ())


@pytest.mark.parametrize("card", CARDS)
def test_published_cards_are_found_with_and_without_spaces(card: str) -> None:
    spaced = " ".join(re.findall("....|.+$", card))
    assert luhn(card)
    assert mask(f"pay {card}.").text == "pay {card}."
    assert mask(spaced).text == "{card}"


@pytest.mark.parametrize("account", IBANS)
def test_published_accounts_are_found_and_typos_are_not(account: str) -> None:
    typo = account[:-1] + ("1" if account[-1] != "1" else "2")
    assert iban_checks(account)
    assert not iban_checks(typo)
    assert mask(account).text == "{iban}"
    assert mask(typo).text == typo


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("email", "email"),
        ("E-Mail", "email"),
        ("customer_email", "email"),
        ("user[email]", "email"),
        ("first_name", "name"),
        ("name", "name"),
        ("tel", "phone"),
        ("postcode", "address"),
        ("access_token", "token"),
        ("PHPSESSID", "token"),
        ("q", None),
        ("category", None),
        ("colour_name", None),
        ("page", None),
    ],
)
def test_parameters_are_judged_by_their_name(name: str, kind: str | None) -> None:
    assert param_kind(name) == kind


def test_a_parameter_is_masked_by_its_name_or_else_by_its_value() -> None:
    assert mask_param("email", "whatever") == ("{email}", ("email",))
    assert mask_param("q", "jane@x.com shoes") == ("{email} shoes", ("email",))
    assert mask_param("q", "shoes") == ("shoes", ())
    assert mask_param("email", "{email}") == ("{email}", ())


@pytest.mark.parametrize(
    ("url", "masked", "kinds"),
    [
        (
            "https://jane:secret@x.com/a?email=j%40x.com&q=a#b",
            "https://{token}@x.com/a?email={email}&q=a#b",
            ("token", "email"),
        ),
        ("/a?x=jane%40x.com", "/a?x={email}", ("email",)),
        ("/a?x=jane%2540x.com", "/a?x={email}", ("email",)),
        ("/a?q=%2B49%20170%201234567", "/a?q={phone}", ("phone",)),
        ("/a?q=shoes&page=2", "/a?q=shoes&page=2", ()),
    ],
)
def test_urls_are_masked_as_they_arrive(url: str, masked: str, kinds: tuple[str, ...]) -> None:
    assert mask_url(url) == (masked, kinds)


def test_numbers_can_stay_but_no_mail_and_no_key() -> None:
    text = "/tel/+49 170 1234567?q=4111111111111111&email=a&s=jane@x.com"
    assert (
        mask_url(text, numbers=False).text
        == "/tel/+49 170 1234567?q=4111111111111111&email={email}&s={email}"
    )
    assert mask_url(text).kinds == ("email", "email", "card", "phone")


PIECES = st.sampled_from(
    [
        "jane@x.com",
        "%40",
        "@",
        "?email=",
        "&q=",
        "+49 170 1234567",
        *CARDS,
        *IBANS,
        "/reset/",
        "eyJ",
        "a",
        ".",
        "/",
        "%",
        "{",
        " ",
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=8).map("".join))


@given(TEXTS)
def test_masking_never_fails_and_masked_text_is_left_alone(text: str) -> None:
    for function in (mask, mask_url):
        once = function(text).text
        assert function(once).text == once


@given(TEXTS)
def test_the_engine_flags_every_text_that_would_change(text: str) -> None:
    if mask_url(text).kinds:
        assert re.search(SUSPECT_RE2, text)


@given(
    st.sampled_from(CARDS + IBANS + ("jane@x.com",)),
    st.sampled_from(["/p/{}", "?q={}", "see {} there", "{}"]),
)
def test_no_number_or_address_survives_where_it_usually_stands(value: str, place: str) -> None:
    assert value not in mask_url(place.format(value)).text
