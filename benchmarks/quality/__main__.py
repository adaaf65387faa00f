"""Print how good the vectors are.

    python -m benchmarks.quality --users 20000 [--data FILE]... [--real] [--seeds 3] [--json FILE]

Peers that want packages of their own: ``pip install -r requirements-bench.txt`` (gensim), and for CoLES
``--peer PYTHON`` of a venv with pytorch-lifestream.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import measure
from benchmarks.quality.report import as_json, heading, markdown
from benchmarks.quality.run import chosen, name_of, run_set, say
from benchmarks.quality.sets import DEMO_SEED, REAL, REAL_FOLDER, SetSpec, demo_shop, prepare


def main() -> None:
    """Run the sets that are asked for."""
    args = _arguments()
    with _work(args.work) as folder:
        results = [
            run_set(spec, range(args.seeds), chosen(args.methods), args.peer) for spec in _sets(args, folder)
        ]
    print(f"# Quality\n\n{heading(args.seeds)}\n")
    print("\n\n".join(markdown(result) for result in results))
    if args.json:
        args.json.write_text(json.dumps(as_json(results), indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=0, help="of a demo shop; none without")
    parser.add_argument("--demo-seed", type=int, default=DEMO_SEED)
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="exports to run on")
    parser.add_argument("--real", action="store_true", help="the real sets beside the repository, if there")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", help="parts of the methods' names, comma-separated")
    parser.add_argument("--peer", help="Python of a venv with pytorch-lifestream")
    parser.add_argument("--work", type=Path, help="keep data, models and vectors in this folder")
    parser.add_argument("--json", type=Path, help="also write every figure here")
    args = parser.parse_args()
    if not (args.users or args.data or args.real):
        parser.error("nothing to run on: give --users N, --data FILE or --real")
    return args


@contextmanager
def _work(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _sets(args: argparse.Namespace, folder: Path) -> list[SetSpec]:
    specs = []
    if args.users:
        csv, truth = measure(demo_shop, args.users, args.demo_seed, folder).value
        name = f"demo shop, {args.users:,} users, seed {args.demo_seed}"
        specs.append(measure(prepare, name, csv, truth, folder).value)
    files = [*args.data, *_real_files(args.real)]
    return specs + [measure(prepare, name_of(path), path, None, folder).value for path in files]


def _real_files(wanted: bool) -> list[Path]:
    paths = [REAL_FOLDER / file for file in REAL.values()] if wanted else []
    for path in paths:
        if not path.exists():
            say(f"{path.name} is not there: skipped")
    return [path for path in paths if path.exists()]


if __name__ == "__main__":
    main()
