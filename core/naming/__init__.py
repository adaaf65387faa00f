"""What a segment is called, why, and whether a name still fits it, from the table of differences."""
