"""Kernels of the network of Section 5."""
