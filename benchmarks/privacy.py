"""How much personal data of made-up sites is gone from every byte of a run, and what else with it.

    python -m benchmarks.privacy SET_FOLDER [--show]

``SET_FOLDER`` holds GA4 exports ``<site>.csv`` and ``truth.json``: ``secrets`` (``case``, ``kind``, ``site``,
``values``) and ``harmless`` (``case``, ``site``, ``text``). Each site is run as a user would (``core run``
into an empty folder, whose ``stages/`` is its cache). A secret is gone if none of its values stands in any
file, or any column of a Parquet file, raw, decoded or in lower case; a harmless text must still be there.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from plotly.offline import get_plotlyjs

RUN: Final = ("--preset", "bag", "--labels", "rules")
"""The last stages at their fastest: they get nothing but what preprocess has left."""
ROUNDS: Final = 3
"""Percent-decoding is repeated: redirects encode what is encoded."""


def main() -> None:
    """Run every site of a set and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--show", action="store_true", help="name every miss and every false alarm")
    options = parser.parse_args()
    truth = json.loads((options.folder / "truth.json").read_text(encoding="utf-8"))
    left: list[Mapping[str, Any]] = []
    values = Counter[str]()
    lost: list[Mapping[str, Any]] = []
    for file in sorted(options.folder.glob("*.csv")):
        written = written_by_a_run(file)
        for case in _of(file, truth["secrets"]):
            still = [value for value in case["values"] if _secret_in(value, written)]
            values.update({"all": len(case["values"]), "left": len(still)})
            left += [{**case, "left": still}] if still else []
        lost += [case for case in _of(file, truth["harmless"]) if not _in(case["text"], written)]
    _print(truth, left, lost)
    print(f"values gone: {values['all'] - values['left']} of {values['all']}")
    if options.show:
        _show(left, lost)


def written_by_a_run(file: Path) -> str:
    """Everything that a run writes, in all forms that are compared, in lower case."""
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


def _print(truth: Mapping[str, Any], left: list[Mapping[str, Any]], lost: list[Mapping[str, Any]]) -> None:
    secrets, harmless = truth["secrets"], truth["harmless"]
    print(f"gone: {len(secrets) - len(left)} of {len(secrets)} ({1 - len(left) / len(secrets):.1%})")
    print(f"false alarms: {len(lost)} of {len(harmless)} ({len(lost) / len(harmless):.1%})")
    every = Counter(case["kind"] for case in secrets)
    for kind, count in Counter(case["kind"] for case in left).most_common():
        print(f"  left: {kind} {count} of {every[kind]}")


def _show(left: list[Mapping[str, Any]], lost: list[Mapping[str, Any]]) -> None:
    for case in left:
        print("LEFT", json.dumps({**case, "values": len(case["values"])}, ensure_ascii=False)[:600])
    for case in lost:
        print("LOST", json.dumps(dict(case), ensure_ascii=False)[:600])


if __name__ == "__main__":
    main()
