"""Pages labelled by hand, and how well the ladder does on them."""
