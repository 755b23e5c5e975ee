"""Kernels of the scalar product network."""
