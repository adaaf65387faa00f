"""More users than fit into memory at once: parts by user, and what is done to each of them."""
