"""Single users: why one is where they are, who is typical and who is not, and who is like some others."""
