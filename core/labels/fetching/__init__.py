"""Opt-in: what pages say of themselves, fetched politely from hosts that the analyst named.

``guard.py`` says which addresses may be asked, ``sockets.py`` holds connections to them, ``client.py`` asks
with patience and limits, ``robots.py`` keeps to what hosts allow, ``extract.py`` reads a page in a child
process (``child.py``, ``page_reader.py``), ``page_store.py`` remembers, ``fetching.py`` puts them together.
"""
