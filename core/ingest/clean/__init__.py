"""Raw text → typed records, canonical pages, masked texts."""
