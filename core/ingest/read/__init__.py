"""Files of any shape → raw text columns, and a reject for what cannot be read. Start at ``read_all.py``."""
