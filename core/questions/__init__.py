"""Questions in words: read as a query or a topic, and answered without a language model."""
