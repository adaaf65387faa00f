"""From vectors to segments: combination, clustering, choosing K, identity, map."""
