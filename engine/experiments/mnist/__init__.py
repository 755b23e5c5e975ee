"""Handwritten digits: Section 5, Figure 5."""
