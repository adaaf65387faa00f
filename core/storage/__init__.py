"""What stages hand on (data set, receipt, page labels), and files: written whole, by one writer a place."""
