"""Stage 3, optional: label each page with a theme (what it is about) and a type (what it is for).

A cascade of small classifiers, the most reliable first: the first that decides wins, and a page that none
decides is Unknown. Start at ``labelling.py``; the settings are in ``label_settings.py``.
"""
