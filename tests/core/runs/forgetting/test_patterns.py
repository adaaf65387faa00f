"""Ids in bytes: whole tokens, in every spelling, however many ids there are."""

from __future__ import annotations

import html
import json
import random
import re
import unicodedata
from urllib.parse import quote, quote_plus

import pytest

from core.runs.forgetting.patterns import FORGOTTEN, LAYERS, IdPatterns, layers

ID = "1234567890.1612345678"
PATTERNS = IdPatterns(
    frozenset({ID, "abc-def-123456", "12", "été-utilisateur", "smile-😀-123", 'a%20"b c_d&e'})
)


def found(data: bytes) -> set[str]:
    return {trace.id for trace in PATTERNS.find_spelt(data).places}


@pytest.mark.parametrize(
    "text",
    [
        ID,
        f"user={ID}&x",
        f'"{ID}"',
        f"GA1.1.{ID}",
        f"\n{ID}\r\n",
        f"{ID}.",
        f"\0{ID}\0",
        f"“{ID}”",
        f"–{ID}…",
        f"\u00a0{ID}\u00a0",
    ],
)
def test_a_whole_token_is_found(text: str) -> None:
    assert found(text.encode()) == {ID}


@pytest.mark.parametrize(
    "text",
    [f"9{ID}", f"{ID}9", f"x{ID}", f"{ID}_x", f"é{ID}", f"{ID}日", ID[:-1], ID[1:], ID.replace(".", "")],
)
def test_what_it_is_only_a_part_of_is_not(text: str) -> None:
    assert found(text.encode()) == set()


def escaped(one: str) -> bytes:
    """Every character as ``\\u`` and four digits, those beyond U+FFFF as two."""
    return b" " + re.sub("(....)", r"\\u\1", one.encode("utf-16-be").hex()).encode() + b" "


@pytest.mark.parametrize("one", sorted(PATTERNS.long))
@pytest.mark.parametrize(
    "spelt",
    [
        lambda one: f"x {one},".encode("utf-16-le"),
        lambda one: f"\ufeffx {one},".encode("utf-16-be"),
        lambda one: f"x {one},".encode("utf-8" if "😀" in one else "cp1252"),
        lambda one: unicodedata.normalize("NFD", f"x {one},").encode(),
        lambda one: quote(f"/{one}/", safe="").encode(),
        lambda one: quote(quote(f"/{one}/", safe=""), safe="").encode(),
        lambda one: json.dumps(f"\n{one}\t").encode(),
        lambda one: json.dumps(json.dumps(f" {one} ")).encode(),
        lambda one: html.escape(f"<{one}>").encode(),
        lambda one: "".join(f"&#x{ord(char):X};" for char in f" {one} ").encode(),
        lambda one: f"<{one}>".encode("ascii", "xmlcharrefreplace"),
        lambda one: escaped(one),
        lambda one: escaped(one).upper().replace(b"\\U", b"\\u"),
        lambda one: escaped(one).replace(b"\\", b"%"),
        lambda one: json.dumps(quote(json.dumps({"id": one}))).encode(),
        lambda one: ('"' + json.dumps({"page": quote(one)}).replace('"', '""') + '"').encode(),
        lambda one: ascii(f" {one} ").encode(),
        lambda one: repr(f" {one} ".encode()).encode(),
        lambda one: quote_plus(f" {one} ").encode(),
        lambda one: re.sub("%..", lambda hexed: hexed[0].lower(), quote(f" {one} ")).encode(),
        lambda one: ('"' + one.replace('"', '""') + '"').encode(),
    ],
)
def test_it_is_found_in_every_spelling(one: str, spelt: object) -> None:
    assert one in found(spelt(one))  # type: ignore[operator]


def test_each_is_counted_once_where_it_stands_however_it_is_spelt() -> None:
    octets = ID.replace("1", "%31")
    spelt = [ID, json.dumps(f"/{octets}"), ID, "100%abc-def-123456", escaped(ID).decode()]
    text = "é, ".join(spelt).replace("é", " é ").encode()
    places = PATTERNS.find_spelt(text).places
    assert [one.id for one in places] == [ID, ID, ID, "abc-def-123456", ID]
    stands = [text[one.start : one.end].decode() for one in places]
    assert stands == [ID, octets, ID, "abc-def-123456", escaped(ID).decode().strip()]


