"""Every record accounted for, and the receipt."""
