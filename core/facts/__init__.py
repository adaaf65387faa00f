"""Figures of the profiles with an id, and the tools that make them and put them into words."""
