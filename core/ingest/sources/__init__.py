"""Which files, what each of them is, and its bytes."""
