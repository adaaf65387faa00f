"""A file of the app's own that could not be read: every page says so, until it is deleted."""

import pytest

from core.storage.json_cache import set_aside
from pages.ui.shell.text import md_text
from tests.pages.conftest import OpenApp
from tests.pages.fixtures_segments import FinishedRun


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("pages/prepare/labels.py", "label_settings.json"),
        ("pages/use/settings.py", "preferences.json"),
        ("pages/segments/explore.py", "workbench/{model}.names.json"),
        ("pages/segments/explore.py", "conversations/{model}/0123456789abcdef.json"),
    ],
)
def test_what_cannot_be_read_is_said_and_can_be_saved_or_deleted(
    open_app: OpenApp, finished_run: FinishedRun, page: str, name: str
) -> None:
    path = finished_run.root / name.format(model=finished_run.model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{broken")
    app = open_app(page, data=finished_run.dataset)
    assert not app.exception
    (kept,) = set_aside(path.parent)
    assert kept.read_text() == "{broken"
    (said,) = [warning.value for warning in app.warning if "could not be read" in warning.value]
    assert said.startswith(f"**{md_text(path.stem)}.json** could not be read")
    app.button(key=f"delete-{kept.stem}").click().run()
    assert set_aside(path.parent) == []
    assert not app.warning
