"""Where records lie, or are worked on, beyond the files and the memory of one machine."""
