"""Single users: search, why a user is in a segment, who is outlying, look-alikes, and next pages."""
