"""Segments as rules of a few conditions that other tools understand, with how well each rule fits."""
