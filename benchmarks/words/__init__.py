"""Whether the words say what the data says."""
