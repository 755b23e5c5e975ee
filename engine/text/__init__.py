"""Texts for people: notation and numbers."""
