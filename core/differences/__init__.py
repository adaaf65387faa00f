"""How one group of users differs from the others: items, measures and outcomes by one rule, in one table."""
