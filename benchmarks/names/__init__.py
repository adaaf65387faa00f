"""Whether the names of segments are true: each word of a name held against the raw tables."""
