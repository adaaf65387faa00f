"""The table of differences: how each group of users differs from the others in items, measures, outcomes."""
