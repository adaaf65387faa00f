import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ingest.sources.text import detect_encoding, from_windows, open_text


def decoded(data: bytes, chunk: int = 64) -> tuple[str, str, list[str]]:
    text = open_text(io.BytesIO(data), chunk)
    content = b"".join(text.chunks).decode()
    return content, text.encoding, text.notes


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_that_say_or_show_what_they_are(codec: str) -> None:
    content = "name,größe\n" + "a,b\n" * 50 + "日本,𝄞\n"
    assert decoded(content.encode(codec))[0] == content


def test_windows_only_if_the_whole_sample_says_so() -> None:
    assert detect_encoding("größe".encode("cp1252"), whole=True) == ("windows-1252", 0)
    assert detect_encoding("größe\n".encode() + b"gr\xf6\xdfe\n", whole=True) == ("utf-8", 0)
    assert detect_encoding("größe".encode()[:3] + b"\xc3", whole=True) == ("windows-1252", 0)
    # a sample may end within a character
    assert detect_encoding("a\ngrö".encode()[:-1], whole=False) == ("utf-8", 0)


def test_windows_is_noted_and_utf8_in_it_too() -> None:
    content, encoding, notes = decoded("größe €\n".encode("cp1252"))
    assert (content, encoding, notes) == ("größe €\n", "windows-1252", ["Not UTF-8: read as windows-1252"])
    mixed = "größe\n".encode("cp1252") + b"a\n" * 64 + "größe\n".encode()
    assert "2 characters look like UTF-8" in decoded(mixed, chunk=32)[2][1]


@given(st.binary())
def test_every_byte_means_something_in_windows_1252(data: bytes) -> None:
    text = from_windows(data).decode()
    assert len(text) == len(data)
    known = bytes(byte for byte in data if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
    assert from_windows(known).decode() == known.decode("cp1252")


def test_what_is_no_character_in_utf16_is_no_utf8_either() -> None:
    data = "name,size\n\ud800x\n日\n".encode("utf-16-le", "surrogatepass")
    text = open_text(io.BytesIO(data + b"\x00\xd8\x00"), 64)
    assert (text.encoding, b"".join(text.chunks)) == (
        "utf-16-le",
        b"name,size\n\xed\xa0\x80x\n\xe6\x97\xa5\n\xff",
    )


def test_zeros_at_the_end_are_not_utf16() -> None:
    assert detect_encoding(b"a,b\n" * 100 + bytes(2000), whole=True) == ("utf-8", 0)
    assert detect_encoding(("a,b,c,一,日\n" * 100).encode("utf-16-le"), whole=True) == ("utf-16-le", 0)


def test_carriage_returns_alone_end_lines() -> None:
    content, _, notes = decoded(b"a,b\r1,2\r")
    assert (content, notes) == ("a,b\n1,2\n", ["Lines end in CR alone"])
    assert decoded(b"a,b\r\n1,2\r\n")[0] == "a,b\r\n1,2\r\n"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\ufeff")), st.integers(8, 40))
def test_chunks_lose_nothing(content: str, chunk: int) -> None:
    assert decoded(("a," * 40 + "\n" + content).encode(), chunk)[0] == "a," * 40 + "\n" + content
