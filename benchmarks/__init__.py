"""Benchmarks: run by hand at full size, by CI at a small one. Never part of the test suite."""
