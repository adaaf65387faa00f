"""The child that looks into files before they are read: ``python -m core.runs.inspection_child FOLDER``.

Unlike the one of all other tasks it loads no stage, so that it has looked before the other one had begun.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from core.base.progress import Progress
from core.runs.file_requests import FilesRequest
from core.runs.job_child import run_child

LOOK: Final = "inspect"


def _inspect_files(
    _task: str, _root: Path, request: Mapping[str, Any], _progress: Progress
) -> dict[str, Any]:
    """Read the headers of a :class:`FilesRequest`'s files; the Inspection as plain data."""
    from core.ingest.read.inspection import inspect

    asked = FilesRequest.checked(**request)
    return {"inspection": inspect(asked.paths, asked.settings).model_dump(mode="json")}


if __name__ == "__main__":
    sys.exit(run_child(Path(sys.argv[1]), _inspect_files))
