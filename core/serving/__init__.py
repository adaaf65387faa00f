"""A door for single users: events in, segment out, over HTTP."""
