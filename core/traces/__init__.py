"""Ids of users in whatever lies on disk: looked for in every byte, in every form, and taken out of tables."""
