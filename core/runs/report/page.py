"""The report as one HTML file that opens anywhere: no server, no network, nothing outside it.

Every text is escaped when it is put in (Jinja2's autoescape; figures travel as JSON without ``<``). On
top of that a content security policy names the two scripts of the page by their SHA-256, so that even a
tag that slipped through would not run, and nothing can be fetched.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from core.base import wording
from core.base.palette import MUTED, PALETTE
from core.profiles.profile_columns import MetricRole
from core.runs.report.charts import token, tokens
from core.runs.report.model import Report

_TEMPLATES: Final = Path(__file__).parent / "templates"
_PAGE: Final = "report.html.j2"
_PLAIN: Final = {
    MetricRole.INPUT: "the model has read it", MetricRole.DERIVED: "follows from what it has read",
    MetricRole.HELD_OUT: "not read by the model", MetricRole.RULE: "by rule",
}  # fmt: skip
"""How a figure relates to the model, in words for readers who know no model."""


def render(report: Report) -> str:
    """Render the report as HTML."""
    drawn = (report.map, report.outcome_chart, report.time_chart, report.waterfall)
    charts = [chart for chart in drawn if chart is not None]
    scripts = (get_plotlyjs(), _text("report.js"))
    text = (
        _environment()
        .get_template(_PAGE)
        .render(
            report=report,
            csp=_policy(scripts),
            scripts=scripts,
            style=_text("report.css"),
            charts={
                "figures": {chart.key: chart.figure for chart in charts},
                "colours": tokens(),
                "living": report.living,
            },
            palette=PALETTE,
            muted=MUTED,
            shade=_shade,
            plain=_PLAIN,
        )
    )
    return f"{text}\n"


def _policy(scripts: tuple[str, ...]) -> str:
    """Content security policy that allows these scripts (their texts) and nothing else, and no network."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["percent"] = wording.percent
    return environment


def _shade(segment: int | None) -> str:
    """Name of the CSS variable of a segment's colour."""
    return (
        "--seg-none"
        if segment is None
        else token(segment).replace("token:", "--").replace("--outside", "--seg-none")
    )


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
