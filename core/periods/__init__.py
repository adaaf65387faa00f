"""Segments over time: days and weeks of an export, and a later export beside it."""
