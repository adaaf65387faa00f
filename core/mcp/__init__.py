"""MCP server: an assistant asks queries about a finished run, and is told nothing of a few users."""
