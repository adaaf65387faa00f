"""Stage 1: GA4 files in, a data set and its receipt out. Start reading at ``ingest.py``."""

from core.ingest.ingest import ingest
from core.ingest.read.inspection import inspect

__all__ = ["ingest", "inspect"]
