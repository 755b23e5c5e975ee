"""Proofs of stability by interval arithmetic: attractors, regions of attraction, instability."""
