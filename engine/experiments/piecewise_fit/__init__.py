"""Piecewise fit: Section 4, equations (10) to (12), Figure 4."""
