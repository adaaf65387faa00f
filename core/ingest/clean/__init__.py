"""Cleaning: raw text becomes typed records, canonical pages and masked texts."""
