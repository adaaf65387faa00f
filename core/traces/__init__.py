"""Search for ids of users in every byte on disk, in every form, and remove them from tables."""