def test_layers_are_undone_in_rounds_and_more_than_these_are_said() -> None:
    mixed = b'%2525u0041 \\u005cx41 &amp;amp;#x41; ""  "" %5C%22 \\x2541 %26quot; \xe9\0'
    assert len(list(layers(mixed * 99))) <= 3 * LAYERS
    spelt = ID.replace("1", "%31")
    for _ in range(LAYERS - 1):
        spelt = quote(spelt)
    assert found(spelt.encode()) == {ID}
    assert not PATTERNS.find_spelt(spelt.encode()).too_deep
    deeper = quote(quote(spelt)).encode()
    assert PATTERNS.find_spelt(deeper).too_deep
    assert PATTERNS.holds(deeper)


def test_an_id_that_looks_like_an_escape_is_not_the_one_of_another() -> None:
    """``dom\\user-1`` without an escape is ``domuser-1``, who is somebody else."""
    ours = "dom\\user-1"
    text = f"{ours} {json.dumps(json.dumps(ours))} {quote(json.dumps(ours))} domuser-1".encode()
    assert len(IdPatterns(frozenset({ours})).find_spelt(text).places) == 4
    assert len(IdPatterns(frozenset({ours}), frozenset({"domuser-1"})).find_spelt(text).places) == 3


def test_within_a_longer_id_of_another_it_is_no_trace() -> None:
    patterns = IdPatterns(frozenset({"u-100001"}), frozenset({"u-100001-2"}))
    text = b"u-100001-2,u-100001,u-100001-3 u-100001-2"
    assert [trace.start for trace in patterns.find(text)] == [11, 20]
    assert patterns.without(text) == b"u-100001-2,[forgotten],[forgotten]-3 u-100001-2"


def test_a_short_id_is_not_looked_for_in_text() -> None:
    assert PATTERNS.short == {"12"}
    assert found(b"12, 3124") == set()


def test_it_is_what_a_plain_search_finds() -> None:
    """Beside ``re`` on random texts of few characters, so that parts and neighbours are common."""
    chance = random.Random(0)
    for _ in range(300):
        ids = {"".join(chance.choices("ab1._-", k=chance.randint(6, 9))) for _ in range(5)}
        patterns = IdPatterns(frozenset(ids))
        text = "".join(chance.choices("ab1._- ,", k=300)) + " ".join(ids)
        for one in patterns.long:
            left, right = (r"(?<!\w)" if one[0] in "ab1_" else ""), (r"(?!\w)" if one[-1] in "ab1_" else "")
            places = {m.start() for m in re.finditer(f"(?={left}{re.escape(one)}{right})", text, re.ASCII)}
            assert {t.start for t in patterns.find(text.encode()) if t.id == one} == places


def test_what_is_cut_off_is_not_taken_for_whole() -> None:
    assert PATTERNS.find(ID.encode(), first=False) == []
    assert PATTERNS.find(ID.encode(), last=False) == []
    assert len(PATTERNS.find(f" {ID} ".encode(), first=False, last=False)) == 1


def test_a_hundred_thousand_ids_are_found_at_once() -> None:
    ids = [f"{10**9 + i}.{16 * 10**8 + i}" for i in range(100_000)]
    text = ",".join(ids[::1_000]).encode()
    assert [trace.id for trace in IdPatterns(frozenset(ids)).find(text)] == ids[::1_000]


def test_text_keeps_all_but_the_ids() -> None:
    assert PATTERNS.without(f"a {ID}, b{ID} c".encode()).decode() == f"a {FORGOTTEN}, b{ID} c"


def test_numbers_are_those_that_a_column_of_numbers_could_hold() -> None:
    assert IdPatterns(frozenset({"1234567", "0123456", "12", "x123456", ID})).numbers.tolist() == [1_234_567]
