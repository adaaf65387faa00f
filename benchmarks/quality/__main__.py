"""Print how good the vectors are.

    python -m benchmarks.quality [--users N...] [--big N] [--real] [--data FILE...] [--work FOLDER]

The whole of it: ``--users 20000 50000 --big 270000 --real --peer PYTHON --work FOLDER``. With ``--work`` a
run that broke goes on where it stopped: what ``results.json`` of a set knows is not computed again (delete
that file, or lines of it, after a change of the code).

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
from benchmarks.quality.methods import LADDER, METHODS
from benchmarks.quality.report import SetResult, as_json, heading, markdown
from benchmarks.quality.run import chosen, name_of, run_set, say
from benchmarks.quality.sets import DEMO_SEED, REAL, REAL_FOLDER, SetSpec, demo_shop, prepare


def main() -> None:
    """Run the sets that are asked for."""
    args = _arguments()
    print(f"# Quality\n\n{heading(args.seeds)}", flush=True)
    with _work(args.work) as folder:
        results = [_shown(result) for result in _results(args, folder)]
    if args.json:
        args.json.write_text(json.dumps(as_json(results), indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, nargs="*", default=[], help="sizes of demo shops")
    parser.add_argument("--big", type=int, help="size of a demo shop for speed and memory: ours, one seed")
    parser.add_argument("--demo-seed", type=int, default=DEMO_SEED)
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="exports to run on")
    parser.add_argument("--real", action="store_true", help="the real sets beside the repository, if there")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", help=f"parts of names, comma-separated: {', '.join(METHODS)}")
    parser.add_argument("--peer", help="Python of a venv with pytorch-lifestream")
    parser.add_argument("--work", type=Path, help="keep data, models, vectors and results in this folder")
    parser.add_argument("--json", type=Path, help="also write every figure here")
    args = parser.parse_args()
    if not (args.users or args.big or args.data or args.real):
        parser.error("nothing to run on: give --users N, --big N, --data FILE or --real")
    return args


@contextmanager
def _work(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _results(args: argparse.Namespace, folder: Path) -> Iterator[SetResult]:
    seeds, methods = range(args.seeds), chosen(args.methods)
    for users in args.users:
        yield run_set(_demo(users, args.demo_seed, folder), seeds, methods, args.peer)
    for path in [*args.data, *_real_files(args.real)]:
        spec = measure(prepare, name_of(path), path, None, folder).value
        yield run_set(spec, seeds, methods, args.peer)
    if args.big:
        yield run_set(_demo(args.big, args.demo_seed, folder), seeds[:1], (LADDER,), args.peer)


def _demo(users: int, seed: int, folder: Path) -> SetSpec:
    csv, truth = measure(demo_shop, users, seed, folder).value
    spec: SetSpec = measure(prepare, f"demo shop, {users:,} users, seed {seed}", csv, truth, folder).value
    return spec


def _real_files(wanted: bool) -> list[Path]:
    paths = [REAL_FOLDER / file for file in REAL.values()] if wanted else []
    for path in paths:
        if not path.exists():
            say(f"{path.name} is not there: skipped")
    return [path for path in paths if path.exists()]


def _shown(result: SetResult) -> SetResult:
    print(f"\n{markdown(result)}", flush=True)
    return result


if __name__ == "__main__":
    main()
