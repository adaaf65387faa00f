"""Segments by rule of the users with a single page view, whose behaviour nothing can be learned from."""
