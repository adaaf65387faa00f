"""Next pages: the pages that a user, or a segment, is likely to view next, and why."""
