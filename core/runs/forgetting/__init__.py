"""Users that are to be forgotten: what holds them or was made of them goes, and every byte is searched."""
