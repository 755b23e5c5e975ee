"""A run, its history, and the thread that carries it."""
