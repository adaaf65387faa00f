"""GA4's default channel group, against its published conditions written once more, row by row in Python."""

from __future__ import annotations

import itertools

import ibis
import pytest

from core.ingest.clean.channels import add_channel

_SOURCES = {
    "search": [
        "google",
        "bing",
        "duckduckgo",
        "Yahoo.com",
        "de.search.yahoo.com",
        "ecosia.org",
        "zen.yandex.ru",
    ],
    "shopping": ["amazon", "ebay.de", "Google Shopping", "shop.app", "stripe.com", "nl.shopping.net"],
    "social": [
        "facebook",
        "l.facebook.com",
        "t.co",
        "LinkedIn",
        "google+",
        "tr.pinterest.com",
        "video.ibm.com",
    ],
    "video": ["youtube", "m.youtube.com", "vimeo.com", "ted", "viadeo.journaldunet.com"],
    "assistants": ["chatgpt.com", "claude.ai", "gemini.google.com", "copilot.microsoft.com"],
    "": [
        "(direct)",
        "newsletter",
        "shop.example",
        "e-mail",
        "sms",
        "firebase",
        "notgoogle",
        "t.com",
        "(not set)",
    ],
}
_MEDIUMS = (
    "(none)", "(not set)", "organic", "CPC", "ppc", "paid_social", "xcpx", "retargeting", "unpaid", "cpm",
    "banner", "displays", "social network", "sm", "online video", "ai-assistant", "email", "e mail",
    "emails", "affiliate", "affiliates", "referral", "link", "audio", "SMS", "web-push",
    "pushed", "Mobile App", "notification-2",
)  # fmt: skip
_CAMPAIGNS = (
    "",
    "Summer Cross-Network 3",
    "workshop",
    "ipshop",
    "my shop",
    "oneshop",
    "Shopping week",
    "bishopric",
)


def _expected(source: str, medium: str, campaign: str) -> str:
    category = next(key for key, names in _SOURCES.items() if source in names)
    source, medium, campaign = source.lower(), medium.lower(), campaign.lower()
    paid = "cp" in medium or medium in ("ppc", "retargeting") or medium.startswith("paid")
    at = [i for i in range(len(campaign)) if campaign.startswith("shop", i)]
    shop = "shopping" in campaign or any(
        i == 0 or campaign[i - 1] not in "abcdfghijklmnopqrstuvwxyz" for i in at
    )
    if source == "(direct)" and medium in ("(none)", "(not set)"):
        return "Direct"
    if "cross-network" in campaign:
        return "Cross-network"
    if paid:
        if shop or category == "shopping":
            return "Paid Shopping"
        if category in ("search", "social", "video"):
            return f"Paid {category.title()}"
        return "Display" if medium == "cpm" else "Paid Other"
    if medium == "banner":
        return "Display"
    return _unpaid(source, medium, category, shop)


def _unpaid(source: str, medium: str, category: str, shop: bool) -> str:
    emails = ("email", "e-mail", "e_mail", "e mail")
    tests = {
        "Organic Shopping": category == "shopping" or shop,
        "Organic Social": category == "social" or medium in ("sm", "social network"),
        "Organic Video": category == "video" or "video" in medium,
        "AI Assistant": medium == "ai-assistant" or (category == "assistants" and medium == "referral"),
        "Organic Search": category == "search" or medium == "organic",
        "Email": source in emails or medium in emails,
        "Affiliates": medium == "affiliate",
        "Referral": medium in ("referral", "link"),
        "Audio": medium == "audio",
        "SMS": "sms" in (source, medium),
        "Mobile Push Notifications": medium.endswith("push")
        or "mobile" in medium
        or "notification" in medium
        or source == "firebase",
    }
    return next((channel for channel, fits in tests.items() if fits), "Unassigned")


def _channels(rows: list[tuple[str | None, ...]]) -> list[str]:
    names = ("source", "medium", "campaign", "ads_click")
    table = ibis.memtable(
        [dict(zip(names, row, strict=True)) | {"row": i} for i, row in enumerate(rows)],
        schema={**dict.fromkeys(names, "string"), "row": "int64"},
    )
    result: list[str] = add_channel(table).order_by("row").execute()["channel"].tolist()
    return result


def test_every_combination_gets_the_channel_of_the_published_conditions() -> None:
    sources = [name for names in _SOURCES.values() for name in names]
    rows = list(itertools.product(sources, _MEDIUMS, _CAMPAIGNS))
    assert len(rows) > 1000
    expected = [_expected(*row) for row in rows]
    assert len(set(expected)) == 20  # every channel occurs
    got = _channels([(*row, None) for row in rows])
    assert [(*row, a, b) for row, a, b in zip(rows, got, expected, strict=True) if a != b] == []


@pytest.mark.parametrize(
    ("row", "channel"),
    [
        ((None, None, None, None), "Direct"),
        (("", " ", "", ""), "Direct"),
        ((None, "email", None, None), "Email"),
        (("newsletter", None, None, None), "Unassigned"),
        (("google", "organic", None, "Cj0KCQ"), "Paid Search"),  # the export's known mistake
        (("google", "organic", "shopping", "Cj0KCQ"), "Paid Shopping"),
        (("(direct)", "(none)", None, "Cj0KCQ"), "Paid Search"),
        (("google\norganic", "organic\n", None, None), "Organic Search"),
        (("'; drop table x; --", "%", "\\", None), "Unassigned"),
    ],
)
def test_absent_odd_and_clicked_values(row: tuple[str | None, ...], channel: str) -> None:
    assert _channels([row]) == [channel]


def test_the_result_joins_other_tables() -> None:
    schema = dict.fromkeys(("source", "medium", "campaign", "ads_click"), "string")
    visits = ibis.memtable([("google", "cpc", None, None)], schema=schema)
    order = ibis.memtable({"channel": ["Paid Search"], "number": [3]})
    assert add_channel(visits).join(order, "channel").execute()["number"].tolist() == [3]
