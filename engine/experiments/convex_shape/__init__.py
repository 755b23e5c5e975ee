"""Convex shapes: Section 3.1, equations (6) to (8), Figure 2."""
