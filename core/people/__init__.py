"""Single users: search, lists of ids, why a user is in a segment or outlying, look-alikes, and next pages."""
