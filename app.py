"""The server's entry and the app's frame: routes, headers, navigation.

``streamlit run app.py`` imports this file once as the server and then runs it as a script for every
visit; ``python app.py`` works too.
"""

from __future__ import annotations

import contextlib
import os

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is None:  # imported by the server
    from pages.ui.shell.server import MIDDLEWARE, ROUTES

    # A folder named pages/ puts a fresh server into Streamlit's old multi-page mode, in which the first
    # deep link gets a "Page not found" dialog. The call leaves that mode, and then refuses the empty list.
    with contextlib.suppress(st.errors.StreamlitAPIException):
        st.navigation([])
    app = st.App(__file__, routes=ROUTES, middleware=MIDDLEWARE)
    if __name__ == "__main__":
        app.run(config={"server.port": int(os.environ.get("PORT", "8501"))})
else:  # run for a visit, or by a test
    from pages.ui.shell.frame import main

    main()
