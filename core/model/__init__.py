"""The behaviour model: vocabularies, network, training, heads, embedding, and whether it is worth it."""
