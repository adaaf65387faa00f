"""Pages labelled by hand, and how well the cascade does on them."""
