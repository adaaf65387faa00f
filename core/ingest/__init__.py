"""Stage 1, ingest: reads exports and writes a data set with its receipt. Start reading at ``ingest.py``.

``sample/`` writes the export of a made-up shop.
"""
