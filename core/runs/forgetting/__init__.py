"""Forgetting users: what holds their ids or was made of their data is removed, and every byte is searched."""
