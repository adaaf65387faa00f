"""What users did, in order, and what is known of them. Start at ``behaviour.py``."""
