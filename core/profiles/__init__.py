"""Profiles of segments: sizes, behaviour, outcomes, pages and attributes, and example users."""
