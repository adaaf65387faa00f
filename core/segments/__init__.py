"""From vectors to segments: combination, clustering, numbers of segments, identity, certificates, map."""
