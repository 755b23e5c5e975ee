"""Kernels of residual networks with one input."""
