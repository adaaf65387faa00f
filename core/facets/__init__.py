"""Facets: simple ways in which users differ, such as loyalty; a stated rule gives every user a level."""
