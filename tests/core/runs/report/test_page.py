"""The page: self-contained, and deaf to what strangers wrote into titles and names."""

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.runs.report import ReportInput, compose, render, write_report
from core.runs.report.model import Report
from core.segments.certificate import Certificate


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render(report)


class Tags(HTMLParser):
    """Every tag with its attributes, and the text of every script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script" and self.scripts[-1] == "":
            self.scripts[-1] = data
        else:
            self.texts.append(data)


def test_nothing_that_strangers_wrote_becomes_a_tag(page: str, evil: str) -> None:
    found = Tags(page)
    kinds = Counter(tag for tag, _ in found.tags)
    assert kinds["script"] == 3
    assert kinds["img"] == kinds["iframe"] == kinds["object"] == kinds["link"] == 0
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert evil in " ".join(found.texts)  # it is there, as text


@pytest.mark.parametrize("part", ["next_pages", "rules"])
def test_a_segment_stands_with_its_next_pages_and_its_rule_as_text(
    source: ReportInput, evil: str, part: str
) -> None:
    found = Tags(render(compose(replace(source, **{part: {1: f"Told of it: {evil} (41%)."}}))))
    assert f"Told of it: {evil} (41%)." in found.texts
    assert Counter(tag for tag, _ in found.tags)["img"] == 0


def test_the_policy_names_the_scripts_and_allows_nothing_else(page: str) -> None:
    found = Tags(page)
    policy = next(a["content"] for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in found.scripts]
    assert digests[1:] == allowed  # the first one is data
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy.replace("http-equiv", "")


def test_nothing_is_fetched(page: str) -> None:
    for _, attributes in Tags(page).tags:
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page.split("</style>")[0]


def test_figures_travel_as_json_that_cannot_end_its_script(page: str) -> None:
    data = Tags(page).scripts[0]
    assert "<" not in data
    charts = json.loads(data)
    assert set(charts["figures"]) == {"map", "outcome", "time", "waterfall"}
    assert set(charts["colours"]) == {"light", "dark"}


def test_plotly_is_there_once(page: str) -> None:
    assert page.count("plotly.js v") == 1
    assert 'type:"scattergl"' not in json.dumps(json.loads(Tags(page).scripts[0]))


def test_ids_stay_at_home(page: str, user_ids: list[str]) -> None:
    assert not [user_id for user_id in user_ids if user_id in page]


def test_same_run_same_report(source: ReportInput, page: str) -> None:
    assert render(compose(source)) == page


def test_the_file_is_written_whole(source: ReportInput, page: str, tmp_path: Path) -> None:
    write_report(tmp_path / "out" / "report.html", source)
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8") == page
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]


def test_all_but_the_segments_is_folded_and_print_shows_what_is_open(page: str) -> None:
    tags = Tags(page).tags
    parts = [attributes["id"] for tag, attributes in tags if attributes.get("class") == "part"]
    assert parts == ["cards", "compare", "map", "outcome", "times", "receipt", "settings", "reading"]
    assert not [attributes for tag, attributes in tags if tag == "details" and "open" in attributes]
    assert "details:not([open]) { display: none; }" in page.split("@media print")[-2]


def test_the_first_screen_says_how_stable_segments_are_and_what_gives_the_outcome_away(
    source: ReportInput, evil: str
) -> None:
    sure = Certificate(1, 3, jaccard=0.86, low=0.44, high=0.94, halves=1, seeds=1, rival=None, moves=0)
    said = {"certificates": {1: sure}, "outcome_warning": f"Read: {evil}", "advice": (f"Try {evil}",)}
    page = render(compose(replace(source, **said)))
    found = Tags(page.split('id="contents"')[0]).texts
    assert {".86 [.44–.94]", f"Read: {evil}", f"Try {evil}", "Stability"} <= set(found)
    assert "Stability" not in Tags(render(compose(source))).texts
