"""What an analyst decided can be read and changed by a script: no screen is loaded for it."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path

from core.base.schema import View
from core.saved import conversations, descriptions, label_decisions, preferences, saved_work, chat_task
from core.labels.label_settings import Override
from core.storage.store import Store

store = Store(Path(sys.argv[1]))
saved_work.rename(store, "m", {0: "Readers", 2: "Bargain hunters"})
label_decisions.correct(store, [Override(view=View.TYPE, target="/sale", value="Product")])
preferences.change(store, fewest_users=50)
print(saved_work.names(store, "m"), *label_decisions.load(store).overrides,
      preferences.load(store).fewest_users)
label_decisions.undo(store)
saved_work.undo_names(store, "m")
assert (saved_work.names(store, "m"), label_decisions.load(store).overrides) == ({}, ())
assert "streamlit" not in sys.modules
"""


def test_a_script_names_segments_and_corrects_labels(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=Path(__file__).resolve().parents[3], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.split(" view=")[0] == "{0: 'Readers', 2: 'Bargain hunters'}"
    assert "target='/sale' value='Product'" in done.stdout
    assert done.stdout.rstrip().endswith(" 50")
