"""How much personal data of made-up sites is gone from every byte of a run, and what else with it.

    python -m benchmarks.privacy SET_FOLDER [--show]

``SET_FOLDER`` holds GA4 exports ``<site>.csv`` and ``truth.json``: ``secrets`` (``case``, ``kind``, ``site``,
``values``) and ``harmless`` (``case``, ``site``, ``text``). Each site is run as a user would (``core run``
into an empty folder, whose ``stages/`` is its cache). A secret is gone if none of its values stands in any
file, or any column of a Parquet file, raw, decoded or in lower case; a harmless text must still be there.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

import click
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from plotly.offline import get_plotlyjs

RUN: Final = ("--preset", "bag", "--labels", "rules")
"""Options of a run: the last stages at their fastest, as they get nothing but what preprocess has left."""
ROUNDS: Final = 3
"""How often percent-decoding is repeated: redirects encode what is encoded."""


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--show", is_flag=True, help="Name every miss and every false alarm.")
def main(folder: Path, show: bool) -> None:
    """Run every site of a set and print what was found."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    secrets, harmless = truth["secrets"], truth["harmless"]
    left: list[dict[str, Any]] = []
    lost: list[dict[str, Any]] = []
    for file in sorted(folder.glob("*.csv")):
        written = written_by_a_run(file)
        for case in _of(file, secrets):
            still = [value for value in case["values"] if _secret_in(value, written)]
            left += [{**case, "left": still}] if still else []
        lost += [case for case in _of(file, harmless) if not _in(case["text"], written)]
    gone, values = len(secrets) - len(left), sum(len(case["values"]) for case in secrets)
    print(f"gone: {gone} of {len(secrets)} ({gone / len(secrets):.1%})")
    print(f"values gone: {values - sum(len(case['left']) for case in left)} of {values}")
    print(f"false alarms: {len(lost)} of {len(harmless)} ({len(lost) / len(harmless):.1%})")
    every = Counter(case["kind"] for case in secrets)
    for kind, count in Counter(case["kind"] for case in left).most_common():
        print(f"  left: {kind} {count} of {every[kind]}")
    for case in [*left, *lost] if show else []:
        shown = case | ({"values": len(case["values"])} if "values" in case else {})
        print("LEFT" if "left" in case else "LOST", json.dumps(shown, ensure_ascii=False)[:600])


def written_by_a_run(file: Path) -> str:
    """Everything that a run on a file writes, in all forms that are compared, in lower case."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [sys.executable, "-m", "core", "run", str(file), "--out", str(out), *RUN]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        texts = {text for path in sorted(out.rglob("*")) if path.is_file() for text in _texts(path)}
    return "\n".join(form for text in texts for form in _forms(text))


def _texts(path: Path) -> Iterator[str]:
    """The bytes of a file as text; of Parquet also what its columns hold.

    Without the library that draws the report's charts: it names countries and people itself.
    """
    yield path.read_bytes().decode("utf-8", "ignore").replace(get_plotlyjs(), "")
    if path.suffix == ".parquet":
        for column in pq.read_table(path).columns:
            flat = column
            while pa.types.is_nested(flat.type):
                flat = pc.list_flatten(flat)
            if pa.types.is_string(flat.type):
                yield "\n".join(value for value in pc.unique(flat).to_pylist() if value is not None)


def _forms(text: str) -> set[str]:
    """The text as it is, with escapes of JSON and HTML undone, and percent-decoded."""
    forms = {text, html.unescape(text)}
    if "\\u" in text:
        forms.add(_ESCAPED.sub(lambda match: chr(int(match[1], 16)), text))
    for _ in range(ROUNDS):
        forms |= {decoder(form) for form in forms if "%" in form or "+" in form for decoder in _DECODERS}
    return {form.lower() for form in forms}


_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_DECODERS: Final = (unquote, unquote_plus, lambda text: unquote(text, "latin-1"))


def _of(file: Path, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [case for case in cases if Path(case["site"]).stem == file.stem]


def _secret_in(value: str, written: str) -> bool:
    """Whether a value is left; a number only as one, as it may by chance be part of a sum or a time."""
    if value.isdigit() and _in(value, written):
        return re.search(rf"(?<![\d.]){value}(?!\d)", written) is not None
    return _in(value, written)


def _in(value: str, written: str) -> bool:
    return value.lower() in written


if __name__ == "__main__":
    main()
