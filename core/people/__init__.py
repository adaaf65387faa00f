"""Single users: search, lists of ids, why a user is in a segment, who is outlying, and look-alikes."""
