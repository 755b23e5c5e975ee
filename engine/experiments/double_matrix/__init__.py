"""The double matrix network: Section 3.2, Figure 3."""
