"""How many false remarks the filter catches, and how many true ones it drops.

    python -m benchmarks.words.remarks FILE

Each line of the file is an object with ``text``, ``kind`` (``comment`` or ``idea``) and ``false``: whether it
claims what no figure backs. A remark is caught or dropped where any sentence of it is.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from core.writing.remarks import allowed_remarks


def read(path: Path) -> list[dict[str, Any]]:
    """Read the remarks of a file, one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def is_dropped(text: str) -> bool:
    """Whether the filter drops any sentence of a remark; every number that it names counts as existing."""
    return allowed_remarks(text, {number: number for number in re.findall(r"\b[A-Z]\d+\b", text)})[1] > 0


def main() -> None:
    """Print both counts by kind, and every remark that was taken for the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    remarks = read(parser.parse_args().file)
    all_of, dropped = Counter[tuple[str, bool]](), Counter[tuple[str, bool]]()
    for remark in remarks:
        group, drops = (remark["kind"], bool(remark["false"])), is_dropped(remark["text"])
        all_of[group] += 1
        dropped[group] += drops
        if drops is not group[1]:
            print(f"{'missed' if group[1] else 'dropped'}: {remark['text']}")
    for false, what in ((True, "false ones caught"), (False, "true ones dropped")):
        parts = {kind: n for (kind, is_false), n in all_of.items() if is_false is false}
        by_kind = ", ".join(f"{dropped[kind, false]} of {n} {kind}s" for kind, n in parts.items())
        total, caught = sum(parts.values()), sum(dropped[kind, false] for kind in parts)
        print(f"{what}: {caught} of {total} ({caught / max(total, 1):.0%}; {by_kind})")


if __name__ == "__main__":
    main()
