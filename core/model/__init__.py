"""The behaviour model: vocabularies, network, training, heads, and embedding of users."""
