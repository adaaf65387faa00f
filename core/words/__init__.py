"""Stage 9: names, descriptions, comparisons and answers whose every number is a fact of the profiles."""
