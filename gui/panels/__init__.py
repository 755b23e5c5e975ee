"""Panels that no description of a view could give: hand-made pictures."""
