"""The scalar product network: Section 2, Propositions 1 to 3."""
