"""Reads the sentences of a model: to go, once a model answers in typed blocks."""
