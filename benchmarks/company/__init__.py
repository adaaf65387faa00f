"""Many people on one server: a bounded load test with real sessions (``python -m benchmarks.company``)."""
