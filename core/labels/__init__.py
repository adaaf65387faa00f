"""Stage 3, optional: what each page is about (theme) and what it is for (type), with the evidence.

A ladder of small classifiers, the surest first; the first that decides wins, and what none decides is
Unknown. Its types are in ``label_types.py``, the analyst's words in ``label_settings.py``.
"""
