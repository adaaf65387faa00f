"""How users differ: a few facets, on each of which a rule in words gives every user a level."""
