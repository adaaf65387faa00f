"""Stage 3, optional: what each page is about (theme) and what it is for (type), with the evidence.

A ladder of small classifiers, the surest first; the first that decides wins, and what none decides is
Unknown. Start at ``labelling.py``; the analyst's words are in ``label_settings.py``.
"""
