"""The report as one HTML file that opens anywhere: no server, no network, nothing outside it.

Every text is escaped when it is put in (Jinja2's autoescape; figures travel as JSON without ``<``). On
top of that a content security policy names the two scripts of the page by their SHA-256, so that even a
tag that slipped through would not run, and nothing can be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from core.base.palette import MUTED, PALETTE, Mode
from core.report.charts import Figure, painted, token, tokens
from core.report.model import Chart, Report
from core.storage.disk import write_text_atomic

TEMPLATES: Final = Path(__file__).parent / "templates"
PAGE, SINGLE = "report.html.j2", "figure.html.j2"


def render(report: Report) -> str:
    """The whole report as HTML."""
    charts = [chart for chart in (report.map, report.outcome_chart, report.waterfall) if chart is not None]
    return _rendered(PAGE, {chart.key: chart.figure for chart in charts}, report=report)


def write(path: Path, report: Report) -> None:
    """Write :func:`render` as a whole or not at all.

    Raises:
        ResourceError: If the disk is full; an older report is still there.
    """
    write_text_atomic(path, render(report))


def figure_page(chart: Chart) -> str:
    """One figure, with the table behind it, as an HTML file of its own."""
    return _rendered(SINGLE, {chart.key: chart.figure}, chart=chart)


def figure_json(chart: Chart, mode: Mode = Mode.LIGHT) -> str:
    """One figure as Plotly's JSON (``data`` and ``layout``), which Plotly turns into SVG or a picture."""
    return json.dumps(painted(chart.figure, mode), allow_nan=False)


def _rendered(template: str, figures: dict[str, Figure], **values: Any) -> str:  # noqa: ANN401 - for Jinja2
    scripts = (get_plotlyjs(), _text("report.js"))
    text = _environment().get_template(template).render(
        **values,
        csp=policy(scripts),
        scripts=scripts,
        style=_text("report.css"),
        charts={"figures": figures, "colours": tokens()},
        palette={mode.value: PALETTE[mode] for mode in Mode},
        muted={mode.value: MUTED[mode] for mode in Mode},
        shade=_shade,
    )  # fmt: skip
    return f"{text}\n"


def policy(scripts: tuple[str, ...]) -> str:
    """A policy that runs these scripts and nothing else, and fetches nothing."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["percent"] = percent
    return environment


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage; a dash where there is none."""
    return "–" if share is None else f"{share:.{digits}%}"


def _shade(segment: int | None) -> str:
    """The style variable of a segment's colour."""
    return (
        "--seg-none"
        if segment is None
        else token(segment).replace("token:", "--").replace("--outside", "--seg-none")
    )


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
