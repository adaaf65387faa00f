"""How good the vectors are, beside the simple ways, in one run: ``python -m benchmarks.quality``."""
