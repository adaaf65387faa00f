"""The program ``beha2vec``: ``core`` and ``pages`` are top-level names in its own process alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of ``core`` and exit; a ``core`` from elsewhere does not come before ours."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from core.cli.cli import main as run

    run()


if __name__ == "__main__":
    main()
