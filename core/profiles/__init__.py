"""What a segment is like, in numbers and in people."""
