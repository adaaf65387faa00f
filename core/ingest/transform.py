"""Raw records → the tables of a data set, and the receipt.

The raw table stays on disk, and each question to it reads only the columns it needs. What is kept in memory
is one row a page view (five numbers), a user, and a distinct page location.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from core.dataset import OUTCOMES, PAGES, RECEIPT, REJECTS, SEQUENCES, USERS
from core.ingest import clock, records, tables
from core.ingest.bots import bot_like
from core.ingest.engine import Engine, open_engine
from core.ingest.events import PageViews, gap_starts, number_users, ordered_views
from core.ingest.locations import Locations, canonical_locations
from core.ingest.outcomes import Events, leaking_pages, outcome_events
from core.ingest.output import outcomes_table, pages_table, sequences_table, users_table
from core.ingest.people import People, describe_people
from core.ingest.reading import READ_SHARE, RawRead
from core.ingest.receipt import Receipt
from core.ingest.rejects import rejects_table
from core.ingest.sessions import Sessions, number_sessions
from core.ingest.summary import write_receipt
from core.ingest.waterfall import Tally, Waterfall, count_fates, first_steps, refuse_nothing
from core.progress import Progress
from core.schema import Group, Raw
from core.settings import IngestSettings
from core.store import write_text_atomic
