"""Stage 1: GA4 files in, a data set and its receipt out. Start reading at ``ingest.py``."""
