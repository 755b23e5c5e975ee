"""Speeds of the program beside those of other programs: `python -m tests.benchmarks`."""
