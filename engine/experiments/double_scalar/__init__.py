"""The double scalar network: Section 3.2, equations (9a, b)."""
