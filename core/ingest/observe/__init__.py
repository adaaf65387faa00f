"""Page views in order, other events, outcomes and facts of every user. Start reading at ``behaviour.py``."""
