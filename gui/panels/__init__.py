"""Panels that no description of a view covers: pictures of their own."""
