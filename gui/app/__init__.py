"""The program: start, screenshots, smoke test."""
