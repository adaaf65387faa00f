"""Results on disk: written whole or not at all, by one writer per folder or file."""
