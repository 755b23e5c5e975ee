"""The user's own loss: a typed function, any optimiser, and the theory computed."""
