"""The matrix product network: Section 2, Theorems 1 and 2."""
