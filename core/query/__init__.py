"""One query as data: what is counted, of whom, by what and when; and the function that answers it."""
