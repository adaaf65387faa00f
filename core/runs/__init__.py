"""The stages over a store: a whole run, long runs in a child process, scoring, what leaves the tool."""
