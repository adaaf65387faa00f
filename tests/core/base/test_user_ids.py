import pytest

from core.base.safe_text import contains_user_id

IDS = frozenset({
    "1234567890.1690000000", "auth0|5f7c8ec7c33c6c004bbafe82", "12345678", "user:998877", "aGVsbG8gd29ybGQ=",
    "ABCDEF123456", "c0ffee12-3456-7890-abcd-ef0123456789", "Ann Smith", "u7",
})  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "GA1.2.1234567890.1690000000", "/p/GA1.1.1234567890.1690000000", "What of (1234567890.1690000000)?",
        "/profile/auth0|5f7c8ec7c33c6c004bbafe82", "/auth0%7C5f7c8ec7c33c6c004bbafe82",
        "/auth0%257C5F7C8EC7C33C6C004BBAFE82",
        "/u/user-12345678", "/u/user_12345678", "/orders/12345678.html", "/o/12345678-2", "/x/user:998877/y",
        "/x/aGVsbG8gd29ybGQ=", "/x/aGVsbG8gd29ybGQ%3D", "/abcdef123456", "１２３４５６７８", "1234\u200b5678",
        "/u/c0ffee12-3456-7890-abcd-ef0123456789.html", "by Ann\n Smith, today", "u7", "U7",
    ],
)  # fmt: skip
def test_an_id_is_found_however_it_is_spelt(text: str) -> None:
    assert contains_user_id(text, IDS)


@pytest.mark.parametrize(
    "text", ["", "123456789", "x12345678", "1234567890", "u7-like", "/p/u7", "c0ffee12-3456", "Ann and Smith"]
)
def test_what_is_no_id_is_none(text: str) -> None:
    assert not contains_user_id(text, IDS)


def test_without_ids_there_is_none() -> None:
    assert not contains_user_id("12345678", ())
