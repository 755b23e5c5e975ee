"""Training of the user's own networks, with the stability of every step measured."""
