"""The drop zone for large files: they go to disk in pieces, past Streamlit's memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import streamlit as st

from pages.ui.data.uploads import SUFFIXES
from pages.ui.shell.server import MARK, UPLOAD_PATH

HTML: Final = """
<div id="zone">
  <input id="pick" type="file" multiple aria-describedby="hint">
  <label for="pick"><span id="what"></span></label>
  <p id="hint"></p>
  <div class="track" aria-hidden="true"><div id="bar"></div></div>
  <p id="say" role="status" aria-live="polite"></p>
  <button id="stop" type="button" hidden>Stop</button>
</div>
"""

_CSS: Final = """
#zone { position: relative; box-sizing: border-box; padding: 1.1rem 1rem; text-align: center;
  border: 1.5px dashed var(--st-border-color); border-radius: var(--st-base-radius);
  background: var(--st-secondary-background-color); color: var(--st-text-color);
  font-family: var(--st-font); font-size: 0.93rem; }
#zone.over, #zone:focus-within { border-color: var(--st-primary-color); }
#zone:focus-within { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
#zone.over { border-style: solid; }
#pick { position: absolute; inset: 0; opacity: 0; cursor: pointer; width: 100%; }
label { font-weight: 600; color: var(--st-link-color); }
p { margin: 0.25rem 0 0; overflow-wrap: anywhere; }
#hint { opacity: 0.75; font-size: 0.85rem; }
#say:empty, .track { display: none; }
#zone.busy .track { display: block; height: 0.35rem; margin-top: 0.7rem; border-radius: 1rem;
  background: var(--st-border-color); overflow: hidden; }
#bar { height: 100%; width: 0; background: var(--st-primary-color); transition: width 0.2s; }
#zone.failed #say { color: var(--st-red-text-color); }
button { position: relative; margin-top: 0.5rem; padding: 0.2rem 0.8rem; cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
  background: var(--st-background-color); color: inherit; font: inherit; }
button[hidden] { display: none; }
"""

_component = st.components.v2.component(
    "dropzone", html=HTML, css=_CSS, js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
)


def dropzone(key: str) -> Sequence[str]:
    """Draw the drop zone.

    Args:
        key: Key of the widget.

    Returns:
        The names, in the input folder, of files that have just arrived; empty on every other run.
    """
    data = {
        "url": UPLOAD_PATH,
        "mark": MARK[1],
        "accept": ",".join(SUFFIXES),
        "label": "Drop files here, or click to choose",
        "hint": "CSV, JSON lines or Parquet, also .gz and .zip; many daily files at once are fine",
    }
    arrived = _component(key=key, data=data, on_done_change=lambda: None).done
    return [str(name) for name in arrived or ()]
