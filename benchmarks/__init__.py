"""Measured comparisons: `python -m benchmarks.NAME` prints a table and one last line."""
