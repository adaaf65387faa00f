"""Shared basics for all packages: column names, settings, errors, progress, wording, colours."""
