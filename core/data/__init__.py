"""Data that stages hand on: the data set, its receipt, page labels, and checks of days and leaks."""
