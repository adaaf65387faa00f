"""A segment as a rule of a few conditions that other tools understand, with how well it fits."""
