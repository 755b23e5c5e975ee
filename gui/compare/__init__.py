"""Pinned runs."""
