"""HTTP server that scores single users: events in, segment out."""
