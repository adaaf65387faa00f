"""How results reach the disk: written whole or not at all, one writer a place."""
