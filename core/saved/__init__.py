"""Decisions of the analyst that are kept: names, corrections, conversations, preferences."""
