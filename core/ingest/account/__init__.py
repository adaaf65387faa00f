"""Accounting for every record of the input, and the receipt made of it."""
