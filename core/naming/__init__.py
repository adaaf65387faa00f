"""Name segments from the table of differences, give the reason, and check whether a name still fits."""
