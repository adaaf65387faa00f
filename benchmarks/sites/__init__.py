"""Made-up web sites with the truth of every page and user, by authors who have not seen the rules."""

from benchmarks.sites.plan import DEV, HELD
from benchmarks.sites.write import SiteFiles, write_site

__all__ = ["DEV", "HELD", "SiteFiles", "write_site"]
