"""Least squares: Section 2 before Proposition 1, Figure 1."""
