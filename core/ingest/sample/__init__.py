"""Generate the GA4 export of a made-up shop, for demonstrations and for tests that know the true segments.

Eleven kinds of visitors walk over some 570 pages for 90 days. Two kinds look at the same pages in another
order, two at another tempo; the rest differ in content. Around them lies what real exports hold: tracking
parameters, spellings, null ids, ties, reloads that record a purchase twice, staff, testers, crawlers.
"""

from core.ingest.sample.write_sample import Chunk, generate, truth_path, write_sample

__all__ = ["Chunk", "generate", "truth_path", "write_sample"]
