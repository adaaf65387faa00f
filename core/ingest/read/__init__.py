"""Readers: files of any shape become raw text columns and rejects. Start reading at ``read_all.py``."""
