"""Jobs without child processes, and the words of a page: what page tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.base.settings import Settings
from core.runs.jobs import REQUEST, JobView, State


class FakeJobs:
    """Jobs that end as a test says, without a child process."""

    def __init__(self) -> None:
        self.started: list[tuple[str, dict[str, Any], str]] = []
        self.ends: dict[str, JobView] = {}
        self.rows: list[dict[str, float]] = []
        self.replaced = False
        """Whether the last one was to stop those before it."""
        self.environment: dict[str, str] | None = None
        """Variables of the last one."""
        self.child: str | None = None
        """What does the task of the last one."""

    def start(
        self,
        root: Path,
        task: str,
        asked: Settings | dict[str, Any],
        subject: str,
        _limits: object = None,
        *,
        replace: bool = False,
        environment: dict[str, str] | None = None,
        child: str | None = None,
    ) -> str:
        self.child = child
        self.replaced, self.environment = replace, environment
        request = asked.model_dump(mode="json") if isinstance(asked, Settings) else asked
        self.started.append((task, request, subject))
        self.ends.pop(task, None)
        folder = root / "jobs" / f"job-{task}"
        folder.mkdir(parents=True, exist_ok=True)
        order = {"task": task, "subject": subject, "started": 0.0, "request": request}
        (folder / REQUEST).write_text(json.dumps(order))
        return folder.name

    def view(self, _root: Path, job_id: str) -> JobView:
        task, _, subject = next(one for one in self.started if f"job-{one[0]}" == job_id)
        running = JobView(job_id, task, subject, State.RUNNING, stage=task, fraction=0.5)
        return self.ends.get(task, running)

    def active(self, root: Path) -> list[JobView]:
        """Those that go on."""
        return [job for job in self.recent(root) if job.active]

    def recent(self, _root: Path, limit: int = 50) -> list[JobView]:
        return [self.view(_root, f"job-{task}") for task, _, _ in self.started][:limit]

    def figures(self, _root: Path, _job_id: str) -> list[dict[str, float]]:
        return self.rows

    def end(self, task: str, state: State = State.DONE, **fields: Any) -> None:  # noqa: ANN401
        subject = next(one[2] for one in self.started if one[0] == task)
        self.ends[task] = JobView(f"job-{task}", task, subject, state, **fields)


def texts(app: Any) -> str:  # noqa: ANN401 - AppTest's tree has no common type
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.error, app.warning)
    return "\n".join(element.value for kind in kinds for element in kind)
