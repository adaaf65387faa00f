"""Opt-in: fetch the text and markup of pages from hosts that the analyst agreed to, within strict limits.

``guard.py`` decides which URLs and addresses are allowed, ``client.py`` sends requests with limits,
``extract.py`` reads a page in a child process (``child.py``, ``page_reader.py``), ``page_store.py`` caches
documents, ``fetching.py`` obeys robots.txt and runs all of it.
"""
