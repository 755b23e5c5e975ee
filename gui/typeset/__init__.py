"""Formulas and texts with mathematics."""
