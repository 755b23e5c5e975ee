"""Recomputing the paper from the window."""
