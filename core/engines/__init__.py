"""Where records lie or are computed beyond the files of one machine."""
