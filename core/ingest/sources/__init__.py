"""Input files: finding or fetching them, telling their kind, and opening their bytes."""
