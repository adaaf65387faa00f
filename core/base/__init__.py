"""What every room may know: names of columns, settings, errors, progress, wording, colours."""
