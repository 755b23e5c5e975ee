"""A pane for each kind of view."""
