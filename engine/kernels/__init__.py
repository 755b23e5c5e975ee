"""Compiled loops of gradient descent (numba, without the GIL)."""
