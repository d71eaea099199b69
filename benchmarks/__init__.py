"""Measurements. Run from a checkout with ``python -m benchmarks.…``."""
