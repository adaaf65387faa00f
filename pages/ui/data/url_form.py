"""Rules for cleaning page addresses, with their effect on addresses of the file beside them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.base.settings import UrlRule, UrlSettings
from core.ingest.clean.urls import canonicalise
from pages.ui.shell.text import count

OUTLINED = (
    "Only outlines are compared here; what a rule does to whole words, upper case and names of parameters "
    "shows in the receipt, under Pages."
)
PATTERN, REPLACEMENT = "Where this pattern matches", "put this"


def url_settings(before: UrlSettings, examples: Sequence[str]) -> UrlSettings:
    """Draw the rules and what they do to the examples.

    Args:
        before: The rules to start from.
        examples: Page addresses of the file.

    Returns:
        The rules as they are now.

    Raises:
        SettingsError: If a rule is not a regular expression.
    """
    st.subheader("Which addresses are the same page?")
    st.caption(
        "Addresses that differ only in tracking, in an id or in case are one page. The rules can be changed."
    )
    settings = _rules(before)
    _examples(examples, settings)
    return settings


def _rules(before: UrlSettings) -> UrlSettings:
    with st.expander("Rules", icon=":material/rule_settings:"):
        with st.grid(2, min_column_width=280, key="url-switches"):
            switches = {
                "merge_hosts": st.checkbox(
                    "Hosts with and without www or shop are one site", before.merge_hosts, key="merge_hosts"
                ),
                "lower_path": st.checkbox(
                    "Upper and lower case are the same", before.lower_path, key="lower_path"
                ),
                "collapse_ids": st.checkbox(
                    "Ids and dates in a path do not matter", before.collapse_ids, key="ids"
                ),
                "keep_fragment": st.checkbox(
                    "Keep what follows #", before.keep_fragment, key="keep_fragment"
                ),
            }
        kept = st.multiselect(
            "Parameters that make another page", before.keep_params, before.keep_params,
            accept_new_options=True, select_all=False, key="keep_params",
            help="Every other parameter after the ? is dropped.",
        )  # fmt: skip
        return UrlSettings.checked(**switches, keep_params=tuple(kept), rules=_own_rules(before))


def _own_rules(before: UrlSettings) -> tuple[UrlRule, ...]:
    rows = [{PATTERN: rule.pattern, REPLACEMENT: rule.replacement} for rule in before.rules]
    table = pd.DataFrame(rows, columns=[PATTERN, REPLACEMENT], dtype="str")
    st.caption("Rules of your own: regular expressions on the cleaned address")
    edited = st.data_editor(table, num_rows="dynamic", hide_index=True, key="own_rules", placeholder="")
    return tuple(
        UrlRule.checked(pattern=row[PATTERN], replacement=row[REPLACEMENT] or "")
        for row in edited.fillna("").to_dict("records")
        if row[PATTERN]
    )


def _examples(examples: Sequence[str], settings: UrlSettings) -> None:
    if not examples:
        return
    address, page = "Address, in outline", "Page, in outline"
    table = pd.DataFrame({address: list(examples), page: canonicalise(examples, settings).pages})
    changed = table[table[address] != table[page]]
    became = f"{count(len(examples), 'address', 'addresses')} of the first rows become "
    became += count(table[page].nunique(), "page")
    st.caption(f"{became}{'' if len(changed) else ', and none is changed'}. {OUTLINED}")
    if len(changed):
        st.dataframe(changed, hide_index=True, alt="Addresses that the rules change, before and after")
