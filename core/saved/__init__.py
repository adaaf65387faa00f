"""What an analyst decided and kept: names, corrections, conversations, preferences."""
