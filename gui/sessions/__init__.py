"""Whole sessions as files."""
